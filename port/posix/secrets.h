/* Where a crash must not write secrets to. */
#ifndef SECRETS_H
#define SECRETS_H

/* Leaves what is marked CFG_SECRET (firmware/cfg.h), and what shares its pages, out of core dumps.
 * They keep the stacks and all other variables. 0, or -1 with errno. */
int secrets_leave_out_of_dumps(void);

#endif
