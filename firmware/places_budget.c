#include "places_budget.h"

#include <string.h>

void places_budget_init(struct places_budget *b, uint32_t per_minute, uint32_t per_day)
{
    memset(b, 0, sizeof *b);
    b->per_minute = per_minute;
    b->per_day = per_day;
}

/* Empties the buckets between the last time and now. */
static void advance(uint32_t *buckets, uint32_t count, uint32_t *sum, uint64_t *at, uint64_t now)
{
    uint64_t steps = now - *at;

    if (steps > count) {
        steps = count;
    }
    for (uint64_t i = 0; i < steps; i++) {
        uint32_t *oldest = &buckets[(now - i) % count];
        *sum -= *oldest;
        *oldest = 0;
    }
    *at = now;
}

enum places_budget_verdict places_budget_take(struct places_budget *b, uint64_t now_ms)
{
    advance(b->seconds, PLACES_BUDGET_SECONDS, &b->last_minute, &b->second, now_ms / 1000);
    advance(b->hours, PLACES_BUDGET_HOURS, &b->last_day, &b->hour, now_ms / 3600000);
    if (b->last_day >= b->per_day) {
        return PLACES_BUDGET_DAY;
    }
    if (b->last_minute >= b->per_minute) {
        return PLACES_BUDGET_MINUTE;
    }
    b->seconds[b->second % PLACES_BUDGET_SECONDS]++;
    b->hours[b->hour % PLACES_BUDGET_HOURS]++;
    b->last_minute++;
    b->last_day++;
    return PLACES_BUDGET_FINE;
}

void places_budget_return(struct places_budget *b)
{
    uint32_t *second = &b->seconds[b->second % PLACES_BUDGET_SECONDS];
    uint32_t *hour = &b->hours[b->hour % PLACES_BUDGET_HOURS];

    /* Only one query is under way at a time, and nothing was taken since: both buckets hold it. */
    if (*second > 0 && *hour > 0) {
        --*second;
        --*hour;
        b->last_minute--;
        b->last_day--;
    }
}
