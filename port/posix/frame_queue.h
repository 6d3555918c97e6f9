/* A queue of Ethernet frames in a fixed number of bytes. Frames stay contiguous, so that they can be
 * read in place. When it is empty it starts again at the front: a queue that is drained often stays
 * in the cache, however large it may grow.
 */
#ifndef FRAME_QUEUE_H
#define FRAME_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed but for these two it is empty. */
struct frame_queue {
    uint8_t *at;     /* owner's memory */
    size_t capacity; /* bytes of it */
    size_t head;     /* where the next frame goes */
    size_t tail;     /* the first frame */
    size_t frames;
    size_t frames_high; /* most ever */
};

/* Appends a copy. False, and nothing changed: no room, or not 1 to 65535 bytes. */
bool frame_queue_put(struct frame_queue *q, const void *frame, size_t bytes);

/* The first frame; valid until the next put or drop. False when there is none. */
bool frame_queue_peek(struct frame_queue *q, const uint8_t **frame, size_t *bytes);

/* Drops the first frame; the queue must not be empty. */
void frame_queue_drop(struct frame_queue *q);

/* Half of it is taken: whoever fills it should wait. */
bool frame_queue_is_busy(const struct frame_queue *q);

#endif
