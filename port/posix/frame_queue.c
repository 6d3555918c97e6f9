#include "frame_queue.h"

#include <string.h>

#include "err.h"

/* Each frame follows its length; a length of 0 says that the next frame is at the front. */
#define LENGTH_BYTES sizeof(uint16_t)

static uint16_t length_at(const struct frame_queue *q, size_t at)
{
    uint16_t length;
    memcpy(&length, q->at + at, sizeof length);
    return length;
}

static void put_length(struct frame_queue *q, size_t at, uint16_t length)
{
    memcpy(q->at + at, &length, sizeof length);
}

/* Where `need` contiguous bytes are free, or capacity. Behind the head there is always room for the
 * mark that the rest is unused. */
static size_t place(const struct frame_queue *q, size_t need)
{
    bool wrapped = q->frames > 0 && q->head <= q->tail;
    if (wrapped) {
        return q->head + need + LENGTH_BYTES <= q->tail ? q->head : q->capacity;
    }
    if (q->head + need + LENGTH_BYTES <= q->capacity) {
        return q->head;
    }
    return need + LENGTH_BYTES <= q->tail ? 0 : q->capacity;
}

bool frame_queue_put(struct frame_queue *q, const void *frame, size_t bytes)
{
    if (bytes == 0 || bytes > UINT16_MAX) {
        return false;
    }
    size_t at = place(q, LENGTH_BYTES + bytes);
    if (at == q->capacity) {
        return false;
    }
    if (at != q->head) {
        put_length(q, q->head, 0);
    }
    put_length(q, at, (uint16_t)bytes);
    memcpy(q->at + at + LENGTH_BYTES, frame, bytes);
    q->head = at + LENGTH_BYTES + bytes;
    q->frames++;
    if (q->frames > q->frames_high) {
        q->frames_high = q->frames;
    }
    return true;
}

bool frame_queue_peek(struct frame_queue *q, const uint8_t **frame, size_t *bytes)
{
    if (q->frames == 0) {
        return false;
    }
    if (length_at(q, q->tail) == 0) {
        q->tail = 0;
    }
    *bytes = length_at(q, q->tail);
    *frame = q->at + q->tail + LENGTH_BYTES;
    return true;
}

void frame_queue_drop(struct frame_queue *q)
{
    const uint8_t *frame;
    size_t bytes;
    bool some = frame_queue_peek(q, &frame, &bytes);
    HERD_ASSERT(some);
    q->tail += LENGTH_BYTES + bytes;
    q->frames--;
    if (q->frames == 0) {
        q->head = 0;
        q->tail = 0;
    }
}

bool frame_queue_is_busy(const struct frame_queue *q)
{
    size_t used = q->head >= q->tail ? q->head - q->tail : q->capacity - q->tail + q->head;
    return used > q->capacity / 2;
}
