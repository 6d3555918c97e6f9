/* Which places are near a coordinate: real landmarks and a grid that covers the Earth. */
#ifndef STANDIN_PLACES_H
#define STANDIN_PLACES_H

#include <stddef.h>

#define PLACES_FOUND_MAX 60 /* three pages of 20, as Google's legacy search gives */

struct place {
    char name[128];     /* UTF-8 */
    char vicinity[128]; /* UTF-8 */
    char id[32];        /* 27 characters that begin ChIJ; the same in every run */
    const char *types;  /* comma separated */
    double lat_deg;     /* -90..90 */
    double lng_deg;     /* -180..180 */
    double distance_m;  /* from the coordinate asked for */
};

/* Great-circle distance on a sphere, metres. */
double places_distance_m(double lat1_deg, double lng1_deg, double lat2_deg, double lng2_deg);

/* Writes the nearest places within radius_m, nearest first, and returns how many (at most max,
 * which is at most PLACES_FOUND_MAX). lat_deg -90..90, lng_deg -180..180. */
size_t places_find(double lat_deg, double lng_deg, double radius_m, struct place *found,
                   size_t max);

/* Fills place->id from two numbers that identify the place. */
void places_set_id(struct place *place, unsigned long long a, unsigned long long b);

/* The order of places_find: distance, then id. For qsort. */
int places_compare(const void *a, const void *b);

/* A well-mixed 64-bit hash of a number (splitmix64's finalizer). */
unsigned long long places_hash(unsigned long long x);

#endif
