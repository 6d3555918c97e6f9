/* What is in the frames of a link that is up, and who it is for: records for `replica`, clocks and floors,
 * questions and answers for `answer` and `ask`. When there is something to say is the business of `links`.
 * Context: tasks.
 */
#ifndef HERD_LINK_FRAMES_H
#define HERD_LINK_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "channel.h"
#include "config.h"
#include "err.h"
#include "frames.h"

/* `config` lives on. */
void link_frames_init(const struct config *config);

/* Takes a frame that came on ch, a link's, after HELLO: REPORT, ACK, BEAT, ASK or ANSWER. *bad_reports counts
 * reports that are dropped. An error: the frame cannot be read, or is a second HELLO. Other types are
 * skipped. */
int link_frames_take(struct channel *ch, const struct frames_frame *frame,
                     uint32_t *bad_reports) HERD_MUST_CHECK;

/* Says records that the neighbour lacks, as many as have room. True: nothing was in flight before. */
bool link_frames_say_records(struct channel *ch);

void link_frames_say_beat(struct channel *ch);

/* Says one piece of a question or of an answer, if there is one and it has room. */
bool link_frames_say_place(struct channel *ch);

#endif
