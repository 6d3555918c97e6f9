#include "checker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLACK_NS (2 * SIM_MS) /* a node's clock may be read to the millisecond */

/* One IAMAT. */
struct report {
    size_t device;
    size_t next; /* of the same device */
    unsigned node;
    unsigned jumps;       /* of the node's clock when it was sent */
    int64_t sent_wall_ns; /* by the node's clock */
    int64_t answered_wall_ns;
    sim_ns answered_at; /* -1: not */
    int64_t stamp_ns;
    struct order_text location, stamp; /* owned */
    struct order_record record; /* answered: as it was taken; else its lowest possible place */
    bool ahead;                 /* answered, and stamped further ahead than skew_max */
    uint64_t known; /* nodes whose memory holds it, or what replaced it, since it was answered */
};

/* One state of a device, as shown by WHATSAT. */
struct record {
    size_t device;
    size_t next; /* of the same device */
    unsigned server;
    struct order_record order; /* its texts are owned */
};

struct floor {
    unsigned life;
    size_t record;
    size_t report;
};

struct device {
    struct order_text name; /* owned */
    size_t reports;         /* first of its list, the latest first */
    size_t records;
    size_t hash_next;
};

#define HASH_SIZE 4096

struct checker {
    struct checker_setup setup;
    unsigned nodes;
    struct device *devices;
    size_t device_count, device_room;
    size_t hash[HASH_SIZE];
    struct report *reports;
    size_t report_count, report_room;
    struct record *records;
    size_t record_count, record_room;
    struct floor *floors; /* [device][node] */
    size_t *tables;       /* [device][node] */
    uint64_t table_nodes;
    unsigned jumps[WORLD_NODES_MAX];
    size_t answered, reads, owed;
};

/* --- Memory ----------------------------------------------------------------------------------------- */

static void *grown(void *old, size_t bytes)
{
    void *grown = realloc(old, bytes);
    if (grown == NULL) {
        abort();
    }
    return grown;
}

static struct order_text copy_of(struct order_text text)
{
    char *at = grown(NULL, text.bytes + 1);
    memcpy(at, text.at, text.bytes);
    at[text.bytes] = '\0';
    return (struct order_text){at, text.bytes};
}

static void drop(struct order_text text)
{
    free((void *)(uintptr_t)text.at);
}

struct checker *checker_new(const struct checker_setup *setup)
{
    struct checker *c = grown(NULL, sizeof *c);
    memset(c, 0, sizeof *c);
    c->setup = *setup;
    c->nodes = setup->nodes;
    for (size_t i = 0; i < HASH_SIZE; i++) {
        c->hash[i] = CHECKER_NONE;
    }
    return c;
}

void checker_free(struct checker *c)
{
    for (size_t i = 0; i < c->device_count; i++) {
        drop(c->devices[i].name);
    }
    for (size_t i = 0; i < c->report_count; i++) {
        drop(c->reports[i].location);
        drop(c->reports[i].stamp);
    }
    for (size_t i = 0; i < c->record_count; i++) {
        drop(c->records[i].order.location);
        drop(c->records[i].order.stamp);
    }
    free(c->devices);
    free(c->reports);
    free(c->records);
    free(c->floors);
    free(c->tables);
    free(c);
}

/* --- Devices ---------------------------------------------------------------------------------------- */

static size_t hash_of(struct order_text name)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < name.bytes; i++) {
        hash = (hash ^ (unsigned char)name.at[i]) * UINT64_C(1099511628211);
    }
    return (size_t)(hash % HASH_SIZE);
}

size_t checker_device(struct checker *c, struct order_text name)
{
    size_t slot = hash_of(name);
    for (size_t i = c->hash[slot]; i != CHECKER_NONE; i = c->devices[i].hash_next) {
        if (order_text_equal(c->devices[i].name, name)) {
            return i;
        }
    }
    size_t nodes = c->nodes;
    if (c->device_count == c->device_room) {
        c->device_room = c->device_room == 0 ? 64 : 2 * c->device_room;
        c->devices = grown(c->devices, c->device_room * sizeof *c->devices);
        c->floors = grown(c->floors, c->device_room * nodes * sizeof *c->floors);
        c->tables = grown(c->tables, c->device_room * nodes * sizeof *c->tables);
    }
    size_t device = c->device_count++;
    c->devices[device] = (struct device){.name = copy_of(name),
                                         .reports = CHECKER_NONE,
                                         .records = CHECKER_NONE,
                                         .hash_next = c->hash[slot]};
    c->hash[slot] = device;
    for (size_t node = 0; node < nodes; node++) {
        c->floors[device * nodes + node] =
            (struct floor){.life = 0, .record = CHECKER_NONE, .report = CHECKER_NONE};
        c->tables[device * nodes + node] = CHECKER_NONE;
    }
    return device;
}

size_t checker_devices(const struct checker *c)
{
    return c->device_count;
}

struct order_text checker_device_name(const struct checker *c, size_t device)
{
    return c->devices[device].name;
}

static struct floor *floor_of(const struct checker *c, unsigned node, size_t device)
{
    return &c->floors[device * c->nodes + node];
}

static bool is_alive(const struct checker *c, unsigned node, unsigned life)
{
    return world_node_boots(c->setup.w, node) == life &&
           world_node_state(c->setup.w, node) != NODE_OFF;
}

/* --- Saying what is wrong --------------------------------------------------------------------------- */

struct shown {
    char text[320];
};

static struct shown show(const struct order_record *record)
{
    struct shown s;
    (void)snprintf(s.text, sizeof s.text,
                   "%.*s %+" PRId64 " ns %.*s %.*s (key %" PRId64 "..%" PRId64 ")",
                   (int)record->server.bytes, record->server.at, record->difference_ns,
                   (int)record->location.bytes, record->location.at, (int)record->stamp.bytes,
                   record->stamp.at, record->key_low_ns, record->key_high_ns);
    return s;
}

static void fail_device(const struct checker *c, const char *invariant, unsigned node,
                        size_t device, const char *what, const struct order_record *seen,
                        const struct order_record *expected)
{
    struct order_text name = c->devices[device].name;
    world_fail(c->setup.w, invariant, "%s of %.*s at %s: shows %s, where %s was known", what,
               (int)name.bytes, name.at, c->setup.names[node],
               seen == NULL ? "nothing" : show(seen).text,
               expected == NULL ? "something" : show(expected).text);
}

/* --- Reports ---------------------------------------------------------------------------------------- */

static bool is_clockless(const struct checker *c, unsigned node)
{
    return (c->setup.clockless >> node & 1) != 0;
}

/* The lowest place that a report may have that nobody answered: taken as early as it could be. */
static struct order_record lowest_record(const struct checker *c, const struct report *r)
{
    int64_t bound_ns = is_clockless(c, r->node)
                           ? INT64_MAX /* nobody trusts it: the stamp is the key */
                           : r->sent_wall_ns - SLACK_NS + c->setup.skew_max_ns;
    return (struct order_record){
        .server = order_text_of(c->setup.names[r->node]),
        .location = r->location,
        .stamp = r->stamp,
        .difference_ns = INT64_MIN,
        .stamp_ns = r->stamp_ns,
        .key_low_ns = r->stamp_ns < bound_ns ? r->stamp_ns : bound_ns,
        .key_high_ns = r->stamp_ns,
    };
}

size_t checker_reported(struct checker *c, size_t device, unsigned node, struct order_text location,
                        struct order_text stamp)
{
    if (c->report_count == c->report_room) {
        c->report_room = c->report_room == 0 ? 256 : 2 * c->report_room;
        c->reports = grown(c->reports, c->report_room * sizeof *c->reports);
    }
    size_t index = c->report_count++;
    struct report *r = &c->reports[index];
    *r = (struct report){.device = device,
                         .next = c->devices[device].reports,
                         .node = node,
                         .jumps = c->jumps[node],
                         .sent_wall_ns = world_wall_ns(c->setup.w, node),
                         .answered_at = -1,
                         .location = copy_of(location),
                         .stamp = copy_of(stamp)};
    if (!order_parse_time(stamp, &r->stamp_ns)) {
        abort(); /* the workload made it */
    }
    r->record = lowest_record(c, r);
    c->devices[device].reports = index;
    return index;
}

static bool is_within_clock(const struct checker *c, const struct report *r, int64_t received_ns,
                            int64_t until_wall_ns)
{
    if (is_clockless(c, r->node)) {
        return received_ns == 0;
    }
    if (c->jumps[r->node] != r->jumps) {
        return true; /* the clock was set in between: anything may be right */
    }
    return received_ns >= r->sent_wall_ns - SLACK_NS && received_ns <= until_wall_ns + SLACK_NS;
}

/* Whether a node that knows `known` answers `report` and changes nothing: the same text, or, of two that are
 * both ahead of its clock, one that is not stamped earlier. */
static bool settles(const struct report *known, const struct report *report)
{
    bool same =
        known->stamp_ns == report->stamp_ns && order_text_equal(known->location, report->location);
    return same || (report->ahead && known->stamp_ns >= report->stamp_ns);
}

/* True when what is shown is this report, what replaces it, or what a node may have known already when it
 * put it aside. */
static bool covers(const struct checker *c, const struct order_record *shown, size_t report)
{
    const struct report *r = &c->reports[report];
    if (order_compare(shown, &r->record) != ORDER_OLDER) {
        return true;
    }
    for (size_t i = c->devices[r->device].reports; i != CHECKER_NONE; i = c->reports[i].next) {
        const struct report *q = &c->reports[i];
        if (settles(q, r) && order_compare(shown, &q->record) != ORDER_OLDER) {
            return true;
        }
    }
    return false;
}

/* The lowest key under which a node may have kept this report, or what it put it aside for. */
static int64_t lowest_key(const struct checker *c, size_t report)
{
    const struct report *r = &c->reports[report];
    int64_t lowest = r->record.key_low_ns;
    for (size_t i = c->devices[r->device].reports; i != CHECKER_NONE; i = c->reports[i].next) {
        const struct report *q = &c->reports[i];
        if (settles(q, r) && q->record.key_low_ns < lowest) {
            lowest = q->record.key_low_ns;
        }
    }
    return lowest;
}

static enum order_trust trust_of(const struct checker *c, unsigned node)
{
    return is_clockless(c, node) ? ORDER_UNTRUSTED : c->setup.trust;
}

void checker_answered(struct checker *c, size_t report, unsigned life, int64_t difference_ns)
{
    struct report *r = &c->reports[report];
    const struct order_at at = {.server = order_text_of(c->setup.names[r->node]),
                                .device = c->devices[r->device].name,
                                .location = r->location,
                                .stamp = r->stamp,
                                .difference_ns = difference_ns,
                                .stamp_ns = r->stamp_ns};
    int64_t received_ns = r->stamp_ns + difference_ns;
    int64_t now_wall_ns = world_wall_ns(c->setup.w, r->node);
    if (!is_within_clock(c, r, received_ns, now_wall_ns)) {
        world_fail(c->setup.w, "answer",
                   "%s answered a report with a difference of %" PRId64
                   " ns: it arrived at %" PRId64 ", between %" PRId64 " and %" PRId64,
                   c->setup.names[r->node], difference_ns, received_ns, r->sent_wall_ns,
                   now_wall_ns);
    }
    c->answered++;
    r->answered_at = world_now(c->setup.w);
    r->record = order_of(&at, c->setup.skew_max_ns, trust_of(c, r->node));
    r->ahead = order_is_ahead(&r->record, c->setup.skew_max_ns);
    if (!is_alive(c, r->node, life)) {
        return; /* the node lost it before the answer was here */
    }
    r->known = UINT64_C(1) << r->node;
    struct floor *floor = floor_of(c, r->node, r->device);
    if (floor->life != life) {
        *floor = (struct floor){.life = life, .record = CHECKER_NONE, .report = CHECKER_NONE};
    }
    if (floor->report == CHECKER_NONE ||
        order_compare(&r->record, &c->reports[floor->report].record) == ORDER_NEWER) {
        floor->report = report;
    }
}

/* --- Records ---------------------------------------------------------------------------------------- */

static bool is_of(const struct checker *c, const struct report *r, unsigned server,
                  const struct order_record *seen)
{
    if (r->node != server || !order_text_equal(r->location, seen->location) ||
        !order_text_equal(r->stamp, seen->stamp)) {
        return false;
    }
    if (r->answered_at >= 0) {
        return r->record.difference_ns == seen->difference_ns;
    }
    return is_within_clock(c, r, seen->stamp_ns + seen->difference_ns,
                           world_wall_ns(c->setup.w, server));
}

static bool is_authorised(const struct checker *c, size_t device, unsigned server,
                          const struct order_record *seen)
{
    for (size_t i = c->devices[device].reports; i != CHECKER_NONE; i = c->reports[i].next) {
        if (is_of(c, &c->reports[i], server, seen)) {
            return true;
        }
    }
    return false;
}

static unsigned server_of(const struct checker *c, struct order_text name)
{
    unsigned node = 0;
    while (node < c->nodes && !order_text_equal(order_text_of(c->setup.names[node]), name)) {
        node++;
    }
    return node;
}

static size_t find_record(const struct checker *c, size_t device, const struct order_record *seen)
{
    size_t i = c->devices[device].records;
    while (i != CHECKER_NONE && order_compare(&c->records[i].order, seen) != ORDER_SAME) {
        i = c->records[i].next;
    }
    return i;
}

static size_t add_record(struct checker *c, size_t device, unsigned server,
                         const struct order_record *seen)
{
    if (c->record_count == c->record_room) {
        c->record_room = c->record_room == 0 ? 256 : 2 * c->record_room;
        c->records = grown(c->records, c->record_room * sizeof *c->records);
    }
    size_t index = c->record_count++;
    struct record *record = &c->records[index];
    *record = (struct record){
        .device = device, .next = c->devices[device].records, .server = server, .order = *seen};
    record->order.server = order_text_of(c->setup.names[server]);
    record->order.location = copy_of(seen->location);
    record->order.stamp = copy_of(seen->stamp);
    c->devices[device].records = index;
    return index;
}

struct checker_view checker_view(const struct checker *c, unsigned node, size_t device)
{
    const struct floor *floor = floor_of(c, node, device);
    return (struct checker_view){floor->life, floor->record, floor->report};
}

void checker_view_add(const struct checker *c, struct checker_view *view,
                      const struct checker_view *later)
{
    if (view->life != later->life) {
        return;
    }
    if (later->record != CHECKER_NONE) {
        view->record = later->record; /* it was checked to be no older */
    }
    if (later->report != CHECKER_NONE &&
        (view->report == CHECKER_NONE ||
         order_compare(&c->reports[later->report].record, &c->reports[view->report].record) ==
             ORDER_NEWER)) {
        view->report = later->report;
    }
}

static bool may_be_full(const struct checker *c, unsigned node)
{
    unsigned capacity = c->setup.capacity[node];
    return capacity != 0 && c->device_count > capacity;
}

static void check_view(const struct checker *c, unsigned node, unsigned life, size_t device,
                       const struct checker_view *view, const struct order_record *seen)
{
    if (view->life != life) {
        return;
    }
    if (view->record != CHECKER_NONE) {
        const struct order_record *before = &c->records[view->record].order;
        if (order_compare(seen, before) == ORDER_OLDER) {
            fail_device(c, "monotone", node, device, "a later WHATSAT", seen, before);
        }
    }
    if (view->report != CHECKER_NONE && !covers(c, seen, view->report)) {
        fail_device(c, "monotone", node, device, "a WHATSAT after an answer", seen,
                    &c->reports[view->report].record);
    }
}

size_t checker_read(struct checker *c, unsigned node, unsigned life, size_t device,
                    const struct checker_view *view, const struct order_at *at)
{
    unsigned server = server_of(c, at->server);
    struct order_record seen = order_of(at, c->setup.skew_max_ns,
                                        server == c->nodes ? ORDER_UNKNOWN : trust_of(c, server));
    c->reads++;
    size_t record = find_record(c, device, &seen);
    if (record == CHECKER_NONE) {
        if (server == c->nodes || !is_authorised(c, device, server, &seen)) {
            fail_device(c, "unauthorised", node, device, "a record that nobody reported", &seen,
                        NULL);
            server = server == c->nodes ? 0 : server;
        }
        record = add_record(c, device, server, &seen);
    }
    check_view(c, node, life, device, view, &seen);
    if (is_alive(c, node, life)) {
        struct floor *floor = floor_of(c, node, device);
        if (floor->life != life) {
            *floor = (struct floor){.life = life, .record = CHECKER_NONE, .report = CHECKER_NONE};
        }
        if (floor->record == CHECKER_NONE ||
            order_compare(&seen, &c->records[floor->record].order) == ORDER_NEWER) {
            floor->record = record;
        }
    }
    return record;
}

void checker_missed(struct checker *c, unsigned node, unsigned life, size_t device,
                    const struct checker_view *view)
{
    c->reads++;
    if (view->life != life || may_be_full(c, node)) {
        return;
    }
    if (view->record != CHECKER_NONE) {
        fail_device(c, "monotone", node, device, "a later WHATSAT", NULL,
                    &c->records[view->record].order);
    } else if (view->report != CHECKER_NONE) {
        fail_device(c, "monotone", node, device, "a WHATSAT after an answer", NULL,
                    &c->reports[view->report].record);
    }
}

/* --- Nodes ------------------------------------------------------------------------------------------ */

void checker_node_off(struct checker *c, unsigned node)
{
    for (size_t i = 0; i < c->report_count; i++) {
        c->reports[i].known &= ~(UINT64_C(1) << node);
    }
}

void checker_clock_jumped(struct checker *c, unsigned node)
{
    c->jumps[node]++;
}

void checker_settled(struct checker *c, sim_ns before, uint64_t nodes)
{
    for (size_t i = 0; i < c->report_count; i++) {
        struct report *r = &c->reports[i];
        if (r->answered_at >= 0 && r->answered_at <= before && r->known != 0) {
            r->known |= nodes;
        }
    }
}

/* --- Tables ----------------------------------------------------------------------------------------- */

static size_t *table_entry(const struct checker *c, unsigned node, size_t device)
{
    return &c->tables[device * c->nodes + node];
}

void checker_tables_begin(struct checker *c, uint64_t nodes)
{
    c->table_nodes = nodes;
    for (size_t i = 0; i < c->device_count * c->nodes; i++) {
        c->tables[i] = CHECKER_NONE;
    }
}

void checker_table_has(struct checker *c, unsigned node, size_t device, size_t record)
{
    *table_entry(c, node, device) = record;
}

static bool is_read(const struct checker *c, unsigned node)
{
    return (c->table_nodes >> node & 1) != 0;
}

/* The lowest key of a full table, INT64_MIN when it is not full. */
static int64_t table_floor(const struct checker *c, unsigned node)
{
    size_t count = 0;
    int64_t lowest = INT64_MAX;
    for (size_t device = 0; device < c->device_count; device++) {
        size_t record = *table_entry(c, node, device);
        if (record != CHECKER_NONE) {
            count++;
            if (c->records[record].order.key_high_ns < lowest) {
                lowest = c->records[record].order.key_high_ns;
            }
        }
    }
    return c->setup.capacity[node] != 0 && count >= c->setup.capacity[node] ? lowest : INT64_MIN;
}

static int64_t highest_floor(const struct checker *c)
{
    int64_t highest = INT64_MIN;
    for (unsigned node = 0; node < c->nodes; node++) {
        int64_t floor = is_read(c, node) ? table_floor(c, node) : INT64_MIN;
        highest = floor > highest ? floor : highest;
    }
    return highest;
}

/* The first two tables that differ about a device. */
static bool is_equal(const struct checker *c, size_t device, unsigned *one, unsigned *other)
{
    bool any = false;
    for (unsigned node = 0; node < c->nodes; node++) {
        if (!is_read(c, node)) {
            continue;
        }
        if (!any) {
            any = true;
            *one = node;
        } else if (*table_entry(c, node, device) != *table_entry(c, *one, device)) {
            *other = node;
            return false;
        }
    }
    return true;
}

static bool is_above(const struct checker *c, unsigned node, size_t device, int64_t floor)
{
    size_t record = *table_entry(c, node, device);
    return record != CHECKER_NONE && c->records[record].order.key_low_ns > floor;
}

static bool is_above_anywhere(const struct checker *c, size_t device, int64_t floor)
{
    for (unsigned node = 0; node < c->nodes; node++) {
        if (is_read(c, node) && is_above(c, node, device, floor)) {
            return true;
        }
    }
    return false;
}

static void explain(const struct checker *c, size_t device, unsigned one, unsigned other, char *why,
                    size_t why_bytes)
{
    struct shown shown[2];
    unsigned nodes[2] = {one, other};
    for (unsigned i = 0; i < 2; i++) {
        size_t record = *table_entry(c, nodes[i], device);
        if (record == CHECKER_NONE) {
            (void)snprintf(shown[i].text, sizeof shown[i].text, "nothing");
        } else {
            shown[i] = show(&c->records[record].order);
        }
    }
    struct order_text name = c->devices[device].name;
    (void)snprintf(why, why_bytes, "%.*s: %s has %s, %s has %s", (int)name.bytes, name.at,
                   c->setup.names[one], shown[0].text, c->setup.names[other], shown[1].text);
}

bool checker_converged(const struct checker *c, char *why, size_t why_bytes)
{
    int64_t floor = highest_floor(c);
    for (size_t device = 0; device < c->device_count; device++) {
        unsigned one = 0;
        unsigned other = 0;
        if (!is_equal(c, device, &one, &other) && is_above_anywhere(c, device, floor)) {
            if (why != NULL) {
                explain(c, device, one, other, why, why_bytes);
            }
            return false;
        }
    }
    return true;
}

static void check_owed(struct checker *c, size_t report, int64_t floor)
{
    const struct report *r = &c->reports[report];
    if (lowest_key(c, report) <= floor) {
        return; /* whoever knew it may have had to forget it */
    }
    for (unsigned node = 0; node < c->nodes; node++) {
        size_t record = *table_entry(c, node, r->device);
        if (!is_read(c, node)) {
            continue;
        }
        if (record == CHECKER_NONE) {
            fail_device(c, "lost", node, r->device, "an answered report", NULL, &r->record);
        } else if (!covers(c, &c->records[record].order, report)) {
            fail_device(c, "lost", node, r->device, "an answered report", &c->records[record].order,
                        &r->record);
        }
    }
}

void checker_finish(struct checker *c)
{
    int64_t floor = highest_floor(c);
    for (size_t i = 0; i < c->report_count; i++) {
        if (c->reports[i].known != 0) {
            c->owed++;
            check_owed(c, i, floor);
        }
    }
    for (size_t i = 0; i < c->record_count; i++) { /* with what was answered since it was shown */
        const struct record *record = &c->records[i];
        if (!is_authorised(c, record->device, record->server, &record->order)) {
            fail_device(c, "unauthorised", record->server, record->device,
                        "a record that nobody reported", &record->order, NULL);
        }
    }
}

struct checker_counts checker_counts(const struct checker *c)
{
    size_t full = 0;
    for (unsigned node = 0; node < c->nodes; node++) {
        full += is_read(c, node) && table_floor(c, node) != INT64_MIN;
    }
    return (struct checker_counts){.devices = c->device_count,
                                   .reports = c->report_count,
                                   .answered = c->answered,
                                   .records = c->record_count,
                                   .reads = c->reads,
                                   .owed = c->owed,
                                   .full_nodes = full};
}
