/* Frames between nodes: u8 type, u16 length (big-endian, of the body), body (firmware/PROTOCOL.md,
 * section 5). Pure: encoding, decoding and assembly from a byte stream.
 *
 * All integers are big-endian, times are two's complement. Bodies of version 1:
 *   HELLO   u8 version, u32 features, u64 boot, u16 report_bytes, u32 skew_max_s, u32 capacity,
 *           u8 length and name, u8 length and target
 *   REPORT  i64 key, u8 flags, AT line without newline
 *   ACK     u32 reports
 *   BEAT    i64 now, u8 floor (bit 0: full, bit 1: lowest is pinned), i64 floor key
 *   ASK     u16 id, i32 lat_e7, i32 lng_e7, u32 radius_mm, u8 bound, u32 bytes_max
 *   ANSWER  u16 id, u8 flags (bit 0: last piece, bit 1: a failure begins), bytes
 *   BYE     u8 reason
 * Decoders take the whole body, check every length, and return HERD_E_SYNTAX when it is short or
 * long, or holds a bad value (a name that is none, a negative key or time); *out is written with
 * HERD_OK only. Bits that are not known are ignored. Spans point into the body.
 */
#ifndef HERD_FRAMES_H
#define HERD_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "cfg.h"
#include "clients.h"
#include "err.h"
#include "geo.h"
#include "text.h"

#define FRAMES_VERSION      1
#define FRAMES_HEADER_BYTES 3
/* The longest body of a type we know: REPORT (key, flags, AT text). Longer ones of known types are
 * an error, unknown types of any length are skipped without being stored. */
#define FRAMES_BODY_BYTES(report_bytes) (8 + 1 + PROTO_AT_BYTES_MAX(report_bytes))
#define FRAMES_BODY_BYTES_MAX           FRAMES_BODY_BYTES(CFG_REPORT_BYTES)
#define FRAMES_BYTES_MAX                (FRAMES_HEADER_BYTES + FRAMES_BODY_BYTES_MAX)
/* The longest piece of an ANSWER that every node of a herd with this report_bytes takes: boards hold
 * longer reports or not, but each holds those of its herd. */
#define FRAMES_PIECE_BYTES_MAX(report_bytes) (FRAMES_BODY_BYTES(report_bytes) - 2 - 1)

enum frames_type {
    FRAMES_HELLO = 1,
    FRAMES_REPORT = 2,
    FRAMES_ACK = 3,
    FRAMES_BEAT = 4,
    FRAMES_LINKSTATE = 5, /* reserved: the tree */
    FRAMES_SUMMARY = 6,   /* reserved: repair */
    FRAMES_ASK = 7,       /* WHATSAT for a node without upstream */
    FRAMES_ANSWER = 8,
    FRAMES_BYE = 9
};

#define FRAMES_FEATURE_ASK 0x00000001u /* the sender answers ASK: it has an upstream */

/* First frame of each side. */
struct frames_hello {
    uint8_t version;       /* FRAMES_VERSION; of another one nothing else is read: all is 0 */
    uint32_t features;     /* FRAMES_FEATURE_*; unknown bits are ignored */
    uint64_t boot;         /* random per start of the node: tells a restart from a reconnect */
    uint16_t report_bytes; /* of the herd; must be equal at both ends */
    uint32_t skew_max_s;   /* of the herd; must be equal at both ends */
    uint32_t capacity;     /* records that the sender's table holds */
    struct span name;      /* sender */
    struct span target;    /* the node that the sender believes to talk to */
};

/* Every CFG_LINK_BEAT_MS. */
struct frames_beat {
    int64_t now_ns;             /* sender's wall clock; 0 when it is not set */
    struct clients_floor floor; /* of the sender's table */
};

/* What is near a point? A later ASK on the same connection takes the place of one that is not answered
 * yet. Values are as they came: their ranges are the answering node's to check. */
struct frames_ask {
    uint16_t id; /* of the asker, for its answer */
    struct geo_point at;
    uint32_t radius_mm;
    uint8_t bound;
    uint32_t bytes_max; /* of the JSON: what the asker can hold */
};

/* A piece of the JSON. */
struct frames_answer {
    uint16_t id;
    bool last;
    bool failure; /* a failure (in its shape) begins: pieces before it are void */
    struct span bytes;
};

/* Why a node says BYE; for the log of the other end. */
enum frames_bye {
    FRAMES_BYE_STOPPING = 1,  /* the node stops */
    FRAMES_BYE_DUPLICATE = 2, /* another connection of the same link stays */
    FRAMES_BYE_VERSION = 3,   /* frame version not known */
    FRAMES_BYE_IDENTITY = 4,  /* not a neighbour of mine, or not the node you look for */
    FRAMES_BYE_SETTINGS = 5,  /* report_bytes or skew_max differ */
    FRAMES_BYE_PROTOCOL = 6   /* a frame that cannot be read */
};
const char *frames_bye_name(uint8_t reason); /* "stopping", ..., "unknown" */

/* Each appends one whole frame to t, which must have FRAMES_BYTES_MAX bytes of room (asserted). */
void frames_put_hello(struct text *t, const struct frames_hello *hello);
void frames_put_report(struct text *t, const struct client_record *record);
void frames_put_ack(struct text *t, uint32_t reports); /* all reports so far on this connection */
void frames_put_beat(struct text *t, const struct frames_beat *beat);
void frames_put_ask(struct text *t, const struct frames_ask *ask);
void frames_put_answer(struct text *t, const struct frames_answer *piece); /* fits; asserted */
void frames_put_bye(struct text *t, enum frames_bye reason);

/* A body of another version is HERD_OK, whatever follows, so that it can be refused by its name. */
int frames_get_hello(struct span body, struct frames_hello *out) HERD_MUST_CHECK;
/* The server's name is interned: HERD_E_FULL when that table is exhausted, HERD_E_RANGE when the
 * report is longer than report_bytes. */
int frames_get_report(struct span body, size_t report_bytes,
                      struct client_record *out) HERD_MUST_CHECK;
int frames_get_ack(struct span body, uint32_t *reports) HERD_MUST_CHECK;
int frames_get_beat(struct span body, struct frames_beat *out) HERD_MUST_CHECK;
int frames_get_ask(struct span body, struct frames_ask *out) HERD_MUST_CHECK;
int frames_get_answer(struct span body, struct frames_answer *out) HERD_MUST_CHECK;
int frames_get_bye(struct span body, uint8_t *reason) HERD_MUST_CHECK;

/* Assembles frames from a stream, in constant memory. */
struct frames_reader {
    uint8_t buffer[FRAMES_BYTES_MAX];
    uint16_t bytes; /* in buffer; of a whole frame until the next call */
    uint32_t skip;  /* bytes of an unknown frame still to be dropped */
    uint32_t skipped_frames;
};

struct frames_frame {
    enum frames_type type;
    struct span body; /* in the reader's buffer, until the next call */
};

void frames_reader_init(struct frames_reader *r);
/* How many bytes, at least one, may be fed with none left over when a frame is complete. */
size_t frames_reader_wants(const struct frames_reader *r);
/* Feeds bytes; *used tells how many were taken (all of them unless a frame became complete).
 * HERD_OK: *out is a whole frame of a known type; HERD_E_AGAIN: more bytes are needed;
 * HERD_E_PROTOCOL: a known type with a body over FRAMES_BODY_BYTES_MAX, now and at every later call.
 * Reserved types are unknown to version 1. */
int frames_reader_feed(struct frames_reader *r, const uint8_t *data, size_t bytes, size_t *used,
                       struct frames_frame *out) HERD_MUST_CHECK;

#endif
