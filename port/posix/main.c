/* A node of the herd as a POSIX program: options, files and signals around herd_step. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config.h"
#include "files.h"
#include "hal_clock.h"
#include "hal_net.h"
#include "herd.h"
#include "log.h"
#include "options.h"
#include "posix.h"
#include "secrets.h"

#define STOP_MS 1000 /* to say goodbye */
#define LAST_MS 200  /* for stdout to take the last lines */

enum { EXIT_STOPPED = 0, EXIT_FAILED = 1, EXIT_WRONG = 2 };

static struct config config;
static volatile sig_atomic_t stops_asked;

/* --- Configuration ----------------------------------------------------------------------------- */

/* The configuration of one node, or false with the error text. */
static bool configure(const struct options *o, struct span text, const char *node,
                      struct text *error)
{
    char level[64];
    config_begin(&config, span_of(o->herd_file), error);
    bool ok = config_read(&config, text) == HERD_OK;
    for (unsigned i = 0; ok && i < o->setting_count; i++) {
        ok = config_set(&config, span_of(o->settings[i])) == HERD_OK;
    }
    if (ok && o->log_level != NULL) {
        (void)snprintf(level, sizeof level, "log.level=%s", o->log_level);
        ok = config_set(&config, span_of(level)) == HERD_OK;
    }
    return ok && config_finish(&config, span_of(node)) == HERD_OK &&
           config_check_addresses(&config, hal_net_addresses_are_real()) == HERD_OK;
}

static unsigned count_open(void)
{
    unsigned open = 0;
    for (unsigned i = 0; i < config.node_count; i++) {
        open += config.nodes[i].open;
    }
    return open;
}

static unsigned count_links(void)
{
    unsigned ends = 0;
    for (unsigned i = 0; i < config.node_count; i++) {
        for (uint32_t row = config.nodes[i].links; row != 0; row &= row - 1) {
            ends++;
        }
    }
    return ends / 2;
}

/* The named node; without a name every node of the file. The first failure decides. */
static bool check(const struct options *o, struct span text, struct text *error)
{
    if (o->node[0] != '\0') {
        return configure(o, text, o->node, error);
    }
    (void)configure(o, text, "", error); /* fails for want of a name, but reads their names */
    bool any = false;
    for (unsigned i = 0; i < config.node_count; i++) {
        char name[sizeof config.nodes[0].name];
        memcpy(name, config.nodes[i].name, sizeof name);
        if (config.nodes[i].open) {
            continue;
        }
        any = true;
        if (!configure(o, text, name, error)) {
            return false;
        }
    }
    return any;
}

/* --- Surroundings ------------------------------------------------------------------------------ */

static void on_stop(int signal_number)
{
    (void)signal_number;
    if (stops_asked > 0) {
        _exit(EXIT_FAILED);
    }
    stops_asked = 1;
    posix_wake();
}

static void handle_signals(void)
{
    static const int stopping[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction stop = {.sa_handler = on_stop};
    struct sigaction before;
    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof stopping / sizeof stopping[0]; i++) {
        /* What the parent had ignored (nohup) stays ignored. */
        if (sigaction(stopping[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
            (void)sigaction(stopping[i], &stop, NULL);
        }
    }
}

/* No socket may become the descriptor of a closed stdout: the log would go to a client. */
static void fill_standard_descriptors(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        (void)close(fd);
    }
}

/* libslirp takes a descriptor for each connection, and for some more. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 4096) {
        limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* --- Run --------------------------------------------------------------------------------------- */

static int run(const struct options *o, const struct herd_boot *boot)
{
    if (posix_wake_init() != 0) {
        fprintf(stderr, "herd: no event descriptor: %s\n", strerror(errno));
        return EXIT_FAILED;
    }
    if (posix_console_open(o->log_file) != 0) {
        fprintf(stderr, "herd: %s: %s\n", o->log_file, strerror(errno));
        return EXIT_WRONG;
    }
    raise_descriptor_limit();
    handle_signals();
    int result = EXIT_FAILED;
    if (herd_start(boot) == HERD_OK) {
        while (stops_asked == 0) {
            herd_step();
        }
        herd_stop();
        uint64_t deadline_ms = hal_clock_ms() + STOP_MS;
        while (!herd_stopped() && hal_clock_ms() < deadline_ms) {
            herd_step();
        }
        result = EXIT_STOPPED;
    }
    log_flush();
    posix_console_finish(LAST_MS);
    return result;
}

static int wrong(struct text *error)
{
    fprintf(stderr, "herd: %s\n", text_cstr(error));
    return EXIT_WRONG;
}

int main(int argc, char **argv)
{
    static char error_buffer[PATH_MAX + 4096];
    struct options o;
    struct text error;
    struct herd_boot boot = {.config = &config};
    struct span text;

    fill_standard_descriptors();
    enum options_result parsed = options_parse(&o, argc, argv);
    if (parsed != OPTIONS_RUN) {
        return parsed == OPTIONS_DONE ? EXIT_STOPPED : EXIT_WRONG;
    }
    text_init(&error, error_buffer, sizeof error_buffer);
    if (files_read_herd(o.herd_file, &text) != 0) {
        return EXIT_WRONG;
    }
    if (o.check) {
        if (!check(&o, text, &error)) {
            return wrong(&error);
        }
        unsigned open = count_open();
        printf("%s: ok, %u nodes, ", o.herd_file, config.node_count - open);
        if (open > 0) {
            printf("%u open neighbours, ", open);
        }
        printf("%u links\n", count_links());
        return EXIT_STOPPED;
    }
    if (!configure(&o, text, o.node, &error)) {
        return wrong(&error);
    }
    if (secrets_leave_out_of_dumps() != 0) {
        fprintf(stderr, "herd: warning: a core dump would show the places key: %s\n",
                strerror(errno));
    }
    if (files_read_key(config.places.key_file, &boot.places_key) != 0 ||
        (config.places.trust_file[0] != '\0' &&
         files_read_trust(config.places.trust_file, &boot.trust_pem) != 0)) {
        return EXIT_WRONG;
    }
    return run(&o, &boot);
}
