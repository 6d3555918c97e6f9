/*
 * Track points of a GPX file (1.0 or 1.1), one at a time, in constant memory.
 * Only track points (trkpt) are points of a track: route points (rtept) are a plan and waypoints
 * (wpt) are places, so they are counted and skipped.
 */
#ifndef HERDCTL_GPX_H
#define HERDCTL_GPX_H

#include <stdbool.h>
#include <stddef.h>

#define GPX_COORDINATE_BYTES 64
#define GPX_TIME_BYTES       64

struct gpx_point {
    char lat[GPX_COORDINATE_BYTES]; /* as the file has them, empty when missing or too long */
    char lon[GPX_COORDINATE_BYTES];
    char time[GPX_TIME_BYTES]; /* empty when the point has none, no time when too long */
};

struct gpx; /* an open file */

/* Opens `path`. Returns NULL after saying why on stderr; otherwise gpx_close() is due. */
struct gpx *gpx_open(const char *path);

/*
 * Reads the next track point into *point. Returns 1; 0 at the end of the file; -1, said on stderr
 * with file and line, when the file is not well-formed XML or cannot be read.
 */
int gpx_next(struct gpx *gpx, struct gpx_point *point);

/* Route points and waypoints seen so far. */
size_t gpx_other_points(const struct gpx *gpx);

/* True when the root element was `gpx`. */
bool gpx_is_gpx(const struct gpx *gpx);

void gpx_close(struct gpx *gpx);

#endif
