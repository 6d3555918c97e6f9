/* herdctl: options, the node to talk to, and which command it is. */
#include "args.h"
#include "herdctl.h"
#include "herdfile.h"
#include "say.h"
#include "text.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 5

struct arguments {
    const char *herd_file;
    const char *at;
    const char *timeout;
    const char *time;
    const char *as;
    const char *speed;
    bool now;
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
    node->report_bytes = 0;
    return inet_pton(AF_INET, node->address, &address) == 1 && end != colon + 1 && *end == '\0' &&
           port >= 1 && port <= 65535;
}

static bool node_from_herd(const struct arguments *arguments, struct herdctl_node *node)
{
    static struct herdfile herd;
    const char *path = arguments->herd_file;
    int index = 0;

    if (path == NULL) {
        path = getenv("HERD_FILE");
    }
    if (path == NULL || path[0] == '\0') {
        path = "tools/herds/bailey.conf";
    }
    if (!herdfile_read(path, &herd)) {
        if (arguments->herd_file == NULL) {
            say_error("-c FILE names the herd file, or --at ADDRESS:PORT the node itself");
        }
        return false;
    }
    if (arguments->at != NULL) {
        index = herdfile_find(&herd, arguments->at);
    }
    if (index < 0) {
        char names[512];
        herdfile_names(&herd, names, sizeof names);
        say_error("there is no node %s in %s; there are: %s", arguments->at, path, names);
        return false;
    }
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
            say_error("'%s' is no place to talk to; --at takes a node's name or ADDRESS:PORT such "
                      "as 127.0.0.1:10000",
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
    say_error("right is: herdctl %s; see herdctl %s --help", usage, arguments->words[0]);
    return false;
}

static bool check_id(const char *id)
{
    if (text_is_id(id) && strlen(id) <= 1024) {
        return true;
    }
    say_error("'%.80s' is no ID; it takes one or more characters without white space", id);
    return false;
}

static bool check_options(const struct arguments *arguments, bool iamat, bool replay)
{
    const char *wrong = NULL;

    if (arguments->time != NULL && !iamat) {
        wrong = "--time belongs to iamat";
    } else if ((arguments->as != NULL || arguments->speed != NULL || arguments->now) && !replay) {
        wrong = "--as, --speed and --now belong to replay";
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
        say_error("replay needs --as ID, the device that the track is reported for");
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

static enum herdctl_exit run_command(const struct arguments *arguments)
{
    static const struct {
        const char *name;
        enum herdctl_exit (*run)(const struct arguments *arguments);
    } commands[] = {{"iamat", run_iamat}, {"whatsat", run_whatsat}, {"replay", run_replay}};

    if (arguments->help) {
        help_print(arguments->word_count > 0 ? arguments->words[0] : NULL);
        return HERDCTL_OK;
    }
    if (arguments->word_count == 0) {
        say_error("what should be done? iamat, whatsat or replay; --help shows how");
        return HERDCTL_USAGE;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(arguments->words[0], commands[i].name) == 0) {
            return commands[i].run(arguments);
        }
    }
    say_error("there is no command '%s'; there are iamat, whatsat and replay, see --help",
              arguments->words[0]);
    return HERDCTL_USAGE;
}

int main(int argc, char **argv)
{
    static struct arguments arguments;
    enum herdctl_exit result = HERDCTL_USAGE;

    say_set_program("herdctl");
    (void)signal(SIGPIPE, SIG_IGN);
    if (sort_arguments(argc, argv, &arguments)) {
        result = run_command(&arguments);
    }
    if (fflush(stdout) != 0 && result == HERDCTL_OK) {
        say_error("cannot write the answer to stdout");
        result = HERDCTL_USAGE;
    }
    return (int)result;
}
