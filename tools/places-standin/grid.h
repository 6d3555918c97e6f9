/* Made-up places every 500 m over the whole Earth, computed and not stored. */
#ifndef STANDIN_GRID_H
#define STANDIN_GRID_H

#include "places.h"

/* Like places_find, of the grid's places only. A place of the grid is never further than 360 m
 * from any coordinate. */
size_t grid_find(double lat_deg, double lng_deg, double radius_m, struct place *found, size_t max);

#endif
