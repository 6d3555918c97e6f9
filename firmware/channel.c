#include "channel.h"

#include "names.h"
#include "sched.h"

/* The most that a handshake leaves in the ring for an end that acknowledges nothing: ClientHello,
 * ClientKeyExchange with the longest identity, ChangeCipherSpec, Finished. */
#define HANDSHAKE_BYTES (110 + 120 + 6 + 45)

_Static_assert(CFG_CONN_TX_BYTES >= CHANNEL_PIECE_ROOM, "a record, and a piece before it, fit");
_Static_assert(CFG_CONN_TX_BYTES >= HANDSHAKE_BYTES + CHANNEL_FRAME_ROOM, "HELLO has its room");
_Static_assert(CFG_LINK_OUT_BYTES >= FRAMES_BYTES_MAX, "a frame is one record");

static struct frames_reader readers[TLS_LINK_CONTEXTS];

/* --- Log ------------------------------------------------------------------------------------ */

void channel_log_frame(enum log_event event, const struct channel *ch, const char *frame)
{
    struct log_line *l = log_begin(event);
    log_str(l, "peer", ch->peer);
    log_str(l, "frame", frame);
    log_end(l);
}

void channel_log_report(enum log_event event, const struct channel *ch,
                        const struct client_record *record)
{
    struct log_line *l = log_begin(event);
    if (l == NULL) {
        return;
    }
    char buffer[PROTO_AT_BYTES_MAX(CFG_REPORT_BYTES)];
    struct text t;
    text_init(&t, buffer, sizeof buffer);
    proto_format_at(&t, names_get(record->server), record->difference_ns, &record->report);
    log_str(l, "peer", ch->peer);
    log_span(l, "at", text_span(&t));
    log_end(l);
}

void channel_log_bye(enum log_event event, const struct channel *ch, uint8_t reason)
{
    struct log_line *l = log_begin(event);
    log_str(l, "peer", ch->peer);
    log_str(l, "frame", "bye");
    log_str(l, "reason", frames_bye_name(reason));
    log_end(l);
}

void channel_log_conn(enum log_event event, const struct channel *ch, const char *reason)
{
    uint32_t address = 0;
    uint16_t port = 0;
    conn_peer(ch->conn, &address, &port);
    struct log_line *l = log_begin(event);
    log_str(l, "peer", ch->peer);
    log_ip4(l, "address", address, port);
    if (reason != NULL) {
        log_str(l, "reason", reason);
    }
    log_end(l);
}

/* --- Beginning and reading ------------------------------------------------------------------ */

void channel_begin(struct channel *ch, conn_handle h, struct tls_link *tls, uint8_t link,
                   const char *peer)
{
    ch->conn = h;
    ch->tls = tls;
    ch->used = true;
    ch->opened = false;
    ch->hello_sent = false;
    ch->again = false;
    ch->broken = false;
    ch->opened_ms = sched_now_ms();
    ch->reports_got = 0;
    ch->reports_told = 0;
    ch->reader = &readers[tls_link_index(tls)];
    frames_reader_init(ch->reader);
    channel_identify(ch, link, peer);
}

void channel_identify(struct channel *ch, uint8_t link, const char *peer)
{
    ch->link = link;
    ch->peer = peer;
}

int channel_read(struct channel *ch, struct frames_frame *out, uint32_t *skipped)
{
    uint8_t piece[64];
    for (;;) { /* each round takes bytes, or returns */
        size_t wanted = frames_reader_wants(ch->reader);
        size_t bytes = 0;
        bool clean = false;
        int err = tls_read(&ch->tls->tls, piece, wanted < sizeof piece ? wanted : sizeof piece,
                           &bytes, &clean);
        if (err != HERD_OK) {
            return err;
        }
        size_t used = 0;
        uint32_t before = ch->reader->skipped_frames;
        err = frames_reader_feed(ch->reader, piece, bytes, &used, out);
        *skipped += ch->reader->skipped_frames - before;
        if (err != HERD_E_AGAIN) {
            return err;
        }
        HERD_ASSERT(used == bytes); /* no more than was wanted */
    }
}

void channel_close(struct channel *ch)
{
    tls_link_stop(ch->tls);
}

void channel_cut(struct channel *ch)
{
    tls_link_abort(ch->tls);
}

/* --- Saying --------------------------------------------------------------------------------- */

/* True when the whole frame went into the send ring. */
static bool send_text(struct channel *ch, const struct text *t)
{
    size_t taken = 0;
    HERD_ASSERT(!t->cut);
    if (conn_room(ch->conn) < t->bytes + TLS_RECORD_OVERHEAD_BYTES) {
        return false;
    }
    if (tls_write(&ch->tls->tls, t->at, t->bytes, &taken) == HERD_OK && taken == t->bytes) {
        return true;
    }
    ch->broken = true; /* an alert that waits took the room, or there has been a fatal one */
    return false;
}

/* What has been counted as said has to be sent. */
static void send_surely(struct channel *ch, const struct text *t)
{
    if (!send_text(ch, t)) {
        ch->broken = true;
    }
}

void channel_say_hello(struct channel *ch, const struct frames_hello *hello)
{
    char buffer[FRAMES_BYTES_MAX];
    struct text t;
    text_init(&t, buffer, sizeof buffer);
    frames_put_hello(&t, hello);
    ch->hello_sent = true;
    send_surely(ch, &t);
    channel_log_frame(EV_LINK_SENT, ch, "hello");
}

void channel_say(struct channel *ch, const struct text *frame)
{
    send_surely(ch, frame);
}

void channel_say_report(struct channel *ch, const struct client_record *record)
{
    char buffer[FRAMES_BYTES_MAX];
    struct text t;
    text_init(&t, buffer, sizeof buffer);
    frames_put_report(&t, record);
    channel_say(ch, &t);
    channel_log_report(EV_LINK_SENT, ch, record);
}

void channel_say_ack(struct channel *ch)
{
    char buffer[FRAMES_BYTES_MAX];
    struct text t;
    text_init(&t, buffer, sizeof buffer);
    frames_put_ack(&t, ch->reports_got);
    if (send_text(ch, &t)) {
        ch->reports_told = ch->reports_got;
    }
}

void channel_say_beat(struct channel *ch, const struct frames_beat *beat)
{
    char buffer[FRAMES_BYTES_MAX];
    struct text t;
    text_init(&t, buffer, sizeof buffer);
    frames_put_beat(&t, beat);
    if (send_text(ch, &t)) {
        channel_log_frame(EV_LINK_BEAT, ch, "beat");
    }
}

void channel_say_bye(struct channel *ch, enum frames_bye reason)
{
    char buffer[FRAMES_BYTES_MAX];
    struct text t;
    text_init(&t, buffer, sizeof buffer);
    frames_put_bye(&t, reason);
    (void)send_text(ch, &t); /* without room the close alone must do */
    channel_log_bye(EV_LINK_SENT, ch, (uint8_t)reason);
}
