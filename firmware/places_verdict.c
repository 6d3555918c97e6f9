#include "places_verdict.h"

#include <string.h>

/* Closes a translated answer. */
static const char tail[] = "],\"status\":\"OK\"}";
static const char tail_empty[] = "],\"status\":\"ZERO_RESULTS\"}";

_Static_assert(sizeof tail_empty <= PLACES_GOOGLE_TAIL_BYTES, "it has the room that is kept free");

static bool contains(struct span s, const char *word)
{
    size_t bytes = strlen(word);

    for (size_t i = 0; i + bytes <= s.bytes; i++) {
        if (memcmp(s.at + i, word, bytes) == 0) {
            return true;
        }
    }
    return false;
}

static struct span said(const struct places_google *g)
{
    return (struct span){g->said, g->said_bytes};
}

static struct span provider_status(const struct places_google *g)
{
    return (struct span){g->status, g->status_bytes};
}

/* The protocol's statuses, and those of the new API (google.rpc.Code) that mean the same. */
static struct span status_of_word(struct span word)
{
    static const struct {
        const char *word;
        const char *status;
    } words[] = {
        {"INVALID_REQUEST", "INVALID_REQUEST"},     {"INVALID_ARGUMENT", "INVALID_REQUEST"},
        {"OVER_QUERY_LIMIT", "OVER_QUERY_LIMIT"},   {"OVER_DAILY_LIMIT", "OVER_QUERY_LIMIT"},
        {"RESOURCE_EXHAUSTED", "OVER_QUERY_LIMIT"}, {"REQUEST_DENIED", "REQUEST_DENIED"},
        {"PERMISSION_DENIED", "REQUEST_DENIED"},    {"UNAUTHENTICATED", "REQUEST_DENIED"},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (span_equal(word, span_of(words[i].word))) {
            return span_of(words[i].status);
        }
    }
    return SPAN_LIT("UNKNOWN_ERROR");
}

static struct span status_of_http(unsigned http_status)
{
    switch (http_status) {
    case 400:
        return SPAN_LIT("INVALID_REQUEST");
    case 401:
    case 403:
        return SPAN_LIT("REQUEST_DENIED");
    case 429:
        return SPAN_LIT("OVER_QUERY_LIMIT");
    default:
        return SPAN_LIT("UNKNOWN_ERROR");
    }
}

/* What the user of the herd can do about it; NULL: nothing that we know of. A key is enabled for
 * each of Google's two APIs separately, and each refuses the other's keys in its own words. */
static const char *advice(const struct places_google *g)
{
    struct span s = said(g);

    if (contains(s, "API key not valid") || contains(s, "API key is invalid") ||
        contains(s, "API key expired")) {
        return "check the places key";
    }
    if (g->service->provider == CONFIG_PLACES_GOOGLE_LEGACY) {
        if (contains(s, "legacy API") || contains(s, "not authorized to use this API")) {
            return "this key is not enabled for the legacy Places API: set provider = google in "
                   "the herd file";
        }
    } else if (contains(s, "has not been used in project") || contains(s, "it is disabled") ||
               contains(s, "Requests to this API")) {
        return "this key is not enabled for Places API (New): enable it in the Google Cloud "
               "console, or set provider = google-legacy in the herd file";
    }
    return NULL;
}

static void fail(struct places_verdict *out, struct span status, const struct text *message)
{
    *out = (struct places_verdict){.status = status, .message = text_span(message)};
}

static void put_said(const struct places_google *g, struct text *m)
{
    const char *todo = advice(g);

    if (g->said_bytes > 0) {
        text_str(m, ": ");
        text_put(m, said(g));
    } else if (g->status_bytes > 0) {
        text_str(m, ": ");
        text_put(m, provider_status(g));
    }
    if (todo != NULL) {
        text_str(m, " (");
        text_str(m, todo);
        text_char(m, ')');
    }
}

static void fail_http(struct places_google *g, struct places_verdict *out)
{
    struct span status = status_of_http(g->http_status);
    struct text m;

    /* Google answers 400 to a bad key as well. */
    if (g->http_status == 400 && contains(said(g), "API key")) {
        status = SPAN_LIT("REQUEST_DENIED");
    }
    text_init(&m, g->message, sizeof g->message);
    text_str(&m, g->service->host);
    text_str(&m, " answered HTTP ");
    text_u64(&m, g->http_status);
    text_str(&m, g->http_status / 100 == 3 ? ", a redirect, which is not followed" : "");
    put_said(g, &m);
    fail(out, status, &m);
}

/* An error in place of a list, with HTTP status 200. */
static void fail_said(struct places_google *g, struct places_verdict *out)
{
    struct text m;

    text_init(&m, g->message, sizeof g->message);
    text_str(&m, g->service->host);
    text_str(&m, " refused");
    put_said(g, &m);
    fail(out, status_of_word(provider_status(g)), &m);
}

static void fail_bad(struct places_google *g, struct places_verdict *out, const char *what)
{
    struct text m;

    text_init(&m, g->message, sizeof g->message);
    text_str(&m, "bad answer of ");
    text_str(&m, g->service->host);
    text_str(&m, ": ");
    text_str(&m, what);
    fail(out, SPAN_LIT("UNKNOWN_ERROR"), &m);
}

/* What is wrong with a document that is not an error; NULL: nothing. */
static const char *fault(const struct places_google *g)
{
    bool legacy = g->service->provider == CONFIG_PLACES_GOOGLE_LEGACY;

    if (g->wrong != NULL) {
        return g->wrong;
    }
    if (legacy && !g->has_status) {
        return "it has no status";
    }
    if (legacy && !json_stream_has_array(&g->stream)) {
        return "it has no results";
    }
    if (g->seen > 0 && g->kept == 0) {
        return "none of its entries can be read, or fits";
    }
    return g->out.cut ? "it is too large" : NULL;
}

static bool is_success(const struct places_google *g)
{
    return span_equal(provider_status(g), SPAN_LIT("OK")) ||
           span_equal(provider_status(g), SPAN_LIT("ZERO_RESULTS"));
}

static void succeed(struct places_google *g, struct places_verdict *out)
{
    if (g->service->provider == CONFIG_PLACES_GOOGLE_LEGACY) {
        while (g->out.bytes > 0 && g->out.at[g->out.bytes - 1] == '\n') {
            g->out.bytes--;
        }
    } else {
        g->out.capacity += PLACES_GOOGLE_TAIL_BYTES;
        text_str(&g->out, g->kept > 0 ? tail : tail_empty);
        HERD_ASSERT(!g->out.cut);
    }
    *out = (struct places_verdict){
        .good = true,
        .bytes = g->out.bytes,
        .entries = g->kept,
        .left_out = g->left_out,
        .status = g->kept > 0 ? SPAN_LIT("OK") : SPAN_LIT("ZERO_RESULTS"),
    };
}

void places_verdict_of(struct places_google *g, struct places_verdict *out)
{
    bool legacy = g->service->provider == CONFIG_PLACES_GOOGLE_LEGACY;

    if (g->http_status != 200) {
        fail_http(g, out);
        return;
    }
    if (g->malformed != NULL || json_stream_end(&g->stream) != HERD_OK) {
        fail_bad(g, out, g->malformed != NULL ? g->malformed : "its JSON is cut");
        return;
    }
    if (g->has_error || (legacy && g->has_status && !is_success(g))) {
        fail_said(g, out);
        return;
    }
    const char *what = fault(g);
    if (what != NULL) {
        fail_bad(g, out, what);
        return;
    }
    succeed(g, out);
}
