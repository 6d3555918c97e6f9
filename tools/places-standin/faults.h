/* The list of what can be made to go wrong. A new fault is a row in faults.c. */
#ifndef STANDIN_FAULTS_H
#define STANDIN_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "http.h"
#include "tls.h"

/* What happens to a connection before there is a request. */
enum connecting {
    CONNECTING_NORMAL,
    CONNECTING_REFUSED,           /* nobody listens */
    CONNECTING_STALLED,           /* SYNs are not answered */
    CONNECTING_HANDSHAKE_STALLED, /* taken, and then silence */
};

struct fault {
    const char *name;
    const char *what;     /* for --help */
    const char *argument; /* what ARG means; NULL: takes none */
    long argument_default;
    enum connecting connecting;
    enum tls_variant variant;                          /* which certificate and session policy */
    void (*shape)(struct reply *reply, long argument); /* changes a finished reply; or NULL */
};

/* The fault called name; "none" is one. NULL when there is no such fault. */
const struct fault *faults_find(const char *name);

/* Reads "NAME", "NAME=ARG" or "NAME ARG". False: *why says what is wrong. */
bool faults_parse(const char *text, const struct fault **fault, long *argument, const char **why);

/* Whether the fault shows before there is a request, so that only new connections can have it. */
bool faults_needs_new_connection(const struct fault *fault);

/* One line per fault on stdout. */
void faults_print(void);

#endif
