/* The keys of the herd file: what sections and keys there are, what their values mean, and their
 * ranges. Internal to config: only config.c and its tests include this. Pure.
 */
#ifndef HERD_CONFIG_KEYS_H
#define HERD_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "text.h"

/* The rows of the table; asserted where it is. The first NODE rows are those of [node NAME], and every
 * node needs the first NEEDED of them. The OPEN rows behind them are those of [open NAME], of which
 * every neighbour of the older kind needs the first two. */
#define CONFIG_KEYS_COUNT       30
#define CONFIG_KEYS_NODE_COUNT  8
#define CONFIG_KEYS_NODE_NEEDED 3
#define CONFIG_KEYS_OPEN_COUNT  4
#define CONFIG_KEYS_OPEN_NEEDED 2
/* All rows whose sections may stand in a file many times. */
#define CONFIG_KEYS_NAMED_COUNT (CONFIG_KEYS_NODE_COUNT + CONFIG_KEYS_OPEN_COUNT)

enum config_section {
    SEC_NONE,
    SEC_HERD,
    SEC_NODE,
    SEC_OPEN,
    SEC_LINKS, /* its keys are names of nodes, not in the table */
    SEC_PLACES,
    SEC_LIMITS,
    SEC_LOG,
    SEC_COUNT
};

struct config_key {
    enum config_section section;
    const char *name;
    /* Writes the field, or appends to `why` what is wrong with the value and what would be right. */
    bool (*parse)(const struct config_key *key, struct span value, void *field, struct text *why);
    size_t offset; /* of the field, in struct config; SEC_NODE, SEC_OPEN: in struct config_node */
    uint32_t min;  /* of a number; of a text, its length in bytes */
    uint32_t max;
    const char *what; /* what a value is, in errors: "a port" */
    const char *note; /* said after the range; NULL: nothing */
};

/* "herd", "node", ...; "" for SEC_NONE. */
const char *config_keys_section_name(enum config_section section);

/* The section of that name; SEC_NONE when there is none. */
enum config_section config_keys_section(struct span name);

/* Row `index`, below CONFIG_KEYS_COUNT. */
const struct config_key *config_keys_get(unsigned index);

/* Index of a key of a section; CONFIG_KEYS_COUNT when there is none. */
unsigned config_keys_find(enum config_section section, struct span name);

/* Gives the key's field in `base` its value; `base` is a struct config_node for SEC_NODE and SEC_OPEN, else a
 * struct config. False, and nothing written but `why`, when the value is not legal. */
bool config_keys_assign(const struct config_key *key, struct span value, void *base,
                        struct text *why);

/* Appends the value of the key's field in `base` as a herd file writes it: what config_keys_assign reads
 * back to the same. An address or a text that is not given is empty. */
void config_keys_format(const struct config_key *key, const void *base, struct text *t);

#define CONFIG_KEYS_SUITE "a suite"

/* A suite's name as herd files write it, and back; as config_keys_assign. */
bool config_keys_suite(struct span value, enum config_suite *suite, struct text *why);
const char *config_keys_suite_name(enum config_suite suite);

/* For errors. A value in quotes, escaped and cut; the same and "is not" with what it should be. */
void config_keys_put_quoted(struct text *t, struct span value);
void config_keys_put_is_not(struct text *t, struct span value, const char *what);
/* What an unknown key, or section, may have meant, or what there is. */
void config_keys_put_unknown_key(struct text *t, enum config_section section, struct span name);
void config_keys_put_unknown_section(struct text *t, struct span name);

#endif
