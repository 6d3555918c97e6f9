/* What all connections share: settings, the fault in force, what was counted. */
#ifndef STANDIN_STANDIN_H
#define STANDIN_STANDIN_H

#include <netinet/in.h>

#include "buf.h"
#include "dialects.h"
#include "faults.h"
#include "tls.h"

struct stats {
    unsigned long connections;        /* TCP connections taken */
    unsigned long handshakes;         /* TLS handshakes completed */
    unsigned long handshake_failures; /* ended before that, by either side */
    unsigned long resumed;            /* handshakes that resumed a session */
    unsigned long requests;           /* well-formed HTTP requests, of any path */
    unsigned long new_api;            /* of these, for the new API */
    unsigned long legacy;             /* of these, for the legacy API */
    unsigned long bad_key;            /* of these, with a key that was not taken */
    unsigned long bad_requests;       /* not HTTP as it should be */
    unsigned long faults;             /* times a fault was done to somebody; refused and
                                         stall-connect cannot be seen from here */
};

struct standin {
    struct dialects_config dialects;
    SSL_CTX *contexts[TLS_VARIANTS];
    struct in_addr address; /* where it listens; control is on the loopback always */
    int port;               /* 0: any; the one in use once the server listens */
    int control_port;       /* -1: no control; else as port */
    bool chunked;           /* every reply is chunked */
    long idle_ms;           /* a connection without a request is closed then */

    const struct fault *fault;
    long fault_argument;
    struct stats stats;
    struct buf last; /* describes the last request; empty before the first */
};

#endif
