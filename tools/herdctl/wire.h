/* One TCP connection to a node: lines out, lines in, and a deadline on everything. */
#ifndef HERDCTL_WIRE_H
#define HERDCTL_WIRE_H

#include "herdctl.h"

#define WIRE_BYTES_MAX (1024 * 1024) /* longest answer that is taken */

struct wire {
    const struct herdctl_node *node;
    int fd;
    char *in; /* received and not yet taken: in[start..end) */
    size_t start;
    size_t end;
    size_t room;
    size_t answers;          /* pieces taken so far */
    enum herdctl_exit fault; /* why the last call failed: what to exit with */
};

enum wire_result {
    WIRE_OK,
    WIRE_LATER,  /* the deadline came first: said by nobody yet */
    WIRE_FAILED, /* connection lost, or no answer that can be taken: said on stderr, see `fault` */
};

/* Milliseconds of the monotonic clock: what deadlines are given in. */
int64_t wire_now_ms(void);

/*
 * Connects to `node` (kept, not copied) within its time-out. Returns false after saying on stderr
 * what failed and what to do, with the reason in `fault`; otherwise wire_close() is due.
 */
bool wire_open(struct wire *wire, const struct herdctl_node *node);

void wire_close(struct wire *wire);

/* Sends all of text[bytes] within the node's time-out. Returns false after saying why not, as
 * wire_open() does. */
bool wire_send(struct wire *wire, const char *text, size_t bytes);

/*
 * Waits until the bytes up to and including `mark` are there. On WIRE_OK *answer and *bytes are
 * what stands before `mark`; they stay valid until the next call.
 */
enum wire_result wire_take(struct wire *wire, const char *mark, int64_t deadline_ms,
                           const char **answer, size_t *bytes);

/* True when a whole line is there, so that wire_take() of a newline would not wait. */
bool wire_has_line(const struct wire *wire);

/* Says that no answer came in time, and what to do. */
void wire_say_late(const struct wire *wire);

#endif
