/* HELLO: what this node says about itself on a connection, and whether what the other end says will do
 * (firmware/PROTOCOL.md, section 5). Context: tasks.
 */
#ifndef HERD_HELLO_H
#define HERD_HELLO_H

#include "channel.h"
#include "config.h"
#include "err.h"
#include "frames.h"
#include "text.h"

/* `config` lives as long as the node. A new boot number, after rng_init. */
void hello_init(const struct config *config);

/* Says HELLO to the neighbour of a channel that has one. */
void hello_say(struct channel *ch);

/* What a HELLO says: *out is all of it (its spans live in the body), and *link who it is.
 * HERD_E_REFUSED: not what it should be, by *reason; *out holds as much as can be read. */
int hello_judge(const struct channel *ch, struct span body, struct frames_hello *out,
                unsigned *link, enum frames_bye *reason) HERD_MUST_CHECK;

#endif
