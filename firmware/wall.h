/* What time it is, and whether this node knows: the port's clock, or SNTP (RFC 4330, lwIP's client).
 *
 * The port's clock counts when it is not behind the build of this image (less a day, for a laptop whose
 * clock is a little off). Where the port has none, or the herd file names NTP servers, they are asked; an
 * answer sets the port's clock (hal_clock_set_wall_ns). SNTP is not authenticated: who can forge the
 * servers' answers can tell any time after the build. Context: tasks; the wall_sntp_ functions are for
 * lwIP's callbacks.
 */
#ifndef HERD_WALL_H
#define HERD_WALL_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"

enum wall_source {
    WALL_NONE, /* not known yet */
    WALL_PORT, /* the port knew it at start */
    WALL_SNTP
};

struct wall_state {
    enum wall_source source;
    bool known;       /* wall_now_ns gives a time */
    bool asking;      /* SNTP is on */
    uint8_t servers;  /* that it may ask, those of DHCP included */
    uint32_t server;  /* the first of them, host byte order; 0: none yet */
    uint32_t answers; /* of NTP servers */
    uint32_t refused; /* of these: before the build */
    int64_t step_ns;  /* of the last correction; 0 at the first */
    uint64_t set_ms;  /* monotonic: when the clock was last set */
    int64_t floor_ns;
};

/* After the network has started. */
void wall_init(const struct config *config);

/* The time, when it is known: not before the floor. */
bool wall_now_ns(int64_t *ns);

struct wall_state wall_state(void);

/* For lwIP's SNTP (port/lwip/lwipopts.h): seconds since 1970 modulo 2^32, and microseconds. Get: while
 * the time is not known, one that nobody can guess, running at the right pace. */
void wall_sntp_set(uint32_t seconds, uint32_t us);
void wall_sntp_get(uint32_t *seconds, uint32_t *us);

#endif
