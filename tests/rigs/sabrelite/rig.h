/* The rig's platform, under the objects that a Kinetis board is flashed with. See README.md. */
#ifndef RIG_H
#define RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "enet.h"

/* Called by platform.c with interrupts on and a tick of 1 ms. */
void rig_main(void) __attribute__((noreturn));

/* A line on the UART; waits for it. */
void rig_say(const char *words);

/* Lets an interrupt of the GIC through. */
void rig_enable_interrupt(unsigned id);

#define RIG_ENET_INTERRUPT 150u
void rig_enet_interrupt(void); /* eth.c */

const struct enet *rig_enet(void); /* eth.c: counters */

#endif
