/* Replication by state: what each neighbour still has to hear. Pure.
 *
 * The client table is the queue. Each link has a bit per table slot, "this neighbour may lack this
 * record"; the record sent is always the current one; the neighbour's acknowledgement of that
 * version clears the bit. Memory is bounded by construction, a slow neighbour costs nothing but
 * freshness, and a device that reports often coalesces: at most one record per slot is in flight on
 * a link, and its successor waits for the acknowledgement.
 *
 * Bits are set whether a link is up or down, so that an evicted record that somebody never heard of
 * is counted; a link that comes up anew marks every record anyway.
 *
 * Links are numbered 0 to links-1; which neighbour a number means is the business of `links`, and of
 * `older` for the numbers behind those. Another number is a bug (asserted).
 */
#ifndef HERD_REPLICA_H
#define HERD_REPLICA_H

#include <stdbool.h>
#include <stdint.h>

#include "cfg.h"
#include "clients.h"

#define REPLICA_LINKS_MAX (CFG_LINKS + CFG_OPEN_LINKS)
#define REPLICA_NOBODY    REPLICA_LINKS_MAX /* replica_take_older: the sender is not known */

/* Stamps of one device that are no further apart are one report to neighbours of the older kind:
 * they keep time as a double, which moves today's stamps by up to 120 ns. */
#define REPLICA_SAME_NS 1000

struct replica_stats {
    uint32_t taken;          /* reports from our own clients that were new */
    uint32_t merged;         /* records from neighbours that were new */
    uint32_t duplicate;      /* from neighbours: same or older than what is known */
    uint32_t too_far_ahead;  /* from neighbours: key > now + 2*skew_max, refused */
    uint32_t evicted_unsent; /* evicted records that some neighbour, up or down, may have lacked */
    uint32_t sent;           /* records handed to links */
    uint32_t resent; /* of these: again, because a link went down with them unacknowledged */
};

/* Forgets everything; `links` (0 to REPLICA_LINKS_MAX) are in use, all down. skew_max in nanoseconds, 0 or
 * more. */
void replica_init(unsigned links, int64_t skew_max_ns);

/* A client of ours reported. `clock_trusted`: see links_clock_trusted; `now_ns` is the wall clock, 0
 * when it is not set. Computes the ordering key once: min(stamp, now + skew_max) if trusted, else
 * stamp; and the difference. Marks the record for every link when it is CLIENTS_STORED. Returns what
 * clients_offer says, but
 *   CLIENTS_SAME: a report of this device with this location text and this stamp (as a number) is
 *     known, whoever took it; nothing changes;
 *   CLIENTS_OLDER: also when the clock is trusted, both this and the stored report are ahead of it by
 *     more than skew_max, and this one's stamp is not above the stored one.
 * Cost: as clients_offer, and O(links). */
enum clients_result replica_take(const struct proto_report *report, uint8_t server, int64_t now_ns,
                                 bool clock_trusted);

/* A neighbour sent a record. When it is new, marks it for every other link, and this neighbour lacks
 * nothing; when it is the very record that we hold, this neighbour lacks nothing either; when we hold
 * a newer one, this neighbour is to hear that. HERD_E_REFUSED: too far ahead of a trusted clock
 * (counted; nothing changed). The neighbour is owed an acknowledgement in every case. */
int replica_merge(unsigned link, const struct client_record *record, int64_t now_ns,
                  bool clock_trusted) HERD_MUST_CHECK;

/* Whether this neighbour sent records since the link came up that were too far ahead, and none of them would
 * be now: time has passed, or our clock is another or no longer trusted. They were acknowledged: nobody tells
 * them again unless the link comes up anew. */
bool replica_lacks_refused(unsigned link, int64_t now_ns, bool clock_trusted);

/* A neighbour of the older kind sent a report, on `link` or REPLICA_NOBODY. Everything of *heard but
 * its key, which is computed here as replica_take does, is what it said; spans are not those of the
 * table. Marks the record for every other link when it is CLIENTS_STORED. Never marks anything for the
 * sender, so that what it sends is never answered:
 *   CLIENTS_SAME: the stored stamp is within REPLICA_SAME_NS, whatever else the line says (counted as
 *     duplicate); the sender lacks nothing;
 *   CLIENTS_OLDER: as replica_take (counted as duplicate).
 * Cost: as replica_take. */
enum clients_result replica_take_older(unsigned link, const struct client_record *heard,
                                       int64_t now_ns, bool clock_trusted);

/* The link came up: every record that we hold is marked, nothing is in flight, and the neighbour's
 * floor is not known yet. A link that was up goes down first. Cost: O(CFG_DEVICES). */
void replica_link_up(unsigned link);
/* The link came up to a neighbour that is told news and nothing else, or moved to another connection with
 * one that has not restarted: what is marked stays so, nothing is in flight, and there is no floor. A
 * link that was up goes down first. Cost: O(1). */
void replica_link_resume(unsigned link);
/* The link went down: what was not acknowledged stays marked. Without effect on one that is down. */
void replica_link_down(unsigned link);
/* The neighbour announced its floor: records below it are not sent. */
void replica_set_floor(unsigned link, struct clients_floor floor);

/* The next record that this neighbour should hear: HERD_E_AGAIN when there is none, no credit, or the
 * link is down. The record counts as in flight from then on; its spans live until the table's next
 * change. Records below the neighbour's floor are passed over, and no longer marked. Cost:
 * O(CFG_DEVICES/32) and O(records passed over), each of which is passed over once; round robin, so
 * that no device starves. */
int replica_next(unsigned link, struct client_record *out) HERD_MUST_CHECK;

/* Whether something waits for this neighbour, up or down. Cost: O(CFG_DEVICES/32). */
bool replica_has_news(unsigned link);

/* The neighbour's application has processed this many records since the link came up (modulo 2^32).
 * HERD_E_PROTOCOL: more than were sent, or fewer than before; nothing changed. */
int replica_acked(unsigned link, uint32_t reports) HERD_MUST_CHECK;

unsigned replica_in_flight(unsigned link); /* records sent and not acknowledged */
unsigned replica_pending(unsigned link);   /* bits set, in flight ones included */
struct replica_stats replica_stats(void);

#endif
