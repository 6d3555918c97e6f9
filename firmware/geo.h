/* Places on Earth as integers. Pure.
 */
#ifndef HERD_GEO_H
#define HERD_GEO_H

#include <stdint.h>

#include "err.h"
#include "text.h"

/* WGS 84 degrees in units of 1e-7 (about 1 cm): latitude within ±900000000, longitude within
 * ±1800000000. */
struct geo_point {
    int32_t lat_e7;
    int32_t lng_e7;
};

/* ISO 6709 decimal degrees: sign, latitude, sign, longitude (PROTOCOL.md section 2). Digits beyond
 * the seventh decimal are read, count for the range check (+90.00000001 is out), and are dropped.
 * HERD_E_SYNTAX or HERD_E_RANGE. Cost: linear. */
int geo_parse(struct span s, struct geo_point *out) HERD_MUST_CHECK;

#endif
