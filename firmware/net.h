/* The network interface: brought up by the port, its address from the herd file or by DHCP.
 *
 * The herd file's address is where others dial this node, whoever configures the interface: with
 * dhcp = yes the server is expected to give that address (a reservation), and the log says so in
 * plain words when it gives another. Without an address nobody can be dialled; a lease that is lost
 * ends all connections, and they come back with the next. Context: tasks.
 */
#ifndef HERD_NET_H
#define HERD_NET_H

#include <stdbool.h>

#include "config.h"
#include "err.h"

/* Initialises lwIP, lets the port make its interface, and adds the task that reads frames and runs
 * lwIP's timers. `on_up` is called from that task each time the interface has got an address, also
 * for one of the herd file. HERD_E_NETWORK after the port said why. */
int net_start(const struct config *config, void (*on_up)(void)) HERD_MUST_CHECK;

/* The interface has an address. */
bool net_is_up(void);

/* Frames may be waiting: call after every idle. */
void net_wake(void);

/* Logs what the interface has counted; for the end. */
void net_log_counters(void);

#endif
