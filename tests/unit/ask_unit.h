/* What the tests of ask and answer share: a clock, a log that is not written, links that are what the
 * test says, and a node with neighbours. Include it once, in a test program, after unit.h.
 */
#ifndef HERD_ASK_UNIT_H
#define HERD_ASK_UNIT_H

#include "config.h"
#include "frames.h"
#include "links.h"
#include "log.h"
#include "sched.h"

static uint64_t now_ms;
static bool offers[CFG_LINKS];
static unsigned links_woken;
static struct config config;

static inline void begin_config(unsigned neighbours)
{
    memset(&config, 0, sizeof config);
    for (unsigned i = 0; i < neighbours; i++) {
        config.nodes[i + 1].name[0] = (char)('B' + i);
        config.neighbours[i] = (uint8_t)(i + 1);
        offers[i] = true;
    }
    config.node_count = neighbours + 1;
    config.neighbour_count = neighbours;
    config.report_bytes = 128;
    config.places.timeout_ms = 10000;
    now_ms = 5000;
    links_woken = 0;
}

uint64_t sched_now_ms(void)
{
    return now_ms;
}

void sched_wake(struct sched_task *t)
{
    t->woken = true;
}

void links_wake(void)
{
    links_woken++;
}

bool links_offers_ask(unsigned i)
{
    assert_true(i < config.neighbour_count);
    return offers[i];
}

struct log_line *log_begin(enum log_event event)
{
    (void)event;
    return NULL;
}

void log_str(struct log_line *l, const char *key, const char *value)
{
    (void)l;
    (void)key;
    assert_non_null(value);
}

void log_u64(struct log_line *l, const char *key, uint64_t value)
{
    (void)l;
    (void)key;
    (void)value;
}

void log_end(struct log_line *l)
{
    (void)l;
}

#endif
