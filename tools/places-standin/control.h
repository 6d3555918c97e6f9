/* The line protocol with which tests steer the stand-in. */
#ifndef STANDIN_CONTROL_H
#define STANDIN_CONTROL_H

#include "standin.h"

/* Does what one line says and writes the answer, one line with its newline. Sets *fault_changed
 * when another fault is in force from now on, *hangup when idle connections shall be closed. */
void control_do(struct standin *standin, const char *line, struct buf *answer, bool *fault_changed,
                bool *hangup);

#endif
