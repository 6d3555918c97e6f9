/* Frames between nodes; frames.h has the contracts and the layout. */
#include "frames.h"

#include <string.h>

#include "names.h"

/* version, features, boot, report_bytes, skew_max, capacity; then two names, each with its length */
#define HELLO_FIXED_BYTES  (1 + 4 + 8 + 2 + 4 + 4)
#define REPORT_FIXED_BYTES (8 + 1)
#define FLOOR_FULL         0x01u
#define FLOOR_PINNED       0x02u
#define KNOWN_FLAGS        (CLIENTS_FLAG_TOMBSTONE | CLIENTS_FLAG_PINNED)
#define ASK_BYTES          (2 + 4 + 4 + 4 + 1 + 4)
#define ANSWER_FIXED_BYTES (2 + 1)
#define ANSWER_LAST        0x01u
#define ANSWER_FAILURE     0x02u
#define REPORT_BYTES_MIN   32 /* that a herd file may say */

_Static_assert(HELLO_FIXED_BYTES + 2 * (1 + PROTO_SERVER_BYTES_MAX) <=
                   FRAMES_BODY_BYTES(REPORT_BYTES_MIN),
               "REPORT is the longest body, in every herd");
_Static_assert(ASK_BYTES <= FRAMES_BODY_BYTES(REPORT_BYTES_MIN), "every node takes an ASK");
_Static_assert(FRAMES_PIECE_BYTES_MAX(REPORT_BYTES_MIN) >= 64 &&
                   ANSWER_FIXED_BYTES + FRAMES_PIECE_BYTES_MAX(CFG_REPORT_BYTES) ==
                       FRAMES_BODY_BYTES_MAX,
               "a piece is worth its frame, and the longest fills a body");
_Static_assert(FRAMES_BYTES_MAX <= UINT16_MAX, "lengths and the reader's count are 16 bits");

const char *frames_bye_name(uint8_t reason)
{
    switch (reason) {
    case FRAMES_BYE_STOPPING:
        return "stopping";
    case FRAMES_BYE_DUPLICATE:
        return "duplicate";
    case FRAMES_BYE_VERSION:
        return "version";
    case FRAMES_BYE_IDENTITY:
        return "identity";
    case FRAMES_BYE_SETTINGS:
        return "settings";
    case FRAMES_BYE_PROTOCOL:
        return "protocol";
    default:
        return "unknown";
    }
}

/* --- Encoding ------------------------------------------------------------------------------- */

static void put_uint(struct text *t, uint64_t value, unsigned bytes)
{
    for (unsigned i = bytes; i > 0; i--) {
        text_char(t, (char)(uint8_t)(value >> (8 * (i - 1))));
    }
}

/* Returns where the frame begins; end_frame fills in its length. */
static size_t begin_frame(struct text *t, enum frames_type type)
{
    size_t begin = t->bytes;

    HERD_ASSERT(!t->cut && t->capacity - t->bytes >= FRAMES_BYTES_MAX);
    put_uint(t, type, 1);
    put_uint(t, 0, 2);
    return begin;
}

static void end_frame(struct text *t, size_t begin)
{
    size_t body_bytes = t->bytes - begin - FRAMES_HEADER_BYTES;

    HERD_ASSERT(!t->cut && body_bytes <= FRAMES_BODY_BYTES_MAX);
    t->at[begin + 1] = (char)(uint8_t)(body_bytes >> 8);
    t->at[begin + 2] = (char)(uint8_t)body_bytes;
}

static void put_name(struct text *t, struct span name)
{
    HERD_ASSERT(proto_is_server_name(name));
    put_uint(t, name.bytes, 1);
    text_put(t, name);
}

void frames_put_hello(struct text *t, const struct frames_hello *hello)
{
    size_t begin = begin_frame(t, FRAMES_HELLO);

    put_uint(t, hello->version, 1);
    put_uint(t, hello->features, 4);
    put_uint(t, hello->boot, 8);
    put_uint(t, hello->report_bytes, 2);
    put_uint(t, hello->skew_max_s, 4);
    put_uint(t, hello->capacity, 4);
    put_name(t, hello->name);
    put_name(t, hello->target);
    end_frame(t, begin);
}

void frames_put_report(struct text *t, const struct client_record *record)
{
    size_t begin = begin_frame(t, FRAMES_REPORT);

    put_uint(t, (uint64_t)record->key_ns, 8);
    put_uint(t, record->flags, 1);
    proto_format_at(t, names_get(record->server), record->difference_ns, &record->report);
    end_frame(t, begin);
}

void frames_put_ack(struct text *t, uint32_t reports)
{
    size_t begin = begin_frame(t, FRAMES_ACK);

    put_uint(t, reports, 4);
    end_frame(t, begin);
}

void frames_put_beat(struct text *t, const struct frames_beat *beat)
{
    size_t begin = begin_frame(t, FRAMES_BEAT);
    unsigned floor = (beat->floor.full ? FLOOR_FULL : 0) | (beat->floor.pinned ? FLOOR_PINNED : 0);

    /* A clock before 1970 is a clock that is not set. */
    put_uint(t, beat->now_ns < 0 ? 0 : (uint64_t)beat->now_ns, 8);
    put_uint(t, floor, 1);
    put_uint(t, (uint64_t)beat->floor.key_ns, 8);
    end_frame(t, begin);
}

void frames_put_ask(struct text *t, const struct frames_ask *ask)
{
    size_t begin = begin_frame(t, FRAMES_ASK);

    put_uint(t, ask->id, 2);
    put_uint(t, (uint32_t)ask->at.lat_e7, 4);
    put_uint(t, (uint32_t)ask->at.lng_e7, 4);
    put_uint(t, ask->radius_mm, 4);
    put_uint(t, ask->bound, 1);
    put_uint(t, ask->bytes_max, 4);
    end_frame(t, begin);
}

void frames_put_answer(struct text *t, const struct frames_answer *piece)
{
    size_t begin = begin_frame(t, FRAMES_ANSWER);
    unsigned flags = (piece->last ? ANSWER_LAST : 0) | (piece->failure ? ANSWER_FAILURE : 0);

    put_uint(t, piece->id, 2);
    put_uint(t, flags, 1);
    text_put(t, piece->bytes);
    end_frame(t, begin);
}

void frames_put_bye(struct text *t, enum frames_bye reason)
{
    size_t begin = begin_frame(t, FRAMES_BYE);

    put_uint(t, reason, 1);
    end_frame(t, begin);
}

/* --- Decoding ------------------------------------------------------------------------------- */

/* What is left of a body; `good` turns false, and stays so, once something is missing or bad. */
struct cursor {
    struct span rest;
    bool good;
};

static struct span get_bytes(struct cursor *c, size_t bytes)
{
    if (!c->good || bytes > c->rest.bytes) {
        c->good = false;
        return (struct span){c->rest.at, 0};
    }
    struct span taken = {c->rest.at, bytes};

    c->rest.at += bytes;
    c->rest.bytes -= bytes;
    return taken;
}

static uint64_t get_uint(struct cursor *c, unsigned bytes)
{
    struct span taken = get_bytes(c, bytes);
    uint64_t value = 0;

    for (size_t i = 0; i < taken.bytes; i++) {
        value = value << 8 | (unsigned char)taken.at[i];
    }
    return value;
}

/* Keys and times: never negative. */
static int64_t get_time(struct cursor *c)
{
    uint64_t value = get_uint(c, 8);

    if (value > INT64_MAX) {
        c->good = false;
        return 0;
    }
    return (int64_t)value;
}

/* Two's complement. */
static int32_t get_i32(struct cursor *c)
{
    uint32_t value = (uint32_t)get_uint(c, 4);

    return value > INT32_MAX ? -1 - (int32_t)~value : (int32_t)value;
}

static struct span get_name(struct cursor *c)
{
    size_t bytes = (size_t)get_uint(c, 1);
    struct span name = get_bytes(c, bytes);

    c->good = c->good && proto_is_server_name(name);
    return name;
}

static int finish(const struct cursor *c)
{
    return c->good && c->rest.bytes == 0 ? HERD_OK : HERD_E_SYNTAX;
}

int frames_get_hello(struct span body, struct frames_hello *out)
{
    struct cursor c = {body, true};
    struct frames_hello hello = {.version = (uint8_t)get_uint(&c, 1)};

    if (c.good && hello.version != FRAMES_VERSION) {
        *out = hello;
        return HERD_OK;
    }
    hello.features = (uint32_t)get_uint(&c, 4);
    hello.boot = get_uint(&c, 8);
    hello.report_bytes = (uint16_t)get_uint(&c, 2);
    hello.skew_max_s = (uint32_t)get_uint(&c, 4);
    hello.capacity = (uint32_t)get_uint(&c, 4);
    hello.name = get_name(&c);
    hello.target = get_name(&c);
    int err = finish(&c);

    if (err == HERD_OK) {
        *out = hello;
    }
    return err;
}

int frames_get_report(struct span body, size_t report_bytes, struct client_record *out)
{
    struct cursor c = {body, true};
    struct client_record record = {.key_ns = get_time(&c)};
    struct span server;

    record.flags = (uint8_t)(get_uint(&c, 1) & KNOWN_FLAGS);
    if (!c.good) {
        return HERD_E_SYNTAX;
    }
    int err = proto_parse_at(c.rest, report_bytes, &server, &record.difference_ns, &record.report);
    if (err == HERD_OK) {
        err = names_intern(server, &record.server);
    }
    if (err == HERD_OK) {
        *out = record;
    }
    return err;
}

int frames_get_ack(struct span body, uint32_t *reports)
{
    struct cursor c = {body, true};
    uint32_t value = (uint32_t)get_uint(&c, 4);
    int err = finish(&c);

    if (err == HERD_OK) {
        *reports = value;
    }
    return err;
}

int frames_get_beat(struct span body, struct frames_beat *out)
{
    struct cursor c = {body, true};
    struct frames_beat beat = {.now_ns = get_time(&c)};
    uint64_t floor = get_uint(&c, 1);

    beat.floor.full = (floor & FLOOR_FULL) != 0;
    beat.floor.pinned = (floor & FLOOR_PINNED) != 0;
    beat.floor.key_ns = get_time(&c);
    int err = finish(&c);

    if (err == HERD_OK) {
        *out = beat;
    }
    return err;
}

int frames_get_ask(struct span body, struct frames_ask *out)
{
    struct cursor c = {body, true};
    struct frames_ask ask = {.id = (uint16_t)get_uint(&c, 2)};

    ask.at.lat_e7 = get_i32(&c);
    ask.at.lng_e7 = get_i32(&c);
    ask.radius_mm = (uint32_t)get_uint(&c, 4);
    ask.bound = (uint8_t)get_uint(&c, 1);
    ask.bytes_max = (uint32_t)get_uint(&c, 4);
    int err = finish(&c);

    if (err == HERD_OK) {
        *out = ask;
    }
    return err;
}

int frames_get_answer(struct span body, struct frames_answer *out)
{
    struct cursor c = {body, true};
    struct frames_answer piece = {.id = (uint16_t)get_uint(&c, 2)};
    unsigned flags = (unsigned)get_uint(&c, 1);

    if (!c.good) {
        return HERD_E_SYNTAX;
    }
    piece.last = (flags & ANSWER_LAST) != 0;
    piece.failure = (flags & ANSWER_FAILURE) != 0;
    piece.bytes = c.rest;
    *out = piece;
    return HERD_OK;
}

int frames_get_bye(struct span body, uint8_t *reason)
{
    struct cursor c = {body, true};
    uint8_t value = (uint8_t)get_uint(&c, 1);
    int err = finish(&c);

    if (err == HERD_OK) {
        *reason = value;
    }
    return err;
}

/* --- Assembly ------------------------------------------------------------------------------- */

void frames_reader_init(struct frames_reader *r)
{
    r->bytes = 0;
    r->skip = 0;
    r->skipped_frames = 0;
}

static bool is_known(uint8_t type)
{
    return (type >= FRAMES_HELLO && type <= FRAMES_BEAT) ||
           (type >= FRAMES_ASK && type <= FRAMES_BYE);
}

/* Of the frame whose header is in the buffer. */
static size_t frame_bytes(const struct frames_reader *r)
{
    return FRAMES_HEADER_BYTES + ((size_t)r->buffer[1] << 8 | r->buffer[2]);
}

size_t frames_reader_wants(const struct frames_reader *r)
{
    if (r->skip > 0) {
        return r->skip;
    }
    if (r->bytes < FRAMES_HEADER_BYTES || r->bytes == frame_bytes(r)) {
        return r->bytes < FRAMES_HEADER_BYTES ? FRAMES_HEADER_BYTES - (size_t)r->bytes
                                              : FRAMES_HEADER_BYTES;
    }
    size_t rest = frame_bytes(r) - r->bytes;
    return rest > sizeof r->buffer ? 1 : rest; /* feed says that it is too long */
}

/* Takes bytes until the buffer holds `goal` of them, or the data are used up. */
static bool fill(struct frames_reader *r, size_t goal, const uint8_t *data, size_t bytes,
                 size_t *used)
{
    size_t wanted = goal - r->bytes;
    size_t taken = bytes - *used < wanted ? bytes - *used : wanted;

    if (taken > 0) {
        memcpy(r->buffer + r->bytes, data + *used, taken);
        r->bytes = (uint16_t)(r->bytes + taken);
        *used += taken;
    }
    return taken == wanted;
}

int frames_reader_feed(struct frames_reader *r, const uint8_t *data, size_t bytes, size_t *used,
                       struct frames_frame *out)
{
    *used = 0;
    if (r->bytes >= FRAMES_HEADER_BYTES && r->bytes == frame_bytes(r)) {
        r->bytes = 0; /* the frame that the last call gave out */
    }
    for (;;) { /* each round takes bytes, or returns */
        size_t dropped = bytes - *used < r->skip ? bytes - *used : r->skip;

        *used += dropped;
        r->skip -= (uint32_t)dropped;
        if (r->bytes < FRAMES_HEADER_BYTES && !fill(r, FRAMES_HEADER_BYTES, data, bytes, used)) {
            return HERD_E_AGAIN;
        }
        if (is_known(r->buffer[0])) {
            break;
        }
        r->skip = (uint32_t)(frame_bytes(r) - FRAMES_HEADER_BYTES);
        r->skipped_frames++;
        r->bytes = 0;
    }
    size_t whole = frame_bytes(r);

    if (whole > sizeof r->buffer) {
        return HERD_E_PROTOCOL;
    }
    if (!fill(r, whole, data, bytes, used)) {
        return HERD_E_AGAIN;
    }
    *out = (struct frames_frame){
        .type = (enum frames_type)r->buffer[0],
        .body = {(const char *)r->buffer + FRAMES_HEADER_BYTES, whole - FRAMES_HEADER_BYTES},
    };
    return HERD_OK;
}
