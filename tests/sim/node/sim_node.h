/* What the files of a simulated node's port know of each other. */
#ifndef SIM_NODE_H
#define SIM_NODE_H

#include "config.h"

#include "abi.h"

extern struct abi_node_host sim_host; /* a copy of the engine's */
extern struct abi_time sim_now;       /* of the call that is running */
extern uint64_t sim_idle_ms;          /* what hal_idle was asked last; ABI_NEVER: no deadline */

extern struct config sim_config; /* of the running node */

extern int64_t sim_crypto_ns; /* of the running step */

void sim_probe(struct world_probe *out);

#endif
