#include "options.h"
#include "args.h"
#include "say.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "herd-run: start a whole herd on this machine, and end it again\n"
    "\n"
    "  herd-run [options] HERD_FILE\n"
    "\n"
    "Starts the Places stand-in and one node per [node NAME] of the herd file, shows their log\n"
    "lines with the node's name in front, and says `herd is ready` once every node takes commands\n"
    "and every link is up. Ctrl-C (or SIGTERM) ends all of them; a second one does not wait.\n"
    "A node that ends later is reported and the others go on: `kill $(cat build/run/Clark.pid)`\n"
    "shows how a herd lives without Clark, and SIGUSR1 to herd-run starts what has ended again.\n"
    "A node with `board = NAME` in the herd file is that board under QEMU (build/NAME/herd).\n"
    "\n"
    "      --places-key-file FILE  no stand-in: ask Google itself, with the API key in FILE.\n"
    "                              Also when the herd file has a key_file of its own\n"
    "      --keys DIR              the keys of the links, from herdctl keys; without it throw-away "
    "keys\n"
    "                              are made in the run directory at each start\n"
    "      --quiet                 do not show the nodes' log lines (they are in the run "
    "directory)\n"
    "      --log-level LEVEL       error, warn, info or debug, in place of the herd file's\n"
    "      --set SECTION.KEY=VALUE handed to every node: overrides the herd file; may be repeated\n"
    "      --net NET               slirp: nodes listen on this machine, for any user (default);\n"
    "                              tap: each is a host with its own address on a bridge, in a\n"
    "                              network namespace of their own; needs root\n"
    "      --answer-file FILE      a real answer that the stand-in serves\n"
    "      --standin-port P        port of the stand-in (any free one)\n"
    "      --control-port P        port on which the stand-in takes `fault NAME`, `stats`, "
    "`reset`\n"
    "      --ready-timeout S       give up when the herd is not ready after S seconds (60; 0 "
    "never)\n"
    "      --run-dir DIR           NAME.log and NAME.pid of each node (build/run); one herd each.\n"
    "                              NAME.BOARD.state is what a board under QEMU keeps\n"
    "      --node-bin PATH         the node program (build/posix/herd)\n"
    "      --standin PATH          the stand-in (build/tools/places-standin)\n"
    "      --certs DIR             its test certificates (build/certs)\n"
    "  -h, --help                  this text\n"
    "\n"
    "`build` above is the directory in which herd-run itself was built.\n"
    "Log files stay when the herd ends, until the next start.\n"
    "\n"
    "  herd-run tools/herds/bailey.conf\n"
    "  sudo herd-run --net tap tools/herds/bailey-tap.conf\n"
    "  herd-run --quiet --places-key-file ~/places.key tools/herds/goloman.conf\n"
    "\n"
    "Exit status: 0 ended by a signal; 1 a node or the stand-in failed before the herd was ready,\n"
    "all nodes have ended, or a port is in use; 2 arguments or herd file cannot be used.\n";

void options_help(void)
{
    (void)fputs(help, stdout);
}

/* Programs of one build stand beside each other: herd-run in BUILD/tools, nodes in BUILD/posix. */
static void set_defaults(const char *program, struct options *options)
{
    const int room = PATH_MAX - 32; /* the longest name appended below */
    const char *slash = strrchr(program, '/');
    int bytes = 0;

    if (slash != NULL) {
        const char *before = memrchr(program, '/', (size_t)(slash - program));
        bytes = before != NULL ? (int)(before - program) : 0;
    }
    const char *build = bytes > 0 && bytes < room ? program : "build";
    bytes = build == program ? bytes : (int)strlen(build);
    (void)snprintf(options->build, PATH_MAX, "%.*s", bytes, build);
    (void)snprintf(options->default_node_bin, PATH_MAX, "%.*s/posix/herd", bytes, build);
    (void)snprintf(options->default_standin, PATH_MAX, "%.*s/tools/places-standin", bytes, build);
    (void)snprintf(options->default_certs, PATH_MAX, "%.*s/certs", bytes, build);
    if (access(options->default_certs, R_OK) != 0) {
        /* A build under sanitizers lies inside the plain one and shares its certificates. */
        (void)snprintf(options->default_certs, PATH_MAX, "%.*s/../certs", bytes, build);
    }
    (void)snprintf(options->default_run_dir, PATH_MAX, "%.*s/run", bytes, build);
    (void)snprintf(options->herdctl, PATH_MAX, "%.*s/tools/herdctl", bytes, build);
    options->node_bin = options->default_node_bin;
    options->standin = options->default_standin;
    options->certs = options->default_certs;
    options->run_dir = options->default_run_dir;
    options->net = "slirp";
    options->ready_seconds = 60;
}

static bool read_port(const char *name, const char *text, uint16_t *port)
{
    long number = 0;

    if (text != NULL && !args_number(name, text, 1, 65535, &number)) {
        return false;
    }
    *port = (uint16_t)number;
    return true;
}

bool options_read(int argc, char **argv, struct options *options)
{
    const char *standin_port = NULL;
    const char *control_port = NULL;
    const char *ready_timeout = NULL;
    const char *words[1];
    const struct args_option known[] = {
        {.name = "places-key-file", .value = &options->places_key_file},
        {.name = "keys", .value = &options->keys},
        {.name = "quiet", .flag = &options->quiet},
        {.name = "log-level", .value = &options->log_level},
        {.name = "set",
         .value = options->sets,
         .many = &options->set_count,
         .many_max = OPTIONS_SETS_MAX},
        {.name = "net", .value = &options->net},
        {.name = "answer-file", .value = &options->answer_file},
        {.name = "standin-port", .value = &standin_port},
        {.name = "control-port", .value = &control_port},
        {.name = "ready-timeout", .value = &ready_timeout},
        {.name = "run-dir", .value = &options->run_dir},
        {.name = "node-bin", .value = &options->node_bin},
        {.name = "standin", .value = &options->standin},
        {.name = "certs", .value = &options->certs},
        {.letter = 'h', .name = "help", .flag = &options->help},
    };

    set_defaults(argv[0], options);
    int count = args_sort(argc, argv, known, sizeof known / sizeof known[0], words, 1);
    if (count < 0) {
        return false;
    }
    if (options->help) {
        return true;
    }
    if (count == 0) {
        say_error("which herd? herd-run [options] HERD_FILE, such as tools/herds/bailey.conf");
        return false;
    }
    options->herd_file = words[0];
    if (strcmp(options->net, "slirp") != 0 && strcmp(options->net, "tap") != 0) {
        say_error("--net %s: right is slirp or tap", options->net);
        return false;
    }
    if (ready_timeout != NULL &&
        !args_number("--ready-timeout", ready_timeout, 0, 86400, &options->ready_seconds)) {
        return false;
    }
    return read_port("--standin-port", standin_port, &options->standin_port) &&
           read_port("--control-port", control_port, &options->control_port);
}
