#include "herd.h"
#include "child.h"
#include "command.h"
#include "linkkeys.h"
#include "output.h"
#include "ready.h"
#include "rundir.h"
#include "say.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

/* The herd has to be gone 5 s after a signal: processes get 3 s to end by themselves. */
#define STOP_TERM_MS 3000
#define STOP_KILL_MS 1000
#define CHECK_MS     10000
#define POLL_MS_MAX  3600000
#define POLLS_MAX    (2 + CHILD_STREAMS * (HERDFILE_NODES_MAX + 1))
#define CHILDREN_MAX (HERDFILE_NODES_MAX + 1)

enum phase {
    PHASE_STARTING, /* not everything is up yet */
    PHASE_READY,    /* `herd is ready` has been said */
    PHASE_STOPPING, /* TERM has been sent */
    PHASE_KILLING,  /* KILL has been sent */
};

struct herd {
    const struct options *options;
    const struct herdfile *file;
    bool standin;
    struct command_texts texts;
    struct child children[CHILDREN_MAX]; /* the nodes in the order of the file, then the stand-in */
    size_t child_count;
    struct ready ready;
    bool standin_up;
    bool degraded; /* something has been down since the herd was ready */
    enum phase phase;
    int64_t deadline_ms; /* of the phase; INT64_MAX when it has none */
    int exit_code;
    int signal_fd;
    size_t name_bytes; /* of the longest name, to line up what is shown */
    struct output output;
};

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_node(const struct herd *herd, const struct child *child)
{
    return (size_t)(child - herd->children) < herd->file->node_count;
}

static size_t running_count(const struct herd *herd, size_t children)
{
    size_t count = 0;

    for (size_t i = 0; i < children; i++) {
        count += herd->children[i].pid != 0 ? 1U : 0U;
    }
    return count;
}

/* --- Ends --- */

static void stop(struct herd *herd, int exit_code)
{
    if (herd->phase >= PHASE_STOPPING) {
        return;
    }
    herd->phase = PHASE_STOPPING;
    herd->deadline_ms = now_ms() + STOP_TERM_MS;
    herd->exit_code = exit_code;
    for (size_t i = 0; i < herd->child_count; i++) {
        child_signal(&herd->children[i], SIGTERM);
        child_signal(&herd->children[i], SIGCONT); /* one that was stopped has to see it too */
    }
}

static void kill_all(struct herd *herd)
{
    herd->phase = PHASE_KILLING;
    herd->deadline_ms = now_ms() + STOP_KILL_MS;
    for (size_t i = 0; i < herd->child_count; i++) {
        child_signal(&herd->children[i], SIGKILL);
    }
}

/* The deadline of the phase has passed. */
static void on_deadline(struct herd *herd)
{
    if (herd->phase == PHASE_STARTING) {
        char missing[512];
        ready_missing(&herd->ready, missing, sizeof missing);
        say_error("not ready within %ld s, still missing: %s%s; the logs in %s say more",
                  herd->options->ready_seconds, missing,
                  herd->standin && !herd->standin_up ? " the Places stand-in" : "",
                  herd->options->run_dir);
        stop(herd, 1);
    } else if (herd->phase == PHASE_STOPPING) {
        kill_all(herd);
    }
}

/* --- Ready --- */

static void say_ports(const struct herd *herd, char *text, size_t bytes)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < herd->file->node_count && used < bytes; i++) {
        const struct herdfile_node *node = &herd->file->nodes[i];
        bool posix = strcmp(node->board, "posix") == 0;
        int wrote =
            herd->texts.tapnet != NULL
                ? snprintf(text + used, bytes - used, "%s%s %s", i > 0 ? ", " : "", node->name,
                           node->address)
                : snprintf(text + used, bytes - used, "%s%s %u%s%s", i > 0 ? ", " : "", node->name,
                           (unsigned)node->port, posix ? "" : " on ", posix ? "" : node->board);
        used += (size_t)(wrote > 0 ? wrote : 0);
    }
}

/* How the nodes are reached, where they are not on this machine's loopback. */
static void say_network(struct herd *herd)
{
    const struct tapnet *net = herd->texts.tapnet;

    if (net == NULL) {
        return;
    }
    output_line(&herd->output,
                "  network     %s, this machine is %s (%s); a look inside:", net->network,
                net->host_address, net->host_device);
    output_line(&herd->output, "              nsenter -t %ld -n tcpdump -ni " TAPNET_BRIDGE,
                (long)getpid());
    if (!herd->standin && !herd->file->places_none) {
        output_line(&herd->output,
                    "              the nodes reach the provider only if this machine forwards for "
                    "%s and is their gateway",
                    net->network);
    }
}

/* Neighbours of the older kind are programs of other makes: whoever has them starts them. */
static void say_open(struct herd *herd)
{
    for (size_t i = 0; i < herd->file->open_count; i++) {
        const struct herdfile_open *open = &herd->file->open[i];
        char nodes[1024] = "";
        size_t used = 0;
        for (size_t n = 0; n < herd->file->node_count && used < sizeof nodes; n++) {
            const struct herdfile_node *node = &herd->file->nodes[n];
            if (open->linked[n]) {
                int wrote =
                    snprintf(nodes + used, sizeof nodes - used, "%s%s at %s port %u",
                             used > 0 ? ", " : "", node->name, node->address, (unsigned)node->port);
                used += (size_t)(wrote > 0 ? wrote : 0);
            }
        }
        output_line(&herd->output,
                    "  not here    %s: start it to listen at %s port %u and to send %s lines to %s",
                    open->name, open->address, (unsigned)open->port,
                    strcmp(open->dialect, "update") == 0 ? "UPDATE" : "AT",
                    used > 0 ? nodes : "nobody: no node is linked with it");
    }
}

static void say_ready(struct herd *herd)
{
    static const char device[] = "kiwi.cs.ucla.edu";
    const struct herdfile_node *first = &herd->file->nodes[0];
    const char *default_file = "tools/herds/bailey.conf";
    bool other_file = strcmp(herd->options->herd_file, default_file) != 0;
    struct output *output = &herd->output;
    struct timespec now;
    char ports[1024];

    (void)clock_gettime(CLOCK_REALTIME, &now);
    say_ports(herd, ports, sizeof ports);
    output_line(output, "herd is ready");
    output_line(output, "  connect     nc %s %u        (%s)", first->address, (unsigned)first->port,
                ports);
    output_line(output, "  and type    IAMAT %s +34.068930-118.445127 %lld.%09ld", device,
                (long long)now.tv_sec, now.tv_nsec);
    output_line(output, "              WHATSAT %s 10 5", device);
    output_line(output, "  or          %s%s%s whatsat %s 10 5        (--help tells more)",
                herd->options->herdctl, other_file ? " -c " : "",
                other_file ? herd->options->herd_file : "", device);
    output_line(output, "  places      %s",
                herd->standin             ? "from the stand-in on this machine"
                : herd->file->places_none ? "none: the herd file says provider = none"
                                          : "from the provider itself, with your key");
    say_network(herd);
    say_open(herd);
    output_line(output, "  logs in     %s        Ctrl-C ends the herd", herd->options->run_dir);
}

static void look_whether_ready(struct herd *herd)
{
    bool complete = ready_complete(&herd->ready) && (!herd->standin || herd->standin_up);

    if (herd->phase == PHASE_STARTING && complete) {
        herd->phase = PHASE_READY;
        herd->deadline_ms = INT64_MAX;
        say_ready(herd);
    } else if (herd->phase == PHASE_READY && !complete) {
        herd->degraded = true;
    } else if (herd->phase == PHASE_READY && herd->degraded) {
        herd->degraded = false;
        output_line(&herd->output, "herd-run: the herd is complete again");
    }
}

/* --- What children say and how they end --- */

/* A program would have ended; a board waits for somebody at its console. */
static bool cannot_start(const struct herd *herd, const struct child *child, const char *line)
{
    const char *board = herd->file->nodes[child - herd->children].board;

    return strncmp(board, "posix", 5) != 0 && (strstr(line, " error setup.needed ") != NULL ||
                                               strstr(line, " error node.failed ") != NULL);
}

static void on_line(void *context, struct child *child, const char *line)
{
    struct herd *herd = context;

    if (!herd->options->quiet) {
        output_line(&herd->output, "%-*s | %s", (int)herd->name_bytes, child->name, line);
    }
    if (is_node(herd, child)) {
        ready_line(&herd->ready, (size_t)(child - herd->children), line);
        if (herd->phase == PHASE_STARTING && cannot_start(herd, child, line)) {
            say_error("%s cannot start; its log in %s says why", child->name,
                      herd->options->run_dir);
            stop(herd, 1);
        }
    } else if (strncmp(line, "ready port=", 11) == 0) {
        herd->standin_up = true;
    }
    look_whether_ready(herd);
}

static void on_end(struct herd *herd, struct child *child)
{
    char how[640];

    if (is_node(herd, child)) {
        rundir_note_pid(herd->options->run_dir, child->name, 0);
        ready_ended(&herd->ready, (size_t)(child - herd->children));
    } else {
        herd->standin_up = false;
    }
    if (herd->phase >= PHASE_STOPPING) {
        return;
    }
    child_describe_end(child, how, sizeof how);
    output_flush(&herd->output); /* so that its last lines stand before this one */
    const char *who = is_node(herd, child) ? child->name : "the Places stand-in";
    if (herd->phase == PHASE_STARTING) {
        say_error("%s ended before the herd was ready: %s", who, how);
        stop(herd, 1);
    } else if (running_count(herd, herd->file->node_count) == 0) {
        say_error("%s ended: %s; it was the last node", who, how);
        stop(herd, 1);
    } else {
        say_error("%s ended: %s; the others go on (kill -USR1 %ld starts it again)", who, how,
                  (long)getpid());
        look_whether_ready(herd);
    }
}

static void reap(struct herd *herd)
{
    for (size_t i = 0; i < herd->child_count; i++) {
        if (child_reap(&herd->children[i], on_line, herd)) {
            on_end(herd, &herd->children[i]);
        }
    }
}

static bool start(struct herd *herd, struct child *child)
{
    if (!child_start(child)) {
        return false;
    }
    if (is_node(herd, child)) {
        rundir_note_pid(herd->options->run_dir, child->name, child->pid);
    }
    return true;
}

static void restart_ended(struct herd *herd)
{
    for (size_t i = 0; herd->phase == PHASE_READY && i < herd->child_count; i++) {
        if (herd->children[i].pid == 0 && start(herd, &herd->children[i])) {
            output_line(&herd->output, "herd-run: %s is started again", herd->children[i].name);
        }
    }
}

/* --- The loop --- */

static void on_signal(struct herd *herd)
{
    struct signalfd_siginfo info;

    while (read(herd->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        switch (info.ssi_signo) {
        case SIGCHLD:
            break; /* the loop looks for ended children after every wait */
        case SIGUSR1:
            restart_ended(herd);
            break;
        default:
            if (herd->phase == PHASE_STOPPING) {
                kill_all(herd); /* asked twice: do not wait any longer */
            }
            stop(herd, 0);
        }
    }
}

/* SIGCHLD and what ends the herd become readable instead of interrupting; children unblock them. */
static bool take_signals(struct herd *herd)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD, SIGUSR1};
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        (void)sigaddset(&set, numbers[i]);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    herd->signal_fd = -1;
    if (sigprocmask(SIG_BLOCK, &set, NULL) == 0) {
        herd->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    }
    if (herd->signal_fd < 0) {
        say_error("cannot take signals: %s", strerror(errno));
    }
    return herd->signal_fd >= 0;
}

static void wait_for_something(struct herd *herd)
{
    struct pollfd polls[POLLS_MAX];
    nfds_t count = 0;
    int64_t left_ms = herd->deadline_ms == INT64_MAX ? POLL_MS_MAX : herd->deadline_ms - now_ms();

    polls[count++] = (struct pollfd){.fd = herd->signal_fd, .events = POLLIN};
    /* Without output waiting only a reader that went away is of interest (POLLERR is implied). */
    polls[count++] = (struct pollfd){.fd = herd->output.broken ? -1 : STDOUT_FILENO,
                                     .events = herd->output.used > 0 ? POLLOUT : 0};
    for (size_t i = 0; i < herd->child_count; i++) {
        for (size_t stream = 0; stream < CHILD_STREAMS; stream++) {
            polls[count++] =
                (struct pollfd){.fd = herd->children[i].pipes[stream].fd, .events = POLLIN};
        }
    }
    left_ms = left_ms < 0 ? 0 : left_ms > POLL_MS_MAX ? POLL_MS_MAX : left_ms;
    (void)poll(polls, count, (int)left_ms);
    if ((polls[1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
        herd->output.broken = true;
    }
}

static void loop(struct herd *herd)
{
    while (running_count(herd, herd->child_count) > 0) {
        wait_for_something(herd);
        on_signal(herd);
        for (size_t i = 0; i < herd->child_count; i++) {
            child_read(&herd->children[i], on_line, herd);
        }
        reap(herd);
        output_flush(&herd->output);
        if (herd->output.broken && herd->phase < PHASE_STOPPING) {
            say_error("nobody reads stdout any more; the herd ends (> FILE keeps it going)");
            stop(herd, 1);
        }
        if (now_ms() >= herd->deadline_ms) {
            if (herd->phase == PHASE_KILLING) {
                break; /* not even KILL helped (a process in the kernel's hands): leave it */
            }
            on_deadline(herd);
        }
    }
}

static void prepare_children(struct herd *herd)
{
    for (size_t i = 0; i < herd->file->node_count; i++) {
        command_node(herd->options, herd->file, i, herd->standin, false, &herd->texts,
                     &herd->children[i]);
        /* Logs are of this run only. */
        (void)unlink(herd->texts.logs[i]);
        size_t bytes = strlen(herd->file->nodes[i].name);
        herd->name_bytes = bytes > herd->name_bytes ? bytes : herd->name_bytes;
    }
    herd->child_count = herd->file->node_count;
    if (herd->standin) {
        command_standin(herd->options, &herd->texts, &herd->children[herd->child_count++]);
    }
}

int herd_run(const struct options *options, const struct herdfile *file, bool standin,
             const struct tapnet *tapnet)
{
    static struct herd herd; /* static for its size */

    herd.options = options;
    herd.file = file;
    herd.standin = standin;
    herd.name_bytes = sizeof "places" - 1;
    ready_init(&herd.ready, file);
    if (!command_prepare(options, file, standin, tapnet, &herd.texts) ||
        (options->keys == NULL && !linkkeys_throw_away(file, herd.texts.keys_directory)) ||
        !take_signals(&herd)) {
        return 1;
    }
    herd.deadline_ms =
        options->ready_seconds > 0 ? now_ms() + options->ready_seconds * 1000 : INT64_MAX;
    prepare_children(&herd);
    /* The stand-in, last in the list, goes first: it has certificates to read. */
    for (size_t i = herd.child_count; i > 0 && herd.phase == PHASE_STARTING; i--) {
        if (!start(&herd, &herd.children[i - 1])) {
            stop(&herd, 1);
        }
    }
    loop(&herd);
    output_finish(&herd.output, 500);
    (void)close(herd.signal_fd);
    return herd.exit_code;
}

/* --- The check before the start --- */

static void ignore_line(void *context, struct child *child, const char *line)
{
    (void)context;
    (void)child;
    (void)line;
}

/* Waits for the end of a check; false when it does not end. */
static bool wait_for_check(struct child *child)
{
    int64_t deadline_ms = now_ms() + CHECK_MS;

    while (!child_reap(child, ignore_line, NULL)) {
        struct pollfd polls[CHILD_STREAMS];
        bool open = false;
        for (size_t i = 0; i < CHILD_STREAMS; i++) {
            polls[i] = (struct pollfd){.fd = child->pipes[i].fd, .events = POLLIN};
            open = open || child->pipes[i].fd >= 0;
        }
        /* Its pipes close a moment before it can be reaped. */
        (void)poll(polls, CHILD_STREAMS, open ? 100 : 1);
        child_read(child, ignore_line, NULL);
        if (now_ms() > deadline_ms) {
            child_signal(child, SIGKILL);
            return false;
        }
    }
    return true;
}

bool herd_check_file(const struct options *options, const struct herdfile *herd)
{
    static struct command_texts texts;
    static struct child child;

    memset(&texts, 0, sizeof texts);
    if (!command_prepare(options, herd, false, NULL, &texts)) {
        return false;
    }
    for (size_t i = 0; i < herd->node_count; i++) {
        command_node(options, herd, i, false, true, &texts, &child);
        if (!child_start(&child)) {
            return false;
        }
        if (!wait_for_check(&child)) {
            say_error("%s --check does not end; is %s the node program?", options->node_bin,
                      options->node_bin);
            return false;
        }
        if (child.status != 0) {
            char how[640];
            child_describe_end(&child, how, sizeof how);
            /* The node's own line names file, line and key: nothing to add but who says it. */
            const char *line = child.last_error[0] != '\0' ? child.last_error : how;
            say_error("%s", strncmp(line, "herd: ", 6) == 0 ? line + 6 : line);
            return false;
        }
    }
    return true;
}
