/* herdctl: options, the node to talk to, and which command it is. */
#include "args.h"
#include "herdctl.h"
#include "herdfile.h"
#include "report.h"
#include "say.h"
#include "text.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define WORDS_MAX 5

struct arguments {
    const char *herd_file;
    const char *at;
    const char *timeout;
    const char *time;
    const char *as;
    const char *speed;
    bool now;
    bool rotate;
    bool json;
    bool help;
    const char *words[WORDS_MAX]; /* the command and what belongs to it */
    int word_count;
};

static bool sort_arguments(int argc, char **argv, struct arguments *arguments)
{
    const struct args_option options[] = {
        {.letter = 'c', .name = "herd", .value = &arguments->herd_file},
        {.name = "at", .value = &arguments->at},
        {.name = "timeout", .value = &arguments->timeout},
        {.name = "time", .value = &arguments->time},
        {.name = "as", .value = &arguments->as},
        {.name = "speed", .value = &arguments->speed},
        {.name = "now", .flag = &arguments->now},
        {.name = "rotate", .flag = &arguments->rotate},
        {.name = "json", .flag = &arguments->json},
        {.letter = 'h', .name = "help", .flag = &arguments->help},
    };

    arguments->word_count = args_sort(argc, argv, options, sizeof options / sizeof options[0],
                                      arguments->words, WORDS_MAX);
    return arguments->word_count >= 0;
}

/* --at ADDRESS:PORT. False when `at` is not of this form. */
static bool node_from_address(const char *at, struct herdctl_node *node)
{
    const char *colon = strrchr(at, ':');
    struct in_addr address;
    char *end = NULL;

    if (colon == NULL || (size_t)(colon - at) >= sizeof node->address) {
        return false;
    }
    unsigned long port = strtoul(colon + 1, &end, 10);
    memcpy(node->address, at, (size_t)(colon - at));
    node->address[colon - at] = '\0';
    (void)snprintf(node->name, sizeof node->name, "%s", at);
    node->port = (uint16_t)port;
    node->herd_file = NULL;
    node->report_bytes = 0;
    return inet_pton(AF_INET, node->address, &address) == 1 && end != colon + 1 && *end == '\0' &&
           port >= 1 && port <= 65535;
}

/* Reads the herd file that the arguments, the environment or else the default name. */
static bool read_herd(const char *given, struct herdfile *herd, const char **path)
{
    const char *from_environment = getenv("HERD_FILE");
    bool has_environment = from_environment != NULL && from_environment[0] != '\0';

    *path = given != NULL ? given : has_environment ? from_environment : "tools/herds/bailey.conf";
    if (herdfile_read(*path, herd)) {
        return true;
    }
    /* Nobody named the file on this command line: say where the name comes from. */
    if (given == NULL && access(*path, R_OK) != 0) {
        say_error("%s; -c FILE names another, and --at ADDRESS:PORT needs none",
                  has_environment ? "the environment's HERD_FILE names it"
                                  : "it is looked for where herdctl is run from");
    }
    return false;
}

static void say_no_node(const struct herdfile *herd, const char *path, const char *name)
{
    char names[512];
    struct in_addr address;

    for (size_t i = 0; i < herd->node_count; i++) {
        if (strcasecmp(herd->nodes[i].name, name) == 0) {
            say_error("there is no node %s in %s; it is written %s", name, path,
                      herd->nodes[i].name);
            return;
        }
    }
    if (inet_pton(AF_INET, name, &address) == 1) {
        say_error("--at %s lacks the port; right is --at %s:%u, for example", name, name,
                  (unsigned)herd->nodes[0].port);
        return;
    }
    herdfile_names(herd, names, sizeof names);
    say_error("there is no node %s in %s; there are: %s", name, path, names);
}

static bool node_from_herd(const struct arguments *arguments, struct herdctl_node *node)
{
    static struct herdfile herd;
    const char *path;
    int index = 0;

    if (!read_herd(arguments->herd_file, &herd, &path)) {
        return false;
    }
    if (arguments->at != NULL) {
        index = herdfile_find(&herd, arguments->at);
    }
    if (index < 0) {
        say_no_node(&herd, path, arguments->at);
        return false;
    }
    node->herd_file = path;
    const struct herdfile_node *found = &herd.nodes[index];
    (void)snprintf(node->name, sizeof node->name, "%s", found->name);
    (void)snprintf(node->address, sizeof node->address, "%s", found->address);
    node->port = found->port;
    node->report_bytes = herd.report_bytes;
    return true;
}

static bool choose_node(const struct arguments *arguments, struct herdctl_node *node)
{
    long timeout_seconds = 15;

    if (arguments->timeout != NULL &&
        !args_number("--timeout", arguments->timeout, 1, 86400, &timeout_seconds)) {
        return false;
    }
    node->timeout_ms = timeout_seconds * 1000;
    if (arguments->at != NULL && strchr(arguments->at, ':') != NULL) {
        if (!node_from_address(arguments->at, node)) {
            say_error("--at is '%s'; it takes the name of a node in the herd file, or an IPv4 "
                      "ADDRESS:PORT such as 127.0.0.1:10000 (host names are not looked up)",
                      arguments->at);
            return false;
        }
        return true;
    }
    return node_from_herd(arguments, node);
}

/* True when the command has `count` words after its own; else says how it is used. */
static bool has_words(const struct arguments *arguments, int count, const char *usage)
{
    if (arguments->word_count == count + 1) {
        return true;
    }
    say_error("%s takes %d argument%s, not %d: herdctl %s; herdctl %s --help gives examples",
              arguments->words[0], count, count == 1 ? "" : "s", arguments->word_count - 1, usage,
              arguments->words[0]);
    return false;
}

static bool check_id(const char *id)
{
    if (text_is_id(id) && strlen(id) <= 1024) {
        return true;
    }
    say_error("'%.80s' is no ID; it takes 1 to 1024 bytes without white space or control "
              "characters, such as kiwi.cs.ucla.edu",
              id);
    return false;
}

static bool check_options(const struct arguments *arguments, bool iamat, bool replay)
{
    const char *wrong = NULL;

    if (arguments->time != NULL && !iamat) {
        wrong = "--time belongs to iamat";
    } else if ((arguments->as != NULL || arguments->speed != NULL || arguments->now) && !replay) {
        wrong = "--as, --speed and --now belong to replay";
    } else if (arguments->rotate) {
        wrong = "--rotate belongs to keys";
    }
    if (wrong != NULL) {
        say_error("%s; see herdctl --help", wrong);
    }
    return wrong == NULL;
}

static enum herdctl_exit run_iamat(const struct arguments *arguments)
{
    struct herdctl_node node;

    if (!has_words(arguments, 3, "iamat ID LAT LON") || !check_options(arguments, true, false) ||
        !check_id(arguments->words[1]) || !choose_node(arguments, &node)) {
        return HERDCTL_USAGE;
    }
    return command_iamat(&node, arguments->words[1], arguments->words[2], arguments->words[3],
                         arguments->time);
}

static enum herdctl_exit run_whatsat(const struct arguments *arguments)
{
    struct herdctl_node node;

    if (!has_words(arguments, 3, "whatsat ID KM N") || !check_options(arguments, false, false) ||
        !check_id(arguments->words[1]) || !choose_node(arguments, &node)) {
        return HERDCTL_USAGE;
    }
    return command_whatsat(&node, arguments->words[1], arguments->words[2], arguments->words[3]);
}

static enum herdctl_exit run_replay(const struct arguments *arguments)
{
    struct herdctl_node node;
    struct herdctl_replay replay = {.id = arguments->as, .now = arguments->now};

    if (!has_words(arguments, 1, "replay TRACK.gpx --as ID") ||
        !check_options(arguments, false, true)) {
        return HERDCTL_USAGE;
    }
    replay.path = arguments->words[1];
    if (replay.id == NULL) {
        say_error("replay needs --as ID, the device that the track is reported for: herdctl replay "
                  "%s --as walker",
                  replay.path);
        return HERDCTL_USAGE;
    }
    if (arguments->speed != NULL) {
        replay.speed = text_is_number(arguments->speed) ? strtod(arguments->speed, NULL) : 0.0;
        if (!(replay.speed >= 0.001 && replay.speed <= 1e9)) {
            say_error("--speed is '%s'; it takes a factor such as 1 (real time), 10 or 0.5",
                      arguments->speed);
            return HERDCTL_USAGE;
        }
    }
    if (!check_id(replay.id) || !choose_node(arguments, &node)) {
        return HERDCTL_USAGE;
    }
    return replay_track(&node, &replay);
}

static enum herdctl_exit run_keys(const struct arguments *arguments)
{
    static struct herdfile herd;
    const char *path;

    if (!has_words(arguments, 1, "keys DIR")) {
        return HERDCTL_USAGE;
    }
    if (arguments->at != NULL || arguments->timeout != NULL || arguments->time != NULL ||
        arguments->as != NULL || arguments->speed != NULL || arguments->now) {
        say_error("keys asks no node: of the options -c, --rotate and --json belong to it; see "
                  "herdctl keys --help");
        return HERDCTL_USAGE;
    }
    if (!read_herd(arguments->herd_file, &herd, &path)) {
        return HERDCTL_USAGE;
    }
    return command_keys(&herd, arguments->words[1], arguments->rotate);
}

static enum herdctl_exit run_command(const struct arguments *arguments)
{
    static const struct {
        const char *name;
        enum herdctl_exit (*run)(const struct arguments *arguments);
    } commands[] = {
        {"iamat", run_iamat}, {"whatsat", run_whatsat}, {"replay", run_replay}, {"keys", run_keys}};

    if (arguments->help) {
        help_print(arguments->word_count > 0 ? arguments->words[0] : NULL);
        return HERDCTL_OK;
    }
    if (arguments->word_count == 0) {
        say_error("which command? There are iamat, whatsat, replay and keys; --help shows how");
        return HERDCTL_USAGE;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(arguments->words[0], commands[i].name) == 0) {
            return commands[i].run(arguments);
        }
    }
    say_error(
        "there is no command '%s'; there are iamat, whatsat, replay and keys; --help shows how",
        arguments->words[0]);
    return HERDCTL_USAGE;
}

/* True when --json is among the words before `--`, also where the arguments cannot be sorted. */
static bool mentions_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            return true;
        }
    }
    return false;
}

/* Standard streams that are closed would let a connection take their place, and errors go to the
 * node: what stands in for them can be read only, so that writing to it fails. */
static void fill_closed_streams(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        (void)close(fd);
    }
}

int main(int argc, char **argv)
{
    static struct arguments arguments;
    enum herdctl_exit result = HERDCTL_USAGE;
    bool json = mentions_json(argc, argv);

    fill_closed_streams();
    say_set_program("herdctl");
    (void)signal(SIGPIPE, SIG_IGN);
    if (json) {
        report_listen();
    }
    bool sorted = sort_arguments(argc, argv, &arguments);
    /* Help stays text; and --json may turn out to be the value of another option. */
    report_set_json(sorted ? arguments.json && !arguments.help : json);
    if (sorted) {
        result = run_command(&arguments);
    }
    return (int)report_end(result);
}
