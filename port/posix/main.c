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
#include "nv.h"
#include "options.h"
#include "posix.h"
#include "secrets.h"
#include "setup.h"

#define STOP_MS 1000 /* to say goodbye */
#define LAST_MS 200  /* for stdout to take the last lines */

enum { EXIT_STOPPED = 0, EXIT_FAILED = 1, EXIT_WRONG = 2 };

static struct config config;
static struct options o;
static volatile sig_atomic_t stops_asked;

/* --- Configuration ----------------------------------------------------------------------------- */

/* The command line's settings win over everything. */
static bool override(struct config *c)
{
    static char level[64]; /* until config_finish */
    bool ok = true;
    for (unsigned i = 0; ok && i < o.setting_count; i++) {
        ok = config_set(c, span_of(o.settings[i])) == HERD_OK;
    }
    if (ok && o.log_level != NULL) {
        (void)snprintf(level, sizeof level, "log.level=%s", o.log_level);
        ok = config_set(c, span_of(level)) == HERD_OK;
    }
    return ok;
}

/* The configuration of one node of the herd file, or false with the error text. */
static bool configure(struct span text, const char *node, struct text *error)
{
    config_begin(&config, span_of(o.herd_file), error);
    return config_read(&config, text) == HERD_OK && override(&config) &&
           config_finish(&config, span_of(node)) == HERD_OK &&
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
static bool check(struct span text, struct text *error)
{
    if (o.node[0] != '\0') {
        return configure(text, o.node, error);
    }
    (void)configure(text, "", error); /* fails for want of a name, but reads their names */
    bool any = false;
    for (unsigned i = 0; i < config.node_count; i++) {
        char name[sizeof config.nodes[0].name];
        memcpy(name, config.nodes[i].name, sizeof name);
        if (config.nodes[i].open) {
            continue;
        }
        any = true;
        if (!configure(text, name, error)) {
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

static void on_resume(int signal_number)
{
    (void)signal_number;
    posix_console_resumed();
    posix_wake();
}

static void handle_signals(void)
{
    static const int stopping[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction stop = {.sa_handler = on_stop};
    struct sigaction resume = {.sa_handler = on_resume};
    struct sigaction before;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigaction(SIGCONT, &resume, NULL);
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

static int run(const struct herd_boot *boot)
{
    if (posix_wake_init() != 0) {
        fprintf(stderr, "herd: no event descriptor: %s\n", strerror(errno));
        return EXIT_FAILED;
    }
    if (posix_console_open(o.log_file, o.console) != 0) {
        fprintf(stderr, "herd: %s: %s\n", o.log_file, strerror(errno));
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
    posix_console_close();
    return result;
}

static int wrong(struct text *error)
{
    fprintf(stderr, "herd: %s\n", text_cstr(error));
    return EXIT_WRONG;
}

/* Where the error is in the keys, their file goes in front, as the herd file's name does in its own. */
static int wrong_setup(struct text *error)
{
    if (setup_lacks_keys() && o.keys != NULL) {
        fprintf(stderr, "herd: %s: %s\n", o.keys, text_cstr(error));
        return EXIT_WRONG;
    }
    if (setup_lacks_keys()) {
        fprintf(stderr, "herd: %s (herd --keys FILE)\n", text_cstr(error));
        return EXIT_WRONG;
    }
    return wrong(error);
}

/* The node's own configuration, if it keeps one, else that of the herd file. */
static bool set_up(struct span text, struct span link_keys, struct text *error)
{
    static struct setup_factory factory;
    factory = (struct setup_factory){.herd_file = span_of(o.herd_file),
                                     .herd_text = text,
                                     .node = span_of(o.node),
                                     .link_keys = link_keys,
                                     .override = override};
    nv_start();
    return setup_start(&factory, &config, error) == HERD_OK;
}

int main(int argc, char **argv)
{
    static char error_buffer[PATH_MAX + 4096];
    CFG_SECRET static char key_text[SETUP_KEY_BYTES_MAX + 1];
    struct text error;
    struct herd_boot boot = {.config = &config};
    struct span text;
    struct span key;
    struct span link_keys = {NULL, 0};

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
        if (!check(text, &error)) {
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
    if (o.state != NULL && posix_flash_open(o.state) != 0) {
        return EXIT_WRONG;
    }
    if (o.keys != NULL && files_read_link_keys(o.keys, &link_keys) != 0) {
        return EXIT_WRONG;
    }
    if (!set_up(text, link_keys, &error)) {
        return wrong_setup(&error);
    }
    boot.link_keys = setup_link_keys();
    if (secrets_leave_out_of_dumps() != 0) {
        fprintf(stderr, "herd: warning: a core dump would show keys: %s\n", strerror(errno));
    }
    if (files_read_key(config.places.key_file, &key) != 0 ||
        (config.places.trust_file[0] != '\0' &&
         files_read_trust(config.places.trust_file, &boot.trust_pem) != 0)) {
        return EXIT_WRONG;
    }
    if (config.places.key_file[0] == '\0' && key.bytes < sizeof key_text) {
        memcpy(key_text, key.at,
               key.bytes); /* for the next start: it is not in the environment now */
    }
    posix_system_start(argv, key_text);
    setup_set_factory_key(key);
    boot.places_key = setup_places_key();
    if (o.no_clock) {
        posix_clock_forget();
    }
    return run(&boot);
}
