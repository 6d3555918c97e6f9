#include "places.h"

#include <string.h>

#include "cfg.h"
#include "log.h"
#include "places_backend.h"

_Static_assert(CFG_PLACES_QUERIES >= 1 && CFG_PLACES_QUERIES <= 255, "a ticket has 8 bits for it");
_Static_assert(CFG_PLACES_ANSWER_BYTES >= PLACES_BYTES_MIN, "the least that an asker may want");

enum slot_state {
    FREE,
    QUEUED, /* waits for the backend */
    ACTIVE, /* the backend asks; at most one */
    READY   /* holds its answer: for its readers, or as cache */
};

struct slot {
    enum slot_state state;
    uint32_t generation; /* 24 bits; a new one makes every ticket stale */
    uint32_t shares;     /* tickets given out */
    bool good;           /* READY: no failure */
    bool keep;           /* READY: worth caching */
    struct places_query query;
    uint64_t since_ms;       /* asked, or READY */
    uint64_t deadline_ms;    /* QUEUED, ACTIVE: of the query; READY: of its readers */
    uint64_t fresh_until_ms; /* READY: of the cache */
    uint32_t used;           /* order of use: the lowest is asked, or evicted, first */
    size_t answer_bytes;
};

static struct slot slots[CFG_PLACES_QUERIES];
static char answers[CFG_PLACES_QUERIES][CFG_PLACES_ANSWER_BYTES];

static const struct config_places *config;
static const struct places_backend *backend;
static struct sched_task *waiters[PLACES_WAITERS];
static struct places_stats stats;
static struct slot *active;
static const char *unusable; /* why nothing can be asked at all; NULL: it can */
static uint32_t uses;

static void run(void);
static struct sched_task task = {.name = "places", .run = run};

/* Slots and tickets */

static places_ticket ticket_of(const struct slot *s)
{
    return s->generation << 8 | (uint32_t)(s - slots + 1);
}

static struct slot *slot_of(places_ticket ticket)
{
    uint32_t index = (ticket & 0xFFu) - 1u;

    if (index >= CFG_PLACES_QUERIES || slots[index].generation != ticket >> 8 ||
        slots[index].shares == 0) {
        return NULL;
    }
    return &slots[index];
}

static char *answer_of(const struct slot *s)
{
    return answers[s - slots];
}

/* Of its answer. */
static size_t capacity_of(const struct slot *s)
{
    return s->query.bytes_max;
}

static void wake_waiters(void)
{
    for (unsigned i = 0; i < PLACES_WAITERS; i++) {
        if (waiters[i] != NULL) {
            sched_wake(waiters[i]);
        }
    }
}

static void make_stale(struct slot *s)
{
    s->shares = 0;
    s->generation = (s->generation + 1u) & 0xFFFFFFu;
}

static bool is_cached(const struct slot *s, uint64_t now)
{
    return s->state == READY && s->keep && now < s->fresh_until_ms;
}

/* Nobody reads it any more: it stays as cache, or becomes free. */
static void let_go(struct slot *s)
{
    make_stale(s);
    if (!is_cached(s, sched_now_ms())) {
        s->state = FREE;
    }
    wake_waiters();
}

static bool same_query(const struct places_query *a, const struct places_query *b)
{
    return a->at.lat_e7 == b->at.lat_e7 && a->at.lng_e7 == b->at.lng_e7 &&
           a->radius_mm == b->radius_mm && a->bound == b->bound && a->bytes_max == b->bytes_max;
}

static struct slot *find_same(const struct places_query *q, uint64_t now)
{
    for (unsigned i = 0; i < CFG_PLACES_QUERIES; i++) {
        struct slot *s = &slots[i];
        bool usable = s->state == QUEUED || s->state == ACTIVE || is_cached(s, now);
        if (usable && same_query(&s->query, q)) {
            return s;
        }
    }
    return NULL;
}

/* A free slot, else the cached answer that was used longest ago; NULL: all are in use. */
static struct slot *take_slot(void)
{
    struct slot *oldest = NULL;

    for (unsigned i = 0; i < CFG_PLACES_QUERIES; i++) {
        struct slot *s = &slots[i];
        if (s->state == FREE) {
            return s;
        }
        if (s->state == READY && s->shares == 0 && (oldest == NULL || s->used < oldest->used)) {
            oldest = s;
        }
    }
    return oldest;
}

/* Answers */

static void publish(struct slot *s, size_t bytes, bool good, bool keep)
{
    uint64_t now = sched_now_ms();

    s->state = READY;
    s->answer_bytes = bytes;
    s->good = good;
    s->keep = keep;
    s->since_ms = now;
    s->deadline_ms = now + CFG_PLACES_READ_MS;
    s->fresh_until_ms = now + (uint64_t)config->cache_s * 1000u;
    if (s->shares == 0) { /* everybody has gone away meanwhile */
        let_go(s);
    }
    wake_waiters();
    sched_wake(&task); /* for its deadline */
}

static void publish_failure(struct slot *s, struct span status, struct span message)
{
    struct log_line *l = log_begin(EV_PLACES_FAILED);
    log_u64(l, "slot", (uint64_t)(s - slots));
    log_span(l, "status", status);
    log_span(l, "message", message);
    log_u64(l, "ms", sched_now_ms() - s->since_ms);
    log_end(l);
    struct text t;
    text_init(&t, answer_of(s), capacity_of(s));
    places_format_failure(&t, status, message);
    if (t.cut) { /* a message of control bytes, six times as long when escaped */
        text_init(&t, answer_of(s), capacity_of(s));
        places_format_failure(&t, status, SPAN_LIT("the provider failed"));
    }
    stats.failed++;
    publish(s, t.bytes, false, false);
}

static void publish_answer(struct slot *s, const struct places_outcome *o)
{
    struct log_line *l = log_begin(o->good ? EV_PLACES_ANSWERED : EV_PLACES_FAILED);
    log_u64(l, "slot", (uint64_t)(s - slots));
    if (o->status.bytes > 0) {
        log_span(l, "status", o->status);
        log_u64(l, "entries", o->entries);
        log_u64(l, "left_out", o->left_out);
    }
    log_u64(l, "bytes", o->bytes);
    log_u64(l, "ms", sched_now_ms() - s->since_ms);
    log_end(l);
    stats.answered += o->good ? 1 : 0;
    stats.failed += o->good ? 0 : 1;
    stats.left_out += o->left_out;
    publish(s, o->bytes, o->good, o->keep);
}

static void conclude(struct slot *s, const struct places_outcome *o)
{
    HERD_ASSERT(o->bytes <= capacity_of(s));
    if (o->bytes > 0) {
        publish_answer(s, o);
    } else {
        publish_failure(s, o->status, o->message);
    }
}

/* Asking */

static void ask(struct slot *s)
{
    struct places_outcome outcome;
    int err = backend->start(&s->query, s->deadline_ms, answer_of(s), capacity_of(s), &outcome);

    if (err != HERD_OK) {
        stats.over_limit += err == HERD_E_REFUSED ? 1 : 0;
        conclude(s, &outcome);
        return;
    }
    s->state = ACTIVE;
    active = s;
    stats.asked++;
    struct log_line *l = log_begin(EV_PLACES_ASKED);
    log_u64(l, "slot", (uint64_t)(s - slots));
    log_i64(l, "lat_e7", s->query.at.lat_e7);
    log_i64(l, "lng_e7", s->query.at.lng_e7);
    log_u64(l, "radius_mm", s->query.radius_mm);
    log_u64(l, "bound", s->query.bound);
    log_end(l);
}

static void run_backend(void)
{
    struct places_outcome outcome;

    if (backend->run(&outcome)) {
        HERD_ASSERT(active != NULL);
        struct slot *s = active;
        active = NULL;
        conclude(s, &outcome);
    }
}

/* Time */

static void give_up(struct slot *s)
{
    publish_failure(s, SPAN_LIT("UNKNOWN_ERROR"),
                    SPAN_LIT("this server could not ask in time: other queries were before"));
}

static void check_deadlines(uint64_t now)
{
    for (unsigned i = 0; i < CFG_PLACES_QUERIES; i++) {
        struct slot *s = &slots[i];
        if (s->state == QUEUED && now >= s->deadline_ms) {
            give_up(s);
        } else if (s->state == READY && s->shares > 0 && now >= s->deadline_ms) {
            stats.taken_away += s->shares;
            let_go(s);
        }
    }
}

static struct slot *next_queued(void)
{
    struct slot *first = NULL;

    for (unsigned i = 0; i < CFG_PLACES_QUERIES; i++) {
        struct slot *s = &slots[i];
        if (s->state == QUEUED && (first == NULL || s->used < first->used)) {
            first = s;
        }
    }
    return first;
}

static uint64_t next_deadline(void)
{
    uint64_t at = unusable == NULL ? backend->wake_ms() : SCHED_NEVER;

    for (unsigned i = 0; i < CFG_PLACES_QUERIES; i++) {
        const struct slot *s = &slots[i];
        bool waits = s->state == QUEUED || (s->state == READY && s->shares > 0);
        if (waits && s->deadline_ms < at) {
            at = s->deadline_ms;
        }
    }
    return at;
}

static void run(void)
{
    if (unusable == NULL) {
        run_backend();
    }
    check_deadlines(sched_now_ms());
    /* At most one start per slot: a query beyond the budget is answered, and the next one looked at. */
    for (unsigned i = 0; i < CFG_PLACES_QUERIES && active == NULL; i++) {
        struct slot *s = next_queued();
        if (s == NULL) {
            break;
        }
        ask(s);
    }
    if (next_deadline() != SCHED_NEVER) {
        sched_at(&task, next_deadline());
    }
}

/* For sessions */

int places_ask(const struct places_query *query, places_ticket *out)
{
    uint64_t now = sched_now_ms();
    struct places_query capped = *query;
    if (query->bytes_max < PLACES_BYTES_MIN) {
        return HERD_E_RANGE;
    }
    if (query->bytes_max > CFG_PLACES_ANSWER_BYTES) { /* who can hold more shares with who cannot */
        capped.bytes_max = CFG_PLACES_ANSWER_BYTES;
    }
    struct slot *s = find_same(&capped, now);

    if (s != NULL) {
        if (s->state != READY) {
            stats.shared++;
        } else {
            stats.cached++;
            s->deadline_ms = now + CFG_PLACES_READ_MS;
        }
    } else {
        s = take_slot();
        if (s == NULL) {
            stats.refused_full++;
            return HERD_E_FULL;
        }
        make_stale(s);
        s->state = QUEUED;
        s->query = capped;
        s->since_ms = now;
        s->deadline_ms = now + config->timeout_ms;
    }
    if (s->state == READY || s->shares == 0) { /* who joins a query does not delay it */
        s->used = uses++;
    }
    s->shares++;
    *out = ticket_of(s);
    if (s->state == QUEUED && unusable != NULL) {
        publish_failure(s, SPAN_LIT("REQUEST_DENIED"), span_of(unusable));
    }
    sched_wake(&task);
    return HERD_OK;
}

int places_poll(places_ticket ticket, struct span *answer)
{
    const struct slot *s = slot_of(ticket);

    if (s == NULL) {
        return HERD_E_CLOSED;
    }
    if (s->state != READY) {
        return HERD_E_AGAIN;
    }
    *answer = (struct span){answer_of(s), s->answer_bytes};
    return HERD_OK;
}

bool places_is_failure(places_ticket ticket)
{
    const struct slot *s = slot_of(ticket);

    return s != NULL && s->state == READY && !s->good;
}

void places_release(places_ticket ticket)
{
    struct slot *s = slot_of(ticket);

    if (s == NULL || --s->shares > 0) {
        return;
    }
    if (s->state == READY) {
        let_go(s);
    } else if (s->state == QUEUED) {
        make_stale(s);
        s->state = FREE;
        wake_waiters();
    } /* ACTIVE: the answer comes anyway, and may be cached */
}

/* Start */

static void log_setup(void)
{
    static const char *const names[] = {[CONFIG_PLACES_GOOGLE] = "google",
                                        [CONFIG_PLACES_GOOGLE_LEGACY] = "google-legacy",
                                        [CONFIG_PLACES_NONE] = "none"};
    bool own = backend != NULL && backend->own;
    struct log_line *l = log_begin(EV_PLACES_SETUP);
    log_str(l, "provider", backend == NULL || own ? names[config->provider] : "a neighbour");
    if (own) {
        log_span(l, "host", span_of(config->host));
        log_u64(l, "cache_seconds", config->cache_s);
    }
    if (unusable != NULL) {
        log_span(l, "unusable", span_of(unusable));
    }
    log_end(l);
}

int places_init(const struct places_setup *setup)
{
    config = setup->config;
    backend = setup->backend;
    memcpy(waiters, setup->waiters, sizeof waiters);
    stats = (struct places_stats){0};
    memset(slots, 0, sizeof slots);
    active = NULL;
    uses = 0;
    unusable = NULL;
    int err = HERD_OK;
    if (backend == NULL) {
        unusable = "this herd has no places provider (provider = none in the herd file)";
    } else {
        err = backend->init(config, setup->key, &task, &unusable);
    }
    if (err == HERD_OK) {
        log_setup();
        sched_add(&task);
    }
    return err;
}

bool places_has_upstream(void)
{
    return backend != NULL && backend->own && unusable == NULL;
}

struct places_stats places_stats(void)
{
    return stats;
}
