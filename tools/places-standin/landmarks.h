/* Real places that everyone can look up. */
#ifndef STANDIN_LANDMARKS_H
#define STANDIN_LANDMARKS_H

#include <stddef.h>

struct landmark {
    const char *name;
    double lat_deg;
    double lng_deg;
    const char *types; /* comma separated, in Google's words, most specific first */
    const char *vicinity;
};

extern const struct landmark landmarks[];
extern const size_t landmark_count;

#endif
