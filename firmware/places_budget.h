/* How many queries may still be asked: two sliding windows that protect the user's bill. Pure.
 *
 * In any 60 seconds no more than per_minute queries are allowed, in any 24 hours no more than
 * per_day. Counting is in whole seconds and hours, to the safe side. A restart forgets.
 */
#ifndef HERD_PLACES_BUDGET_H
#define HERD_PLACES_BUDGET_H

#include <stdint.h>

/* One more than the window has, so that the youngest and the oldest count as whole. */
#define PLACES_BUDGET_SECONDS 61
#define PLACES_BUDGET_HOURS   25

struct places_budget {
    uint32_t per_minute;
    uint32_t per_day;
    uint32_t seconds[PLACES_BUDGET_SECONDS];
    uint32_t hours[PLACES_BUDGET_HOURS];
    uint64_t second; /* the current one, since the clock's start */
    uint64_t hour;
    uint32_t last_minute; /* sums */
    uint32_t last_day;
};

enum places_budget_verdict { PLACES_BUDGET_FINE, PLACES_BUDGET_MINUTE, PLACES_BUDGET_DAY };

void places_budget_init(struct places_budget *b, uint32_t per_minute, uint32_t per_day);

/* Takes one query if both windows allow it. `now_ms` never goes backwards. */
enum places_budget_verdict places_budget_take(struct places_budget *b, uint64_t now_ms);

/* The query that was taken last was not asked after all. */
void places_budget_return(struct places_budget *b);

#endif
