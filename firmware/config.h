/* The herd file: one INI text that describes the whole herd; every node starts from the same text by
 * its name. Parsed by inih. tools/herds/bailey.conf shows every key, config_keys.c has their table.
 *
 * Order of use: config_begin, config_read once, config_set for each override, config_finish once; from
 * config_begin again for another node. One configuration is made at a time. Errors are text for a
 * person: file, line, [section] key, what is wrong and what would be right; the first one is kept:
 *
 *     bailey.conf:12: [node Bona] port: "1000000" is not a port; use 1 to 65535
 *
 * Context: before the scheduler starts.
 */
#ifndef HERD_CONFIG_H
#define HERD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "cfg.h"
#include "err.h"
#include "log.h"
#include "proto.h"
#include "text.h"

#define CONFIG_HOST_BYTES_MAX 63
#define CONFIG_PATH_BYTES_MAX CFG_CONFIG_PATH_BYTES

enum config_provider { CONFIG_PLACES_GOOGLE, CONFIG_PLACES_GOOGLE_LEGACY, CONFIG_PLACES_NONE };

/* What a link is encrypted with; both of its ends offer this and nothing else. */
enum config_suite {
    CONFIG_SUITE_PSK,      /* TLS_PSK_WITH_AES_128_GCM_SHA256 */
    CONFIG_SUITE_ECDHE_PSK /* TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256: CFG_LINK_ECDHE builds only */
};

/* What a neighbour of the older kind speaks. */
enum config_dialect {
    CONFIG_DIALECT_AT,    /* AT server difference client location stamp */
    CONFIG_DIALECT_UPDATE /* UPDATE client location stamp label server */
};

/* A section [node NAME], or [open NAME] for a neighbour of the older kind. */
struct config_node {
    char name[PROTO_SERVER_BYTES_MAX + 1];
    uint32_t address; /* where others reach it; IPv4, host byte order, as the next three */
    uint32_t mask;    /* of the network that it is in, on a wire of its own */
    uint32_t gateway; /* 0: none */
    uint32_t dns;     /* 0: what DHCP, or the port's own network, says */
    bool dhcp;        /* the interface gets its address from a server, which should be `address` */
    bool upstream;    /* asks the places provider itself; no: a neighbour */
    uint16_t port;    /* client listener */
    uint16_t link_port; /* link listener; 0 if open */
    uint16_t line;      /* of its section, for errors; 65535: that or a later one */
    uint32_t links;     /* bit i: linked with node i; never between two that are open */
    uint32_t suites;    /* of links that say so themselves: config_links.h */
    bool open;          /* of the older kind; what follows is of those only */
    enum config_dialect dialect;
    uint16_t lines; /* reports that it is told on one connection, 1 to 32 */
};

struct config_places {
    enum config_provider provider;
    char host[CONFIG_HOST_BYTES_MAX + 1]; /* SNI and name check; by default the provider's */
    uint32_t address;                     /* host byte order; 0: ask DNS for host */
    uint16_t port;
    char trust_file[CONFIG_PATH_BYTES_MAX + 1]; /* "": built-in anchors; the port reads the file */
    char key_file[CONFIG_PATH_BYTES_MAX + 1];   /* "": environment; the port reads the file */
    uint32_t cache_s;                           /* 0: no cache */
    uint32_t queries_per_minute;                /* 1 to 60000 */
    uint32_t queries_per_day;                   /* 1 to 10000000 */
    uint32_t timeout_ms;                        /* 100 to 120000 */
};

#define CONFIG_NTP_MAX 3

/* NTP servers that the herd file names. */
struct config_ntp {
    uint32_t at[CONFIG_NTP_MAX]; /* host byte order */
    uint8_t count;
};

struct config {
    struct config_node nodes[CFG_NODES]; /* those that are open included */
    unsigned node_count;
    unsigned self;                 /* index of this node */
    uint8_t neighbours[CFG_LINKS]; /* indices of nodes this one is linked with, by name order */
    unsigned neighbour_count;
    uint8_t open[CFG_OPEN_LINKS]; /* the same of its open neighbours */
    unsigned open_count;
    bool open_anyone;             /* any client may speak as an open neighbour */
    uint16_t report_bytes;        /* 32 to CFG_REPORT_BYTES */
    uint32_t skew_max_s;          /* 1 to 86400 */
    enum config_suite link_suite; /* of links that do not say their own */
    struct config_ntp ntp;
    struct config_places places;
    uint32_t sessions_per_address; /* 0: no cap of its own */
    uint32_t idle_s;               /* 1 to 604800 */
    enum log_level log_level;
};

/* `file` names the text in errors; `error` receives one line without newline: give it 512 bytes and
 * 34 for each of CFG_NODES. *c, `file` and `error` live until config_finish, or config_check_addresses,
 * returns. *c is filled with defaults. */
void config_begin(struct config *c, struct span file, struct text *error);
/* The whole herd file: LF or CRLF, with or without a BOM; needs no final NUL and is not kept.
 * HERD_E_SYNTAX with an error text. Cost: two passes, some INI_MAX_LINE bytes of stack. */
int config_read(struct config *c, struct span text) HERD_MUST_CHECK;
/* One override `section.key=value`, the last of several counts; section "node" is the node named to
 * config_finish. Links cannot be overridden. Not kept. HERD_E_SYNTAX with an error text. */
int config_set(struct config *c, struct span assignment) HERD_MUST_CHECK;
/* Selects the node and checks relations: complete nodes, ports of their own, links that the herd file
 * accepts and this board has room for. HERD_E_RANGE (or HERD_E_SYNTAX when a step before failed) with
 * an error text. */
int config_finish(struct config *c, struct span node) HERD_MUST_CHECK;
/* After config_finish: whether this node can tell its open neighbours from its clients, which by
 * `addresses_are_real` (hal_net_addresses_are_real) or by open_anyone it can. HERD_E_RANGE with an error
 * text. */
int config_check_addresses(struct config *c, bool addresses_are_real) HERD_MUST_CHECK;

/* After config_finish. The suite of this node's link with config->neighbours[link]. */
bool config_link_is_ecdhe(const struct config *c, unsigned link);

#endif
