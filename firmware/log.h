/* The event log: named events, one line each, in a ring that a task drains to the console.
 *
 *     2026-11-20T11:09:42.123Z info session.taken slot=3 peer=10.0.2.2:41234
 *
 * Events are declared once, in the list below. Bytes from outside are escaped and cut; secrets are
 * never arguments. Logging never blocks: a full ring drops the newest line and counts it, and the
 * count is logged when there is room again. Context: tasks and lwIP callbacks, never an ISR.
 *
 *     struct log_line *l = log_begin(EV_SESSION_TAKEN);   NULL below the level: the rest is a no-op
 *     log_u64(l, "slot", slot);
 *     log_end(l);
 */
#ifndef HERD_LOG_H
#define HERD_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "text.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* event, level, name in the line */
#define LOG_EVENTS(X)                                                                              \
    X(EV_NODE_START, LOG_INFO, "node.start")                                                       \
    X(EV_NODE_READY, LOG_INFO, "node.ready")                                                       \
    X(EV_NODE_STOPPED, LOG_INFO, "node.stopped")                                                   \
    X(EV_NODE_FAILED, LOG_ERROR, "node.failed")                                                    \
    X(EV_NET_UP, LOG_INFO, "net.up")                                                               \
    X(EV_NET_DOWN, LOG_WARN, "net.down")                                                           \
    X(EV_NET_WAITING, LOG_WARN, "net.waiting")                                                     \
    X(EV_NET_WRONG_ADDRESS, LOG_ERROR, "net.wrong_address")                                        \
    X(EV_NET_COUNTERS, LOG_INFO, "net.counters")                                                   \
    X(EV_LOG_DROPPED, LOG_WARN, "log.dropped")                                                     \
    X(EV_CONN_REFUSED, LOG_WARN, "conn.refused")                                                   \
    X(EV_CONN_FAILED, LOG_WARN, "conn.failed")                                                     \
    X(EV_SESSION_TAKEN, LOG_INFO, "session.taken")                                                 \
    X(EV_SESSION_ENDED, LOG_INFO, "session.ended")                                                 \
    X(EV_SESSION_COMMAND, LOG_INFO, "session.command")                                             \
    X(EV_SESSION_ANSWER, LOG_INFO, "session.answer")                                               \
    X(EV_SESSION_INVALID, LOG_INFO, "session.invalid")                                             \
    X(EV_LINK_DIAL, LOG_DEBUG, "link.dial")                                                        \
    X(EV_LINK_MADE, LOG_INFO, "link.made")                                                         \
    X(EV_LINK_TAKEN, LOG_INFO, "link.taken")                                                       \
    X(EV_LINK_UP, LOG_INFO, "link.up")                                                             \
    X(EV_LINK_DOWN, LOG_WARN, "link.down")                                                         \
    X(EV_LINK_DROPPED, LOG_INFO, "link.dropped")                                                   \
    X(EV_LINK_RETRY, LOG_INFO, "link.retry")                                                       \
    X(EV_LINK_SUSPECT, LOG_WARN, "link.suspect")                                                   \
    X(EV_LINK_RECOVERED, LOG_INFO, "link.recovered")                                               \
    X(EV_LINK_REFUSED, LOG_WARN, "link.refused")                                                   \
    X(EV_LINK_SENT, LOG_INFO, "link.sent")                                                         \
    X(EV_LINK_GOT, LOG_INFO, "link.got")                                                           \
    X(EV_LINK_BEAT, LOG_DEBUG, "link.beat")                                                        \
    X(EV_OLDER_OPEN, LOG_WARN, "older.open")                                                       \
    X(EV_OLDER_DIAL, LOG_DEBUG, "older.dial")                                                      \
    X(EV_OLDER_MADE, LOG_INFO, "older.made")                                                       \
    X(EV_OLDER_DROPPED, LOG_INFO, "older.dropped")                                                 \
    X(EV_OLDER_RETRY, LOG_WARN, "older.retry")                                                     \
    X(EV_OLDER_SENT, LOG_INFO, "older.sent")                                                       \
    X(EV_OLDER_GOT, LOG_INFO, "older.got")                                                         \
    X(EV_OLDER_REFUSED, LOG_WARN, "older.refused")                                                 \
    X(EV_CLOCK_TRUST, LOG_WARN, "clock.trust")                                                     \
    X(EV_CLOCK_UNKNOWN, LOG_WARN, "clock.unknown")                                                 \
    X(EV_CLOCK_SET, LOG_INFO, "clock.set")                                                         \
    X(EV_CLOCK_ADJUSTED, LOG_DEBUG, "clock.adjusted")                                              \
    X(EV_CLOCK_REFUSED, LOG_WARN, "clock.refused")                                                 \
    X(EV_NV_READY, LOG_INFO, "nv.ready")                                                           \
    X(EV_NV_FAILED, LOG_ERROR, "nv.failed")                                                        \
    X(EV_ENTROPY_MISSING, LOG_ERROR, "entropy.missing")                                            \
    X(EV_SETUP_REFUSED, LOG_ERROR, "setup.refused")                                                \
    X(EV_SETUP_NEEDED, LOG_ERROR, "setup.needed")                                                  \
    X(EV_SETUP_CHANGED, LOG_INFO, "setup.changed")                                                 \
    X(EV_CONSOLE_COMMAND, LOG_DEBUG, "console.command")                                            \
    X(EV_PLACES_ASKED, LOG_INFO, "places.asked")                                                   \
    X(EV_PLACES_ANSWERED, LOG_INFO, "places.answered")                                             \
    X(EV_PLACES_FAILED, LOG_WARN, "places.failed")                                                 \
    X(EV_PLACES_LIMIT, LOG_WARN, "places.over_limit")                                              \
    X(EV_PLACES_SETUP, LOG_INFO, "places.setup")                                                   \
    X(EV_ASK_SENT, LOG_INFO, "ask.sent")                                                           \
    X(EV_ASK_LOST, LOG_WARN, "ask.lost")                                                           \
    X(EV_ASK_GOT, LOG_INFO, "ask.got")                                                             \
    X(EV_ASK_ANSWERED, LOG_INFO, "ask.answered")                                                   \
    X(EV_ASK_REFUSED, LOG_WARN, "ask.refused")                                                     \
    X(EV_ASK_DROPPED, LOG_INFO, "ask.dropped")                                                     \
    X(EV_TLS_SETUP, LOG_INFO, "tls.setup")                                                         \
    X(EV_TLS_UP, LOG_INFO, "tls.up")                                                               \
    X(EV_TLS_DOWN, LOG_INFO, "tls.down")                                                           \
    X(EV_TLS_FAILED, LOG_WARN, "tls.failed")

#define LOG_EVENT_ENUM_(event, level, name) event,
enum log_event { LOG_EVENTS(LOG_EVENT_ENUM_) LOG_EVENT_COUNT };
#undef LOG_EVENT_ENUM_

struct log_line;

/* Starts the log: the drain task is added to the scheduler. */
void log_init(enum log_level level);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
/* "error", "warn", "info", "debug"; HERD_E_SYNTAX otherwise. */
int log_parse_level(struct span name, enum log_level *out) HERD_MUST_CHECK;

/* At most one line is open at a time (asserted). */
struct log_line *log_begin(enum log_event event);
/* Our own words; quoted when there are several. */
void log_str(struct log_line *l, const char *key, const char *value);
void log_span(struct log_line *l, const char *key, struct span value); /* quoted, escaped, cut */
void log_u64(struct log_line *l, const char *key, uint64_t value);
void log_i64(struct log_line *l, const char *key, int64_t value);
void log_ip4(struct log_line *l, const char *key, uint32_t address, uint16_t port); /* host order */
void log_address(struct log_line *l, const char *key, uint32_t address); /* the same, no port */
void log_end(struct log_line *l);

/* Who shares the console: `gate` is called before a line begins, and returns false when it cannot be
 * written now (asked again soon). NULL: nobody. log_init sets NULL. */
void log_set_gate(bool (*gate)(void));
bool log_is_mid_line(void); /* the console has taken a line in part */
bool log_is_waiting(void);  /* there are lines that the console has not taken */

uint32_t log_dropped(void); /* lines, since start */
/* Gives the console what is waiting, as far as it takes it; for the port's last words. */
void log_flush(void);

#endif
