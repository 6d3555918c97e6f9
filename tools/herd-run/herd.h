/* The running herd: its processes, from the first start until all have ended. */
#ifndef HERD_RUN_HERD_H
#define HERD_RUN_HERD_H

#include "herdfile.h"
#include "options.h"
#include "tapnet.h"

/*
 * Lets the node program check the herd file for every node. Returns false when it refuses; what it
 * says is then on stderr.
 */
bool herd_check_file(const struct options *options, const struct herdfile *herd);

/*
 * Starts the stand-in (when `standin`) and the nodes, on TAP devices unless `tapnet` is NULL, and stays until a signal ends the herd or it
 * ends by itself. All processes have ended when it returns. Returns the exit code of herd-run.
 */
int herd_run(const struct options *options, const struct herdfile *herd, bool standin,
             const struct tapnet *tapnet);

#endif
