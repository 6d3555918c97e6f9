/* What clients do, and what they must be answered. Devices report where they are at any node, in any way that
 * TCP allows; every answer is compared byte by byte with what firmware/PROTOCOL.md says, and told to the
 * checker. Includes nothing of firmware/.
 *
 * Invariant `answer`: commands of a connection are answered in their order, each once, with the right bytes;
 * blank lines are not answered; after a half-close every answer comes, then FIN, and FIN for no other reason.
 * Invariant `alive`: on a wire without faults, a node that runs takes and answers within WORKLOAD_ANSWER_NS.
 */
#ifndef SIM_WORKLOAD_H
#define SIM_WORKLOAD_H

#include "checker.h"
#include "world.h"

#define WORKLOAD_SKEW_MAX_S   60
#define WORKLOAD_REPORT_BYTES 128
#define WORKLOAD_LINE_BYTES   256 /* of the nodes' line buffer */
#define WORKLOAD_ANSWER_NS    (20 * SIM_S)

/* How clients behave in this run. */
struct workload_style {
    size_t devices;
    sim_ns pause_ns;       /* between bursts, on average, over the whole herd */
    unsigned commands_max; /* of a connection */
    uint32_t move_ppm;     /* a device speaks to another node than before */
    uint32_t ahead_ppm;    /* a stamp is further ahead than skew_max */
    uint32_t near_ppm;     /* a stamp is ahead, but not so far */
    uint32_t old_ppm;      /* a stamp is older than the last one */
    uint32_t equal_ppm;    /* a stamp equals an earlier one of the device */
    uint32_t same_ppm;     /* the whole report is an earlier one of the device */
    uint32_t whatsat_ppm;
    uint32_t places_ppm; /* of WHATSATs: with a radius and a bound */
    uint32_t invalid_ppm;
    uint32_t long_ppm; /* of invalid: longer than the line buffer */
    uint32_t blank_ppm;
    uint32_t pieces_ppm; /* of connections: in small segments */
    uint32_t slow_ppm;   /* of connections: with pauses within the bytes */
    uint32_t half_ppm;   /* of connections: the last command ends with FIN and no newline */
    uint32_t reset_ppm;  /* of connections: RST in the middle */
    uint32_t stall_ppm;  /* of connections: does not read for a while */
    uint32_t keep_ppm;   /* of connections: stays open for more */
};

struct workload;

struct workload_setup {
    struct world *w;
    struct checker *checker;
    unsigned nodes; /* of the herd: the first of the world's */
    const char *const *names;
    struct workload_style style;
    unsigned sessions_max; /* connections at once, per node */
};

struct workload *workload_new(const struct workload_setup *setup);
void workload_free(struct workload *wl);

/* Bursts come until `until`. */
void workload_start(struct workload *wl, sim_ns until);
/* Reports every device once, in order, from one connection per node of `nodes`: device i at the i-th of them. */
void workload_report_all(struct workload *wl, uint64_t nodes);
/* Every device is asked for at every node of `nodes`, in one pipeline each, into the checker's tables. */
void workload_read_tables(struct workload *wl, uint64_t nodes);
/* Every reading of tables has come to its end. */
bool workload_tables_are_read(const struct workload *wl);
/* No more bursts: clients that have not yet said all that they wanted are reset, others wait for answers. */
void workload_drain(struct workload *wl);
/* Resets what is still open. */
void workload_end(struct workload *wl);
unsigned workload_open(const struct workload *wl);

/* The world tells. False: the connection is not the workload's. */
bool workload_connected(struct workload *wl, int connection);
bool workload_data(struct workload *wl, int connection, const uint8_t *data, size_t bytes);
bool workload_closed(struct workload *wl, int connection, int reason);

/* A node is about to be cut off, frozen or switched off: its connections may end in any way. */
void workload_excuse(struct workload *wl, unsigned node);
/* The wires between clients and this node are bad from now on, or good again. */
void workload_wires(struct workload *wl, unsigned node, bool bad);
/* It is stopped in order, FIN may come at any time and who calls is turned away; or it is off at last. */
void workload_stopping(struct workload *wl, unsigned node, bool stopping);

/* All wires between hosts and nodes have no faults from now on (or have): answers must come in time, and
 * connections are not reset by a node that goes on. */
void workload_expect_answers(struct workload *wl, bool expected);

struct workload_counts {
    uint64_t connections, commands, answers, iamat, whatsat, invalid, blank, unknown;
    uint64_t refused, resets, timeouts, fins;
    sim_ns slowest_ns;
};
struct workload_counts workload_counts(const struct workload *wl);

#endif
