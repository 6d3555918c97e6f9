/* The keys of this node's links: two for each neighbour, the current one (number k) and the next (k + 1),
 * numbers 1 to 65535 and round to 1. Nothing here goes over a network but numbers and names.
 *
 * A key file is text, made by `herdctl keys`, one file per node; blank lines and lines that begin with ;
 * or # do not count. The two keys of a link may be on one line, or on two, current key first:
 *
 *     [keys Clark]
 *     Bona = 3:HEX64 4:HEX64
 *     Jaquez = 3:HEX64
 *     Jaquez = 4:HEX64
 *
 * Names that are no neighbours of this node are skipped, so that a node can have the keys of a new link
 * before the herd file that has the link; a neighbour without keys is an error.
 *
 * A dial says which key it uses by the identity `A>B#k`: A dials, B is called, k is the number of A's
 * current key. B takes it for its own current key or its next. So two ends that are one rotation apart
 * still have a link: the one that is ahead dials, the one that is behind takes it for its next; the other
 * way round the dial is refused as an old key's.
 *
 * Pure but for config, which is read only. Context: start, tasks. No error text ever has a key in it.
 * Numbers and names go over the wire in clear, and are compared as they are; what depends on the bits of
 * a key (reading its digits, comparing two) takes the same time for all of them.
 */
#ifndef HERD_KEYS_H
#define HERD_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "err.h"
#include "proto.h"
#include "text.h"

#define KEYS_BYTES      32
#define KEYS_NUMBER_MAX 65535u
/* A>B#65535 */
#define KEYS_IDENTITY_BYTES_MAX (2 * PROTO_SERVER_BYTES_MAX + 7)

enum keys_verdict {
    KEYS_CURRENT,
    KEYS_NEXT,
    KEYS_OLD,    /* the number before the current one: a neighbour that has missed a rotation */
    KEYS_UNKNOWN /* not for this node, not from a neighbour, no such number, or no identity at all */
};

/* Takes the keys of this node's links from a key file, or from the packed form of its lines. `config`: config_finish was called; kept, and must live as long as keys are asked for. `file` is not
 * kept. HERD_E_SYNTAX, HERD_E_RANGE: what is wrong and what would be right in `error` (give it 400 bytes;
 * "line 3: ..." where it is in a line), and there are no keys at all. An empty file is right for a node
 * without neighbours. Cost: linear in the file; CFG_LINKS * 66 bytes of stack. */
int keys_init(const struct config *config, struct span file, struct text *error) HERD_MUST_CHECK;

/* What keys_init would say, with nothing taken. */
int keys_check(const struct config *config, struct span file, struct text *error) HERD_MUST_CHECK;

/* For keeping a file in small memory: the packed form of one of its lines, appended to `out`, nothing for
 * a comment. Those of all lines one behind the other are what keys_init takes as well. HERD_E_SYNTAX with
 * an error text: the line is none of a key file's. */
#define KEYS_PACKED_LINE_BYTES_MAX (2 * (2 + PROTO_SERVER_BYTES_MAX + 2 + KEYS_BYTES))
int keys_pack_line(struct span line, struct text *out, struct text *error) HERD_MUST_CHECK;

/* `link` in all of these: index into config->neighbours. */
bool keys_has(unsigned link);
/* The number of the current key; 0: none. */
unsigned keys_number(unsigned link);
/* For a dial: the current key's KEYS_BYTES bytes, which live until keys_init, and appended to `identity`
 * (room for KEYS_IDENTITY_BYTES_MAX) what to call it. The link has keys. */
struct span keys_offer(unsigned link, struct text *identity);
/* Of a caller's identity. *link and *key (as keys_offer's) are set for KEYS_CURRENT and KEYS_NEXT only.
 * `identity`: any bytes, any length. Cost: linear in the neighbours. */
enum keys_verdict keys_judge(struct span identity, unsigned *link, struct span *key);

/* 1 after KEYS_NUMBER_MAX. */
unsigned keys_number_after(unsigned number);

#endif
