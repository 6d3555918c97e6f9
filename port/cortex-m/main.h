#ifndef CORTEXM_MAIN_H
#define CORTEXM_MAIN_H

/* Called by reset_handler, once memory is as C wants it. The node (main.c) or a test program. */
void main_run(void) __attribute__((noreturn));

#endif
