#include "grid.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define EARTH_RADIUS_M 6371008.8
#define CELL_M         500.0
#define RAD(deg)       ((deg) * (M_PI / 180.0))
#define DEG(rad)       ((rad) * (180.0 / M_PI))
#define CANDIDATES_MAX 256

/* Rows of equal latitude, half a row away from each pole; the row beside a pole has 3 places. */
static const long row_count = (long)(M_PI * EARTH_RADIUS_M / CELL_M);

struct kind {
    const char *name;
    const char *types;
};

/* Cafés most of all; the others keep readers of JSON and UTF-8 honest. */
static const struct kind kinds[] = {
    {"Test Café", "cafe,food,point_of_interest,establishment"},
    {"Test Café", "cafe,food,point_of_interest,establishment"},
    {"Test Café", "cafe,food,point_of_interest,establishment"},
    {"Test Café", "cafe,food,point_of_interest,establishment"},
    {"Test Bäckerei", "bakery,food,store,point_of_interest,establishment"},
    {"Test \"Quoted\" \\ Pub & Grill", "bar,restaurant,food,point_of_interest,establishment"},
    {"Test 図書館", "library,point_of_interest,establishment"},
    {"Test <Park> 🌳", "park,point_of_interest,establishment"},
};

static double row_lat_deg(long row)
{
    return -90.0 + ((double)row + 0.5) * 180.0 / (double)row_count;
}

static long row_columns(long row)
{
    double around_m = 2.0 * M_PI * EARTH_RADIUS_M * cos(RAD(row_lat_deg(row)));
    long columns = lround(around_m / CELL_M);
    return columns < 1 ? 1 : columns;
}

static void make_place(long row, long column, struct place *place)
{
    unsigned long long hash =
        places_hash((unsigned long long)row << 32 | (unsigned long long)column);
    const struct kind *kind = &kinds[hash % (sizeof kinds / sizeof kinds[0])];

    snprintf(place->name, sizeof place->name, "%s %llu", kind->name, hash / 16 % 1000);
    snprintf(place->vicinity, sizeof place->vicinity, "Grid Street %ld–%ld", row, column);
    place->types = kind->types;
    place->lat_deg = row_lat_deg(row);
    place->lng_deg = -180.0 + ((double)column + 0.5) * 360.0 / (double)row_columns(row);
    places_set_id(place, hash, ~hash);
}

/* All places of one row within radius_m. */
static size_t find_in_row(long row, double lat_deg, double lng_deg, double radius_m,
                          struct place *found, size_t max)
{
    long columns = row_columns(row);
    double width_deg = 360.0 / (double)columns;
    /* Haversine solved for the difference of longitude at which the row leaves the circle. */
    double half = sin(RAD(row_lat_deg(row) - lat_deg) / 2.0);
    double reach = sin(radius_m / EARTH_RADIUS_M / 2.0);
    double squared =
        (reach * reach - half * half) / (cos(RAD(lat_deg)) * cos(RAD(row_lat_deg(row))));
    if (squared < 0.0) {
        return 0;
    }
    double spread_deg = squared >= 1.0 ? 180.0 : DEG(2.0 * asin(sqrt(squared)));
    long span = (long)(spread_deg / width_deg) + 1;
    if (2 * span + 1 > columns) {
        span = -1; /* the whole row, each place once */
    }
    long middle = (long)floor((lng_deg + 180.0) / width_deg);
    long first = span < 0 ? 0 : middle - span;
    long last = span < 0 ? columns - 1 : middle + span;
    size_t count = 0;
    for (long i = first; i <= last && count < max; i++) {
        struct place *place = &found[count];
        make_place(row, ((i % columns) + columns) % columns, place);
        place->distance_m = places_distance_m(lat_deg, lng_deg, place->lat_deg, place->lng_deg);
        if (place->distance_m <= radius_m) {
            count++;
        }
    }
    return count;
}

static size_t find_all(double lat_deg, double lng_deg, double radius_m, struct place *found,
                       size_t max)
{
    double reach_deg = DEG(radius_m / EARTH_RADIUS_M);
    double rows_per_deg = (double)row_count / 180.0;
    long first = (long)floor((lat_deg - reach_deg + 90.0) * rows_per_deg) - 1;
    long last = (long)floor((lat_deg + reach_deg + 90.0) * rows_per_deg) + 1;
    size_t count = 0;
    for (long row = first < 0 ? 0 : first; row <= last && row < row_count; row++) {
        count += find_in_row(row, lat_deg, lng_deg, radius_m, found + count, max - count);
    }
    return count;
}

size_t grid_find(double lat_deg, double lng_deg, double radius_m, struct place *found, size_t max)
{
    static struct place candidates[CANDIDATES_MAX];

    /* A circle that holds `max` places for sure is enough: the nearest are all inside it. One of
     * 3 km holds some 113, the most that can be asked for is PLACES_FOUND_MAX. */
    double reach_m = radius_m < 3000.0 ? radius_m : 3000.0;
    size_t count = find_all(lat_deg, lng_deg, reach_m, candidates, CANDIDATES_MAX);
    qsort(candidates, count, sizeof candidates[0], places_compare);
    if (count > max) {
        count = max;
    }
    for (size_t i = 0; i < count; i++) {
        found[i] = candidates[i];
    }
    return count;
}
