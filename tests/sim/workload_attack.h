/* Callers that have no business at the link listeners: plain lines, garbage, oversized and unknown frames,
 * silence, reflections, what they heard others say. Their records must appear in no table (the checker reads
 * the names that they use), their connections must be ended, and links must not suffer.
 */
#ifndef SIM_WORKLOAD_ATTACK_H
#define SIM_WORKLOAD_ATTACK_H

#include "checker.h"
#include "scenario.h"
#include "world.h"

/* A node ends a connection that does not say who it is. PROTOCOL.md: HELLO comes first. */
#define ATTACK_ENDED_NS (15 * SIM_S)

struct attack;

struct attack_setup {
    struct world *w;
    struct checker *checker;
    unsigned nodes; /* of the herd: the first of the world's */
    const char *const *names;
    sim_ns pause_ns; /* between attacks, on average, over the whole herd */
    bool strict;     /* wires without faults: connections must be ended in time */
};

struct attack *attack_new(const struct attack_setup *setup);
void attack_free(struct attack *a);
void attack_start(struct attack *a, sim_ns until);
/* Resets what is open. */
void attack_end(struct attack *a);

/* The world tells. False: the connection is not an attacker's. */
bool attack_connected(struct attack *a, int connection);
bool attack_data(struct attack *a, int connection, const uint8_t *data, size_t bytes);
bool attack_closed(struct attack *a, int connection, int reason);
void attack_frame(struct attack *a, unsigned from, const uint8_t *frame, size_t bytes);

struct attack_counts {
    uint64_t begun, ended, replayed, injected;
};
struct attack_counts attack_counts(const struct attack *a);

#endif
