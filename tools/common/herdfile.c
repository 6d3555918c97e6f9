#include "herdfile.h"
#include "say.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A link may be written before the sections of its nodes: names are kept until the end. */
struct link_names {
    char ends[2][HERDFILE_NAME_BYTES];
};

struct reader {
    struct herdfile *herd;
    struct link_names links[HERDFILE_LINKS_MAX];
    size_t link_count;
    char fault[160]; /* what is wrong, empty while nothing is */
};

int herdfile_find(const struct herdfile *herd, const char *name)
{
    for (size_t i = 0; i < herd->node_count; i++) {
        if (strcmp(herd->nodes[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

void herdfile_names(const struct herdfile *herd, char *text, size_t bytes)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < herd->node_count && used < bytes; i++) {
        int wrote =
            snprintf(text + used, bytes - used, "%s%s", i > 0 ? " " : "", herd->nodes[i].name);
        used += (size_t)(wrote > 0 ? wrote : 0);
    }
}

static bool name_is_valid(const char *name)
{
    size_t bytes =
        strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    return bytes >= 1 && bytes < HERDFILE_NAME_BYTES && name[bytes] == '\0';
}

static int find_open(const struct herdfile *herd, const char *name)
{
    for (size_t i = 0; i < herd->open_count; i++) {
        if (strcmp(herd->open[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static struct herdfile_node *node_of(struct reader *reader, const char *name)
{
    struct herdfile *herd = reader->herd;
    int index = herdfile_find(herd, name);

    if (index >= 0) {
        return &herd->nodes[index];
    }
    if (!name_is_valid(name)) {
        (void)snprintf(reader->fault, sizeof reader->fault,
                       "'%.40s' is no name for a node; right is [node NAME], with A-Z a-z 0-9 . _ "
                       "- in NAME, at most 32",
                       name);
        return NULL;
    }
    if (herd->node_count == HERDFILE_NODES_MAX) {
        (void)snprintf(reader->fault, sizeof reader->fault, "more than %d nodes",
                       HERDFILE_NODES_MAX);
        return NULL;
    }
    struct herdfile_node *node = &herd->nodes[herd->node_count++];
    (void)snprintf(node->name, sizeof node->name, "%s", name);
    (void)snprintf(node->address, sizeof node->address, "127.0.0.1");
    (void)snprintf(node->mask, sizeof node->mask, "255.255.255.0");
    (void)snprintf(node->board, sizeof node->board, "posix");
    return node;
}

static bool read_port(struct reader *reader, const char *key, const char *value, uint16_t *port)
{
    char *end = NULL;
    unsigned long number = strtoul(value, &end, 10);

    if (value[0] < '0' || value[0] > '9' || *end != '\0' || number < 1 || number > 65535) {
        (void)snprintf(reader->fault, sizeof reader->fault, "%s is '%.20s'; right is 1 to 65535",
                       key, value);
        return false;
    }
    *port = (uint16_t)number;
    return true;
}

static bool read_ip4(struct reader *reader, const char *key, const char *value, const char *example,
                     char text[16])
{
    struct in_addr address;

    if (inet_pton(AF_INET, value, &address) != 1) {
        (void)snprintf(reader->fault, sizeof reader->fault,
                       "%s is '%.40s'; right is an IPv4 address such as %s", key, value, example);
        return false;
    }
    (void)snprintf(text, 16, "%s", value);
    return true;
}

/* The name becomes part of a path. */
static bool read_board(struct reader *reader, const char *value, char board[HERDFILE_BOARD_BYTES])
{
    size_t bytes = strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-");

    if (bytes < 1 || bytes >= HERDFILE_BOARD_BYTES || value[bytes] != '\0') {
        (void)snprintf(reader->fault, sizeof reader->fault,
                       "board is '%.40s'; right is posix or a board of `make boards`", value);
        return false;
    }
    (void)snprintf(board, HERDFILE_BOARD_BYTES, "%s", value);
    return true;
}

static bool read_node_key(struct reader *reader, struct herdfile_node *node, const char *key,
                          const char *value)
{
    if (strcmp(key, "port") == 0) {
        return read_port(reader, key, value, &node->port);
    }
    if (strcmp(key, "link_port") == 0) {
        return read_port(reader, key, value, &node->link_port);
    }
    if (strcmp(key, "address") == 0) {
        return read_ip4(reader, key, value, "127.0.0.1", node->address);
    }
    if (strcmp(key, "mask") == 0) {
        return read_ip4(reader, key, value, "255.255.255.0", node->mask);
    }
    if (strcmp(key, "board") == 0) {
        return read_board(reader, value, node->board);
    }
    if (strcmp(key, "gateway") == 0 && value[0] != '\0') {
        return read_ip4(reader, key, value, "10.42.0.254", node->gateway);
    }
    return true;
}

static struct herdfile_open *open_of(struct reader *reader, const char *name)
{
    struct herdfile *herd = reader->herd;
    int index = find_open(herd, name);

    if (index >= 0) {
        return &herd->open[index];
    }
    if (!name_is_valid(name)) {
        (void)snprintf(reader->fault, sizeof reader->fault,
                       "'%.40s' is no name for a neighbour; right is [open NAME], with A-Z a-z 0-9 "
                       ". _ - in NAME, at most 32",
                       name);
        return NULL;
    }
    if (herd->open_count == HERDFILE_OPEN_MAX) {
        (void)snprintf(reader->fault, sizeof reader->fault, "more than %d sections [open NAME]",
                       HERDFILE_OPEN_MAX);
        return NULL;
    }
    struct herdfile_open *open = &herd->open[herd->open_count++];
    (void)snprintf(open->name, sizeof open->name, "%s", name);
    (void)snprintf(open->address, sizeof open->address, "127.0.0.1");
    (void)snprintf(open->dialect, sizeof open->dialect, "at");
    return open;
}

static bool read_open_key(struct reader *reader, struct herdfile_open *open, const char *key,
                          const char *value)
{
    if (strcmp(key, "port") == 0) {
        return read_port(reader, key, value, &open->port);
    }
    if (strcmp(key, "address") == 0) {
        return read_ip4(reader, key, value, "127.0.0.1", open->address);
    }
    if (strcmp(key, "dialect") == 0) {
        (void)snprintf(open->dialect, sizeof open->dialect, "%s",
                       strcmp(value, "update") == 0 ? "update" : "at");
    }
    return true;
}

/* One line of [links]: name = neighbour neighbour:suite ... */
static bool read_links(struct reader *reader, const char *name, const char *value)
{
    static const char blanks[] = " \t\r\n";

    for (const char *at = value + strspn(value, blanks); *at != '\0'; at += strspn(at, blanks)) {
        size_t bytes = strcspn(at, blanks);
        const char *colon = memchr(at, ':', bytes); /* NAME:SUITE */
        size_t name_bytes = colon != NULL ? (size_t)(colon - at) : bytes;
        if (reader->link_count == HERDFILE_LINKS_MAX) {
            (void)snprintf(reader->fault, sizeof reader->fault, "more than %d links",
                           HERDFILE_LINKS_MAX);
            return false;
        }
        struct link_names *link = &reader->links[reader->link_count++];
        (void)snprintf(link->ends[0], sizeof link->ends[0], "%s", name);
        (void)snprintf(link->ends[1], sizeof link->ends[1], "%.*s", (int)name_bytes, at);
        at += bytes;
    }
    return true;
}

static bool read_key(struct reader *reader, const char *section, const char *key, const char *value)
{
    static const char node_prefix[] = "node ";
    static const char open_prefix[] = "open ";

    if (strncmp(section, node_prefix, sizeof node_prefix - 1) == 0) {
        const char *name = section + sizeof node_prefix - 1;
        struct herdfile_node *node = node_of(reader, name + strspn(name, " "));
        return node != NULL && read_node_key(reader, node, key, value);
    }
    if (strncmp(section, open_prefix, sizeof open_prefix - 1) == 0) {
        const char *name = section + sizeof open_prefix - 1;
        struct herdfile_open *open = open_of(reader, name + strspn(name, " "));
        return open != NULL && read_open_key(reader, open, key, value);
    }
    if (strcmp(section, "links") == 0) {
        return read_links(reader, key, value);
    }
    if (strcmp(section, "herd") == 0 && strcmp(key, "report_bytes") == 0) {
        reader->herd->report_bytes = (size_t)strtoul(value, NULL, 10);
    } else if (strcmp(section, "places") == 0 && strcmp(key, "provider") == 0) {
        reader->herd->places_none = strcmp(value, "none") == 0;
    } else if (strcmp(section, "places") == 0 && strcmp(key, "key_file") == 0) {
        reader->herd->places_key_file = value[0] != '\0';
    }
    return true;
}

/* inih's handler: 1 goes on, 0 marks the line as wrong (the first such line is reported). */
#if INI_HANDLER_LINENO
static int take_key(void *user, const char *section, const char *key, const char *value, int line)
#else
static int take_key(void *user, const char *section, const char *key, const char *value)
#endif
{
    struct reader *reader = user;

#if INI_HANDLER_LINENO
    (void)line;
#endif
    if (reader->fault[0] != '\0' || key == NULL) {
        return 1; /* key is NULL where inih is built to announce sections */
    }
    return read_key(reader, section, key, value != NULL ? value : "") ? 1 : 0;
}

static bool join_links(struct reader *reader, const char *path)
{
    struct herdfile *herd = reader->herd;

    for (size_t i = 0; i < reader->link_count; i++) {
        int nodes[2];
        int opens[2];
        for (size_t end = 0; end < 2; end++) {
            const char *name = reader->links[i].ends[end];
            nodes[end] = herdfile_find(herd, name);
            opens[end] = find_open(herd, name);
            if (nodes[end] < 0 && opens[end] < 0) {
                say_error("%s: [links] names %s, for which there is no section [node %s]", path,
                          name, name);
                return false;
            }
        }
        if (nodes[0] >= 0 && nodes[1] >= 0) {
            herd->links[herd->link_count++] =
                (struct herdfile_link){.ends = {(size_t)nodes[0], (size_t)nodes[1]}};
        } else if (nodes[0] >= 0 || nodes[1] >= 0) {
            size_t end = nodes[0] >= 0 ? 0 : 1;
            herd->open[opens[1 - end]].linked[nodes[end]] = true;
        }
    }
    return true;
}

bool herdfile_read(const char *path, struct herdfile *herd)
{
    static struct reader reader; /* static for its size, not to keep anything between calls */
    FILE *file = fopen(path, "r");

    memset(herd, 0, sizeof *herd);
    memset(&reader, 0, sizeof reader);
    herd->report_bytes = 128;
    reader.herd = herd;
    if (file == NULL) {
        say_error("cannot read the herd file %s: %s", path, strerror(errno));
        return false;
    }
    int line = ini_parse_file(file, take_key, &reader);
    (void)fclose(file);
    if (line != 0) {
        say_error("%s:%d: %s", path, line,
                  reader.fault[0] != '\0'
                      ? reader.fault
                      : "not understood; right is [section], key = value, or ; comment");
        return false;
    }
    if (herd->node_count == 0) {
        say_error("%s: no node in it; right is a section [node NAME] with address, port and "
                  "link_port",
                  path);
        return false;
    }
    for (size_t i = 0; i < herd->node_count; i++) {
        if (herd->nodes[i].port == 0) {
            say_error("%s: [node %s] has no port; right is port = 10000, for example", path,
                      herd->nodes[i].name);
            return false;
        }
    }
    return join_links(&reader, path);
}
