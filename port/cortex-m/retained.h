#ifndef CORTEXM_RETAINED_H
#define CORTEXM_RETAINED_H

/* Before a reset of our own: the wall clock goes on where it was. */
void retained_keep_wall(void);

#endif
