#include "places_google.h"

#include <string.h>

#include "json.h"
#include "places_entry.h"

/* Requests */

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* RFC 3986, 2.1 */
static void put_percent(struct text *t, struct span s)
{
    for (size_t i = 0; i < s.bytes; i++) {
        if (is_unreserved(s.at[i])) {
            text_char(t, s.at[i]);
        } else {
            text_char(t, '%');
            text_hex(t, (unsigned char)s.at[i], 2);
        }
    }
}

/* The part of `t` that was built since `from`. */
static struct span since(const struct text *t, size_t from)
{
    return (struct span){t->at + from, t->bytes - from};
}

/* The legacy radius is a whole number of metres, at least 1. */
static void request_legacy(const struct places_google_service *service,
                           const struct places_query *q, struct text *t, struct https_request *out)
{
    text_str(t, "/maps/api/place/nearbysearch/json?location=");
    text_e7(t, q->at.lat_e7);
    text_char(t, ',');
    text_e7(t, q->at.lng_e7);
    text_str(t, "&radius=");
    text_u64(t, (q->radius_mm + 999u) / 1000u);
    text_str(t, "&key=");
    put_percent(t, service->key);
    *out = (struct https_request){.method = "GET", .target = text_span(t)};
}

static void request_new(const struct places_google_service *service, const struct places_query *q,
                        struct text *t, struct https_request *out)
{
    text_str(t, "Content-Type: application/json\r\nX-Goog-FieldMask: places.displayName,"
                "places.location,places.id,places.types,places.shortFormattedAddress\r\n"
                "X-Goog-Api-Key: ");
    text_put(t, service->key);
    text_str(t, "\r\n");
    size_t body = t->bytes;
    text_str(t, "{\"maxResultCount\":");
    text_u64(t, q->bound);
    text_str(t, ",\"rankPreference\":\"DISTANCE\",\"locationRestriction\":{\"circle\":{\"center\":"
                "{\"latitude\":");
    text_e7(t, q->at.lat_e7);
    text_str(t, ",\"longitude\":");
    text_e7(t, q->at.lng_e7);
    text_str(t, "},\"radius\":");
    text_u64(t, q->radius_mm / 1000u);
    text_char(t, '.');
    text_pad(t, q->radius_mm % 1000u, 3);
    text_str(t, "}}}");
    *out = (struct https_request){.method = "POST",
                                  .target = SPAN_LIT("/v1/places:searchNearby"),
                                  .headers = {t->at, body},
                                  .body = since(t, body)};
}

int places_google_request(const struct places_google_service *service,
                          const struct places_query *query, struct text *scratch,
                          struct https_request *out)
{
    if (service->provider == CONFIG_PLACES_GOOGLE_LEGACY) {
        request_legacy(service, query, scratch, out);
    } else {
        request_new(service, query, scratch, out);
    }
    return scratch->cut ? HERD_E_RANGE : HERD_OK;
}

/* Entries */

static bool is_legacy(const struct places_google *g)
{
    return g->service->provider == CONFIG_PLACES_GOOGLE_LEGACY;
}

static void set_wrong(struct places_google *g, const char *what)
{
    if (g->wrong == NULL) {
        g->wrong = what;
    }
}

/* Legacy text, byte for byte, but without runs of newlines; a leading one would make a run with the
 * end of the AT line. */
static void pass_on(struct places_google *g, char c)
{
    if (c == '\n' && (g->out.bytes == 0 || g->out.at[g->out.bytes - 1] == '\n')) {
        return;
    }
    text_char(&g->out, c);
}

static void pass_gap(struct places_google *g)
{
    for (unsigned i = 0; i < g->gap_bytes; i++) {
        pass_on(g, g->gap[i]);
    }
    g->gap_bytes = 0;
}

/* Appends an entry, or nothing when it does not fit. */
static void keep_entry(struct places_google *g, struct span text, const struct places_entry *p)
{
    size_t start = g->out.bytes;

    if (g->out.cut) { /* not even the text before the entries fits */
        g->full = true;
        g->left_out++;
        return;
    }
    if (is_legacy(g)) {
        if (g->kept > 0) {
            pass_gap(g); /* the comma between them */
        }
        for (size_t i = 0; i < text.bytes; i++) {
            pass_on(g, text.at[i]);
        }
    } else {
        text_str(&g->out, g->kept > 0 ? "," : "");
        places_entry_format(&g->out, p);
    }
    if (g->out.cut) {
        g->out.bytes = start;
        g->out.cut = false;
        g->full = true;
        g->left_out++;
        return;
    }
    g->starts[g->kept++] = start;
}

static void take_entry(struct places_google *g, struct span text, bool whole)
{
    const struct json_value *entry;
    struct places_entry p;

    if (!whole || g->full) {
        g->left_out++;
        return;
    }
    int err = json_parse(text, &entry);
    if (err == HERD_OK) {
        err = places_entry_read(entry, is_legacy(g), &p);
    }
    /* Google's own text is passed on even when it lacks something. */
    if (err == HERD_E_FULL || (err == HERD_E_RANGE && !is_legacy(g))) {
        g->left_out++;
    } else if (err == HERD_OK || err == HERD_E_RANGE) {
        keep_entry(g, text, &p);
    } else {
        set_wrong(g, "an entry is not what an entry should be");
    }
}

static void on_element(void *context, struct span text, bool whole)
{
    struct places_google *g = context;

    if (is_legacy(g) && g->seen == 0) {
        pass_gap(g); /* white space behind the [ */
    }
    g->seen++;
    if (g->seen <= g->bound) {
        take_entry(g, text, whole);
    }
    g->gap_bytes = 0;
}

/* Text around legacy entries */

/* Gives room for the document's tail: an answer without its last entry is still JSON. */
static void drop_last_entry(struct places_google *g)
{
    size_t start = g->starts[--g->kept];
    size_t from = g->tail_at;

    if (from < g->out.bytes && g->out.at[from] == '\n' && start > 0 &&
        g->out.at[start - 1] == '\n') {
        from++;
    }
    memmove(g->out.at + start, g->out.at + from, g->out.bytes - from);
    g->out.bytes -= from - start;
    g->tail_at = start;
    g->left_out++;
}

static void pass_tail(struct places_google *g, char c)
{
    pass_on(g, c);
    while (g->out.cut && g->kept > 0) {
        g->out.cut = false;
        drop_last_entry(g);
        pass_on(g, c);
    }
}

static void on_outside(void *context, enum json_zone zone, char byte)
{
    struct places_google *g = context;

    if (!is_legacy(g)) {
        return;
    }
    if (zone == JSON_HEAD) {
        pass_on(g, byte);
    } else if (zone == JSON_GAP) {
        /* A gap that is absurdly long loses white space, but not its comma. */
        if (byte == ',' || g->gap_bytes < sizeof g->gap - 1) {
            g->gap[g->gap_bytes++] = byte;
        }
    } else {
        if (!g->tail) {
            g->tail = true;
            g->tail_at = g->out.bytes;
            for (unsigned i = 0; i < g->gap_bytes; i++) {
                pass_tail(g, g->gap[i]);
            }
        }
        pass_tail(g, byte);
    }
}

/* Members beside the entries */

/* Bytes of s that fit, without the part of a character of UTF-8. */
static size_t fitting(struct span s, size_t capacity)
{
    size_t n = s.bytes < capacity ? s.bytes : capacity;

    while (n < s.bytes && n > 0 && ((unsigned char)s.at[n] & 0xC0) == 0x80) {
        n--;
    }
    return n;
}

static bool begins_with(struct span s, size_t at, struct span word)
{
    return word.bytes > 0 && s.bytes - at >= word.bytes &&
           memcmp(s.at + at, word.at, word.bytes) == 0;
}

/* What the provider says, without the key: Google has been seen to quote it. */
static void keep_said(struct places_google *g, struct span s)
{
    static const char more[] = "...";
    struct span key = g->service->key;
    size_t room = sizeof g->said - (sizeof more - 1);
    struct text t;

    text_init(&t, g->said, room);
    for (size_t i = 0; i < s.bytes && !t.cut;) {
        if (begins_with(s, i, key)) {
            text_str(&t, "(key)");
            i += key.bytes;
        } else {
            size_t bytes = 1; /* a whole character */
            while (i + bytes < s.bytes && ((unsigned char)s.at[i + bytes] & 0xC0) == 0x80) {
                bytes++;
            }
            if (bytes > room - t.bytes) {
                t.cut = true;
                break;
            }
            text_put(&t, (struct span){s.at + i, bytes});
            i += bytes;
        }
    }
    if (t.cut) {
        t.capacity = sizeof g->said;
        text_str(&t, more);
    }
    g->said_bytes = (unsigned)t.bytes;
}

static void keep_status(struct places_google *g, struct span s)
{
    g->status_bytes = (unsigned)fitting(s, sizeof g->status);
    if (g->status_bytes > 0) {
        memcpy(g->status, s.at, g->status_bytes);
    }
}

/* {"error":{"code":403,"message":"…","status":"PERMISSION_DENIED","details":[…]}} */
static void read_error(struct places_google *g, struct span text)
{
    const struct json_value *error;
    struct span said;
    struct span status;

    if (json_parse(text, &error) == HERD_OK && json_is_object(error)) {
        if (places_entry_string(error, "message", &said) == HERD_OK) {
            keep_said(g, said);
        }
        if (places_entry_string(error, "status", &status) == HERD_OK) {
            keep_status(g, status);
        }
    }
}

static void read_string_member(struct places_google *g, struct span text, bool *had,
                               void (*keep)(struct places_google *, struct span), const char *what)
{
    const struct json_value *v;
    struct span s;

    if (*had || json_parse(text, &v) != HERD_OK || json_string(v, &s) != HERD_OK) {
        set_wrong(g, what);
        return;
    }
    *had = true;
    keep(g, s);
}

static void on_member(void *context, struct span name, struct span text, bool whole)
{
    struct places_google *g = context;
    bool legacy = is_legacy(g);

    if (span_equal(name, legacy ? SPAN_LIT("results") : SPAN_LIT("places"))) {
        set_wrong(g, json_stream_has_array(&g->stream) ? "its list of places is there twice"
                                                       : "its list of places is not a list");
    } else if (span_equal(name, SPAN_LIT("error"))) {
        if (g->has_error) {
            set_wrong(g, "its error is there twice");
        }
        g->has_error = true;
        if (whole) {
            read_error(g, text);
        }
    } else if (legacy && span_equal(name, SPAN_LIT("status"))) {
        read_string_member(g, text, &g->has_status, keep_status, "its status is not a word");
    } else if (legacy && span_equal(name, SPAN_LIT("error_message"))) {
        read_string_member(g, text, &g->has_message, keep_said, "its error_message is not a text");
    }
}

static const struct json_sink stream_sink = {
    .outside = on_outside, .element = on_element, .member = on_member};

void places_google_begin(struct places_google *g, const struct places_google_service *service,
                         unsigned bound, char *buffer, size_t capacity)
{
    HERD_ASSERT(capacity >= 256 && bound >= 1 && bound <= PROTO_BOUND_MAX);
    memset(g, 0, offsetof(struct places_google, stream));
    g->service = service;
    g->bound = bound;
    text_init(&g->out, buffer, capacity);
    if (!is_legacy(g)) {
        g->out.capacity = capacity - PLACES_GOOGLE_TAIL_BYTES;
        text_str(&g->out, "{\"html_attributions\":[],\"results\":[");
    }
    json_stream_init(&g->stream, is_legacy(g) ? SPAN_LIT("results") : SPAN_LIT("places"),
                     &stream_sink, g);
}

void places_google_head(struct places_google *g, unsigned http_status)
{
    g->http_status = http_status;
}

void places_google_body(struct places_google *g, struct span bytes)
{
    if (g->malformed == NULL) {
        int err = json_stream_feed(&g->stream, bytes);
        g->malformed = err == HERD_OK        ? NULL
                       : err == HERD_E_RANGE ? "its JSON is nested too deeply"
                                             : "it is not JSON";
    }
}
