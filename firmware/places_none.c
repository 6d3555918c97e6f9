/* places.h for a node without an upstream: every query fails, at once and in the protocol's shape. */
#include "places.h"

#include "cfg.h"

#if !CFG_UPSTREAM
#include "log.h"

#define TICKET ((places_ticket)1) /* one for all: the answer is always the same */

static char answer[128];
static size_t answer_bytes;
static struct places_stats stats;

int places_init(const struct config_places *config, struct span key, struct sched_task *waiter)
{
    (void)config;
    (void)key;
    (void)waiter;
    static const char why[] = "this node has no upstream";
    struct text t;
    text_init(&t, answer, sizeof answer);
    places_format_failure(&t, SPAN_LIT("REQUEST_DENIED"), span_of(why));
    HERD_ASSERT(!t.cut);
    answer_bytes = t.bytes;
    stats = (struct places_stats){0};
    struct log_line *l = log_begin(EV_PLACES_SETUP);
    log_str(l, "provider", "none");
    log_str(l, "unusable", why);
    log_end(l);
    return HERD_OK;
}

int places_ask(const struct places_query *query, places_ticket *out)
{
    (void)query;
    stats.failed++;
    *out = TICKET;
    return HERD_OK;
}

int places_poll(places_ticket ticket, struct span *out)
{
    (void)ticket;
    *out = (struct span){answer, answer_bytes};
    return HERD_OK;
}

void places_release(places_ticket ticket)
{
    (void)ticket;
}

struct places_stats places_stats(void)
{
    return stats;
}

#endif
