/* A configuration while it is made: what config.c, config_links.c and config_nodes.c share, and the place of
 * an error in front of its words. Internal to config: nobody else includes this.
 */
#ifndef HERD_CONFIG_MAKE_H
#define HERD_CONFIG_MAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "config_keys.h"
#include "text.h"

/* From config_begin on. Lines are as config_make_short_line gives them; 0: not given yet. */
extern struct config_make {
    struct config *config;
    struct span file;
    struct text *error;
    bool failed; /* error holds the first error */

    unsigned section_line[SEC_COUNT];     /* where it began */
    uint16_t key_line[CONFIG_KEYS_COUNT]; /* where it was given */
    uint16_t node_key_line[CFG_NODES][CONFIG_KEYS_NAMED_COUNT];
    uint16_t links_line[CFG_NODES];

    struct span self_value[CONFIG_KEYS_NODE_COUNT]; /* overrides of the node's own keys */
    bool self_has[CONFIG_KEYS_NODE_COUNT];
} config_make;

/* What an error is about. Empty parts are left out. */
struct config_place {
    unsigned line; /* 0: no line of its own */
    enum config_section section;
    struct span node; /* name, in SEC_NODE and SEC_OPEN */
    struct span key;
    bool is_override;
};

/* Fails, and begins the error text; the caller says what is wrong. */
struct text *config_make_fault(struct config_place at);

/* Fails with the words "given twice". */
void config_make_fail_twice(struct config_place at, unsigned first_line);

/* Fails because no node has that name. False, to be returned. */
bool config_make_fail_unknown_node(struct config_place at, struct span name);

/* Appends the names of what may be run, or of everything. */
void config_make_put_node_names(struct text *t, bool with_open);

/* Index of a node, or node_count. */
unsigned config_make_find_node(struct span name);

/* For keeping: there is one for each key of each node. Lines beyond the 65535th are known as that. */
uint16_t config_make_short_line(unsigned line);

#endif
