#include "scenario_rogue.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RUN_NS    (12 * SIM_S) /* under one name */
#define REPORT_NS (2 * SIM_S)  /* after its start */
#define LOOK_NS   (500 * SIM_MS)

enum lie {
    LIE_STRANGER,     /* a name that nobody has */
    LIE_WRONG_KEY,    /* a neighbour's name, a key by chance */
    LIE_OLD_KEY,      /* a neighbour's name, the key before the current one */
    LIE_OTHER_LINK,   /* a neighbour's name, a key of that neighbour's with somebody else */
    LIE_WRONG_TARGET, /* a neighbour's name and the link's own key, looking for another node */
    LIE_WRONG_NUMBER, /* a neighbour's name, the next key under a number that nobody has yet */
    LIES
};

/* Whom it calls, whom it pretends to be, and whom it says to look for. */
struct story {
    enum lie lie;
    unsigned victim;
    unsigned as;
    const char *name;
    const char *target;
    char key[HERD_KEY_BYTES];
};

static unsigned neighbour_of(struct rogue *r, unsigned node)
{
    const struct herd *h = r->s->herd;
    unsigned skip = (unsigned)random_below(&r->random, h->links[node]);
    for (unsigned other = 0; other < h->nodes; other++) {
        if (h->linked[node][other] && skip-- == 0) {
            return other;
        }
    }
    return node;
}

static unsigned somebody_but(struct rogue *r, unsigned one, unsigned other)
{
    unsigned nodes = r->s->herd->nodes;
    unsigned node = (unsigned)random_below(&r->random, nodes);
    for (unsigned i = 0; i < nodes && (node == one || node == other); i++) {
        node = (node + 1) % nodes;
    }
    return node;
}

static void choose_key(struct rogue *r, struct story *t)
{
    unsigned number = t->lie == LIE_OLD_KEY ? HERD_KEY_NOW - 1 : HERD_KEY_NOW;
    unsigned victim = t->victim;
    unsigned as = t->as;
    if (t->lie == LIE_OTHER_LINK) {
        victim = neighbour_of(r, t->as);
        as = victim == t->victim ? neighbour_of(r, t->victim) : t->as;
        victim = victim == t->victim ? t->victim : victim;
    }
    if (t->lie == LIE_STRANGER || t->lie == LIE_WRONG_KEY ||
        (t->lie == LIE_OTHER_LINK && as == t->as && victim == t->victim)) {
        as = WORLD_NODES_MAX; /* of no link */
    }
    if (t->lie == LIE_WRONG_NUMBER) {
        number = HERD_KEY_NOW + 1;
    }
    herd_key(r->s->w, number, victim, as, t->key);
    if (t->lie == LIE_WRONG_NUMBER) {
        t->key[0] = (char)('0' + HERD_KEY_NOW + 2);
    }
}

static struct story choose_story(struct rogue *r)
{
    const struct herd *h = r->s->herd;
    struct story t = {.lie = (enum lie)random_below(&r->random, LIES),
                      .victim = (unsigned)random_below(&r->random, h->nodes)};
    t.as = neighbour_of(r, t.victim);
    t.name = t.lie == LIE_STRANGER ? "Stranger" : h->names[t.as];
    unsigned other = somebody_but(r, t.victim, t.as);
    t.target = h->names[t.lie == LIE_WRONG_TARGET && other != t.as ? other : t.victim];
    if (t.lie == LIE_WRONG_TARGET && (other == t.as || other == t.victim)) {
        t.target = "Somebody";
    }
    choose_key(r, &t);
    return t;
}

/* The key file wants a next key as well. */
static void begin(struct rogue *r, const struct story *t)
{
    struct world *w = r->s->w;
    char herd[1024];
    char keys[512];
    char next[HERD_KEY_BYTES];
    unsigned number = (unsigned)(t->key[0] - '0');
    herd_key(w, number + 1, WORLD_NODES_MAX, WORLD_NODES_MAX, next);
    (void)snprintf(herd, sizeof herd,
                   "[herd]\nreport_bytes = %d\nskew_max = %d\n%s"
                   "[node %s]\naddress = %s\nmask = 255.255.0.0\nport = %d\nlink_port = %d\n"
                   "[node %s]\naddress = %s\nmask = 255.255.0.0\nport = %d\nlink_port = %d\n"
                   "[links]\n%s = %s\n[places]\nprovider = none\n[log]\nlevel = warn\n",
                   WORKLOAD_REPORT_BYTES, WORKLOAD_SKEW_MAX_S,
                   r->s->options->suite == SUITE_ECDHE_PSK ? "link_suite = ecdhe-psk\n" : "",
                   t->name, world_address(w, r->station), WORLD_CLIENT_PORT, WORLD_LINK_PORT,
                   t->target, world_address(w, t->victim), WORLD_CLIENT_PORT, WORLD_LINK_PORT,
                   t->name, t->target);
    (void)snprintf(keys, sizeof keys, "[keys %s]\n%s = %s %s\n", t->name, t->target, t->key, next);
    const struct world_boot boot = {
        .herd = herd, .name = t->name, .keys = keys, .clock_ms = 5000, .knows_time = true};
    if (!world_start(w, r->station, &boot)) {
        world_fail(w, "start", "the rogue: %s", world_node_error(w, r->station));
    }
    world_note(w, "the rogue is %s, calls %s as %s (lie %d)", t->name, r->s->herd->names[t->victim],
               t->target, (int)t->lie);
}

static void report(void *context, uint64_t argument)
{
    struct rogue *r = context;
    struct world *w = r->s->w;
    char line[100];
    if (argument == r->runs && world_node_state(w, r->station) == NODE_RUNNING) {
        int bytes = snprintf(line, sizeof line, "IAMAT evil-rogue +66-66 %" PRId64 "\n",
                             (WORLD_EPOCH_NS + world_now(w)) / ORDER_NS_PER_S);
        int connection = world_connect(w, 0, r->station, WORLD_CLIENT_PORT);
        world_send(w, connection, line, (size_t)bytes, 0);
        world_finish(w, connection);
    }
}

/* What the victim's log should say. */
static const char *refusal_of(enum lie lie)
{
    switch (lie) {
    case LIE_WRONG_KEY:
    case LIE_OTHER_LINK:
        return "reason=\"not authenticated\" identity=";
    case LIE_OLD_KEY:
        return "reason=\"old key\"";
    case LIE_STRANGER:
    case LIE_WRONG_TARGET:
    case LIE_WRONG_NUMBER:
    case LIES:
    default:
        return "reason=\"unknown identity\"";
    }
}

void rogue_log(struct rogue *r, unsigned node, const char *line, size_t bytes)
{
    if (node == r->victim && r->expected != NULL &&
        memmem(line, bytes, r->expected, strlen(r->expected)) != NULL) {
        r->refused = true;
    }
}

static void look(void *context, uint64_t argument)
{
    struct rogue *r = context;
    (void)argument;
    if (stage_links_up(r->s, r->station) > 0) {
        world_fail(r->s->w, "attack", "a node that is none of the herd's has a link");
    }
    if (world_now(r->s->w) < r->until) {
        world_at(r->s->w, world_now(r->s->w) + LOOK_NS, look, r, 0);
    }
}

static void next_run(void *context, uint64_t argument)
{
    struct rogue *r = context;
    sim_ns now = world_now(r->s->w);
    (void)argument;
    world_crash(r->s->w, r->station);
    if (r->expected != NULL && !r->refused) {
        world_fail(r->s->w, "attack", "%s did not refuse a node that lies: no %s in its log",
                   r->s->herd->names[r->victim], r->expected);
    }
    r->expected = NULL;
    if (now + RUN_NS > r->until) {
        return;
    }
    r->runs++;
    struct story t = choose_story(r);
    r->victim = t.victim;
    r->expected = refusal_of(t.lie);
    r->refused = false;
    begin(r, &t);
    world_at(r->s->w, now + REPORT_NS, report, r, r->runs);
    world_at(r->s->w, now + RUN_NS, next_run, r, 0);
}

void rogue_start(struct rogue *r, struct stage *s, sim_ns until)
{
    *r = (struct rogue){.s = s,
                        .station = world_nodes(s->w) - 1,
                        .random = world_random(s->w, "rogue", 0),
                        .until = until};
    s->rogue = r;
    r->device = checker_device(s->checker, order_text_of("evil-rogue"));
    world_at(s->w, world_now(s->w), next_run, r, 0);
    world_at(s->w, world_now(s->w), look, r, 0);
}
