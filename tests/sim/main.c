/* The seeded simulator: a herd of real nodes in one process, under faults, and what must hold all the same. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "inside.h"
#include "run.h"

static const char help[] =
    "usage: sim [options]\n"
    "\n"
    "Runs real nodes over a virtual network under a virtual clock, with faults that the seed "
    "chooses.\n"
    "\n"
    "  --seed N       the first seed (default: the time, so that every call tries others)\n"
    "  --runs N       so many seeds, one after another (default 1)\n"
    "  --nodes N      nodes in the herd, 1 to 32 (default 5)\n"
    "  --suite S      of the links: psk or ecdhe-psk (default psk)\n"
    "  --minutes M    virtual minutes of load and faults; healing comes on top (default 5)\n"
    "  --jobs N       processes (default: one per CPU)\n"
    "  --scenario S   what happens, and what must hold:\n";
static const char help_end[] =
    "  --log FILE     log lines of all nodes, with virtual time\n"
    "  --pcap FILE    frames as they were delivered, for Wireshark or tcpdump\n"
    "  --all-fired    with --runs: it is a failure when some fault never fired\n"
    "  --hashes       with --runs: a line `hash SEED HASH` for each\n"
    "  --verbose      the same to stdout\n"
    "\n"
    "Exit status: 0 all held, 1 something did not, 2 wrong usage.\n";

const char *__asan_default_options(void);
/* Copies of one object are no breach of the one-definition rule, and a crashed node's memory is not lost. */
const char *__asan_default_options(void)
{
    return "detect_odr_violation=0:detect_leaks=0:allocator_may_return_null=1";
}

static void print_help(void)
{
    fputs(help, stdout);
    for (unsigned i = 0; i < scenario_count; i++) {
        printf("                   %-9s %s%s\n", scenarios[i]->name, scenarios[i]->what,
               i == 0 ? " (default)" : "");
    }
    fputs(help_end, stdout);
}

static void wrong(const char *what, const char *value)
{
    fprintf(stderr, "sim: %s%s; see sim --help\n", what, value);
    exit(2);
}

static uint64_t number(const char *text, uint64_t from, uint64_t to)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 0);
    if (*text < '0' || *text > '9' || *end != '\0' || value < from || value > to) {
        wrong("not a number that can be used here: ", text);
    }
    return value;
}

static const struct scenario *find_scenario(const char *name)
{
    for (unsigned i = 0; i < scenario_count; i++) {
        if (strcmp(scenarios[i]->name, name) == 0) {
            return scenarios[i];
        }
    }
    wrong("no such scenario: ", name);
    return NULL;
}

static enum scenario_suite find_suite(const char *name)
{
    if (strcmp(name, "psk") != 0 && strcmp(name, "ecdhe-psk") != 0) {
        wrong("no such suite: ", name);
    }
    return strcmp(name, "psk") == 0 ? SUITE_PSK : SUITE_ECDHE_PSK;
}

static void find_images(void)
{
    char path[4096];
    ssize_t bytes = readlink("/proc/self/exe", path, sizeof path - 1);
    path[bytes < 0 ? 0 : bytes] = '\0';
    char *slash = strrchr(path, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    image_folder(path);
}

struct options {
    struct run_setup setup;
    uint64_t seed;
    uint64_t runs;
    unsigned jobs;
    const char *log;
    const char *pcap;
};

static void parse(struct options *o, int argc, char **argv)
{
    static const struct option known[] = {
        {"seed", required_argument, NULL, 's'},     {"runs", required_argument, NULL, 'r'},
        {"nodes", required_argument, NULL, 'n'},    {"suite", required_argument, NULL, 'u'},
        {"minutes", required_argument, NULL, 'm'},  {"jobs", required_argument, NULL, 'j'},
        {"scenario", required_argument, NULL, 'c'}, {"log", required_argument, NULL, 'l'},
        {"pcap", required_argument, NULL, 'p'},     {"hashes", no_argument, NULL, 'a'},
        {"all-fired", no_argument, NULL, 'f'},      {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 's':
            o->seed = number(optarg, 0, UINT64_MAX - 1);
            break;
        case 'r':
            o->runs = number(optarg, 1, UINT32_MAX);
            break;
        case 'n':
            o->setup.nodes = (unsigned)number(optarg, 1, WORLD_NODES_MAX);
            break;
        case 'u':
            o->setup.options.suite = find_suite(optarg);
            break;
        case 'm':
            o->setup.options.duration_ns = (sim_ns)(strtod(optarg, NULL) * 60.0 * (double)SIM_S);
            break;
        case 'j':
            o->jobs = (unsigned)number(optarg, 1, 64);
            break;
        case 'c':
            o->setup.scenario = find_scenario(optarg);
            break;
        case 'l':
            o->log = optarg;
            break;
        case 'p':
            o->pcap = optarg;
            break;
        case 'f':
            o->setup.all_fired = true;
            break;
        case 'a':
            o->setup.hashes = true;
            break;
        case 'v':
            o->setup.verbose = true;
            break;
        case 'h':
            print_help();
            exit(0);
        default:
            exit(2);
        }
    }
    if (optind < argc || o->setup.options.duration_ns < SIM_S) {
        wrong("wrong usage", "");
    }
}

/* NULL when no name was given. */
static FILE *open_file(const char *name)
{
    FILE *file = name == NULL ? NULL : fopen(name, "w");
    if (name != NULL && file == NULL) {
        perror(name);
        exit(2);
    }
    return file;
}

int main(int argc, char **argv)
{
    struct options o = {.setup = {.scenario = scenarios[0],
                                  .nodes = 5,
                                  .options = {.suite = SUITE_PSK, .duration_ns = 300 * SIM_S}},
                        .seed = (uint64_t)time(NULL) * 1000000u,
                        .runs = 1,
                        .jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN)};
    parse(&o, argc, argv);
    find_images();
    if (o.runs > 1) {
        return run_many(&o.setup, o.seed, o.runs, o.jobs) > 0;
    }
    struct run_result result;
    o.setup.log = open_file(o.log);
    o.setup.capture = open_file(o.pcap);
    run_seed(&o.setup, o.seed, &result);
    run_print(&o.setup, &result);
    printf("fired:\n");
    run_print_fired(result.fired);
    (void)fflush(NULL);
    return result.failed;
}
