/* A node of the herd: what a port calls to run one. Composition root of firmware/.
 */
#ifndef HERD_H
#define HERD_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "err.h"
#include "text.h"

/* What the port has found for the node; everything lives as long as the node runs. */
struct herd_boot {
    /* From setup_start. NULL: there is none that this image accepts: a console, no network. */
    const struct config *config;
    struct span places_key; /* empty: WHATSAT says that there is none */
    struct span link_keys;  /* setup_link_keys; empty: no neighbours. Until herd_start returns */
    struct span trust_pem;  /* PEM text with its final NUL counted; empty: built-in anchors */
};

/* After nv_start. Starts the node: lwIP, network, listeners, tasks. It is ready, and says so in the log, when its
 * interface has an address: at once, unless a DHCP server is asked. HERD_E_* with the reason logged;
 * the port should then log_flush and exit. */
int herd_start(const struct herd_boot *boot) HERD_MUST_CHECK;

/* One round of the scheduler, then idles (hal_idle) until something is due. */
void herd_step(void);

/* Asks the node to stop: BYE to neighbours, FIN to clients; done when herd_stopped says so: when all neighbours
 * have it, after 200 ms at the latest. */
void herd_stop(void);
bool herd_stopped(void);

/* Starts the node again (hal_system_restart), once it has said BYE. */
void herd_restart(void);

#endif
