/*
 * When a herd is ready, told from the nodes' log lines alone: pure, no process and no clock.
 * A node is up between its `node.ready` and its end; an end of a link between `link.up peer=X` and
 * `link.down peer=X`.
 */
#ifndef HERD_RUN_READY_H
#define HERD_RUN_READY_H

#include "herdfile.h"

struct ready {
    const struct herdfile *herd;
    bool node_up[HERDFILE_NODES_MAX];
    bool link_up[HERDFILE_LINKS_MAX][2]; /* as logged by either end */
};

/* Starts with nothing up. `herd` is kept, not copied. */
void ready_init(struct ready *ready, const struct herdfile *herd);

/* Takes one log line of node `node` (index); lines that say nothing about it are ignored. */
void ready_line(struct ready *ready, size_t node, const char *line);

/* Node `node` has ended: it and its ends of links are down. */
void ready_ended(struct ready *ready, size_t node);

/* True when all nodes, and all links at both ends, are up. */
bool ready_complete(const struct ready *ready);

/* Writes what is missing into text[bytes]: "Clark; the link Clark-Bona at Bona". */
void ready_missing(const struct ready *ready, char *text, size_t bytes);

#endif
