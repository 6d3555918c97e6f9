/* An authenticated neighbour that says wrong frames (firmware/PROTOCOL.md, section 5). Unknown ones are skipped
 * and the link stays; those that cannot be read end the link and are counted, and it comes back; no table
 * changes, and the other links stay. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herd_file.h"
#include "inside.h"

#define DEVICES    20u
#define LIAR       2u
#define PAUSE_NS   (6 * SIM_S)
#define FRAMES_MAX 64

/* What becomes of the link. */
enum fate { STAYS, SKIPS, BREAKS };

struct lie {
    const char *what;
    enum fate fate;
    size_t bytes;
    uint8_t frame[FRAMES_MAX];
    size_t more; /* zeros behind it */
};

static const struct lie lies[] = {
    {"an unknown type", SKIPS, 8, {200, 0, 5, 1, 2, 3, 4, 5}, 0},
    {"an unknown type without a body", SKIPS, 3, {255, 0, 0}, 0},
    {"type 0", SKIPS, 4, {0, 0, 1, 9}, 0},
    {"a long frame of unknown type", SKIPS, 3, {99, 2, 188}, 700},
    {"two unknown types", SKIPS, 8, {201, 0, 1, 7, 202, 0, 1, 7}, 0},
    {"the reserved types", SKIPS, 8, {5, 0, 1, 7, 6, 0, 1, 7}, 0},
    {"an answer that nobody asked for", STAYS, 8, {8, 0, 5, 0, 9, 1, '{', '}'}, 0},
    {"a REPORT that is too long", BREAKS, 3, {2, 2, 188}, 700},
    {"an ACK that is too long", BREAKS, 3, {3, 2, 188}, 700},
    {"an ACK that is cut", BREAKS, 5, {3, 0, 2, 0, 0}, 0},
    {"an ACK of more than was sent", BREAKS, 7, {3, 0, 4, 0x7F, 0, 0, 0}, 0},
    {"a BEAT that is cut", BREAKS, 7, {4, 0, 4, 0, 0, 0, 0}, 0},
    {"a BEAT with a byte too many", BREAKS, 21, {4, 0, 18}, 0},
    {"an ASK that is cut", BREAKS, 5, {7, 0, 2, 0, 1}, 0},
    {"a second HELLO, unreadable", BREAKS, 5, {1, 0, 2, 1, 0}, 0},
    {"a REPORT of nothing", BREAKS, 3, {2, 0, 0}, 0},
    {"a REPORT of rubbish", BREAKS, 14, {2, 0, 11, 0, 0, 0, 0, 0, 0, 0, 1, 0, 'A', 'T'}, 0},
};

struct frames {
    struct world *w;
    struct world_probe before[WORLD_NODES_MAX];
    unsigned answers;
};

static void on_data(void *context, int connection, const uint8_t *data, size_t bytes)
{
    struct frames *f = context;
    (void)connection;
    for (size_t i = 0; i < bytes; i++) {
        f->answers += data[i] == '\n';
    }
}

static void look(struct frames *f, struct world_probe *out)
{
    for (unsigned i = 0; i < world_nodes(f->w); i++) {
        world_probe(f->w, i, &out[i]);
    }
}

/* What the others counted of the liar's frames. */
static void check_counts(struct frames *f, const struct lie *lie, const struct world_probe *now)
{
    uint32_t skipped = 0;
    uint32_t protocol = 0;
    uint32_t broken = 0;
    for (unsigned i = 0; i < world_nodes(f->w); i++) {
        skipped += now[i].links_skipped - f->before[i].links_skipped;
        protocol += now[i].links_protocol - f->before[i].links_protocol;
        protocol += now[i].links_bad_reports - f->before[i].links_bad_reports;
        broken += now[i].links_broken - f->before[i].links_broken;
        if (now[i].devices != DEVICES || now[i].links_up != f->before[i].links_up) {
            world_fail(f->w, "frames", "after %s %s has %u devices and %u links up", lie->what,
                       herd_file_name(i), now[i].devices, now[i].links_up);
        }
    }
    if ((lie->fate == SKIPS) != (skipped > 0) || (lie->fate == BREAKS) != (protocol > 0)) {
        world_fail(f->w, "frames", "after %s %u frames were skipped, %u could not be read",
                   lie->what, skipped, protocol);
    }
    /* One link has two ends. */
    if (lie->fate == BREAKS ? broken == 0 || broken > 2 : broken != 0) {
        world_fail(f->w, "frames", "after %s %u ends of links went down", lie->what, broken);
    }
}

static void tell(struct frames *f, const struct lie *lie)
{
    static uint8_t bytes[WORLD_TAMPER_BYTES];
    struct world_probe now[WORLD_NODES_MAX];
    unsigned times = world_tampered(f->w, LIAR);
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, lie->frame, lie->bytes);
    look(f, f->before);
    world_note(f->w, "%s says %s", herd_file_name(LIAR), lie->what);
    world_tamper(f->w, LIAR, bytes, lie->bytes + lie->more);
    if (!world_run(f->w, world_now(f->w) + PAUSE_NS)) {
        return;
    }
    if (world_tampered(f->w, LIAR) != times + 1) {
        world_fail(f->w, "frames", "%s was not said", lie->what);
    }
    look(f, now);
    check_counts(f, lie, now);
}

static bool start(struct frames *f, const struct scenario_options *options)
{
    for (unsigned i = 0; i < world_nodes(f->w); i++) {
        if (!herd_file_start(f->w, i, options->suite, 1, 0)) {
            return false;
        }
    }
    return true;
}

static void run(struct world *w, const struct scenario_options *options)
{
    struct frames *f = calloc(1, sizeof *f);
    SIM_ASSERT(f != NULL && world_nodes(w) > LIAR);
    f->w = w;
    world_listen(w, &(struct world_listener){.context = f, .on_data = on_data});
    if (start(f, options) && world_run(w, 12 * SIM_S)) {
        int client = world_connect(w, 0, 0, WORLD_CLIENT_PORT);
        for (unsigned i = 0; i < DEVICES; i++) {
            char line[96];
            int bytes = snprintf(line, sizeof line, "IAMAT device%u +10.5-20.25 %lld\n", i,
                                 (long long)(WORLD_EPOCH_NS / SIM_S));
            world_send(w, client, line, (size_t)bytes, 0);
        }
        (void)world_run(w, world_now(w) + 5 * SIM_S);
        for (unsigned i = 0; i < sizeof lies / sizeof lies[0] && !world_failed(w); i++) {
            tell(f, &lies[i]);
        }
        if (f->answers != DEVICES) {
            world_fail(w, "frames", "%u answers to %u reports", f->answers, DEVICES);
        }
    }
    free(f);
}

const struct scenario scenario_frames = {.name = "frames",
                                         .what =
                                             "an authenticated neighbour that says wrong frames",
                                         .hosts = 1,
                                         .run = run};
