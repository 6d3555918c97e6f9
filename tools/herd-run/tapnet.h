/*
 * The network of a herd on TAP devices: a network namespace without a name, in it a bridge with one
 * device per node, and a cable (veth) from the bridge to this machine, which thereby has an address
 * in the herd's network. The launcher lives in the namespace, so all of it goes when the launcher and
 * its nodes have ended, however they end: there is nothing to clean up.
 */
#ifndef HERD_RUN_TAPNET_H
#define HERD_RUN_TAPNET_H

#include "herdfile.h"

#define TAPNET_BRIDGE "br0"
#define TAPNET_DEVICE "herd%zu" /* of node number */
#define TAPNET_MTU    9000

struct tapnet {
    uint32_t mask;         /* the nodes', host byte order */
    uint32_t host;         /* this machine's address there, host byte order */
    char host_address[16]; /* as text */
    char network[24];      /* "10.42.0.0/24" */
    char host_device[16];  /* this machine's end of the cable */
    int host_namespace;    /* descriptor of the namespace that the launcher came from */
};

/*
 * The nodes of the herd file at `path` can be on one network: addresses of their own, in one network
 * that this machine does not use yet. Chooses this machine's address in it: the nodes' gateway, or
 * without one the highest that is free. Returns false after saying why not.
 */
bool tapnet_check(const struct herdfile *herd, const char *path, struct tapnet *net);

/*
 * Makes the network; the calling process is in the new namespace afterwards. After tapnet_check.
 * Returns false after saying why not: only root may, and ip(8) does the work.
 */
bool tapnet_make(const struct herdfile *herd, struct tapnet *net);

#endif
