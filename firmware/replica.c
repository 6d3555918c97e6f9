/* Replication by state; replica.h has the contracts. */
#include "replica.h"

#include "when.h"

#define WORD_BITS 32u
#define WORDS     ((CFG_DEVICES + WORD_BITS - 1) / WORD_BITS)

/* A record that was handed to a link, in the order of sending. */
struct sent {
    uint32_t version;
    uint16_t slot;
};

struct neighbour {
    /* May lack the record of the slot. */
    uint32_t dirty[WORDS];
    /* A record of the slot, this or an earlier one, or one of the slot's former device, is in the
     * ring: nothing more of the slot is sent before that is acknowledged. */
    uint32_t flying[WORDS];
    /* The current record was in the ring when the link went down. */
    uint32_t again[WORDS];
    struct sent ring[CFG_LINK_INFLIGHT];
    unsigned oldest;    /* in ring */
    unsigned in_flight; /* entries from oldest on */
    unsigned next_slot; /* where replica_next goes on */
    uint32_t acked;     /* since the link came up */
    struct clients_floor floor;
    int64_t refused_ns; /* highest key that was too far ahead since it came up; 0: none */
    bool up;
};

static struct neighbour neighbours[REPLICA_LINKS_MAX];
static unsigned link_count;
static int64_t skew_max;
static struct replica_stats stats;

/* --- Bits ----------------------------------------------------------------------------------- */

static bool has_bit(const uint32_t *bits, unsigned slot)
{
    return (bits[slot / WORD_BITS] >> (slot % WORD_BITS) & 1u) != 0;
}

static void set_bit(uint32_t *bits, unsigned slot)
{
    bits[slot / WORD_BITS] |= UINT32_C(1) << (slot % WORD_BITS);
}

static void clear_bit(uint32_t *bits, unsigned slot)
{
    bits[slot / WORD_BITS] &= ~(UINT32_C(1) << (slot % WORD_BITS));
}

/* The lowest bit set; word is not 0. Five steps, for cores without an instruction for it. */
static unsigned lowest_bit(uint32_t word)
{
    unsigned bit = 0;

    for (unsigned half = WORD_BITS / 2; half > 0; half /= 2) {
        if ((word & ((UINT32_C(1) << half) - 1)) == 0) {
            word >>= half;
            bit += half;
        }
    }
    return bit;
}

static struct neighbour *neighbour_of(unsigned link)
{
    HERD_ASSERT(link < link_count);
    return &neighbours[link];
}

/* --- Time ----------------------------------------------------------------------------------- */

/* a + b within 0..INT64_MAX; b is 0 or more. */
static int64_t add_clamped(int64_t a, int64_t b)
{
    if (a < 0) {
        a = 0;
    }
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* --- Changes of the table ------------------------------------------------------------------- */

void replica_init(unsigned links, int64_t skew_max_ns)
{
    HERD_ASSERT(links <= REPLICA_LINKS_MAX && skew_max_ns >= 0);
    for (unsigned link = 0; link < REPLICA_LINKS_MAX; link++) {
        neighbours[link] = (struct neighbour){0};
    }
    link_count = links;
    skew_max = skew_max_ns;
    stats = (struct replica_stats){0};
}

/* The slot's record is new: every neighbour may lack it. */
static void mark_for_all(unsigned slot, bool evicted)
{
    bool unsent = false;

    for (unsigned link = 0; link < link_count; link++) {
        struct neighbour *n = &neighbours[link];

        unsent = unsent || has_bit(n->dirty, slot);
        set_bit(n->dirty, slot);
        clear_bit(n->again, slot);
    }
    if (evicted && unsent) {
        stats.evicted_unsent++;
    }
}

/* Whether the order that clients keeps must not be asked: the report is known, or the device's clock
 * is ahead and the key would order by arrival what its stamps order the other way. */
static bool is_settled(const struct proto_report *report, int64_t now_ns, bool clock_trusted,
                       enum clients_result *result)
{
    struct client_record known;
    unsigned slot;

    if (clients_find(report->client, &slot) != HERD_OK) {
        return false;
    }
    clients_get(slot, &known);
    if (report->stamp_ns == known.report.stamp_ns &&
        span_equal(report->location, known.report.location)) {
        *result = CLIENTS_SAME;
        return true;
    }
    int64_t ahead_ns = add_clamped(now_ns, skew_max);
    if (clock_trusted && report->stamp_ns > ahead_ns &&
        report->stamp_ns <= known.report.stamp_ns) { /* then the stored one is ahead as well */
        *result = CLIENTS_OLDER;
        return true;
    }
    return false;
}

/* The ordering key of a report that this node is the first of the herd to hear. */
static int64_t key_on_entry(int64_t stamp_ns, int64_t now_ns, bool clock_trusted)
{
    int64_t ahead_ns = add_clamped(now_ns, skew_max);

    return clock_trusted && stamp_ns > ahead_ns ? ahead_ns : stamp_ns;
}

enum clients_result replica_take(const struct proto_report *report, uint8_t server, int64_t now_ns,
                                 bool clock_trusted)
{
    enum clients_result result;
    struct client_record record = {
        .key_ns = key_on_entry(report->stamp_ns, now_ns, clock_trusted),
        .difference_ns = when_difference(now_ns, report->stamp_ns),
        .server = server,
        .flags = 0,
        .report = *report,
    };
    unsigned slot;
    bool evicted;

    if (is_settled(report, now_ns, clock_trusted, &result)) {
        return result;
    }
    result = clients_offer(&record, &slot, &evicted);
    if (result == CLIENTS_STORED) {
        mark_for_all(slot, evicted);
        stats.taken++;
    }
    return result;
}

static bool is_too_far_ahead(int64_t key_ns, int64_t now_ns, bool clock_trusted)
{
    return clock_trusted && key_ns > add_clamped(add_clamped(now_ns, skew_max), skew_max);
}

int replica_merge(unsigned link, const struct client_record *record, int64_t now_ns,
                  bool clock_trusted)
{
    struct neighbour *sender = neighbour_of(link);
    unsigned slot;
    bool evicted;

    if (is_too_far_ahead(record->key_ns, now_ns, clock_trusted)) {
        stats.too_far_ahead++;
        if (record->key_ns > sender->refused_ns) {
            sender->refused_ns = record->key_ns;
        }
        return HERD_E_REFUSED;
    }
    switch (clients_offer(record, &slot, &evicted)) {
    case CLIENTS_STORED:
        mark_for_all(slot, evicted);
        clear_bit(sender->dirty, slot);
        stats.merged++;
        break;
    case CLIENTS_SAME:
        clear_bit(sender->dirty, slot);
        clear_bit(sender->again, slot);
        stats.duplicate++;
        break;
    case CLIENTS_OLDER:
        /* If ours is on its way, its acknowledgement will clear the bit. */
        set_bit(sender->dirty, slot);
        stats.duplicate++;
        break;
    case CLIENTS_REFUSED: /* below our floor; clients counts it */
        break;
    }
    return HERD_OK;
}

bool replica_lacks_refused(unsigned link, int64_t now_ns, bool clock_trusted)
{
    int64_t refused_ns = neighbour_of(link)->refused_ns;

    return refused_ns > 0 && !is_too_far_ahead(refused_ns, now_ns, clock_trusted);
}

/* Whether the stored report of this device is, by its stamp, the one that was heard. */
static bool is_known_older(const struct proto_report *report, unsigned *slot)
{
    struct client_record known;

    if (clients_find(report->client, slot) != HERD_OK) {
        return false;
    }
    clients_get(*slot, &known);
    int64_t apart_ns = known.report.stamp_ns - report->stamp_ns; /* both 0 or more */
    return apart_ns >= -REPLICA_SAME_NS && apart_ns <= REPLICA_SAME_NS;
}

static void sender_has(unsigned link, unsigned slot)
{
    if (link != REPLICA_NOBODY) {
        clear_bit(neighbour_of(link)->dirty, slot);
        clear_bit(neighbour_of(link)->again, slot);
    }
}

enum clients_result replica_take_older(unsigned link, const struct client_record *heard,
                                       int64_t now_ns, bool clock_trusted)
{
    enum clients_result result;
    struct client_record record = *heard;
    unsigned slot;
    bool evicted;

    HERD_ASSERT(link == REPLICA_NOBODY || link < link_count);
    if (is_known_older(&heard->report, &slot)) {
        sender_has(link, slot);
        stats.duplicate++;
        return CLIENTS_SAME;
    }
    record.key_ns = key_on_entry(record.report.stamp_ns, now_ns, clock_trusted);
    if (!is_settled(&record.report, now_ns, clock_trusted, &result)) {
        result = clients_offer(&record, &slot, &evicted);
    }
    if (result == CLIENTS_STORED) {
        mark_for_all(slot, evicted);
        sender_has(link, slot);
        stats.merged++;
    } else if (result == CLIENTS_OLDER) {
        stats.duplicate++;
    }
    return result;
}

/* --- Links ---------------------------------------------------------------------------------- */

void replica_link_up(unsigned link)
{
    struct neighbour *n = neighbour_of(link);

    replica_link_resume(link);
    n->refused_ns = 0; /* it is told everything anew */
    for (unsigned slot = 0; slot < CFG_DEVICES; slot++) {
        if (clients_used(slot)) {
            set_bit(n->dirty, slot);
        }
    }
}

void replica_link_resume(unsigned link)
{
    struct neighbour *n = neighbour_of(link);

    replica_link_down(link);
    n->acked = 0;
    n->floor = (struct clients_floor){.full = false, .pinned = false, .key_ns = 0};
    n->up = true;
}

void replica_link_down(unsigned link)
{
    struct neighbour *n = neighbour_of(link);

    while (n->in_flight > 0) {
        struct sent *sent = &n->ring[n->oldest];

        if (sent->version == clients_version(sent->slot)) {
            set_bit(n->again, sent->slot);
        }
        clear_bit(n->flying, sent->slot);
        n->oldest = (n->oldest + 1) % CFG_LINK_INFLIGHT;
        n->in_flight--;
    }
    n->up = false;
}

void replica_set_floor(unsigned link, struct clients_floor floor)
{
    neighbour_of(link)->floor = floor;
}

/* Slots that could be sent now, from `first` to the end of its word. */
static uint32_t sendable(const struct neighbour *n, unsigned first)
{
    unsigned word = first / WORD_BITS;

    return n->dirty[word] & ~n->flying[word] & (UINT32_MAX << (first % WORD_BITS));
}

/* The next slot to send, round robin from next_slot: at most one turn and the rest of the word in
 * which it began. */
static bool find_sendable(const struct neighbour *n, unsigned *slot)
{
    unsigned first = n->next_slot;

    for (unsigned i = 0; i <= WORDS; i++) {
        uint32_t word = sendable(n, first);

        if (word != 0) {
            *slot = first / WORD_BITS * WORD_BITS + lowest_bit(word);
            return true;
        }
        first = (first / WORD_BITS + 1) % WORDS * WORD_BITS;
    }
    return false;
}

bool replica_has_news(unsigned link)
{
    unsigned slot;

    return find_sendable(neighbour_of(link), &slot);
}

int replica_next(unsigned link, struct client_record *out)
{
    struct neighbour *n = neighbour_of(link);
    unsigned slot;

    if (!n->up || n->in_flight == CFG_LINK_INFLIGHT) {
        return HERD_E_AGAIN;
    }
    while (find_sendable(n, &slot)) { /* each round clears a bit, or returns */
        struct client_record record;

        n->next_slot = (slot + 1) % CFG_DEVICES;
        clients_get(slot, &record);
        if (clients_below(&record, n->floor)) {
            clear_bit(n->dirty, slot);
            clear_bit(n->again, slot);
            continue;
        }
        n->ring[(n->oldest + n->in_flight) % CFG_LINK_INFLIGHT] =
            (struct sent){.version = clients_version(slot), .slot = (uint16_t)slot};
        n->in_flight++;
        set_bit(n->flying, slot);
        stats.sent++;
        stats.resent += has_bit(n->again, slot) ? 1 : 0;
        clear_bit(n->again, slot);
        *out = record;
        return HERD_OK;
    }
    return HERD_E_AGAIN;
}

int replica_acked(unsigned link, uint32_t reports)
{
    struct neighbour *n = neighbour_of(link);
    uint32_t newly = reports - n->acked; /* huge when fewer than before */

    if (newly > n->in_flight) {
        return HERD_E_PROTOCOL;
    }
    for (uint32_t i = 0; i < newly; i++) {
        struct sent *sent = &n->ring[n->oldest];

        clear_bit(n->flying, sent->slot);
        if (sent->version == clients_version(sent->slot)) {
            clear_bit(n->dirty, sent->slot);
        }
        n->oldest = (n->oldest + 1) % CFG_LINK_INFLIGHT;
        n->in_flight--;
    }
    n->acked = reports;
    return HERD_OK;
}

unsigned replica_in_flight(unsigned link)
{
    return neighbour_of(link)->in_flight;
}

unsigned replica_pending(unsigned link)
{
    struct neighbour *n = neighbour_of(link);
    unsigned pending = 0;

    for (unsigned word = 0; word < WORDS; word++) {
        for (uint32_t bits = n->dirty[word]; bits != 0; bits &= bits - 1) {
            pending++;
        }
    }
    return pending;
}

struct replica_stats replica_stats(void)
{
    return stats;
}
