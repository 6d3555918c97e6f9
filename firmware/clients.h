/* The client table: the newest report of each device. Fixed size, no heap. Pure.
 *
 * One record per device, found by binary search in a sorted index (no hash that a hostile crowd of
 * names could attack). Order between records of one device, the same at every node: key, then stamp
 * as a number, then server name (bytewise greater wins), then location text; and, so that only equal
 * records are equal, difference, stamp text and flags. A full table drops the record that is lowest
 * by (pinned, key, stamp, device), or refuses the newcomer when that is lower. Both are functions of
 * the data only: what a table holds never depends on the order of arrival.
 *
 * A slot is an index below CFG_DEVICES; it never becomes free again. A record's version is new
 * whenever the record changes, so (slot, version) names one state of one record for ever (2^32
 * changes).
 */
#ifndef HERD_CLIENTS_H
#define HERD_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "cfg.h"
#include "err.h"
#include "proto.h"
#include "text.h"

#define CLIENTS_FLAG_TOMBSTONE 0x01u /* reserved: an operator's `forget` */
#define CLIENTS_FLAG_PINNED    0x02u /* reserved: evicted last */

/* A record as it travels: everything that neighbours tell each other about a device. */
struct client_record {
    int64_t key_ns; /* ordering key, 0 or more, computed once by the node that took the report */
    int64_t difference_ns; /* server time - client time, as that node saw it */
    uint8_t server;        /* index in names: the node that took the report */
    uint8_t flags;         /* CLIENTS_FLAG_* */
    struct proto_report report;
};

/* What a full table is about to keep: records below it need not be sent here. */
struct clients_floor {
    bool full;      /* false: everything is welcome */
    bool pinned;    /* the lowest record is pinned */
    int64_t key_ns; /* its key */
};

enum clients_result {
    CLIENTS_STORED, /* new device or newer record; slot holds it */
    CLIENTS_SAME,   /* this very record is known already; slot holds it */
    CLIENTS_OLDER,  /* something newer is known; slot holds it */
    CLIENTS_REFUSED /* the table is full of higher records; counted; slot is not written */
};

struct clients_stats {
    uint32_t count;      /* records now */
    uint32_t high_water; /* most ever */
    uint32_t evicted;    /* dropped by a higher newcomer */
    uint32_t refused;    /* newcomers below the floor */
};

/* Empties the table. `capacity` 1 to CFG_DEVICES: a node may use less than its board has. */
void clients_init(unsigned capacity);

/* Takes a record if the order says so; the bytes are copied. *evicted tells that the slot belonged
 * to another device until now. The record must have client+location+stamp <= CFG_REPORT_BYTES, a key
 * of 0 or more and an interned server (asserted); its spans are not those of the slot that it may
 * replace. Cost: O(log n) to find; a new device moves up to 2n bytes of index; a full table may be
 * scanned once (8n bytes). */
enum clients_result clients_offer(const struct client_record *record, unsigned *slot,
                                  bool *evicted);

/* <0, 0, >0 as a is older than, equal to, newer than b in the order above (both of one device). */
int clients_order(const struct client_record *a, const struct client_record *b);

/* HERD_E_RANGE: not known. Cost: O(log n). */
int clients_find(struct span client, unsigned *slot) HERD_MUST_CHECK;

/* The record of an occupied slot (asserted); spans live until the slot's next change. */
void clients_get(unsigned slot, struct client_record *out);
bool clients_used(unsigned slot);
uint32_t clients_version(unsigned slot); /* 0: the slot is free */

/* The i-th device in bytewise order of names, i < count. */
unsigned clients_sorted(unsigned i);

/* Cost: remembered, but for one scan (8n bytes) after the lowest record of a full table changed. */
struct clients_floor clients_floor(void);
/* True when a record of this key must not be sent to, or counted for, a table with that floor. */
bool clients_below(const struct client_record *record, struct clients_floor floor);
struct clients_stats clients_stats(void);

#endif
