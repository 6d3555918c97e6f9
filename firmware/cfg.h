/* Build-time options: meaning, unit, cost of raising, one default each, legal ranges.
 *
 * A board overrides in boards/NAME/board.h; the build refuses a board.h that defines a CFG_ name
 * that is not declared here, so that a typo does not compile.
 */
#ifndef HERD_CFG_H
#define HERD_CFG_H

#include "board.h"

/* Records in the client table (devices known). Cost: CFG_REPORT_BYTES + 48 bytes, and 3 bits per
 * link, each. */
#ifndef CFG_DEVICES
#define CFG_DEVICES 64
#endif

/* Bytes of client, location and time together that a record can hold. The herd file's report_bytes
 * may not exceed it. Cost: per device. */
#ifndef CFG_REPORT_BYTES
#define CFG_REPORT_BYTES 128
#endif

/* Client connections at once. Cost: a conn slot and CFG_LINE_BYTES each. */
#ifndef CFG_SESSIONS
#define CFG_SESSIONS 4
#endif

/* Neighbours of one node. Cost: two conn slots, a frame buffer, 3 * CFG_DEVICES / 8 bytes each. */
#ifndef CFG_LINKS
#define CFG_LINKS 2
#endif

/* Neighbours of the older kind of one node. Cost: a conn slot, 3 * CFG_DEVICES / 8 bytes each. */
#ifndef CFG_OPEN_LINKS
#define CFG_OPEN_LINKS 1
#endif

/* Nodes in one herd file, those of the older kind included, at most 32 (a row of links is one word). Cost: 48 bytes each. */
#ifndef CFG_NODES
#define CFG_NODES 16
#endif

/* Server names that records may carry, those of the herd file included. Cost: 33 bytes each. */
#ifndef CFG_SERVER_NAMES
#define CFG_SERVER_NAMES 24
#endif

/* Line buffer of a client connection. A command may be this long, white space included; a longer
 * line is invalid and its copy is passed through. */
#ifndef CFG_LINE_BYTES
#define CFG_LINE_BYTES 256
#endif

/* Receive ring of one connection; at least TCP_WND, so that whatever the window admits fits. */
#ifndef CFG_CONN_RX_BYTES
#define CFG_CONN_RX_BYTES 2048
#endif

/* Send ring of one connection: lwIP sends from it without a copy. At least one answer. */
#ifndef CFG_CONN_TX_BYTES
#define CFG_CONN_TX_BYTES 2048
#endif

/* 1: the node asks the places provider itself. 0: it has no upstream, for boards without the memory for
 * X.509: the rooms tls_upstream, https, json and places_upstream are left out, and WHATSAT is answered by a
 * neighbour (ask.c). Cost: CFG_TLS_ARENA_BYTES, CFG_JSON_*, a conn slot, and some 100 KB of flash. */
#ifndef CFG_UPSTREAM
#define CFG_UPSTREAM 1
#endif

/* 1: links may have the suite ecdhe-psk, too: forward secrecy, for elliptic curves of the build and a
 * handshake that computes some ten times as long. Cost: CFG_LINK_SCRATCH_BYTES and 15 KB of
 * flash where CFG_UPSTREAM is 0. */
#ifndef CFG_LINK_ECDHE
#define CFG_LINK_ECDHE CFG_UPSTREAM
#endif

/* Connection slots, and with them PCBs, are reserved per class. A neighbour may for a moment have a
 * live connection, a dial of ours and a dial of its own; two more are for callers that have not yet
 * said who they are; with fewer, dials that cross are refused now and then, and tried again. One for
 * each neighbour of the older kind: we dial them; what they dial are clients to us. The upstream is
 * one. Cost: both rings each. */
#ifndef CFG_CONN_LINK_SLOTS
#define CFG_CONN_LINK_SLOTS (2 * CFG_LINKS + CFG_LINK_CALLERS + 1)
#endif
#define CFG_CONN_SLOTS (CFG_SESSIONS + CFG_CONN_LINK_SLOTS + CFG_OPEN_LINKS + CFG_UPSTREAM)

/* Embryonic connections (SYN received) per listener; each holds a PCB. */
#ifndef CFG_CONN_BACKLOG
#define CFG_CONN_BACKLOG 4
#endif

/* A peer that offers a smaller maximum segment size is refused: it would make every answer cost a
 * crowd of segments. Bytes. */
#ifndef CFG_CONN_MSS_MIN
#define CFG_CONN_MSS_MIN 128
#endif

/* A dial that is not answered by then has failed. ms */
#ifndef CFG_CONN_CONNECT_MS
#define CFG_CONN_CONNECT_MS 5000
#endif

/* Bytes of ours that the peer does not acknowledge for this long end the connection. ms */
#ifndef CFG_CONN_PROGRESS_MS
#define CFG_CONN_PROGRESS_MS 30000
#endif

/* Without an answer of a DHCP server for this long the log says so, and asking starts again at its
 * quickest. ms */
#ifndef CFG_NET_DHCP_MS
#define CFG_NET_DHCP_MS 10000
#endif

/* A record that a neighbour's application has not acknowledged; at most this many in flight. */
#ifndef CFG_LINK_INFLIGHT
#define CFG_LINK_INFLIGHT 32
#endif

/* Heartbeat of a link; nothing acknowledged for SUSPECT makes the neighbour suspect, nothing heard
 * for DEAD ends the link. ms */
#ifndef CFG_LINK_BEAT_MS
#define CFG_LINK_BEAT_MS 2000
#endif
#ifndef CFG_LINK_SUSPECT_MS
#define CFG_LINK_SUSPECT_MS 1000
#endif
#ifndef CFG_LINK_DEAD_MS
#define CFG_LINK_DEAD_MS 9000
#endif

/* The longest that one task may keep the others waiting, as measured (make bench) with a third more: a
 * step of a handshake, on a board with an upstream. ms */
#ifndef CFG_STEP_MS_MAX
#define CFG_STEP_MS_MAX 100
#endif

/* The handshake must be over and HELLO have come by then on a new link connection. At boot a board with
 * four neighbours computes for all of them, half a second to a second each, and so do they. ms */
#ifndef CFG_LINK_HELLO_MS
#define CFG_LINK_HELLO_MS 10000
#endif

/* Callers that have not authenticated yet, at once, when every neighbour is connected or dialled. Cost: a
 * context (CFG_LINK_TLS_BYTES), and of CFG_CONN_LINK_SLOTS one each. */
#ifndef CFG_LINK_CALLERS
#define CFG_LINK_CALLERS 2
#endif

/* When there is no room for one more caller, one that has been there for this long without
 * authenticating gives way to it. Longer than an honest handshake on a slow board. ms */
#ifndef CFG_LINK_CALLER_MS
#define CFG_LINK_CALLER_MS 3000
#endif

/* Plaintext of one record on a link: what every node takes, and what this one sends, at least one frame.
 * Cost: both for each context. */
#define CFG_LINK_RECORD_BYTES 1024
#ifndef CFG_LINK_OUT_BYTES
#define CFG_LINK_OUT_BYTES CFG_LINK_RECORD_BYTES
#endif

/* mbedTLS's memory of one context on a link: the buffer of incoming records, keys, and what a handshake keeps
 * between its steps. What it takes for the time of one step comes from the scratch that all share, or from
 * the upstream's arena where there is one. Measured by tests/unit/test_tls_link.c, with a little more. */
#ifndef CFG_LINK_TLS_BYTES
#define CFG_LINK_TLS_BYTES                                                                         \
    (CFG_LINK_RECORD_BYTES + (sizeof(void *) > 4 ? 4096 : CFG_UPSTREAM ? 2688 : 1968))
#endif
#ifndef CFG_LINK_SCRATCH_BYTES
#define CFG_LINK_SCRATCH_BYTES ((sizeof(void *) > 4 ? 2 : 1) * (CFG_LINK_ECDHE ? 1536 : 448))
#endif

/* Back-off between dials of one neighbour: first, doubled up to the last; half of it is jitter. ms */
#ifndef CFG_LINK_RETRY_FIRST_MS
#define CFG_LINK_RETRY_FIRST_MS 100
#endif
#ifndef CFG_LINK_RETRY_LAST_MS
#define CFG_LINK_RETRY_LAST_MS 5000
#endif

/* Neighbours whose WHATSAT this node answers at once; the next is told to try again. At most one each.
 * Cost: none here, but each may hold one of CFG_PLACES_QUERIES. */
#ifndef CFG_ASK_SERVED
#define CFG_ASK_SERVED (CFG_LINKS < 2 ? CFG_LINKS : 2)
#endif

/* Distinct WHATSAT queries that are asked, waited for or being read at once. Cost:
 * CFG_PLACES_ANSWER_BYTES each. */
#ifndef CFG_PLACES_QUERIES
#define CFG_PLACES_QUERIES 1
#endif

/* The JSON of one WHATSAT answer; entries that no longer fit are left out and counted. */
#ifndef CFG_PLACES_ANSWER_BYTES
#define CFG_PLACES_ANSWER_BYTES 8192
#endif

/* An answer that its readers have not taken after this long is taken from them. ms */
#ifndef CFG_PLACES_READ_MS
#define CFG_PLACES_READ_MS 10000
#endif

/* One HTTP request to the provider, head and body. The API key may have a third of it. */
#ifndef CFG_HTTPS_REQUEST_BYTES
#define CFG_HTTPS_REQUEST_BYTES 1280
#endif

/* The provider's response: larger ones are refused. Nothing is held: the cost is time. */
#ifndef CFG_HTTPS_HEAD_BYTES
#define CFG_HTTPS_HEAD_BYTES 8192
#endif
#ifndef CFG_HTTPS_BODY_BYTES
#define CFG_HTTPS_BODY_BYTES 262144
#endif

/* A connection to the provider without a request is closed after this long. ms */
#ifndef CFG_HTTPS_KEEP_MS
#define CFG_HTTPS_KEEP_MS 45000
#endif

/* One element of the upstream's answer as text, and the tree that cJSON makes of it. */
#ifndef CFG_JSON_TEXT_BYTES
#define CFG_JSON_TEXT_BYTES 4096
#endif
#ifndef CFG_JSON_ARENA_BYTES
#define CFG_JSON_ARENA_BYTES 8192
#endif

/* Nesting that is accepted in JSON; cJSON takes about 64 bytes of stack per level. */
#ifndef CFG_JSON_DEPTH
#define CFG_JSON_DEPTH 8
#endif

/* Memory of mbedTLS for the upstream: anchors, context, record buffers (16 KB in) and handshake
 * temporaries. Where pointers have 64 bits the structures and block headers take 8 KB more. */
#ifndef CFG_TLS_ARENA_BYTES
#define CFG_TLS_ARENA_BYTES (sizeof(void *) > 4 ? 57344 : 49152)
#endif

/* Put before a variable that holds secrets: the places key, TLS's session keys. A port whose crashes
 * leave a dump defines it so that the dump leaves them out (port/posix/secrets.h). */
#ifndef CFG_SECRET
#define CFG_SECRET
#endif

/* Trust anchors that can be loaded. */
#ifndef CFG_TLS_ANCHORS
#define CFG_TLS_ANCHORS 8
#endif

/* Plaintext of one TLS record that we send. One request, or the record's cost in several. */
#ifndef CFG_TLS_OUT_BYTES
#define CFG_TLS_OUT_BYTES 2048
#endif

/* A file name in the herd file (trust_file, key_file). Boards read no files. Cost: twice. */
#ifndef CFG_CONFIG_PATH_BYTES
#define CFG_CONFIG_PATH_BYTES 255
#endif

/* Log lines wait here until the console takes them; a full ring drops the newest and counts. */
#ifndef CFG_LOG_RING_BYTES
#define CFG_LOG_RING_BYTES 2048
#endif
#ifndef CFG_LOG_LINE_BYTES
#define CFG_LOG_LINE_BYTES 256
#endif

/* A node's own configuration in non-volatile memory and, in RAM, while it is read or edited: the herd
 * file without comments, settings, key, and 40 bytes. A multiple of 512. */
#ifndef CFG_NV_CONFIG_BYTES
#define CFG_NV_CONFIG_BYTES 2048
#endif

/* A line typed at the console, and one of its answer. Cost: once each, and CFG_CONSOLE_HISTORY. */
#ifndef CFG_CONSOLE_LINE_BYTES
#define CFG_CONSOLE_LINE_BYTES 128
#endif

/* Bytes of lines typed before that arrow keys bring back. */
#ifndef CFG_CONSOLE_HISTORY_BYTES
#define CFG_CONSOLE_HISTORY_BYTES 256
#endif

/* Lines of an answer before the console waits for a key, when a person reads. */
#ifndef CFG_CONSOLE_PAGE
#define CFG_CONSOLE_PAGE 22
#endif

/* Legal ranges, and the relations that everything rests on. */
_Static_assert(CFG_DEVICES >= 1 && CFG_DEVICES <= 65535, "slots are 16 bits in the sorted index");
_Static_assert(CFG_REPORT_BYTES >= 32 && CFG_REPORT_BYTES <= 1024, "a frame's length is 16 bits");
_Static_assert(CFG_SESSIONS >= 1 && CFG_SESSIONS <= 1024, "conn slots are scanned by the timer");
_Static_assert(CFG_LINKS >= 1 && CFG_LINKS <= 16, "a row of link bits is 16 bits");
_Static_assert(CFG_UPSTREAM == 0 || CFG_UPSTREAM == 1, "a yes or no, and a number of conn slots");
_Static_assert(CFG_CONN_LINK_SLOTS >= CFG_LINKS + CFG_LINK_CALLERS + 1,
               "a caller gets in while every neighbour is up, and one more to be refused");
_Static_assert(CFG_LINK_CALLERS >= 1 && CFG_LINK_CALLERS <= 16, "a neighbour can call");
_Static_assert(CFG_LINK_ECDHE == 0 || CFG_LINK_ECDHE == 1, "a yes or no");
_Static_assert(CFG_LINK_OUT_BYTES <= CFG_LINK_RECORD_BYTES, "the other end takes no more");
_Static_assert(2 * CFG_STEP_MS_MAX <= CFG_LINK_CALLER_MS && CFG_LINK_CALLER_MS < CFG_LINK_HELLO_MS,
               "a caller has the time to compute, and we to answer, before it gives way");
_Static_assert(CFG_OPEN_LINKS >= 1 && CFG_OPEN_LINKS <= 16, "links are numbered in 8 bits");
_Static_assert(CFG_ASK_SERVED >= 1 && CFG_ASK_SERVED <= CFG_LINKS,
               "at most one for each neighbour");
_Static_assert(CFG_NODES >= 2 && CFG_NODES <= 32, "a row of the links' matrix is one word");
_Static_assert(CFG_SERVER_NAMES >= CFG_NODES && CFG_SERVER_NAMES <= 255, "names of the herd fit");
_Static_assert(CFG_LINE_BYTES >= CFG_REPORT_BYTES + 16, "a valid report with single spaces fits");
_Static_assert(CFG_CONN_TX_BYTES >= 2 * CFG_REPORT_BYTES + 256, "an answer fits in an empty ring");
_Static_assert(3 * CFG_STEP_MS_MAX <= CFG_LINK_DEAD_MS,
               "a neighbour that computes is not taken for dead");
_Static_assert(CFG_LINK_SUSPECT_MS < CFG_LINK_BEAT_MS && 3 * CFG_LINK_BEAT_MS < CFG_LINK_DEAD_MS,
               "three heartbeats may be lost before a neighbour is dead");
_Static_assert(CFG_LINK_INFLIGHT >= 1 && CFG_LINK_INFLIGHT <= 255, "counted in 8 bits");
_Static_assert(CFG_PLACES_ANSWER_BYTES >= 2048,
               "a failure with its message, and a real entry, fit");
_Static_assert(CFG_JSON_DEPTH >= 6 && CFG_JSON_DEPTH <= 16, "a place is nested 5 deep; stack");
_Static_assert(CFG_NV_CONFIG_BYTES >= 512 && CFG_NV_CONFIG_BYTES <= 32768 &&
                   CFG_NV_CONFIG_BYTES % 512 == 0,
               "programmed in units of up to 512 bytes; lengths have 16 bits");
_Static_assert(CFG_CONSOLE_LINE_BYTES >= 80 &&
                   CFG_CONSOLE_HISTORY_BYTES >= CFG_CONSOLE_LINE_BYTES &&
                   CFG_CONSOLE_HISTORY_BYTES <= 4096,
               "a setting fits in a line, and one line in the history");
_Static_assert(CFG_LOG_LINE_BYTES >= 160 && CFG_LOG_RING_BYTES >= 2 * CFG_LOG_LINE_BYTES,
               "a line of the longest event fits, and another behind it");

#endif
