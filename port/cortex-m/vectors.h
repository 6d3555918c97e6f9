/* Entries of the vector table. */
#ifndef CORTEXM_VECTORS_H
#define CORTEXM_VECTORS_H

void reset_handler(void);      /* startup.c */
void systick_handler(void);    /* clock.c */
void crash_on_exception(void); /* crash.c: faults, NMI (the watchdog), and what has no driver */

#endif
