/* The client table; clients.h has the contracts. */
#include "clients.h"

#include <string.h>

#include "names.h"

#define NO_SLOT    CFG_DEVICES
#define PINNED_BIT (UINT64_C(1) << 63)

/* Aligned to 4: with 8 every record of a board would end in 4 bytes of nothing. */
typedef int64_t record_ns __attribute__((aligned(4)));

struct client {
    record_ns stamp_ns;
    record_ns difference_ns;
    uint32_t version; /* 0: free */
    uint16_t client_bytes;
    uint16_t location_bytes;
    uint16_t stamp_bytes;
    uint8_t server;
    uint8_t flags;
    char text[CFG_REPORT_BYTES]; /* client, location, stamp, without anything between them */
};

static struct client table[CFG_DEVICES];
/* Pinned as bit 63, key below it: apart from the records, so that the scan for the lowest one reads
 * 8 bytes a record. */
static uint64_t ranks[CFG_DEVICES];
static uint16_t sorted[CFG_DEVICES]; /* slots in bytewise order of client */
static unsigned table_capacity;
static unsigned lowest; /* of a full table; NO_SLOT: not known */
static unsigned found;  /* position in the index that was found last */
static uint32_t last_version;
static struct clients_stats stats;

void clients_init(unsigned capacity)
{
    HERD_ASSERT(capacity >= 1 && capacity <= CFG_DEVICES);
    table_capacity = capacity;
    lowest = NO_SLOT;
    found = 0;
    last_version = 0;
    stats = (struct clients_stats){0};
    for (unsigned i = 0; i < CFG_DEVICES; i++) {
        table[i].version = 0;
    }
}

static struct span client_of(unsigned slot)
{
    return (struct span){table[slot].text, table[slot].client_bytes};
}

/* Whether `client` is at this position of the index. */
static bool is_at(unsigned position, struct span client)
{
    return position < stats.count && span_equal(client_of(sorted[position]), client);
}

/* Position in the index of the first client that is not below `client`. A report is looked for more
 * than once on its way in, so the place of the last one is looked at first. */
static unsigned lower_bound(struct span client)
{
    unsigned begin = 0;
    unsigned end = stats.count;

    if (is_at(found, client)) {
        return found;
    }
    while (begin < end) {
        unsigned middle = begin + (end - begin) / 2;

        if (span_compare(client_of(sorted[middle]), client) < 0) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    found = begin;
    return begin;
}

static uint64_t rank_of(const struct client_record *record)
{
    uint64_t pinned = (record->flags & CLIENTS_FLAG_PINNED) != 0 ? PINNED_BIT : 0;

    return pinned | (uint64_t)record->key_ns;
}

/* Order of eviction between slots: rank, then stamp, then client. */
static bool is_lower(unsigned a, unsigned b)
{
    if (ranks[a] != ranks[b]) {
        return ranks[a] < ranks[b];
    }
    if (table[a].stamp_ns != table[b].stamp_ns) {
        return table[a].stamp_ns < table[b].stamp_ns;
    }
    return span_compare(client_of(a), client_of(b)) < 0;
}

/* The same between a newcomer and a slot. */
static bool is_lower_newcomer(const struct client_record *record, unsigned slot)
{
    uint64_t rank = rank_of(record);

    if (rank != ranks[slot]) {
        return rank < ranks[slot];
    }
    if (record->report.stamp_ns != table[slot].stamp_ns) {
        return record->report.stamp_ns < table[slot].stamp_ns;
    }
    return span_compare(record->report.client, client_of(slot)) < 0;
}

/* The slot that a full table would drop first. */
static unsigned find_lowest(void)
{
    if (lowest == NO_SLOT) {
        lowest = 0;
        for (unsigned slot = 1; slot < stats.count; slot++) {
            if (is_lower(slot, lowest)) {
                lowest = slot;
            }
        }
    }
    return lowest;
}

static int compare_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int clients_order(const struct client_record *a, const struct client_record *b)
{
    int order = compare_i64(a->key_ns, b->key_ns);

    if (order == 0) {
        order = compare_i64(a->report.stamp_ns, b->report.stamp_ns);
    }
    if (order == 0 && a->server != b->server) {
        order = span_compare(names_get(a->server), names_get(b->server));
    }
    if (order == 0) {
        order = span_compare(a->report.location, b->report.location);
    }
    /* One node never makes two records that differ only in what follows, unless it restarted in
     * between; then all must still agree on one of them. */
    if (order == 0) {
        order = compare_i64(a->difference_ns, b->difference_ns);
    }
    if (order == 0) {
        order = span_compare(a->report.stamp, b->report.stamp);
    }
    if (order == 0) {
        order = compare_i64(a->flags, b->flags);
    }
    return order;
}

/* Where the next one goes. */
static char *put(char *at, struct span s)
{
    memcpy(at, s.at, s.bytes);
    return at + s.bytes;
}

static void write_slot(unsigned slot, const struct client_record *record)
{
    const struct proto_report *report = &record->report;
    struct client *client = &table[slot];

    HERD_ASSERT(report->client.bytes + report->location.bytes + report->stamp.bytes <=
                sizeof client->text);
    client->stamp_ns = report->stamp_ns;
    client->difference_ns = record->difference_ns;
    client->server = record->server;
    client->flags = record->flags;
    client->client_bytes = (uint16_t)report->client.bytes;
    client->location_bytes = (uint16_t)report->location.bytes;
    client->stamp_bytes = (uint16_t)report->stamp.bytes;
    char *text = put(client->text, report->client);
    text = put(text, report->location);
    (void)put(text, report->stamp);

    ranks[slot] = rank_of(record);
    last_version = last_version == UINT32_MAX ? 1 : last_version + 1; /* 0 means free */
    client->version = last_version;
    if (lowest != NO_SLOT && (slot == lowest || is_lower(slot, lowest))) {
        lowest = slot == lowest ? NO_SLOT : slot;
    }
}

/* Moves the index entries between the two positions by one, and puts slot at its place: `from` is
 * the position that falls out, `to` where slot would be inserted. */
static void move_index(unsigned from, unsigned to, unsigned slot)
{
    if (from < to) {
        to--; /* what stood before it moves down by one */
        memmove(&sorted[from], &sorted[from + 1], (to - from) * sizeof sorted[0]);
    } else {
        memmove(&sorted[to + 1], &sorted[to], (from - to) * sizeof sorted[0]);
    }
    sorted[to] = (uint16_t)slot;
}

enum clients_result clients_offer(const struct client_record *record, unsigned *slot, bool *evicted)
{
    struct span client = record->report.client;
    unsigned position = lower_bound(client);

    HERD_ASSERT(record->key_ns >= 0 && record->server < names_count());
    *evicted = false;
    if (is_at(position, client)) {
        struct client_record known;
        *slot = sorted[position];
        clients_get(*slot, &known);
        int order = clients_order(record, &known);
        if (order <= 0) {
            return order == 0 ? CLIENTS_SAME : CLIENTS_OLDER;
        }
    } else if (stats.count < table_capacity) {
        *slot = stats.count;
        move_index(stats.count, position, *slot);
        stats.count++;
        stats.high_water = stats.count;
    } else {
        unsigned victim = find_lowest();
        if (is_lower_newcomer(record, victim)) {
            stats.refused++;
            return CLIENTS_REFUSED;
        }
        move_index(lower_bound(client_of(victim)), position, victim);
        stats.evicted++;
        *slot = victim;
        *evicted = true;
    }
    write_slot(*slot, record);
    return CLIENTS_STORED;
}

int clients_find(struct span client, unsigned *slot)
{
    unsigned position = lower_bound(client);

    if (!is_at(position, client)) {
        return HERD_E_RANGE;
    }
    *slot = sorted[position];
    return HERD_OK;
}

void clients_get(unsigned slot, struct client_record *out)
{
    HERD_ASSERT(clients_used(slot));
    const struct client *client = &table[slot];
    const char *location = client->text + client->client_bytes;

    out->key_ns = (int64_t)(ranks[slot] & ~PINNED_BIT);
    out->difference_ns = client->difference_ns;
    out->server = client->server;
    out->flags = client->flags;
    out->report.client = client_of(slot);
    out->report.location = (struct span){location, client->location_bytes};
    out->report.stamp = (struct span){location + client->location_bytes, client->stamp_bytes};
    out->report.stamp_ns = client->stamp_ns;
}

bool clients_used(unsigned slot)
{
    return clients_version(slot) != 0;
}

uint32_t clients_version(unsigned slot)
{
    HERD_ASSERT(slot < CFG_DEVICES);
    return table[slot].version;
}

unsigned clients_sorted(unsigned i)
{
    HERD_ASSERT(i < stats.count);
    return sorted[i];
}

struct clients_floor clients_floor(void)
{
    if (stats.count < table_capacity) {
        return (struct clients_floor){.full = false, .pinned = false, .key_ns = 0};
    }
    uint64_t rank = ranks[find_lowest()];

    return (struct clients_floor){
        .full = true, .pinned = (rank & PINNED_BIT) != 0, .key_ns = (int64_t)(rank & ~PINNED_BIT)};
}

bool clients_below(const struct client_record *record, struct clients_floor floor)
{
    uint64_t floor_rank = (floor.pinned ? PINNED_BIT : 0) | (uint64_t)floor.key_ns;

    return floor.full && rank_of(record) < floor_rank;
}

struct clients_stats clients_stats(void)
{
    return stats;
}
