#include "places.h"

#include "cfg.h"

#if CFG_UPSTREAM /* or places_none.c */

#include <string.h>

#include "https.h"
#include "log.h"
#include "places_budget.h"
#include "places_google.h"
#include "places_verdict.h"

_Static_assert(CFG_PLACES_QUERIES >= 1 && CFG_PLACES_QUERIES <= 255, "a ticket has 8 bits for it");
_Static_assert(CFG_PLACES_ANSWER_BYTES >= CFG_HTTPS_REQUEST_BYTES,
               "the request is built in the buffer of its answer");

enum slot_state {
    FREE,
    QUEUED, /* waits for the connection to the provider */
    ACTIVE, /* is being asked; at most one */
    READY   /* holds its answer: for its readers, or as cache */
};

struct slot {
    enum slot_state state;
    uint32_t generation; /* 24 bits; a new one makes every ticket stale */
    uint32_t shares;     /* tickets given out */
    bool good;           /* READY: worth caching */
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
static struct sched_task *waiter;
static struct places_google_service service;
static struct places_google google;
static struct places_budget budget;
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

static void make_stale(struct slot *s)
{
    s->shares = 0;
    s->generation = (s->generation + 1u) & 0xFFFFFFu;
}

static bool is_cached(const struct slot *s, uint64_t now)
{
    return s->state == READY && s->good && now < s->fresh_until_ms;
}

/* Nobody reads it any more: it stays as cache, or becomes free. */
static void let_go(struct slot *s)
{
    make_stale(s);
    if (!is_cached(s, sched_now_ms())) {
        s->state = FREE;
    }
    sched_wake(waiter);
}

static bool same_query(const struct places_query *a, const struct places_query *b)
{
    return a->at.lat_e7 == b->at.lat_e7 && a->at.lng_e7 == b->at.lng_e7 &&
           a->radius_mm == b->radius_mm && a->bound == b->bound;
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

static void publish(struct slot *s, size_t bytes, bool good)
{
    uint64_t now = sched_now_ms();

    s->state = READY;
    s->answer_bytes = bytes;
    s->good = good;
    s->since_ms = now;
    s->deadline_ms = now + CFG_PLACES_READ_MS;
    s->fresh_until_ms = now + (uint64_t)config->cache_s * 1000u;
    if (s->shares == 0) { /* everybody has gone away meanwhile */
        let_go(s);
    }
    sched_wake(waiter);
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
    text_init(&t, answer_of(s), CFG_PLACES_ANSWER_BYTES);
    places_format_failure(&t, status, message);
    if (t.cut) { /* a message of control bytes, six times as long when escaped */
        text_init(&t, answer_of(s), CFG_PLACES_ANSWER_BYTES);
        places_format_failure(&t, status, SPAN_LIT("the provider failed"));
    }
    stats.failed++;
    publish(s, t.bytes, false);
}

static void publish_answer(struct slot *s, const struct places_verdict *v)
{
    struct log_line *l = log_begin(EV_PLACES_ANSWERED);
    log_u64(l, "slot", (uint64_t)(s - slots));
    log_span(l, "status", v->status);
    log_u64(l, "entries", v->entries);
    log_u64(l, "left_out", v->left_out);
    log_u64(l, "bytes", v->bytes);
    log_u64(l, "ms", sched_now_ms() - s->since_ms);
    log_end(l);
    stats.answered++;
    stats.left_out += v->left_out;
    publish(s, v->bytes, true);
}

/* Asking */

static void on_head(void *context, unsigned status)
{
    places_google_head(context, status);
}

static void on_body(void *context, struct span bytes)
{
    places_google_body(context, bytes);
}

static const struct https_sink sink = {.head = on_head, .body = on_body};

static bool within_budget(struct slot *s)
{
    enum places_budget_verdict verdict = places_budget_take(&budget, sched_now_ms());

    if (verdict == PLACES_BUDGET_FINE) {
        return true;
    }
    bool day = verdict == PLACES_BUDGET_DAY;
    stats.over_limit++;
    struct log_line *l = log_begin(EV_PLACES_LIMIT);
    log_str(l, "limit", day ? "queries_per_day" : "queries_per_minute");
    log_u64(l, "value", day ? config->queries_per_day : config->queries_per_minute);
    log_end(l);
    publish_failure(s, SPAN_LIT("OVER_QUERY_LIMIT"),
                    day ? SPAN_LIT("this server's own limit is reached (queries_per_day in the "
                                   "herd file)")
                        : SPAN_LIT("this server's own limit is reached (queries_per_minute in the "
                                   "herd file): try again in a minute"));
    return false;
}

static void ask(struct slot *s)
{
    struct https_request request;
    struct text scratch;

    if (!within_budget(s)) {
        return;
    }
    /* The answer is not there yet: its buffer holds the request until https has copied it. */
    text_init(&scratch, answer_of(s), CFG_PLACES_ANSWER_BYTES);
    int err = places_google_request(&service, &s->query, &scratch, &request);
    if (err == HERD_OK) {
        err = https_start(&request, s->deadline_ms, &sink, &google);
    }
    memset(answer_of(s), 0, scratch.bytes); /* no key where answers are */
    HERD_ASSERT(err == HERD_OK);            /* places_init has bounded what is variable */
    places_google_begin(&google, &service, s->query.bound, answer_of(s), CFG_PLACES_ANSWER_BYTES);
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

static void conclude(int err, struct span why)
{
    struct slot *s = active;
    struct places_verdict verdict;

    active = NULL;
    if (err != HERD_OK) {
        if (!https_was_sent()) {
            places_budget_return(&budget);
        }
        publish_failure(s, SPAN_LIT("UNKNOWN_ERROR"), why);
        return;
    }
    places_verdict_of(&google, &verdict);
    if (verdict.good) {
        publish_answer(s, &verdict);
    } else {
        publish_failure(s, verdict.status, verdict.message);
    }
}

static void run_https(void)
{
    char buffer[HTTPS_WHY_BYTES];
    struct text why;

    text_init(&why, buffer, sizeof buffer);
    int err = https_run(&why);
    if (err != HERD_E_AGAIN) {
        HERD_ASSERT(active != NULL);
        conclude(err, text_span(&why));
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
    uint64_t at = unusable == NULL ? https_wake_ms() : SCHED_NEVER;

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
        run_https();
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
    struct slot *s = find_same(query, now);

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
        s->query = *query;
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
        sched_wake(waiter);
    } /* ACTIVE: the answer comes anyway, and may be cached */
}

/* Start */

static struct span trimmed(struct span s)
{
    while (s.bytes > 0 && (unsigned char)s.at[s.bytes - 1] <= ' ') {
        s.bytes--;
    }
    while (s.bytes > 0 && (unsigned char)s.at[0] <= ' ') {
        s.at++;
        s.bytes--;
    }
    return s;
}

static const char *why_unusable(enum config_provider provider, struct span key)
{
    if (provider == CONFIG_PLACES_NONE) {
        return "this herd has no places provider (provider = none in the herd file)";
    }
    if (key.bytes == 0) {
        return "this server has no places key: give one by key_file in the herd file or in the "
               "environment variable PLACES_KEY";
    }
    if (key.bytes > PLACES_GOOGLE_KEY_BYTES_MAX) {
        return "the places key is longer than any key";
    }
    for (size_t i = 0; i < key.bytes; i++) {
        if (key.at[i] < 0x21 || key.at[i] > 0x7E) {
            return "the places key contains bytes that no key contains";
        }
    }
    return NULL;
}

static void log_setup(void)
{
    static const char *const names[] = {[CONFIG_PLACES_GOOGLE] = "google",
                                        [CONFIG_PLACES_GOOGLE_LEGACY] = "google-legacy",
                                        [CONFIG_PLACES_NONE] = "none"};
    struct log_line *l = log_begin(EV_PLACES_SETUP);
    log_str(l, "provider", names[config->provider]);
    if (config->provider != CONFIG_PLACES_NONE) {
        log_span(l, "host", span_of(config->host));
        log_u64(l, "cache_seconds", config->cache_s);
    }
    if (unusable != NULL) {
        log_span(l, "unusable", span_of(unusable));
    }
    log_end(l);
}

int places_init(const struct config_places *given, struct span key, struct sched_task *to_wake)
{
    config = given;
    waiter = to_wake;
    service = (struct places_google_service){
        .provider = given->provider, .host = given->host, .key = trimmed(key)};
    stats = (struct places_stats){0};
    memset(slots, 0, sizeof slots);
    active = NULL;
    uses = 0;
    places_budget_init(&budget, given->queries_per_minute, given->queries_per_day);
    unusable = why_unusable(given->provider, service.key);
    log_setup();
    if (unusable == NULL) {
        const struct https_server server = {
            .host = given->host, .address = given->address, .port = given->port};
        int err = https_init(&server, &task);
        if (err != HERD_OK) {
            return err;
        }
    }
    sched_add(&task);
    return HERD_OK;
}

struct places_stats places_stats(void)
{
    return stats;
}

#endif
