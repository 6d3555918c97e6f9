/* Bytes on their way between a task and an ISR.
 *
 * One side writes and one side reads; either may be the ISR, and neither needs interrupts off for it: each
 * counter is changed by one side only, a byte is in its place before the writer's counter says so, and
 * is fetched before the reader's counter gives the place back. (One core, and volatile accesses stay in
 * order.) Where both an ISR and a task would read, the task does it with interrupts off.
 *
 * Cost: a few instructions a byte. Never waits. All zero: empty.
 */
#ifndef CORTEXM_UART_RING_H
#define CORTEXM_UART_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"

/* A power of two. 128 at 115,200 baud are 11 ms. */
#ifdef BOARD_UART_RING_BYTES
#define UART_RING_BYTES BOARD_UART_RING_BYTES
#else
#define UART_RING_BYTES 128u
#endif

struct uart_ring {
    volatile char bytes[UART_RING_BYTES];
    volatile uint32_t written; /* bytes ever, modulo 2^32; the writer's */
    volatile uint32_t read;    /* the same; the reader's */
};

/* The writer: takes at most `bytes`, returns how many there was room for. */
size_t uart_ring_put(struct uart_ring *ring, const char *data, size_t bytes);
/* The reader: gives at most `bytes`, returns how many there were. */
size_t uart_ring_get(struct uart_ring *ring, char *data, size_t bytes);
/* Either. */
bool uart_ring_is_empty(const struct uart_ring *ring);
bool uart_ring_is_full(const struct uart_ring *ring);

#endif
