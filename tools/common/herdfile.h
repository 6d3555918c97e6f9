/*
 * What host programs need from a herd file: who the nodes are, where they listen, how they are
 * linked, and which neighbours of the older kind are somebody else's to start. The judge of a herd file is the node program (`herd --check`); this reader skips what it
 * does not know and refuses only what it cannot work with.
 */
#ifndef HERD_TOOLS_HERDFILE_H
#define HERD_TOOLS_HERDFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HERDFILE_NODES_MAX  64
#define HERDFILE_LINKS_MAX  512
#define HERDFILE_OPEN_MAX   32
#define HERDFILE_NAME_BYTES 33 /* 32 and the terminating NUL */

struct herdfile_node {
    char name[HERDFILE_NAME_BYTES];
    char address[16]; /* dotted IPv4, "127.0.0.1" when the file gives none */
    uint16_t port;
    uint16_t link_port; /* 0 when the file gives none */
    char mask[16];      /* of its network, "255.255.255.0" when the file gives none */
    char gateway[16];   /* "" when the file gives none */
};

struct herdfile_link {
    size_t ends[2]; /* indices into nodes */
};

/* [open NAME]: a neighbour of the older kind. */
struct herdfile_open {
    char name[HERDFILE_NAME_BYTES];
    char address[16];                /* dotted IPv4, "127.0.0.1" when the file gives none */
    uint16_t port;                   /* 0 when the file gives none */
    char dialect[8];                 /* "at" or "update" */
    bool linked[HERDFILE_NODES_MAX]; /* with the node of that index */
};

struct herdfile {
    struct herdfile_node nodes[HERDFILE_NODES_MAX]; /* in the order of the file */
    size_t node_count;
    struct herdfile_link links[HERDFILE_LINKS_MAX]; /* between nodes, each link once */
    size_t link_count;
    struct herdfile_open open[HERDFILE_OPEN_MAX]; /* in the order of the file */
    size_t open_count;
    size_t report_bytes;  /* longest client + location + time */
    bool places_none;     /* [places] provider = none */
    bool places_key_file; /* [places] key_file names a file */
};

/*
 * Reads the herd file at `path` into *herd. Returns false, with *herd undefined and one line on
 * stderr that says where and what is wrong, when it cannot be read, has no node, or names a node
 * or neighbour in [links] that it does not have.
 */
bool herdfile_read(const char *path, struct herdfile *herd);

/* Index of the node called `name`, or -1. */
int herdfile_find(const struct herdfile *herd, const char *name);

/* Writes the names of all nodes, separated by spaces, into text[bytes], cut where it is full. */
void herdfile_names(const struct herdfile *herd, char *text, size_t bytes);

#endif
