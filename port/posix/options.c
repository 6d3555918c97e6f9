#include "options.h"

#include <getopt.h>
#include <stdio.h>

#include <slirp/libslirp.h>

#include "cfg.h"
#include "net_ops.h"
#include "trust_anchors.h"
#include "version.h"

static const char help[] =
    "usage: herd -c FILE [options] NAME\n"
    "\n"
    "Runs the node NAME of the herd that FILE describes, in the foreground.\n"
    "\n"
    "  -c, --herd-file FILE   the herd file; tools/herds/bailey.conf explains every key\n"
    "      --net slirp        the network: libslirp, for any user (the default)\n"
    "      --net tap=DEVICE   the network: a TAP device, yours, or made when root runs this; the "
    "node\n"
    "                         is a host with the address that the herd file gives it\n"
    "      --set SECTION.KEY=VALUE\n"
    "                         a setting in place of the herd file's, repeatable; the section\n"
    "                         node means NAME's own\n"
    "      --keys FILE        the keys of NAME's links, for nobody else to read; herdctl keys "
    "makes "
    "it\n"
    "      --log-level LEVEL  error, warn, info or debug\n"
    "      --log-file FILE    log lines go there too, appended\n"
    "      --state FILE       what a node keeps over restarts: its own configuration, a seed, how\n"
    "                         often it started; made when missing. Without it: nothing\n"
    "      --console          commands from stdin also when that is no terminal; `help` lists "
    "them\n"
    "      --no-clock         start without knowing the time, as a board does: [herd] ntp tells "
    "it\n"
    "      --check            say whether the herd file is valid, for NAME or for every node\n"
    "      --version          versions of herd and its libraries, and the trust anchors\n"
    "      --help             this text\n"
    "\n"
    "The key for Google Places comes from the file that [places] key_file names, else from the\n"
    "environment variable PLACES_KEY; never from an argument.\n"
    "\n"
    "A node with neighbours needs the keys of its links: --keys, or what keys load at its console "
    "has\n"
    "put into --state.\n"
    "\n"
    "SIGINT and SIGTERM stop the node, a second one at once. Exit status: 0 stopped, 1 failed "
    "while\n"
    "starting or running, 2 wrong usage, herd file or keys.\n"
    "\n"
    "examples:\n"
    "  herdctl keys -c tools/herds/bailey.conf keys\n"
    "  herd -c tools/herds/bailey.conf --keys keys/Bailey.keys Bailey\n"
    "  herd -c tools/herds/bailey.conf --check\n"
    "  herd -c bailey.conf --keys Clark.keys --log-level debug --log-file clark.log Clark\n"
    "  herd -c bailey.conf --keys Bona.keys --set places.provider=none --set node.port=12000 "
    "Bona\n";

static void print_version(void)
{
    printf("herd %s (%s)\n", HERD_VERSION, BOARD_NAME);
    printf("lwIP %s\n", HERD_LWIP_VERSION);
    printf("Mbed TLS %s\n", HERD_MBEDTLS_VERSION);
    printf("cJSON %s\n", HERD_CJSON_VERSION);
    printf("inih %s\n", HERD_INIH_VERSION);
    printf("http-parser %s\n", HERD_HTTP_PARSER_VERSION);
    printf("libslirp %s\n", slirp_version_string());
    printf("trust anchors:\n");
    for (size_t i = 0; i < trust_anchors_count; i++) {
        printf("  %s\n", trust_anchors[i].name);
    }
}

static enum options_result wrong(const char *what, const char *argument)
{
    fprintf(stderr, "herd: %s%s%s; see herd --help\n", what, *argument != '\0' ? " " : "",
            argument);
    return OPTIONS_WRONG;
}

enum {
    OPT_NET = 256,
    OPT_SET,
    OPT_KEYS,
    OPT_LOG_LEVEL,
    OPT_LOG_FILE,
    OPT_STATE,
    OPT_CONSOLE,
    OPT_NO_CLOCK,
    OPT_CHECK,
    OPT_VERSION,
    OPT_HELP
};

static const struct option long_options[] = {
    {"herd-file", required_argument, NULL, 'c'},
    {"net", required_argument, NULL, OPT_NET},
    {"set", required_argument, NULL, OPT_SET},
    {"keys", required_argument, NULL, OPT_KEYS},
    {"log-level", required_argument, NULL, OPT_LOG_LEVEL},
    {"log-file", required_argument, NULL, OPT_LOG_FILE},
    {"state", required_argument, NULL, OPT_STATE},
    {"console", no_argument, NULL, OPT_CONSOLE},
    {"no-clock", no_argument, NULL, OPT_NO_CLOCK},
    {"check", no_argument, NULL, OPT_CHECK},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* One option; OPTIONS_RUN to go on. */
static enum options_result take(struct options *o, int option, const char *value)
{
    switch (option) {
    case 'c':
        o->herd_file = value;
        return OPTIONS_RUN;
    case OPT_NET:
        return net_ops_choose(value) ? OPTIONS_RUN
                                     : wrong("--net can be slirp or tap=DEVICE, not", value);
    case OPT_SET:
        if (o->setting_count == OPTIONS_SETTINGS_MAX) {
            return wrong("too many --set", "");
        }
        o->settings[o->setting_count++] = value;
        return OPTIONS_RUN;
    case OPT_KEYS:
        o->keys = value;
        return OPTIONS_RUN;
    case OPT_LOG_LEVEL:
        o->log_level = value;
        return OPTIONS_RUN;
    case OPT_LOG_FILE:
        o->log_file = value;
        return OPTIONS_RUN;
    case OPT_STATE:
        o->state = value;
        return OPTIONS_RUN;
    case OPT_CONSOLE:
        o->console = true;
        return OPTIONS_RUN;
    case OPT_NO_CLOCK:
        o->no_clock = true;
        return OPTIONS_RUN;
    case OPT_CHECK:
        o->check = true;
        return OPTIONS_RUN;
    case OPT_VERSION:
        print_version();
        return OPTIONS_DONE;
    default:
        fputs(help, stdout);
        return OPTIONS_DONE;
    }
}

enum options_result options_parse(struct options *o, int argc, char **argv)
{
    int option;
    *o = (struct options){.node = ""};
    opterr = 0; /* one line, in our words */
    while ((option = getopt_long(argc, argv, ":c:h", long_options, NULL)) != -1) {
        if (option == '?' || option == ':') {
            char letter[] = {'-', (char)optopt, '\0'};
            bool is_short = optopt > 0 && optopt < 256 && argv[optind - 1][1] != '-';
            return wrong(option == '?' ? "unknown option" : "this option needs a value:",
                         is_short ? letter : argv[optind - 1]);
        }
        enum options_result result = take(o, option, optarg);
        if (result != OPTIONS_RUN) {
            return result;
        }
    }
    if (o->herd_file == NULL) {
        return wrong("which herd file? Use -c FILE", "");
    }
    if (optind < argc) {
        o->node = argv[optind++];
    }
    if (optind < argc) {
        return wrong("one node at a time; unexpected argument", argv[optind]);
    }
    return OPTIONS_RUN;
}
