#include "workload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "workload_lines.h"

#define CLIENTS_MAX    96
#define COMMANDS_MAX   400 /* of one connection, before it is only read from */
#define HISTORY        4   /* reports of a device that may be said again */
#define PIECES_MAX     40  /* of one burst */
#define SLOW_NS_MAX    (6 * SIM_S)
#define ALIVE_CHECK_NS (5 * SIM_S)

static const char zero_results[] =
    "{\"html_attributions\":[],\"results\":[],\"status\":\"ZERO_RESULTS\"}\n\n";
static const char no_results[] = "{\"html_attributions\":[],\"results\":[],\"status\":\"";

enum kind { IAMAT, WHATSAT, INVALID, BLANK };

struct command {
    enum kind kind;
    bool places;
    bool given;          /* all of it is with TCP: an answer must come */
    size_t begin, bytes; /* in the client's bytes, without the newline */
    size_t device;
    char location[LINES_LOCATION_MAX];
    char stamp[LINES_STAMP_MAX];
    size_t report;            /* IAMAT, once given */
    struct checker_view view; /* WHATSAT, once given */
    sim_ns given_at;
    size_t record; /* WHATSAT, once answered; CHECKER_NONE: the device was not known */
};

enum ending { END_FIN, END_HALF, END_RESET };

struct client {
    int handle;
    unsigned node;
    unsigned boots; /* of the node when it was dialled */
    unsigned life;  /* of the node that took it; 0: not connected */
    bool used;
    bool excused;  /* something happened that may break it */
    bool stopping; /* the node ends its connections in order */
    bool finished; /* our FIN is on its way */
    bool waits;    /* for the answers, before FIN */
    bool table;    /* reads the table */
    bool stalled;
    enum ending ending;
    unsigned kept; /* more bursts that it will send */
    size_t piece;
    size_t chunk;    /* bytes at a time; 0: all at once */
    sim_ns lasts_ns; /* a burst */
    sim_ns gap_ns;
    struct lines_buffer out;
    size_t given;
    struct command *commands;
    size_t count, room, next; /* next: not answered yet */
    size_t marked;            /* the first that is not given */
    struct lines_buffer in;
    size_t taken; /* of in */
};

struct said {
    int64_t stamp_ns;
    char location[LINES_LOCATION_MAX];
    char stamp[LINES_STAMP_MAX];
};

struct mover {
    size_t device;
    unsigned home;
    unsigned said_count;
    struct said said[HISTORY];
};

struct workload {
    struct workload_setup setup;
    unsigned nodes;
    struct random random;
    struct mover *movers;
    struct client clients[CLIENTS_MAX];
    sim_ns until;
    bool expected;
    uint64_t bad_wires; /* nodes */
    uint64_t stopping;  /* nodes */
    size_t tables_open;
    struct workload_counts counts;
};

/* --- Making ----------------------------------------------------------------------------------------- */

static void *allocated(size_t count, size_t bytes)
{
    void *p = calloc(count, bytes);
    if (p == NULL) {
        abort();
    }
    return p;
}

struct workload *workload_new(const struct workload_setup *setup)
{
    struct workload *wl = allocated(1, sizeof *wl);
    wl->setup = *setup;
    wl->nodes = setup->nodes;
    wl->random = world_random(setup->w, "workload", 0);
    wl->expected = true;
    wl->movers = allocated(setup->style.devices, sizeof *wl->movers);
    for (size_t i = 0; i < setup->style.devices; i++) {
        char name[LINES_LOCATION_MAX * 2];
        lines_name(name, sizeof name, i);
        wl->movers[i].device = checker_device(setup->checker, order_text_of(name));
        wl->movers[i].home = (unsigned)random_below(&wl->random, wl->nodes);
    }
    return wl;
}

static void forget(struct workload *wl, struct client *cl)
{
    wl->tables_open -= cl->table ? 1 : 0;
    free(cl->out.at);
    free(cl->in.at);
    free(cl->commands);
    *cl = (struct client){.used = false};
}

void workload_free(struct workload *wl)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        if (wl->clients[i].used) {
            forget(wl, &wl->clients[i]);
        }
    }
    free(wl->movers);
    free(wl);
}

static struct client *find(struct workload *wl, int handle)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        if (wl->clients[i].used && wl->clients[i].handle == handle) {
            return &wl->clients[i];
        }
    }
    return NULL;
}

static unsigned open_at(const struct workload *wl, unsigned node)
{
    unsigned count = 0;
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        count += wl->clients[i].used && wl->clients[i].node == node;
    }
    return count;
}

static const char *name_of(const struct workload *wl, const struct client *cl)
{
    return wl->setup.names[cl->node];
}

/* Whether the node goes on that took the connection. */
static bool is_same_life(const struct workload *wl, const struct client *cl)
{
    return world_node_state(wl->setup.w, cl->node) == NODE_RUNNING &&
           world_node_boots(wl->setup.w, cl->node) == cl->boots && cl->boots > 0;
}

static struct client *dial(struct workload *wl, unsigned node, unsigned limit, struct random *r)
{
    struct client *cl = NULL;
    for (unsigned i = 0; i < CLIENTS_MAX && cl == NULL; i++) {
        cl = wl->clients[i].used ? NULL : &wl->clients[i];
    }
    if (cl == NULL || open_at(wl, node) >= limit) {
        return NULL;
    }
    unsigned host = (unsigned)random_below(r, world_hosts(wl->setup.w));
    *cl = (struct client){.used = true,
                          .node = node,
                          .boots = world_node_boots(wl->setup.w, node),
                          .excused = !wl->expected ||
                                     ((wl->bad_wires | wl->stopping) >> node & 1) != 0 ||
                                     world_node_state(wl->setup.w, node) != NODE_RUNNING};
    cl->handle = world_connect(wl->setup.w, host, node, WORLD_CLIENT_PORT);
    wl->counts.connections++;
    return cl;
}

/* --- Commands --------------------------------------------------------------------------------------- */

static struct command *add_command(struct client *cl, enum kind kind)
{
    if (cl->count == cl->room) {
        cl->room = cl->room == 0 ? 16 : 2 * cl->room;
        cl->commands = realloc(cl->commands, cl->room * sizeof *cl->commands);
        if (cl->commands == NULL) {
            abort();
        }
    }
    struct command *command = &cl->commands[cl->count++];
    *command = (struct command){
        .kind = kind, .begin = cl->out.bytes, .report = CHECKER_NONE, .record = CHECKER_NONE};
    return command;
}

static void end_command(struct client *cl, bool newline)
{
    struct command *command = &cl->commands[cl->count - 1];
    command->bytes = cl->out.bytes - command->begin;
    if (newline) {
        lines_text(&cl->out, "\n");
    }
}

static int64_t stamp_of(const struct workload *wl, const struct mover *m, struct random *r)
{
    const struct workload_style *style = &wl->setup.style;
    int64_t now_ns = WORLD_EPOCH_NS + world_now(wl->setup.w);
    bool ahead = random_chance(r, style->ahead_ppm);
    bool near = random_chance(r, style->near_ppm);
    bool old = random_chance(r, style->old_ppm);
    if (ahead) {
        return now_ns + random_between(r, 61, random_chance(r, 500000) ? 300 : 1000000) * SIM_S;
    }
    if (near) {
        return now_ns + random_between(r, 0, 55000) * SIM_MS;
    }
    if (old) {
        return random_chance(r, 100000) ? random_between(r, 0, 5 * SIM_S)
                                        : now_ns - random_between(r, 1, 3600000) * SIM_MS;
    }
    (void)m;
    return now_ns - random_between(r, 0, 2 * SIM_S);
}

static struct order_text device_name(const struct workload *wl, const struct mover *m)
{
    return checker_device_name(wl->setup.checker, m->device);
}

static void add_iamat(struct workload *wl, struct client *cl, struct mover *m, struct random *r)
{
    const struct workload_style *style = &wl->setup.style;
    struct command *command = add_command(cl, IAMAT);
    bool same = random_chance(r, style->same_ppm);
    bool equal = random_chance(r, style->equal_ppm);
    command->device = m->device;
    if (m->said_count > 0 && (same || equal)) {
        const struct said *said = &m->said[random_below(r, m->said_count)];
        memcpy(command->location, said->location, sizeof said->location);
        memcpy(command->stamp, said->stamp, sizeof said->stamp);
        if (!same && random_chance(r, 700000)) {
            lines_location(command->location, r);
        }
        if (!same && random_chance(r, 400000)) {
            lines_stamp(command->stamp, said->stamp_ns, true, r);
        }
    } else {
        lines_location(command->location, r);
        lines_stamp(command->stamp, stamp_of(wl, m, r), false, r);
    }
    struct said *place =
        &m->said[m->said_count < HISTORY ? m->said_count++ : random_below(r, HISTORY)];
    memcpy(place->location, command->location, sizeof place->location);
    memcpy(place->stamp, command->stamp, sizeof place->stamp);
    if (!order_parse_time(order_text_of(place->stamp), &place->stamp_ns)) {
        abort();
    }
    lines_iamat(&cl->out, device_name(wl, m), command->location, command->stamp,
                WORKLOAD_LINE_BYTES, r);
}

/* A device that speaks to this node, or comes to. */
static struct mover *choose(struct workload *wl, unsigned node, struct random *r)
{
    struct mover *m = NULL;
    size_t devices = wl->setup.style.devices;
    size_t few = devices < 4 ? devices : 4;
    for (unsigned i = 0; i < 4; i++) {
        bool hot = random_chance(r, 300000);
        m = &wl->movers[random_below(r, hot ? few : devices)];
        if (m->home == node || random_chance(r, wl->setup.style.move_ppm)) {
            break;
        }
    }
    m->home = node;
    return m;
}

static void add_any(struct workload *wl, struct client *cl, bool newline, struct random *r)
{
    const struct workload_style *style = &wl->setup.style;
    struct mover *m = choose(wl, cl->node, r);
    bool whatsat = random_chance(r, style->whatsat_ppm);
    bool places = random_chance(r, style->places_ppm);
    bool invalid = random_chance(r, style->invalid_ppm);
    bool is_long = random_chance(r, style->long_ppm);
    bool blank = random_chance(r, style->blank_ppm);
    char stamp[LINES_STAMP_MAX];
    if (blank) {
        add_command(cl, BLANK);
        lines_blank(&cl->out, r);
    } else if (invalid) {
        add_command(cl, INVALID);
        lines_stamp(stamp, WORLD_EPOCH_NS + world_now(wl->setup.w), false, r);
        if (is_long) {
            lines_long(&cl->out, device_name(wl, m), stamp, WORKLOAD_LINE_BYTES, r);
        } else {
            lines_invalid(&cl->out, device_name(wl, m), stamp, WORKLOAD_REPORT_BYTES, r);
        }
    } else if (whatsat) {
        struct command *command = add_command(cl, WHATSAT);
        command->device = m->device;
        command->places = places && !cl->stalled;
        lines_whatsat(&cl->out, device_name(wl, m), command->places, WORKLOAD_LINE_BYTES, r);
    } else {
        add_iamat(wl, cl, m, r);
    }
    end_command(cl, newline);
    wl->counts.commands++;
}

static void add_burst(struct workload *wl, struct client *cl, struct random *r)
{
    size_t before = cl->out.bytes;
    unsigned max = wl->setup.style.commands_max;
    bool few = random_chance(r, 700000);
    size_t count = 1 + (size_t)random_below(r, few ? (max < 8 ? max : 8) : max);
    for (size_t i = 0; i < count; i++) {
        bool half = i + 1 == count && cl->ending == END_HALF && cl->kept == 0;
        add_any(wl, cl, !half, r);
    }
    size_t bytes = cl->out.bytes - before;
    size_t least = bytes / PIECES_MAX + 1;
    cl->gap_ns = cl->chunk == 0 ? 0 : cl->lasts_ns / (sim_ns)(bytes / cl->chunk + 1);
    if (cl->piece > 0 && cl->piece < least) {
        cl->piece = least; /* a node's queue of frames is short: more would only be lost */
    }
}

/* --- Giving bytes to TCP ---------------------------------------------------------------------------- */

static size_t index_of(const struct workload *wl, const struct client *cl)
{
    return (size_t)(cl - wl->clients);
}

/* Slot and handle in one argument, so that a later client of the slot is not meant. */
static uint64_t argument_of(const struct workload *wl, const struct client *cl)
{
    return (uint64_t)(unsigned)cl->handle << 16 | index_of(wl, cl);
}

static struct client *client_of(struct workload *wl, uint64_t argument)
{
    struct client *cl = &wl->clients[argument & 0xFFFF];
    return cl->used && (uint64_t)(unsigned)cl->handle == argument >> 16 ? cl : NULL;
}

static void mark_given(struct workload *wl, struct client *cl, struct command *command)
{
    command->given = true;
    command->given_at = world_now(wl->setup.w);
    if (command->kind == IAMAT) {
        command->report =
            checker_reported(wl->setup.checker, command->device, cl->node,
                             order_text_of(command->location), order_text_of(command->stamp));
    } else if (command->kind == WHATSAT) {
        command->view = checker_view(wl->setup.checker, cl->node, command->device);
    }
}

/* Commands that are whole: their newline is given, or FIN comes behind them. */
static void mark_all_given(struct workload *wl, struct client *cl, bool at_end)
{
    while (cl->marked < cl->count) {
        struct command *command = &cl->commands[cl->marked];
        size_t end = command->begin + command->bytes;
        bool has_newline = end < cl->out.bytes;
        if (has_newline ? cl->given <= end : !(at_end && cl->given == end)) {
            break;
        }
        mark_given(wl, cl, command);
        cl->marked++;
    }
}

static void give(struct workload *wl, struct client *cl, size_t bytes)
{
    cl->given += bytes;
    mark_all_given(wl, cl, false);
    world_send(wl->setup.w, cl->handle, cl->out.at + cl->given - bytes, bytes, cl->piece);
}

static void finish(struct workload *wl, struct client *cl)
{
    if (!cl->finished) {
        cl->finished = true;
        mark_all_given(wl, cl, true);
        world_finish(wl->setup.w, cl->handle);
        wl->counts.fins++;
    }
}

static void more(void *context, uint64_t argument);

/* Blank lines get no answer. */
static void skip_blank(struct workload *wl, struct client *cl)
{
    while (cl->next < cl->count && cl->commands[cl->next].kind == BLANK &&
           cl->commands[cl->next].given) {
        wl->counts.blank++;
        cl->next++;
    }
}

/* Everything that it has to say is said, or the last of it is answered. */
static void go_on(struct workload *wl, struct client *cl)
{
    if (cl->finished || cl->given < cl->out.bytes) {
        return;
    }
    skip_blank(wl, cl);
    bool answered = cl->next == cl->count;
    if (cl->kept > 0 && cl->count < COMMANDS_MAX) {
        if (answered) {
            sim_ns pause_ns = random_between(&wl->random, 0, 8000) * SIM_MS;
            world_at(wl->setup.w, world_now(wl->setup.w) + pause_ns, more, wl, argument_of(wl, cl));
        }
    } else if (cl->ending == END_HALF || (!cl->waits && !cl->table) ||
               (answered && cl->ending == END_FIN)) {
        finish(wl, cl); /* perhaps behind commands that nobody has answered yet */
    }
}

static void pump(void *context, uint64_t argument)
{
    struct workload *wl = context;
    struct client *cl = client_of(wl, argument);
    if (cl == NULL || cl->finished) {
        return;
    }
    size_t left = cl->out.bytes - cl->given;
    size_t n = cl->chunk == 0 || cl->chunk > left ? left : cl->chunk;
    if (n > 0) {
        give(wl, cl, n);
    }
    if (cl->given < cl->out.bytes) {
        world_at(wl->setup.w, world_now(wl->setup.w) + cl->gap_ns, pump, wl, argument);
    } else {
        go_on(wl, cl);
    }
}

static void go_on_reading(void *context, uint64_t argument)
{
    struct workload *wl = context;
    struct client *cl = client_of(wl, argument);
    if (cl != NULL) {
        world_read(wl->setup.w, cl->handle, true);
    }
}

static void reset(void *context, uint64_t argument)
{
    struct workload *wl = context;
    struct client *cl = client_of(wl, argument);
    if (cl != NULL) {
        world_reset(wl->setup.w, cl->handle);
        wl->counts.resets++;
        forget(wl, cl);
    }
}

/* Another burst on a connection that stays. */
static void more(void *context, uint64_t argument)
{
    struct workload *wl = context;
    struct client *cl = client_of(wl, argument);
    if (cl == NULL || cl->finished) {
        return;
    }
    cl->kept--;
    add_burst(wl, cl, &wl->random);
    pump(wl, argument);
}

static void start_client(struct workload *wl, unsigned node, struct random *r)
{
    const struct workload_style *style = &wl->setup.style;
    struct client *cl = dial(wl, node, wl->setup.sessions_max, r);
    if (cl == NULL) {
        return;
    }
    static const size_t pieces[] = {1, 2, 7, 33, 100};
    bool in_pieces = random_chance(r, style->pieces_ppm);
    bool slow = random_chance(r, style->slow_ppm);
    bool half = random_chance(r, style->half_ppm);
    bool resets = random_chance(r, style->reset_ppm);
    bool stalls = random_chance(r, style->stall_ppm);
    bool keeps = random_chance(r, style->keep_ppm);
    size_t piece = pieces[random_below(r, 5)];
    size_t chunk = 1 + (size_t)random_below(r, 200);
    sim_ns now = world_now(wl->setup.w);
    cl->piece = in_pieces && !stalls ? piece : 0;
    sim_ns lasts = random_between(r, 1, SLOW_NS_MAX / SIM_MS) * SIM_MS;
    cl->chunk = slow ? chunk : 0;
    cl->ending = resets ? END_RESET : half ? END_HALF : END_FIN;
    cl->waits = random_chance(r, 500000);
    cl->kept = keeps && !resets ? 1 + (unsigned)random_below(r, 5) : 0;
    cl->stalled = stalls;
    cl->lasts_ns = lasts;
    add_burst(wl, cl, r);
    uint64_t argument = argument_of(wl, cl);
    if (stalls) {
        world_read(wl->setup.w, cl->handle, false);
        world_at(wl->setup.w, now + random_between(r, 1, 5000) * SIM_MS, go_on_reading, wl,
                 argument);
    }
    if (resets) {
        world_at(wl->setup.w, now + random_between(r, 0, 400000) * SIM_US, reset, wl, argument);
    }
    pump(wl, argument);
}

static void burst(void *context, uint64_t argument)
{
    struct workload *wl = context;
    struct random *r = &wl->random;
    (void)argument;
    sim_ns now = world_now(wl->setup.w);
    if (now >= wl->until) {
        return;
    }
    start_client(wl, (unsigned)random_below(r, wl->nodes), r);
    world_at(wl->setup.w, now + random_between(r, 0, 2 * wl->setup.style.pause_ns), burst, wl, 0);
}

/* --- Answers ---------------------------------------------------------------------------------------- */

static void fail_answer(const struct workload *wl, const struct client *cl,
                        const struct command *command, const char *what)
{
    struct order_text line = {cl->out.at + command->begin, command->bytes};
    struct order_text answer = {cl->in.at + cl->taken, cl->in.bytes - cl->taken};
    world_fail(wl->setup.w, "answer", "%s: %s, to the line \"%.*s\" came \"%.*s\"", name_of(wl, cl),
               what, (int)(line.bytes < 200 ? line.bytes : 200), line.at,
               (int)(answer.bytes < 200 ? answer.bytes : 200), answer.at);
}

/* The rest of what came, up to the next newline; false when that is not here yet. */
static bool next_line(const struct client *cl, size_t from, struct order_text *line)
{
    const char *begin = cl->in.at + from;
    const char *newline = memchr(begin, '\n', cl->in.bytes - from);
    if (newline == NULL) {
        return false;
    }
    *line = (struct order_text){begin, (size_t)(newline - begin)};
    return true;
}

/* Bytes of the answer, 0 when they are not all here. */
static size_t take_echo(struct workload *wl, struct client *cl, const struct command *command)
{
    const char *in = cl->in.at + cl->taken;
    const char *line = cl->out.at + command->begin;
    size_t have = cl->in.bytes - cl->taken;
    size_t whole = command->bytes + 3;
    for (size_t i = 0; i < have && i < whole; i++) {
        char expected = i == 0 ? '?' : i == 1 ? ' ' : i + 1 == whole ? '\n' : line[i - 2];
        if (in[i] != expected) {
            fail_answer(wl, cl, command, "not a copy of the line");
            return 0;
        }
    }
    return have < whole ? 0 : whole;
}

static bool is_for(const struct workload *wl, const struct command *command,
                   const struct order_at *at)
{
    return order_text_equal(at->device, checker_device_name(wl->setup.checker, command->device));
}

static size_t take_iamat(struct workload *wl, struct client *cl, struct command *command)
{
    struct order_text line;
    struct order_at at;
    if (!next_line(cl, cl->taken, &line)) {
        return 0;
    }
    if (!order_parse_at(line, &at) || !is_for(wl, command, &at) ||
        !order_text_equal(at.server, order_text_of(name_of(wl, cl))) ||
        !order_text_equal(at.location, order_text_of(command->location)) ||
        !order_text_equal(at.stamp, order_text_of(command->stamp))) {
        fail_answer(wl, cl, command, "not the answer to this report");
        return 0;
    }
    checker_answered(wl->setup.checker, command->report, cl->life, at.difference_ns);
    return line.bytes + 1;
}

/* What commands before it on this connection were told about the device counts, too: they are served in
 * order. */
static struct checker_view view_of(const struct workload *wl, const struct client *cl,
                                   const struct command *command)
{
    struct checker_view view = command->view;
    size_t first = cl->next > 64 ? cl->next - 64 : 0;
    for (size_t i = first; i < cl->next; i++) {
        const struct command *before = &cl->commands[i];
        struct checker_view shown = {cl->life, CHECKER_NONE, CHECKER_NONE};
        if (before->device == command->device &&
            (before->kind == IAMAT || before->kind == WHATSAT)) {
            shown.record = before->record;
            shown.report = before->report;
            if (view.life != cl->life) {
                view = shown;
            }
            checker_view_add(wl->setup.checker, &view, &shown);
        }
    }
    return view;
}

static size_t take_json(struct workload *wl, struct client *cl, const struct command *command,
                        size_t from)
{
    const char *in = cl->in.at + from;
    size_t have = cl->in.bytes - from;
    struct order_text line;
    struct order_text empty;
    if (!command->places) {
        size_t whole = sizeof zero_results - 1;
        size_t part = have < whole ? have : whole;
        if (memcmp(in, zero_results, part) != 0) {
            fail_answer(wl, cl, command, "not the JSON of no results");
        }
        return have < whole ? 0 : whole;
    }
    if (!next_line(cl, from, &line) || !next_line(cl, from + line.bytes + 1, &empty)) {
        return 0;
    }
    size_t shape = sizeof no_results - 1;
    if (line.bytes < shape + 2 || memcmp(line.at, no_results, shape) != 0 ||
        memcmp(line.at + line.bytes - 2, "\"}", 2) != 0 || empty.bytes != 0) {
        fail_answer(wl, cl, command, "not the JSON of a failure");
    }
    return line.bytes + 2;
}

static size_t take_whatsat(struct workload *wl, struct client *cl, struct command *command)
{
    struct order_text line;
    struct order_at at;
    struct checker_view view = view_of(wl, cl, command);
    if (cl->in.at[cl->taken] == '?') {
        size_t bytes = take_echo(wl, cl, command);
        if (bytes > 0) {
            wl->counts.unknown++;
            checker_missed(wl->setup.checker, cl->node, cl->life, command->device, &view);
        }
        return bytes;
    }
    if (!next_line(cl, cl->taken, &line)) {
        return 0;
    }
    if (!order_parse_at(line, &at) || !is_for(wl, command, &at)) {
        fail_answer(wl, cl, command, "not an AT line of this device");
        return 0;
    }
    size_t json = take_json(wl, cl, command, cl->taken + line.bytes + 1);
    if (json == 0) {
        return 0;
    }
    command->record =
        checker_read(wl->setup.checker, cl->node, cl->life, command->device, &view, &at);
    if (cl->table) {
        checker_table_has(wl->setup.checker, cl->node, command->device, command->record);
    }
    return line.bytes + 1 + json;
}

static size_t take_answer(struct workload *wl, struct client *cl, struct command *command)
{
    if (command->kind == INVALID) {
        return take_echo(wl, cl, command);
    }
    if (!command->given) {
        fail_answer(wl, cl, command, "an answer before the command was whole");
        return 0;
    }
    return command->kind == IAMAT ? take_iamat(wl, cl, command) : take_whatsat(wl, cl, command);
}

static void count_answer(struct workload *wl, const struct command *command)
{
    sim_ns took_ns = world_now(wl->setup.w) - command->given_at;
    wl->counts.answers++;
    wl->counts.iamat += command->kind == IAMAT;
    wl->counts.whatsat += command->kind == WHATSAT;
    wl->counts.invalid += command->kind == INVALID;
    if (command->given && took_ns > wl->counts.slowest_ns) {
        wl->counts.slowest_ns = took_ns;
    }
}

static void take_answers(struct workload *wl, struct client *cl)
{
    skip_blank(wl, cl);
    while (cl->taken < cl->in.bytes && !world_failed(wl->setup.w)) {
        if (cl->next == cl->count) {
            world_fail(wl->setup.w, "answer", "%s: \"%.*s\" answers no command", name_of(wl, cl),
                       (int)(cl->in.bytes - cl->taken), cl->in.at + cl->taken);
            return;
        }
        struct command *command = &cl->commands[cl->next];
        size_t bytes = take_answer(wl, cl, command);
        if (bytes == 0) {
            return;
        }
        cl->taken += bytes;
        cl->next++;
        count_answer(wl, command);
        skip_blank(wl, cl);
    }
}

/* --- What the world tells --------------------------------------------------------------------------- */

bool workload_connected(struct workload *wl, int connection)
{
    struct client *cl = find(wl, connection);
    if (cl == NULL) {
        return false;
    }
    unsigned boots = world_node_boots(wl->setup.w, cl->node);
    if (boots != cl->boots) { /* it started while we dialled */
        cl->excused = true;
        cl->boots = boots;
    }
    cl->life = boots;
    return true;
}

bool workload_data(struct workload *wl, int connection, const uint8_t *data, size_t bytes)
{
    struct client *cl = find(wl, connection);
    if (cl == NULL) {
        return false;
    }
    lines_put(&cl->in, data, bytes);
    take_answers(wl, cl);
    if (cl->next == cl->count) {
        go_on(wl, cl);
    }
    return true;
}

static const char *closed_name(int reason)
{
    return reason == WORLD_CLOSED_FIN       ? "ended"
           : reason == WORLD_CLOSED_RESET   ? "reset"
           : reason == WORLD_CLOSED_REFUSED ? "refused"
                                            : "left without acknowledgement";
}

static void check_end(struct workload *wl, struct client *cl, int reason)
{
    skip_blank(wl, cl);
    bool complete = cl->next == cl->count && cl->taken == cl->in.bytes;
    bool broken = cl->excused || !is_same_life(wl, cl);
    bool wrong_end = (!cl->finished || !complete) && is_same_life(wl, cl) && !cl->stopping;
    if (reason == WORLD_CLOSED_FIN ? wrong_end : !broken) {
        world_fail(wl->setup.w, "answer",
                   "%s: a connection was %s after %zu of %zu commands (FIN %s, node %s)",
                   name_of(wl, cl), closed_name(reason), cl->next, cl->count,
                   cl->finished ? "sent" : "not sent",
                   is_same_life(wl, cl) ? "runs" : "is another");
    }
    if (cl->table && !complete) {
        world_fail(wl->setup.w, "alive", "%s: reading its table: %s after %zu of %zu answers",
                   name_of(wl, cl), closed_name(reason), cl->next, cl->count);
    }
}

bool workload_closed(struct workload *wl, int connection, int reason)
{
    struct client *cl = find(wl, connection);
    if (cl == NULL) {
        return false;
    }
    wl->counts.refused += reason == WORLD_CLOSED_REFUSED;
    wl->counts.timeouts += reason == WORLD_CLOSED_TIMEOUT;
    check_end(wl, cl, reason);
    forget(wl, cl);
    return true;
}

/* --- What the scenario tells ------------------------------------------------------------------------ */

void workload_excuse(struct workload *wl, unsigned node)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        if (wl->clients[i].used && wl->clients[i].node == node) {
            wl->clients[i].excused = true;
        }
    }
}

void workload_wires(struct workload *wl, unsigned node, bool bad)
{
    uint64_t bit = UINT64_C(1) << node;
    wl->bad_wires = bad ? wl->bad_wires | bit : wl->bad_wires & ~bit;
    workload_excuse(wl, node);
}

void workload_stopping(struct workload *wl, unsigned node, bool stopping)
{
    uint64_t bit = UINT64_C(1) << node;
    wl->stopping = stopping ? wl->stopping | bit : wl->stopping & ~bit;
    workload_excuse(wl, node);
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        if (wl->clients[i].used && wl->clients[i].node == node) {
            wl->clients[i].stopping = true;
        }
    }
}

void workload_expect_answers(struct workload *wl, bool expected)
{
    wl->expected = expected;
    wl->bad_wires = 0;
    for (unsigned node = 0; node < wl->nodes && !expected; node++) {
        workload_excuse(wl, node);
    }
}

static void check_alive(void *context, uint64_t argument)
{
    struct workload *wl = context;
    sim_ns now = world_now(wl->setup.w);
    (void)argument;
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        struct client *cl = &wl->clients[i];
        if (!cl->used || cl->excused || !is_same_life(wl, cl)) {
            continue;
        }
        skip_blank(wl, cl);
        if (cl->next == cl->count) {
            continue;
        }
        const struct command *command = &cl->commands[cl->next];
        if (command->given && now - command->given_at > WORKLOAD_ANSWER_NS) {
            world_fail(wl->setup.w, "alive",
                       "%s: command %zu of %zu has no answer after %" PRId64 " s", name_of(wl, cl),
                       cl->next + 1, cl->count, (now - command->given_at) / SIM_S);
        }
    }
    world_at(wl->setup.w, now + ALIVE_CHECK_NS, check_alive, wl, 0);
}

void workload_start(struct workload *wl, sim_ns until)
{
    sim_ns now = world_now(wl->setup.w);
    wl->until = until;
    world_at(wl->setup.w, now, burst, wl, 0);
    world_at(wl->setup.w, now + ALIVE_CHECK_NS, check_alive, wl, 0);
}

void workload_report_all(struct workload *wl, uint64_t nodes)
{
    struct client *at[WORLD_NODES_MAX] = {NULL};
    unsigned count = 0;
    for (unsigned node = 0; node < wl->nodes; node++) {
        if ((nodes >> node & 1) != 0) {
            at[count] = dial(wl, node, CLIENTS_MAX, &wl->random);
            count += at[count] != NULL;
        }
    }
    for (size_t i = 0; i < wl->setup.style.devices && count > 0; i++) {
        struct client *cl = at[i % count];
        wl->movers[i].home = cl->node;
        add_iamat(wl, cl, &wl->movers[i], &wl->random);
        end_command(cl, true);
    }
    for (unsigned i = 0; i < count; i++) {
        pump(wl, argument_of(wl, at[i]));
    }
}

void workload_read_tables(struct workload *wl, uint64_t nodes)
{
    size_t devices = checker_devices(wl->setup.checker);
    checker_tables_begin(wl->setup.checker, nodes);
    for (unsigned node = 0; node < wl->nodes; node++) {
        struct client *cl =
            (nodes >> node & 1) == 0 ? NULL : dial(wl, node, CLIENTS_MAX, &wl->random);
        if (cl == NULL) {
            continue;
        }
        cl->table = true;
        wl->tables_open++;
        for (size_t device = 0; device < devices; device++) {
            struct command *command = add_command(cl, WHATSAT);
            command->device = device;
            lines_text(&cl->out, "WHATSAT ");
            struct order_text name = checker_device_name(wl->setup.checker, device);
            lines_put(&cl->out, name.at, name.bytes);
            lines_text(&cl->out, " 0 0");
            end_command(cl, true);
        }
        pump(wl, argument_of(wl, cl));
    }
}

bool workload_tables_are_read(const struct workload *wl)
{
    return wl->tables_open == 0;
}

void workload_end(struct workload *wl)
{
    wl->until = world_now(wl->setup.w);
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        if (wl->clients[i].used) {
            world_reset(wl->setup.w, wl->clients[i].handle);
            wl->counts.resets++;
            forget(wl, &wl->clients[i]);
        }
    }
}

void workload_drain(struct workload *wl)
{
    wl->until = world_now(wl->setup.w);
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        struct client *cl = &wl->clients[i];
        if (!cl->used) {
            continue;
        }
        cl->kept = 0;
        if (cl->given < cl->out.bytes) {
            world_reset(wl->setup.w, cl->handle);
            wl->counts.resets++;
            forget(wl, cl);
        } else {
            go_on(wl, cl);
        }
    }
}

unsigned workload_open(const struct workload *wl)
{
    unsigned count = 0;
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        count += wl->clients[i].used;
    }
    return count;
}

struct workload_counts workload_counts(const struct workload *wl)
{
    return wl->counts;
}
