/* One connection of class CONN_LINK: TLS over it, its frame reader, its counters, and what this node says on
 * it, with the log lines of both. A frame is a record of its own. Which neighbour it belongs to, and when it is to speak, is the business of
 * `links`. Context: tasks.
 */
#ifndef HERD_CHANNEL_H
#define HERD_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "cfg.h"
#include "clients.h"
#include "conn.h"
#include "err.h"
#include "frames.h"
#include "log.h"
#include "tls_link.h"

#define CHANNEL_NO_LINK CFG_LINKS /* a caller that has not said who it is */

/* What the longest frame takes in the send ring as a record. */
#define CHANNEL_FRAME_ROOM (FRAMES_BYTES_MAX + TLS_RECORD_OVERHEAD_BYTES)
/* Kept free in the send ring for ACK, BEAT and BYE, so that records cannot hold them back: BEAT is the
 * longest. */
#define CHANNEL_CONTROL_ROOM (FRAMES_HEADER_BYTES + 8 + 1 + 8 + TLS_RECORD_OVERHEAD_BYTES)
/* What a record needs; and anything that is not to be in a record's way. */
#define CHANNEL_RECORD_ROOM (CHANNEL_FRAME_ROOM + CHANNEL_CONTROL_ROOM)
#define CHANNEL_PIECE_ROOM  (CHANNEL_FRAME_ROOM + CHANNEL_RECORD_ROOM)

struct channel {
    conn_handle conn;
    struct tls_link *tls; /* while used */
    bool used;
    bool opened; /* it is open: since opened_ms */
    bool hello_sent;
    bool again;       /* its handshake goes on in the next round */
    bool broken;      /* a frame could not be sent: the connection has to end */
    uint8_t link;     /* CHANNEL_NO_LINK until it is authenticated on a connection that was taken */
    const char *peer; /* the neighbour's name, for the log; "?" without a link */
    uint64_t opened_ms;
    uint32_t reports_got;         /* on this connection */
    uint32_t reports_told;        /* of these, acknowledged */
    struct frames_reader *reader; /* of its context */
};

/* A connection that was taken (CHANNEL_NO_LINK), or dialled to the neighbour `link` of that name (which
 * lives on), with its context. */
void channel_begin(struct channel *ch, conn_handle h, struct tls_link *tls, uint8_t link,
                   const char *peer);
/* Who it is has been proved. */
void channel_identify(struct channel *ch, uint8_t link, const char *peer);

/* The next frame that has arrived. HERD_OK: *out lives until the next call; HERD_E_AGAIN: no more, or no
 * whole one; HERD_E_CLOSED: nothing comes any more; HERD_E_PROTOCOL: what comes is no frame, or no record. Frames of unknown type are skipped, and added to
 * *skipped. */
int channel_read(struct channel *ch, struct frames_frame *out, uint32_t *skipped) HERD_MUST_CHECK;

/* Each says one frame, after the handshake. HELLO is the first, and has its room unless the other end plays
 * tricks; REPORT has when CHANNEL_RECORD_ROOM is free, and a frame that is whole already when
 * CHANNEL_PIECE_ROOM is. When one of these is not sent all the same the channel is broken. ACK and BEAT may
 * find no room: then they are not said, and due again; BYE without room leaves it to the end of the
 * connection. */
void channel_say_hello(struct channel *ch, const struct frames_hello *hello);
void channel_say_report(struct channel *ch, const struct client_record *record);
void channel_say(struct channel *ch, const struct text *frame);
void channel_say_ack(struct channel *ch);
void channel_say_beat(struct channel *ch, const struct frames_beat *beat);
void channel_say_bye(struct channel *ch, enum frames_bye reason);

/* The end: what was said is delivered, then close_notify and FIN; or RST at once. */
void channel_close(struct channel *ch);
void channel_cut(struct channel *ch);

/* Log lines: a frame by its name; a REPORT; the connection, with an end's reason or NULL. */
void channel_log_frame(enum log_event event, const struct channel *ch, const char *frame);
void channel_log_report(enum log_event event, const struct channel *ch,
                        const struct client_record *record);
void channel_log_bye(enum log_event event, const struct channel *ch, uint8_t reason);
void channel_log_conn(enum log_event event, const struct channel *ch, const char *reason);

#endif
