/* ISO 6709 decimal degrees; geo.h has the contract. */
#include "geo.h"

#define LAT_E7_MAX 900000000u
#define LNG_E7_MAX 1800000000u

static bool is_sign(char c)
{
    return c == '+' || c == '-';
}

/* One signed coordinate; s starts with its sign. */
static int parse_degrees(struct span s, uint32_t max_e7, int32_t *out)
{
    uint64_t magnitude;
    bool beyond;
    int err =
        text_parse_fixed((struct span){s.at + 1, s.bytes - 1}, 7, max_e7, &magnitude, &beyond);

    if (err != HERD_OK) {
        return err;
    }
    if (magnitude == max_e7 && beyond) {
        return HERD_E_RANGE;
    }
    *out = s.at[0] == '-' ? -(int32_t)magnitude : (int32_t)magnitude;
    return HERD_OK;
}

int geo_parse(struct span s, struct geo_point *out)
{
    struct geo_point point;
    size_t second = 1;

    if (s.bytes == 0 || !is_sign(s.at[0])) {
        return HERD_E_SYNTAX;
    }
    while (second < s.bytes && !is_sign(s.at[second])) {
        second++;
    }
    if (second == s.bytes) {
        return HERD_E_SYNTAX;
    }
    int lat = parse_degrees((struct span){s.at, second}, LAT_E7_MAX, &point.lat_e7);
    int lng =
        parse_degrees((struct span){s.at + second, s.bytes - second}, LNG_E7_MAX, &point.lng_e7);

    /* What is no location at all is said before what is out of range. */
    if (lat == HERD_E_SYNTAX || lng == HERD_E_SYNTAX) {
        return HERD_E_SYNTAX;
    }
    if (lat != HERD_OK || lng != HERD_OK) {
        return HERD_E_RANGE;
    }
    *out = point;
    return HERD_OK;
}
