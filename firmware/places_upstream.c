/* The provider of places as a backend: budget, request, and its answer as a stream over https. */
#include "places_backend.h"

#if CFG_UPSTREAM

#include <string.h>

#include "https.h"
#include "log.h"
#include "places_budget.h"
#include "places_google.h"
#include "places_verdict.h"

_Static_assert(PLACES_BYTES_MIN >= 3 * PLACES_GOOGLE_KEY_BYTES_MAX + 512,
               "the request, its key escaped, is built in the buffer of its answer");
_Static_assert(PLACES_GOOGLE_MESSAGE_BYTES >= HTTPS_WHY_BYTES, "one buffer for either's words");

static const struct config_places *config;
static struct places_google_service service;
static struct places_google google;
static struct places_budget budget;
static bool active;

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

/* NULL: the key can be used. */
static const char *why_unusable(struct span key)
{
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

static int upstream_init(const struct config_places *given, struct span key,
                         struct sched_task *owner, const char **unusable)
{
    config = given;
    active = false;
    service = (struct places_google_service){
        .provider = given->provider, .host = given->host, .key = trimmed(key)};
    places_budget_init(&budget, given->queries_per_minute, given->queries_per_day);
    const char *why = why_unusable(service.key);
    if (why != NULL) {
        *unusable = why;
        return HERD_OK;
    }
    const struct https_server server = {
        .host = given->host, .address = given->address, .port = given->port};
    return https_init(&server, owner);
}

static void on_head(void *context, unsigned status)
{
    places_google_head(context, status);
}

static void on_body(void *context, struct span bytes)
{
    places_google_body(context, bytes);
}

static const struct https_sink sink = {.head = on_head, .body = on_body};

static bool within_budget(struct places_outcome *out)
{
    enum places_budget_verdict verdict = places_budget_take(&budget, sched_now_ms());

    if (verdict == PLACES_BUDGET_FINE) {
        return true;
    }
    bool day = verdict == PLACES_BUDGET_DAY;
    struct log_line *l = log_begin(EV_PLACES_LIMIT);
    log_str(l, "limit", day ? "queries_per_day" : "queries_per_minute");
    log_u64(l, "value", day ? config->queries_per_day : config->queries_per_minute);
    log_end(l);
    *out = (struct places_outcome){
        .status = SPAN_LIT("OVER_QUERY_LIMIT"),
        .message = day ? SPAN_LIT("this server's own limit is reached (queries_per_day in the "
                                  "herd file)")
                       : SPAN_LIT("this server's own limit is reached (queries_per_minute in the "
                                  "herd file): try again in a minute")};
    return false;
}

static int upstream_start(const struct places_query *query, uint64_t deadline_ms, char *buffer,
                          size_t capacity, struct places_outcome *out)
{
    struct https_request request;
    struct text scratch;

    HERD_ASSERT(!active);
    if (!within_budget(out)) {
        return HERD_E_REFUSED;
    }
    /* The answer is not there yet: its buffer holds the request until https has copied it. */
    text_init(&scratch, buffer, capacity);
    int err = places_google_request(&service, query, &scratch, &request);
    if (err == HERD_OK) {
        err = https_start(&request, deadline_ms, &sink, &google);
    }
    memset(buffer, 0, scratch.bytes); /* no key where answers are */
    HERD_ASSERT(err == HERD_OK);      /* init has bounded what is variable */
    places_google_begin(&google, &service, query->bound, buffer, capacity);
    active = true;
    return HERD_OK;
}

static void conclude(struct places_outcome *out)
{
    struct places_verdict verdict;

    places_verdict_of(&google, &verdict);
    *out = (struct places_outcome){.bytes = verdict.good ? verdict.bytes : 0,
                                   .good = verdict.good,
                                   .keep = verdict.good,
                                   .entries = verdict.entries,
                                   .left_out = verdict.left_out,
                                   .status = verdict.status,
                                   .message = verdict.message};
}

static bool upstream_run(struct places_outcome *out)
{
    struct text why;

    text_init(&why, google.message,
              sizeof google.message); /* which has no other use without an answer */
    int err = https_run(&why);
    if (err == HERD_E_AGAIN) {
        return false;
    }
    HERD_ASSERT(active);
    active = false;
    if (err == HERD_OK) {
        conclude(out);
        return true;
    }
    if (!https_was_sent()) {
        places_budget_return(&budget);
    }
    *out = (struct places_outcome){.status = SPAN_LIT("UNKNOWN_ERROR"), .message = text_span(&why)};
    return true;
}

const struct places_backend places_upstream = {.own = true,
                                               .init = upstream_init,
                                               .start = upstream_start,
                                               .run = upstream_run,
                                               .wake_ms = https_wake_ms};

#endif
