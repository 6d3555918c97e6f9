/* What must be true before anything is started; each check says in one line what is wrong. */
#ifndef HERD_RUN_CHECK_H
#define HERD_RUN_CHECK_H

#include "herdfile.h"
#include "options.h"

/* The programs are there, and so is what the stand-in needs when `standin` is true. */
bool check_programs(const struct options *options, bool standin);

/*
 * Every node's board can be had here: the herd is not on TAP devices (for QEMU's nodes herd-run has
 * none), and the board's program is there.
 */
bool check_boards(const struct options *options, const struct herdfile *herd);

/* Every port that the herd will listen at is free. */
bool check_ports(const struct options *options, const struct herdfile *herd);

/* A port of the loopback that is free now and that the herd does not use; 0, said, when none. */
uint16_t check_free_port(const struct options *options, const struct herdfile *herd);

#endif
