/* The links of a herd file, and their suites. Internal to config, and to the console, which shows them.
 */
#ifndef HERD_CONFIG_LINKS_H
#define HERD_CONFIG_LINKS_H

#include <stdbool.h>

#include "config.h"
#include "text.h"

/* One line of [links], when all nodes are known: `name = NEIGHBOUR NEIGHBOUR:SUITE ...`. Fails with an
 * error text (config_make_fault) when it is not one. */
void config_links_read(unsigned line, struct span name, struct span value);

/* After `self` was chosen: this node's neighbours, in the order of their names. False with an error text
 * when they are more than the board has room for, or have a suite that it has not. */
bool config_links_finish(struct config *c);

/* The suite that the herd file gives the link of nodes a and b itself. False: none, link_suite of [herd]
 * counts, and *suite is untouched. */
bool config_links_said_suite(const struct config *c, unsigned a, unsigned b,
                             enum config_suite *suite);

#endif
