/* The nodes of a herd file: complete, in networks that exist, and on ports of their own. Internal to
 * config.
 */
#ifndef HERD_CONFIG_NODES_H
#define HERD_CONFIG_NODES_H

#include <stdbool.h>

#include "config.h"

/* After `self` was chosen. False with an error text when a node lacks a key, has a network that cannot be,
 * or two listeners have one address and port. Cost: quadratic in the nodes. */
bool config_nodes_check(const struct config *c);

#endif
