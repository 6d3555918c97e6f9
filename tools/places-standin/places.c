#include "places.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grid.h"
#include "landmarks.h"

#define EARTH_RADIUS_M 6371008.8
#define RAD(deg)       ((deg) * (M_PI / 180.0))
#define LANDMARKS_MAX  128

double places_distance_m(double lat1_deg, double lng1_deg, double lat2_deg, double lng2_deg)
{
    double lat_half = sin(RAD(lat2_deg - lat1_deg) / 2.0);
    double lng_half = sin(RAD(lng2_deg - lng1_deg) / 2.0);
    double a = lat_half * lat_half + cos(RAD(lat1_deg)) * cos(RAD(lat2_deg)) * lng_half * lng_half;
    return 2.0 * EARTH_RADIUS_M * asin(sqrt(a > 1.0 ? 1.0 : a));
}

unsigned long long places_hash(unsigned long long x)
{
    x += 0x9E3779B97F4A7C15ULL;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ x >> 27) * 0x94D049BB133111EBULL;
    return x ^ x >> 31;
}

void places_set_id(struct place *place, unsigned long long a, unsigned long long b)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *p = place->id;
    memcpy(p, "ChIJ", 4);
    p += 4;
    for (unsigned i = 0; i < 23; i++) {
        unsigned long long bits = i < 10 ? a >> (6 * i) : b >> (6 * ((i - 10) % 10));
        *p++ = alphabet[(bits ^ (i >= 20 ? a >> 58 : 0)) & 63];
    }
    *p = '\0';
}

int places_compare(const void *a, const void *b)
{
    const struct place *left = a;
    const struct place *right = b;
    if (left->distance_m != right->distance_m) {
        return left->distance_m < right->distance_m ? -1 : 1;
    }
    return strcmp(left->id, right->id);
}

static void fill_from_landmark(const struct landmark *landmark, size_t index, struct place *place)
{
    snprintf(place->name, sizeof place->name, "%s", landmark->name);
    snprintf(place->vicinity, sizeof place->vicinity, "%s", landmark->vicinity);
    place->types = landmark->types;
    place->lat_deg = landmark->lat_deg;
    place->lng_deg = landmark->lng_deg;
    /* Rows of the grid stay far below 2^31, so no landmark shares a number with a grid place. */
    unsigned long long hash = places_hash(0xFFFFFFFF00000000ULL + index);
    places_set_id(place, hash, ~hash);
}

size_t places_find(double lat_deg, double lng_deg, double radius_m, struct place *found, size_t max)
{
    static struct place all[PLACES_FOUND_MAX + LANDMARKS_MAX];

    size_t count = grid_find(lat_deg, lng_deg, radius_m, all, PLACES_FOUND_MAX);
    for (size_t i = 0; i < landmark_count && i < LANDMARKS_MAX; i++) {
        double distance_m =
            places_distance_m(lat_deg, lng_deg, landmarks[i].lat_deg, landmarks[i].lng_deg);
        if (distance_m <= radius_m) {
            fill_from_landmark(&landmarks[i], i, &all[count]);
            all[count++].distance_m = distance_m;
        }
    }
    qsort(all, count, sizeof all[0], places_compare);
    if (count > max) {
        count = max;
    }
    memcpy(found, all, count * sizeof found[0]);
    return count;
}
