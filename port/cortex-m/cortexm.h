/* What the parts of the Cortex-M port know of each other and of a board's drivers.
 *
 * A board brings, each in a folder of its own under port/, one UART, one Ethernet MAC and one watchdog;
 * the functions below have exactly one definition per image, so that a missing driver is a link
 * error. Registers and interrupt numbers are data of boards/NAME/board.h.
 */
#ifndef CORTEXM_H
#define CORTEXM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pbuf;
struct text;

/* --- A board's drivers ------------------------------------------------------------------------- */

/* UART, 8N1 at BOARD_UART_BAUD. The driver brings:
 * uart_feed: gives the chip what uart_next gives, while it has room for more; uart_collect: gives
 * uart_received what the chip has, while uart_has_room. Neither waits. Its ISR does both; else they are
 * called with interrupts off.
 * uart_send_now: waits until the chip has sent these bytes, with interrupts on or off. */
void uart_start(void);
void uart_feed(void);
void uart_collect(void);
void uart_send_now(const char *data, size_t bytes);

/* Ethernet MAC. Task context but for its ISR, which notes that there is work (cortexm_wake), and
 * silences itself until eth_receive has found nothing more.
 *
 * eth_start: true when the chip answers. `mac`: in, the address to use when the chip knows none of
 * its own; out, the address in use.
 * eth_send: takes a copy of a frame (a chain that starts with ETH_PAD_SIZE bytes that are not sent);
 * false when there is no room now. Cost: linear in the bytes.
 * eth_receive: the next frame, owned by the caller, its ETH_PAD_SIZE bytes in front; NULL with *more
 * false when there is none, NULL with *more true when one was dropped (counted in lwIP's link stats).
 * eth_link_up: what the PHY says; a few hundred cycles. */
bool eth_start(uint8_t mac[6]);
bool eth_send(const struct pbuf *p);
struct pbuf *eth_receive(bool *more);
bool eth_link_up(void);

/* Watchdog: resets the board, after an NMI where it can, when it was not fed for BOARD_WATCHDOG_MS. */
void watchdog_start(void);
void watchdog_feed(void);

/* A generator in hardware, on a board that defines BOARD_HAS_TRNG: feeds the entropy pool
 * (entropy_seed) and returns true, or false when what it gives is not to be trusted. Called once per
 * start; blocks for less than 10 ms. */
bool trng_seed(void);

/* --- UART (uart.c) ------------------------------------------------------------------------------- */

/* For the driver, from its ISR or with interrupts off: the next byte to be sent, false when there is none;
 * a byte that came, when there is room for it (UART_RING_BYTES): what has none stays in the chip, where
 * an emulator, or a wire with flow control, makes the sender wait; and that the chip dropped some. */
bool uart_next(char *byte);
bool uart_has_next(void);
bool uart_has_room(void);
void uart_received(char byte);
void uart_overrun(void);

/* Task context. uart_write takes at most `bytes`, returns how many, and never waits. uart_write_now waits
 * until all is sent, with interrupts on or off, from anywhere: first and last words. uart_read gives what
 * has come, at most `bytes`, and never waits. */
size_t uart_write(const char *data, size_t bytes);
void uart_write_now(const char *data, size_t bytes);
size_t uart_read(char *data, size_t bytes);

/* --- Time -------------------------------------------------------------------------------------- */

/* Starts SysTick: 1 ms. */
void clock_start(void);
/* Cycles of the core since then, exact, also with interrupts off for less than a millisecond. */
uint64_t clock_cycles(void);
/* Sets the wall clock: ns since 1970 UTC. For who knows the time: boot block, SNTP, console. */
void clock_set_wall(int64_t now_ns);

/* --- Idle -------------------------------------------------------------------------------------- */

/* hal_idle returns at once. From an ISR: there is work for a task. */
void cortexm_wake(void);
/* Cycles slept since start: what is left is work. */
uint64_t idle_cycles(void);

/* --- Memory that a reset keeps (retained.c) ------------------------------------------------------ */

/* State of the entropy pool; all zero: none. Written by entropy.c alone. */
extern uint8_t retained_pool[32];
void retained_pool_seal(void); /* it was changed */

/* Call once, first: forgets what does not carry its checksum (power was off). */
void retained_start(void);
/* The time of the last orderly reset, taken once; false: none. */
bool retained_take_wall(int64_t *ns);
/* True when this boot block was used before this reset; remembers it. */
bool retained_saw_block(uint32_t crc);

/* --- Crashes (crash.c) ------------------------------------------------------------------------- */

enum crash_kind { CRASH_PANIC = 1, CRASH_FAULT, CRASH_WATCHDOG, CRASH_INTERRUPT };

struct crash {
    uint32_t kind;      /* enum crash_kind */
    uint32_t count;     /* crashes since power on */
    uint32_t line;      /* CRASH_PANIC */
    uint32_t exception; /* number of the exception; 16 and up are interrupts */
    uint32_t uptime_s;
    uint32_t sp;
    uint32_t frame[8]; /* r0-r3 r12 lr pc xpsr, all zero when the stack was not readable */
    uint32_t cfsr, hfsr, mmfar, bfar;
    char file[24]; /* its end */
    char what[64]; /* its beginning */
};

/* The crash that led to this start; NULL: none. Lives until the next crash. */
const struct crash *crash_last(void);
/* Appends line 0, 1 or 2 of it in words; nothing when there is none. */
void crash_put_line(unsigned line, struct text *t);
/* Prints all of them, waiting for the UART. */
void crash_print(void);
void cortexm_reset(void) __attribute__((noreturn));

/* --- Stack ------------------------------------------------------------------------------------- */

size_t stack_bytes(void);      /* reserved */
size_t stack_high_water(void); /* most ever used, from what is left of the paint */

#endif
