/* Options, key and files; then the server. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

#define PORT_DEFAULT   14443
#define IDLE_S_DEFAULT 240
#define FILE_BYTES_MAX ((size_t)16 << 20)

static const char usage[] =
    "usage: places-standin [options]\n"
    "Answers as Google Places does, over HTTPS on 127.0.0.1, for tests and for trying herd out.\n"
    "\n"
    "  --port P           listen there (14443; 0: any free port)\n"
    "  --address A        at this address of the machine (127.0.0.1)\n"
    "  --certs DIR        certificates that certs.sh made (build/certs)\n"
    "  --chain ec|rsa     which chain to show (ec)\n"
    "  --tls 1.2|1.3      only that version (both)\n"
    "  --key-file FILE    the key that is taken; otherwise from the environment, PLACES_KEY\n"
    "  --only new|legacy  the key is enabled for this API only (both)\n"
    "  --answer-file FILE serve this to every good legacy request\n"
    "  --chunked          chunked replies instead of Content-Length\n"
    "  --idle SECONDS     close a connection without a request (240)\n"
    "  --fault NAME[=ARG] begin with a fault; --fault help lists them\n"
    "  --control P        take lines on this port too: fault NAME [ARG], fault none, stats, last,\n"
    "                     hangup (closes idle connections), reset\n"
    "  --help\n"
    "\n"
    "Prints `ready port=P` (and `control=C`) when it listens. SIGTERM or SIGINT stop it.\n"
    "\n"
    "examples:\n"
    "  tools/places-standin/certs.sh build/certs\n"
    "  PLACES_KEY=any-word build/tools/places-standin --control 14444\n"
    "  curl --cacert build/certs/root-ec.pem 'https://localhost:14443/maps/api/place/"
    "nearbysearch/json?location=34.0689,-118.4451&radius=1000&key=any-word'\n"
    "  echo 'fault slow 3000' | nc -q 1 127.0.0.1 14444\n";

struct options {
    const char *certs;
    const char *chain;
    const char *key_file;
    const char *answer_file;
    int tls_version;
};

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("places-standin: ", stderr);
    vfprintf(stderr, format, args);
    fputs("\n", stderr);
    va_end(args);
    exit(2);
}

static int number_option(const char *name, const char *text, int max)
{
    size_t digits = strspn(text, "0123456789");
    long value = digits > 0 && digits <= 6 && text[digits] == '\0' ? strtol(text, NULL, 10) : -1;
    if (value < 0 || value > max) {
        fail("--%s %s: a number from 0 to %d is needed", name, text, max);
    }
    return (int)value;
}

/* Index of text among the two words. */
static int word_option(const char *name, const char *text, const char *first, const char *second)
{
    if (strcmp(text, first) != 0 && strcmp(text, second) != 0) {
        fail("--%s %s: it is %s or %s", name, text, first, second);
    }
    return strcmp(text, first) != 0;
}

static void fault_option(struct standin *standin, const char *text)
{
    const char *why;
    if (strcmp(text, "help") == 0) {
        faults_print();
        exit(0);
    }
    if (!faults_parse(text, &standin->fault, &standin->fault_argument, &why)) {
        fail("--fault %s: %s; --fault help lists them", text, why);
    }
}

static void parse_options(int argc, char *argv[], struct options *options, struct standin *standin)
{
    static const struct option known[] = {
        {"port", required_argument, NULL, 'p'},  {"address", required_argument, NULL, 'A'},
        {"certs", required_argument, NULL, 'c'}, {"chain", required_argument, NULL, 'r'},
        {"tls", required_argument, NULL, 't'},   {"key-file", required_argument, NULL, 'k'},
        {"only", required_argument, NULL, 'o'},  {"answer-file", required_argument, NULL, 'a'},
        {"chunked", no_argument, NULL, 'u'},     {"idle", required_argument, NULL, 'i'},
        {"fault", required_argument, NULL, 'f'}, {"control", required_argument, NULL, 'C'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
    };
    int choice;
    while ((choice = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (choice) {
        case 'p':
            standin->port = number_option("port", optarg, 65535);
            break;
        case 'c':
            options->certs = optarg;
            break;
        case 'r':
            options->chain = word_option("chain", optarg, "ec", "rsa") == 0 ? "ec" : "rsa";
            break;
        case 't':
            options->tls_version =
                word_option("tls", optarg, "1.2", "1.3") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
            break;
        case 'k':
            options->key_file = optarg;
            break;
        case 'o':
            standin->dialects.scope =
                word_option("only", optarg, "new", "legacy") == 0 ? KEY_FOR_NEW : KEY_FOR_LEGACY;
            break;
        case 'a':
            options->answer_file = optarg;
            break;
        case 'u':
            standin->chunked = true;
            break;
        case 'i':
            standin->idle_ms = 1000L * number_option("idle", optarg, 86400);
            break;
        case 'f':
            fault_option(standin, optarg);
            break;
        case 'A':
            if (inet_pton(AF_INET, optarg, &standin->address) != 1) {
                fail("--address %s: an IPv4 address is needed, as in 127.0.0.1", optarg);
            }
            break;
        case 'C':
            standin->control_port = number_option("control", optarg, 65535);
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            fputs("places-standin: --help shows the options\n", stderr);
            exit(2);
        }
    }
    if (optind < argc) {
        fail("unexpected argument %s; --help shows the options", argv[optind]);
    }
}

static void read_file(const char *path, struct buf *content)
{
    char bytes[4096];
    size_t got;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail("%s: %s", path, strerror(errno));
    }
    while ((got = fread(bytes, 1, sizeof bytes, file)) > 0 && content->len < FILE_BYTES_MAX) {
        buf_add(content, bytes, got);
    }
    if (ferror(file)) {
        fail("%s: %s", path, strerror(errno));
    }
    fclose(file);
}

/* The key: printable ASCII without white space, as Google's are. */
static char *read_key(const char *path)
{
    struct buf key = {0};
    char *from_environment = getenv("PLACES_KEY");
    if (path != NULL) {
        read_file(path, &key);
    } else if (from_environment != NULL) {
        buf_add_str(&key, from_environment);
    } else {
        fail("no key: set PLACES_KEY or give --key-file FILE; any word will do");
    }
    if (from_environment != NULL) { /* /proc would show it for as long as this runs */
        explicit_bzero(from_environment, strlen(from_environment));
    }
    while (key.len > 0 && strchr(" \t\r\n", key.data[key.len - 1]) != NULL) {
        key.data[--key.len] = '\0';
    }
    for (size_t i = 0; i < key.len; i++) {
        if (key.data[i] <= ' ' || key.data[i] > '~') {
            fail("the key holds white space or bytes that are not ASCII");
        }
    }
    if (key.len == 0) {
        fail("the key is empty");
    }
    return key.data;
}

int main(int argc, char *argv[])
{
    struct options options = {.certs = "build/certs", .chain = "ec"};
    struct standin standin = {.address = {.s_addr = htonl(INADDR_LOOPBACK)},
                              .port = PORT_DEFAULT,
                              .control_port = -1,
                              .idle_ms = 1000L * IDLE_S_DEFAULT,
                              .fault = faults_find("none")};
    const char *what;

    parse_options(argc, argv, &options, &standin);
    char *key = read_key(options.key_file);
    standin.dialects.key = key;
    if (options.answer_file != NULL) {
        read_file(options.answer_file, &standin.dialects.legacy_file);
        if (standin.dialects.legacy_file.len == 0) {
            fail("%s is empty", options.answer_file);
        }
    }
    const char *error =
        tls_load(standin.contexts, options.certs, options.chain, options.tls_version);
    if (error != NULL) {
        fail("%s", error);
    }
    signal(SIGPIPE, SIG_IGN);
    if (!server_listen(&standin, &what)) {
        fail("%s %d: %s", what, strcmp(what, "port") == 0 ? standin.port : standin.control_port,
             errno == EADDRINUSE ? "in use by another program" : strerror(errno));
    }
    printf("ready port=%d", standin.port);
    if (standin.control_port >= 0) {
        printf(" control=%d", standin.control_port);
    }
    printf("\n");
    fflush(stdout);
    server_run(&standin);

    tls_free(standin.contexts);
    buf_free(&standin.last);
    buf_free(&standin.dialects.legacy_file);
    free(key);
    return 0;
}
