/* config: the herd file, its errors word by word, and the presets. */
#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "config.h"
#include "config_keys.h"

/* A limit of the board, as digits. */
#define TEXT_OF_(x) #x
#define TEXT_OF(x)  TEXT_OF_(x)

#define NODES_AB                                                                                   \
    "[node A]\naddress = 127.0.0.1\nport = 1\nlink_port = 11\n"                                    \
    "[node B]\naddress = 127.0.0.1\nport = 2\nlink_port = 12\n"

static struct config config;
static char error_buffer[2048];
static struct text error;

static int load_bytes(const char *text, size_t bytes, const char *set, const char *node)
{
    memset(&config, 0xA5, sizeof config);
    text_init(&error, error_buffer, sizeof error_buffer);
    config_begin(&config, SPAN_LIT("t.conf"), &error);
    int err = config_read(&config, (struct span){text, bytes});
    if (err == HERD_OK && set != NULL) {
        err = config_set(&config, span_of(set));
    }
    if (err == HERD_OK) {
        err = config_finish(&config, span_of(node));
    }
    assert_int_equal(err != HERD_OK, error.bytes > 0);
    assert_false(error.cut);
    return err;
}

static void accepts(const char *text, const char *set, const char *node)
{
    if (load_bytes(text, strlen(text), set, node) != HERD_OK) {
        fail_msg("refused: %s", text_cstr(&error));
    }
}

static void refuses(const char *text, const char *set, const char *node, const char *expected)
{
    assert_int_not_equal(load_bytes(text, strlen(text), set, node), HERD_OK);
    assert_string_equal(text_cstr(&error), expected);
}

/* --- What is read ------------------------------------------------------------------------------ */

static const char full[] = "\xEF\xBB\xBF; a comment\r\n"
                           "[links]\r\n"
                           "  B = A\tC   \r\n"
                           "[herd]\r\n"
                           "report_bytes=64\r\n"
                           "skew_max : 86400 ; colon and comment\r\n"
                           "link_suite = psk\r\n"
                           "[node C]\naddress=10.0.0.3\nport=65535\nlink_port=1\n"
                           "[node B]\naddress=10.0.0.2\nport=10\nlink_port=11\n"
                           "[node A]\naddress=255.1.2.3\nport=10\nlink_port=11\n"
                           "mask = 255.255.0.0\ngateway = 255.1.0.1\ndns = 9.9.9.9\ndhcp = no\n"
                           "[places]\n"
                           "provider = google-legacy\naddress = 127.0.0.1\nport = 14443\n"
                           "trust_file = a b.pem\nkey_file = /k\ncache_seconds = 0\n"
                           "queries_per_minute = 1\nqueries_per_day = 10000000\ntimeout_ms = 100\n"
                           "[limits]\nsessions_per_address = 7\nidle_seconds = 604800\n"
                           "[log]\nlevel = debug";

static void every_key_is_read(void **state)
{
    (void)state;
    accepts(full, NULL, "B");
    assert_int_equal(config.node_count, 3);
    assert_int_equal(config.self, 1);
    assert_string_equal(config.nodes[0].name, "C");
    assert_int_equal(config.nodes[2].address, 0xFF010203);
    assert_int_equal(config.nodes[0].port, 65535);
    assert_int_equal(config.nodes[0].link_port, 1);
    assert_int_equal(config.nodes[2].mask, 0xFFFF0000);
    assert_int_equal(config.nodes[2].gateway, 0xFF010001);
    assert_int_equal(config.nodes[2].dns, 0x09090909);
    assert_false(config.nodes[2].dhcp);
    assert_int_equal(config.nodes[0].line, 8);
    assert_int_equal(config.nodes[0].links, 2);
    assert_int_equal(config.nodes[1].links, 5);
    assert_int_equal(config.nodes[2].links, 2);
    assert_int_equal(config.report_bytes, 64);
    assert_int_equal(config.skew_max_s, 86400);
    assert_int_equal(config.link_suite, CONFIG_SUITE_PSK);
    assert_int_equal(config.places.provider, CONFIG_PLACES_GOOGLE_LEGACY);
    assert_string_equal(config.places.host, "maps.googleapis.com");
    assert_int_equal(config.places.address, 0x7F000001);
    assert_int_equal(config.places.port, 14443);
    assert_string_equal(config.places.trust_file, "a b.pem");
    assert_string_equal(config.places.key_file, "/k");
    assert_int_equal(config.places.queries_per_minute, 1);
    assert_int_equal(config.places.queries_per_day, 10000000);
    assert_int_equal(config.places.timeout_ms, 100);
    assert_int_equal(config.sessions_per_address, 7);
    assert_int_equal(config.idle_s, 604800);
    assert_int_equal(config.log_level, LOG_DEBUG);
}

static void a_node_has_an_upstream_unless_it_says_that_it_has_none(void **state)
{
    (void)state;
    static const char text[] = NODES_AB "[node C]\naddress = 127.0.0.1\nport = 3\nlink_port = 13\n"
                                        "upstream = no\n"
                                        "[node D]\naddress = 127.0.0.1\nport = 4\nlink_port = 14\n"
                                        "upstream = yes\n";
    accepts(text, NULL, "A");
    assert_true(config.nodes[0].upstream);
    assert_false(config.nodes[2].upstream);
    assert_true(config.nodes[3].upstream);
    accepts(text, "node.upstream=no", "A");
    assert_false(config.nodes[0].upstream);
    assert_true(config.nodes[1].upstream); /* of the node itself only */
    accepts(text, "node.upstream = yes", "C");
    assert_true(config.nodes[2].upstream);
}

static void an_upstream_is_there_or_not(void **state)
{
    (void)state;
    refuses(NODES_AB "[node C]\naddress = 127.0.0.1\nport = 3\nupstream = maybe\n", NULL, "A",
            "t.conf:12: [node C] upstream: \"maybe\" is not a choice here; use yes or no");
    refuses(NODES_AB "[node C]\nupstream = no\nupstream = no\n", NULL, "A",
            "t.conf:11: [node C] upstream: given twice; first on line 10");
    refuses(NODES_AB "[node C]\nupsteam = no\n", NULL, "A",
            "t.conf:10: [node C] upsteam: unknown key; did you mean upstream?");
    refuses(NODES_AB, "node.upstream=", "A",
            "setting node.upstream: \"\" is not a choice here; use yes or no");
    refuses(NODES_AB "[node C]\nupstream = no\n", NULL, "A",
            "t.conf:9: [node C] address: missing; every node needs an IPv4 address there");
    refuses(NODES_AB "[open O]\nupstream = no\n", NULL, "A",
            "t.conf:10: [open O] upstream: unknown key; use address, port, dialect, lines");
}

static void neighbours_are_in_the_order_of_their_names(void **state)
{
    (void)state;
    accepts(full, NULL, "B");
    assert_int_equal(config.neighbour_count, 2);
    assert_int_equal(config.neighbours[0], 2); /* A */
    assert_int_equal(config.neighbours[1], 0); /* C */
    accepts(full, NULL, "A");
    assert_int_equal(config.neighbour_count, 1);
    assert_int_equal(config.neighbours[0], 1);
}

static void defaults_hold_where_the_file_is_silent(void **state)
{
    (void)state;
    accepts(NODES_AB, NULL, "A");
    assert_int_equal(config.report_bytes, 128);
    assert_int_equal(config.skew_max_s, 60);
    assert_int_equal(config.link_suite, CONFIG_SUITE_PSK);
    assert_int_equal(config.nodes[0].mask, 0xFFFFFF00);
    assert_int_equal(config.nodes[0].gateway, 0);
    assert_int_equal(config.nodes[0].dns, 0);
    assert_false(config.nodes[0].dhcp);
    assert_int_equal(config.places.provider, CONFIG_PLACES_GOOGLE);
    assert_string_equal(config.places.host, "places.googleapis.com");
    assert_int_equal(config.places.address, 0);
    assert_int_equal(config.places.port, 443);
    assert_string_equal(config.places.trust_file, "");
    assert_string_equal(config.places.key_file, "");
    assert_int_equal(config.places.cache_s, 0);
    assert_int_equal(config.places.queries_per_minute, 60);
    assert_int_equal(config.places.queries_per_day, 1000);
    assert_int_equal(config.places.timeout_ms, 10000);
    assert_int_equal(config.sessions_per_address, 0);
    assert_int_equal(config.idle_s, 3600);
    assert_int_equal(config.log_level, LOG_INFO);
    assert_int_equal(config.neighbour_count, 0);
}

static void an_empty_value_is_the_default_where_there_is_one(void **state)
{
    (void)state;
    accepts(NODES_AB "[places]\naddress =\nhost =\ntrust_file =\nkey_file = ; none\n", NULL, "A");
    assert_int_equal(config.places.address, 0);
    assert_string_equal(config.places.host, "places.googleapis.com");
    assert_string_equal(config.places.key_file, "");
}

/* --- Overrides --------------------------------------------------------------------------------- */

static void an_override_replaces_what_the_file_says(void **state)
{
    (void)state;
    accepts(full, "places.port=5", "A");
    assert_int_equal(config.places.port, 5);
    accepts(full, " log.level = error ", "A");
    assert_int_equal(config.log_level, LOG_ERROR);
    accepts(full, "places.key_file=/a=b.c", "A");
    assert_string_equal(config.places.key_file, "/a=b.c");
}

static void an_override_of_node_is_of_the_named_node_only(void **state)
{
    (void)state;
    accepts(full, "node.port=777", "A");
    assert_int_equal(config.nodes[2].port, 777);
    assert_int_equal(config.nodes[1].port, 10);
    accepts("[node X]\nport=1\nlink_port=2\n", "node.address=1.2.3.4", "X");
    assert_int_equal(config.nodes[0].address, 0x01020304);
    accepts(full, "node.dhcp=no", "C");
    assert_int_equal(config.nodes[2].mask, 0xFFFF0000);
    accepts("[node X]\naddress=10.0.0.1\nport=1\nlink_port=2\n", "node.dhcp=yes", "X");
    assert_true(config.nodes[0].dhcp);
    assert_int_equal(config.nodes[0].mask, 0xFFFFFF00);
}

static void a_bad_override_is_refused(void **state)
{
    (void)state;
    refuses(full, "places.port=70000", "A",
            "setting places.port: \"70000\" is not a port; use 1 to 65535");
    refuses(full, "node.port=x", "A", "setting node.port: \"x\" is not a port; use 1 to 65535");
    refuses(full, "places.prot=1", "A", "setting places.prot: unknown key; did you mean port?");
    refuses(
        full, "log=debug", "A",
        "setting \"log=debug\" is not SECTION.KEY=VALUE; use section herd, node, places, limits "
        "or log");
    refuses(
        full, "links.A=C", "A",
        "setting links.A: \"links.A=C\" is not SECTION.KEY=VALUE; use section herd, node, places, "
        "limits or log");
    refuses(full, "", "A",
            "setting \"\" is not SECTION.KEY=VALUE; use section herd, node, places, limits or log");
    refuses(
        full, "a.b", "A",
        "setting \"a.b\" is not SECTION.KEY=VALUE; use section herd, node, places, limits or log");
}

/* --- Values ------------------------------------------------------------------------------------ */

static void a_bad_value_is_refused_with_its_place_and_what_would_be_right(void **state)
{
    static const struct {
        const char *section;
        const char *line;
        const char *what;
    } cases[] = {
        {"herd", "report_bytes = 31",
         "\"31\" is not a size in bytes; use 32 to " TEXT_OF(CFG_REPORT_BYTES) ", the most that "
                                                                               "this board holds"},
        {"herd", "report_bytes = 513",
         "\"513\" is not a size in bytes; use 32 to " TEXT_OF(CFG_REPORT_BYTES) ", the most that "
                                                                                "this board holds"},
        {"herd", "skew_max = 0", "\"0\" is not a time in seconds; use 1 to 86400"},
        {"herd", "skew_max = -1", "\"-1\" is not a time in seconds; use 1 to 86400"},
        {"herd", "skew_max = 1 0", "\"1 0\" is not a time in seconds; use 1 to 86400"},
        {"herd", "skew_max = 0x10", "\"0x10\" is not a time in seconds; use 1 to 86400"},
        {"herd", "skew_max = 18446744073709551617",
         "\"18446744073709551617\" is not a time in seconds; use 1 to 86400"},
        {"herd", "skew_max =", "\"\" is not a time in seconds; use 1 to 86400"},
        {"herd", "open_anyone = maybe", "\"maybe\" is not a choice here; use yes or no"},
        {"herd", "open_anyone = Yes", "\"Yes\" is not a choice here; use yes or no"},
        {"herd", "link_suite = ecdhe", "\"ecdhe\" is not a suite; use psk or ecdhe-psk"},
        {"herd", "link_suite = PSK", "\"PSK\" is not a suite; use psk or ecdhe-psk"},
        {"herd", "link_suite =", "\"\" is not a suite; use psk or ecdhe-psk"},
        {"places", "provider = bing",
         "\"bing\" is not a provider; use google, google-legacy or none"},
        {"places", "host = a b",
         "\"a b\" is not a host name; use a name, as in "
         "places.googleapis.com"},
        {"places", "host = a..b",
         "\"a..b\" is not a host name; use a name, as in "
         "places.googleapis.com"},
        {"places", "host = -a",
         "\"-a\" is not a host name; use a name, as in places.googleapis.com"},
        {"places", "host = a.",
         "\"a.\" is not a host name; use a name, as in places.googleapis.com"},
        {"places", "host = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\" is too long; use at most 63 bytes"},
        {"places", "address = 127.0.0",
         "\"127.0.0\" is not an IPv4 address; use four numbers, as in "
         "127.0.0.1"},
        {"places", "address = 1.2.3.4.5",
         "\"1.2.3.4.5\" is not an IPv4 address; use four numbers, as "
         "in 127.0.0.1"},
        {"places", "address = 1.2.3.256",
         "\"1.2.3.256\" is not an IPv4 address; use four numbers, as "
         "in 127.0.0.1"},
        {"places", "address = 1.2.3.04",
         "\"1.2.3.04\" is not an IPv4 address; use four numbers, as in "
         "127.0.0.1"},
        {"places", "address = 0.0.0.0",
         "\"0.0.0.0\" is not an IPv4 address; use four numbers, as in "
         "127.0.0.1"},
        {"places", "port = 0", "\"0\" is not a port; use 1 to 65535"},
        {"places", "cache_seconds = 1d", "\"1d\" is not a time in seconds; use 0 to 2592000"},
        {"places", "queries_per_minute = 60001",
         "\"60001\" is not a number of queries; use 1 to 60000"},
        {"places", "queries_per_day = 0", "\"0\" is not a number of queries; use 1 to 10000000"},
        {"places", "timeout_ms = 99", "\"99\" is not a time in milliseconds; use 100 to 120000"},
        {"limits", "sessions_per_address = 65536",
         "\"65536\" is not a number of connections; use 0 to 65535 (0: no limit of its own)"},
        {"limits", "idle_seconds = 0", "\"0\" is not a time in seconds; use 1 to 604800"},
        {"log", "level = loud", "\"loud\" is not a level; use error, warn, info or debug"},
        {"herd", "open_anyone = all", "\"all\" is not a choice here; use yes or no"},
        {"open A", "address = 1.2.3",
         "\"1.2.3\" is not an IPv4 address; use four numbers, as in 127.0.0.1"},
        {"open A", "port = 0", "\"0\" is not a port; use 1 to 65535"},
        {"open A", "dialect = AT", "\"AT\" is not a dialect; use at or update"},
        {"open A", "dialect =", "\"\" is not a dialect; use at or update"},
        {"open A", "lines = 0", "\"0\" is not a number of lines; use 1 to 32"},
        {"open A", "lines = 33", "\"33\" is not a number of lines; use 1 to 32"},
        {"node A", "address =", "\"\" is not an IPv4 address; use four numbers, as in 127.0.0.1"},
        {"node A", "mask = 24",
         "\"24\" is not a network mask; use 128.0.0.0 to 255.255.255.252, as in 255.255.255.0"},
        {"node A", "mask = 255.0.255.0",
         "\"255.0.255.0\" is not a network mask; use 128.0.0.0 to 255.255.255.252, as in "
         "255.255.255.0"},
        {"node A", "mask = 0.0.0.0",
         "\"0.0.0.0\" is not a network mask; use 128.0.0.0 to 255.255.255.252, as in "
         "255.255.255.0"},
        {"node A", "mask = 255.255.255.254",
         "\"255.255.255.254\" is not a network mask; use 128.0.0.0 to 255.255.255.252, as in "
         "255.255.255.0"},
        {"node A", "gateway = here",
         "\"here\" is not an IPv4 address; use four numbers, as in 127.0.0.1"},
        {"node A", "dns = 8.8.8",
         "\"8.8.8\" is not an IPv4 address; use four numbers, as in 127.0.0.1"},
        {"node A", "dhcp = on", "\"on\" is not a choice here; use yes or no"},
        {"node A", "port = 1000000", "\"1000000\" is not a port; use 1 to 65535"},
        {"node A", "link_port = \x1b[2J", "\"\\x1b[2J\" is not a port; use 1 to 65535"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        char expected[512];
        const char *line = cases[i].line;
        snprintf(text, sizeof text, "\n[%s]\n%s\n", cases[i].section, line);
        snprintf(expected, sizeof expected, "t.conf:3: [%s] %.*s: %s", cases[i].section,
                 (int)strcspn(line, " "), line, cases[i].what);
        refuses(text, NULL, "A", expected);
    }
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    char text[400];
    (void)state;
    snprintf(text, sizeof text, "[places]\nkey_file = %0*d\n", CONFIG_PATH_BYTES_MAX + 1, 0);
    refuses(text, NULL, "A",
            "t.conf:2: [places] key_file: \"0000000000000000000000000000000000000000...\" is too "
            "long; use at most " TEXT_OF(CFG_CONFIG_PATH_BYTES) " bytes");
    snprintf(text, sizeof text, NODES_AB "[places]\nkey_file = %0*d\n", CONFIG_PATH_BYTES_MAX, 0);
    accepts(text, NULL, "A");
}

/* --- Keys and sections ------------------------------------------------------------------------- */

static void unknown_and_repeated_names_are_refused(void **state)
{
    (void)state;
    refuses("[places]\nprot = 1\n", NULL, "A",
            "t.conf:2: [places] prot: unknown key; did you mean port?");
    refuses("[herd]\nfrobnicate = 1\n", NULL, "A",
            "t.conf:2: [herd] frobnicate: unknown key; use report_bytes, skew_max, "
            "link_suite, ntp, open_anyone");
    refuses("[node A]\nadress = 1\n", NULL, "A",
            "t.conf:2: [node A] adress: unknown key; did you mean address?");
    refuses("[log]\nport = 1\n", NULL, "A", "t.conf:2: [log] port: unknown key; use level");
    refuses("[log]\nlevel = info\n\nlevel = info\n", NULL, "A",
            "t.conf:4: [log] level: given twice; first on line 2");
    refuses("[node A]\nport = 1\nport = 2\n", NULL, "A",
            "t.conf:3: [node A] port: given twice; first on line 2");
    refuses("[log]\n[log]\n", NULL, "A", "t.conf:2: [log]: given twice; first on line 1");
    refuses("[node A]\n[log]\n[node A]\n", NULL, "A",
            "t.conf:3: [node A]: given twice; first on line 1");
    refuses("[plaecs]\n", NULL, "A", "t.conf:1: [plaecs]: unknown section; did you mean [places]?");
    refuses("[node]\n", NULL, "A", "t.conf:1: [node]: unknown section; did you mean [node NAME]?");
    refuses("[something else]\n", NULL, "A",
            "t.conf:1: [something else]: unknown section; use [herd], [node NAME], [open NAME], "
            "[links], [places], [limits] or [log]");
    refuses("port = 1\n[log]\n", NULL, "A", "t.conf:1: \"port\" stands before the first [section]");
}

static void names_of_nodes_are_strict(void **state)
{
    (void)state;
    refuses("[node A B]\n", NULL, "A",
            "t.conf:1: [node]: \"A B\" is not a name for a node; use 1 to 32 of A-Z a-z 0-9 . _ -");
    refuses("[node ]\n", NULL, "A",
            "t.conf:1: [node]: \"\" is not a name for a node; use 1 to 32 of A-Z a-z 0-9 . _ -");
    refuses(
        "[node aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n", NULL, "A",
        "t.conf:1: [node]: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" is not a name for a node; use 1 "
        "to 32 of A-Z a-z 0-9 . _ -");
    accepts("[node aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\naddress=1.1.1.1\nport=1\nlink_port=2\n", NULL,
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

static void lines_that_are_not_ini_are_refused(void **state)
{
    (void)state;
    refuses("[log]\nlevel info\n", NULL, "A",
            "t.conf:2: neither [section] nor key = value; a comment begins with ;");
    refuses("[log\nlevel = loud\n", NULL, "A",
            "t.conf:1: neither [section] nor key = value; a comment begins with ;");
    refuses("[log]\nlevel\nlevel = loud\n", NULL, "A",
            "t.conf:2: neither [section] nor key = value; a comment begins with ;");
    refuses("[log]\nlevel = loud\nlevel\n", NULL, "A",
            "t.conf:2: [log] level: \"loud\" is not a level; use error, warn, info or debug");
}

static void a_line_is_never_cut_silently(void **state)
{
    char text[1200];
    (void)state;
    memset(text, 0, sizeof text);
    snprintf(text, sizeof text, "[log]\n; %0508d\n", 0);
    refuses(text, NULL, "", "t.conf: no nodes; add a section [node NAME] for each");
    snprintf(text, sizeof text, "[log]\n; %0509d\n", 0);
    refuses(text, NULL, "", "t.conf:2: the line is longer than 510 bytes");
    snprintf(text, sizeof text, "; %01000d", 0);
    refuses(text, NULL, "", "t.conf:1: the line is longer than 510 bytes");
}

static void a_nul_byte_is_refused(void **state)
{
    static const char text[] = "[log]\nlevel = in\0fo\n";
    (void)state;
    assert_int_not_equal(load_bytes(text, sizeof text - 1, NULL, "A"), HERD_OK);
    assert_string_equal(text_cstr(&error), "t.conf:2: a NUL byte; the herd file is plain text");
}

/* --- Relations --------------------------------------------------------------------------------- */

static void the_node_must_be_in_the_herd(void **state)
{
    (void)state;
    refuses("", NULL, "A", "t.conf: no nodes; add a section [node NAME] for each");
    refuses(NODES_AB, NULL, "C", "t.conf: \"C\" is not a node of this herd; use A, B");
    refuses(NODES_AB, NULL, "", "t.conf: which node? use A, B");
}

static void every_node_needs_address_and_ports(void **state)
{
    (void)state;
    refuses("\n[node A]\n", NULL, "A",
            "t.conf:2: [node A] address: missing; every node needs an IPv4 address there");
    refuses("[node A]\naddress=1.1.1.1\nlink_port=1\n", NULL, "A",
            "t.conf:1: [node A] port: missing; every node needs a port there");
    refuses(NODES_AB "[node C]\naddress=1.1.1.1\nport=1\n", NULL, "A",
            "t.conf:9: [node C] link_port: missing; every node needs a port there");
    refuses(NODES_AB "[node C]\naddress=1.1.1.1\nport=1\n", "node.link_port=5", "A",
            "t.conf:9: [node C] link_port: missing; every node needs a port there");
}

#define NODE_AT(address) "[node A]\naddress=" address "\nport=1\nlink_port=2\n"

static void the_network_of_a_node_makes_sense(void **state)
{
    (void)state;
    refuses(NODE_AT("10.1.2.0"), NULL, "A",
            "t.conf:1: [node A]: 10.1.2.0 is the network itself with mask 255.255.255.0; use "
            "another address or mask");
    refuses(NODE_AT("10.1.2.255"), NULL, "A",
            "t.conf:1: [node A]: 10.1.2.255 is the network's broadcast address with mask "
            "255.255.255.0; use another address or mask");
    refuses(NODE_AT("10.1.2.3"), "node.mask=255.255.255.252", "A",
            "t.conf:1: [node A]: 10.1.2.3 is the network's broadcast address with mask "
            "255.255.255.252; use another address or mask");
    accepts(NODE_AT("10.1.2.255") "mask=255.255.0.0\n", NULL, "A");
    refuses(NODE_AT("10.1.2.3") "gateway=10.1.3.1\n", NULL, "A",
            "t.conf:1: [node A] gateway: 10.1.3.1 is not in the network of 10.1.2.3 with mask "
            "255.255.255.0");
    accepts(NODE_AT("10.1.2.3") "gateway=10.1.3.1\nmask=255.255.254.0\n", NULL, "A");
    refuses(NODE_AT("10.1.2.3") "gateway=10.1.2.1\n", "node.dhcp=yes", "A",
            "t.conf:1: [node A] gateway: with dhcp = yes the server says it; leave it out");
    accepts(NODE_AT("10.1.2.3") "gateway=\ndns=10.1.2.1\ndhcp=yes\n", NULL, "A");
    accepts(NODE_AT("127.0.0.255") "gateway=10.1.2.1\n", NULL, "A"); /* no network of its own */
}

static void ports_of_one_address_differ(void **state)
{
    (void)state;
    refuses("[node A]\naddress=1.1.1.1\nport=5\nlink_port=5\n", NULL, "A",
            "t.conf:1: [node A]: port 5 is both port and link_port; use two");
    refuses(NODES_AB, "node.port=2", "A",
            "t.conf:5: [node B]: port 2 is taken by node A at the same address; use another");
    refuses(NODES_AB, "node.port=12", "A",
            "t.conf:5: [node B]: port 12 is taken by node A at the same address; use another");
    refuses(NODES_AB, "node.link_port=12", "A",
            "t.conf:5: [node B]: port 12 is taken by node A at the same address; use another");
    refuses(NODES_AB, "node.link_port=1", "B",
            "t.conf:5: [node B]: port 1 is taken by node A at the same address; use another");
    accepts("[node A]\naddress=1.1.1.1\nport=5\nlink_port=6\n"
            "[node B]\naddress=1.1.1.2\nport=5\nlink_port=6\n",
            NULL, "A");
}

static void links_name_known_nodes_once(void **state)
{
    (void)state;
    refuses("[links]\nA = X\n" NODES_AB, NULL, "A",
            "t.conf:2: [links] A: \"X\" is not a node of this herd; use A, B");
    refuses("[links]\nX = A\n" NODES_AB, NULL, "A",
            "t.conf:2: [links] X: \"X\" is not a node of this herd; use A, B");
    refuses("[links]\nA = B,\n" NODES_AB, NULL, "A",
            "t.conf:2: [links] A: \"B,\" is not a node of this herd; use A, B");
    refuses("[links]\nA = A\n" NODES_AB, NULL, "A",
            "t.conf:2: [links] A: a node is not its own neighbour; leave it out");
    refuses("[links]\nA = B B\n" NODES_AB, NULL, "A",
            "t.conf:2: [links] A: \"B\" is linked already; write each link once, at either end");
    refuses("[links]\nA = B\nB = A\n" NODES_AB, NULL, "A",
            "t.conf:3: [links] B: \"A\" is linked already; write each link once, at either end");
    refuses("[links]\nA = B\nA = B\n" NODES_AB, NULL, "A",
            "t.conf:3: [links] A: given twice; first on line 2");
    refuses("[links]\nA =\n" NODES_AB, NULL, "A",
            "t.conf:2: [links] A: no neighbours; name them, separated by spaces, or leave the line "
            "out");
}

#define GONE                                                                                       \
    "insecure_links: gone: links are always authenticated now; leave it out, and give each node "  \
    "its keys, which herdctl keys makes"
#define KEYS_ELSEWHERE                                                                             \
    "keys do not belong into the herd file, which every node has; take this section out, make "    \
    "new "                                                                                         \
    "keys with herdctl keys, and give each node its own file (herd --keys FILE; on a board, keys " \
    "load)"

static void what_older_herd_files_said_of_links_is_answered_with_what_to_do(void **state)
{
    (void)state;
    refuses("[herd]\ninsecure_links = yes\n" NODES_AB, NULL, "A", "t.conf:2: [herd] " GONE);
    refuses("[herd]\ninsecure_links = no\n" NODES_AB, NULL, "A", "t.conf:2: [herd] " GONE);
    refuses(NODES_AB, "herd.insecure_links=yes", "A", "setting herd." GONE);
    refuses("[log]\ninsecure_links = no\n" NODES_AB, NULL, "A",
            "t.conf:2: [log] insecure_links: unknown key; use level");
}

static void keys_in_the_herd_file_are_refused(void **state)
{
    (void)state;
    refuses(NODES_AB "[keys A]\nB = 1:00 2:11\n", NULL, "A", "t.conf:9: [keys A]: " KEYS_ELSEWHERE);
    refuses("[keys]\n" NODES_AB, NULL, "A", "t.conf:1: [keys]: " KEYS_ELSEWHERE);
    refuses("[keys ]\n" NODES_AB, NULL, "A", "t.conf:1: [keys ]: " KEYS_ELSEWHERE);
}

/* --- Suites of links --------------------------------------------------------------------------- */

#define NODES_ABC NODES_AB "[node C]\naddress = 127.0.0.1\nport = 3\nlink_port = 13\n"

/* Those of A's links with B and C. */
static void has_suites(const char *text, const char *set, bool b, bool c)
{
    if (CFG_LINK_ECDHE == 0 && (b || c)) {
        char expected[160];
        (void)snprintf(expected, sizeof expected,
                       "t.conf: [links]: the link of A with %s is ecdhe-psk, for which this board "
                       "has no elliptic curves; write %s:psk there",
                       b ? "B" : "C", b ? "B" : "C");
        refuses(text, set, "A", expected);
        return;
    }
    accepts(text, set, "A");
    assert_int_equal(config.neighbour_count, 2);
    assert_int_equal(config_link_is_ecdhe(&config, 0), b);
    assert_int_equal(config_link_is_ecdhe(&config, 1), c);
}

static void a_link_has_the_herds_suite_or_its_own(void **state)
{
    (void)state;
    static const char ecdhe[] = "herd.link_suite=ecdhe-psk", psk[] = "herd.link_suite=psk";
    has_suites(NODES_ABC "[links]\nA = B C\n", NULL, false, false);
    has_suites(NODES_ABC "[links]\nA = B C\n[herd]\nlink_suite = ecdhe-psk\n", NULL, true, true);
    has_suites(NODES_ABC "[links]\nA = B C\n[herd]\nlink_suite = ecdhe-psk\n", psk, false, false);
    has_suites(NODES_ABC "[links]\nA = B C\n", ecdhe, true, true);
    has_suites(NODES_ABC "[links]\nA = B:ecdhe-psk C\n", NULL, true, false);
    has_suites(NODES_ABC "[links]\nA = B C:ecdhe-psk\n", NULL, false, true);
    has_suites(NODES_ABC "[links]\nA = B:psk C\n", ecdhe, false, true);
    has_suites(NODES_ABC "[links]\nA = B:psk C:ecdhe-psk\n", NULL, false, true);
    has_suites(NODES_ABC "[links]\nA = B:psk C:ecdhe-psk\n", ecdhe, false, true);
    /* said at the other end, on which comes first in the file */
    has_suites(NODES_ABC "[links]\nB = A:ecdhe-psk\nC = A\n", NULL, true, false);
    has_suites("[links]\nC = A:psk B:ecdhe-psk\nB = A\n" NODES_ABC, ecdhe, true, false);
}

static void a_link_of_others_may_have_a_suite_that_this_build_has_not(void **state)
{
    (void)state;
    accepts(NODES_ABC "[links]\nB = C:ecdhe-psk\nA = B\n", NULL, "A");
    assert_false(config_link_is_ecdhe(&config, 0));
}

static void a_wrong_suite_of_a_link_is_refused(void **state)
{
    (void)state;
    refuses("[links]\nA = B:\n" NODES_AB, NULL, "A",
            "t.conf:2: [links] A: \"\" is not a suite; use psk or ecdhe-psk");
    refuses("[links]\nA = B:ecdhe\n" NODES_AB, NULL, "A",
            "t.conf:2: [links] A: \"ecdhe\" is not a suite; use psk or ecdhe-psk");
    refuses("[links]\nA = B:psk:psk\n" NODES_AB, NULL, "A",
            "t.conf:2: [links] A: \"psk:psk\" is not a suite; use psk or ecdhe-psk");
    refuses("[links]\nA = :psk\n" NODES_AB, NULL, "A",
            "t.conf:2: [links] A: \"\" is not a node of this herd; use A, B");
    refuses("[links]\nA = B :psk\n" NODES_AB, NULL, "A",
            "t.conf:2: [links] A: \"\" is not a node of this herd; use A, B");
    refuses("[links]\nA = B:psk B\n" NODES_AB, NULL, "A",
            "t.conf:2: [links] A: \"B\" is linked already; write each link once, at either end");
    refuses(
        NODES_AB "[open O]\naddress = 127.0.0.1\nport = 3\n[links]\nA = O:psk\n", NULL, "A",
        "t.conf:13: [links] A: links with neighbours of the older kind are not encrypted; leave "
        "out the colon and what follows it");
}

/* A herd of `count` nodes N0, N1, ..., all linked with N0. */
static void make_star(char *text, size_t capacity, unsigned count)
{
    size_t used = (size_t)snprintf(text, capacity, "; a herd\n");
    for (unsigned i = 0; i < count; i++) {
        used += (size_t)snprintf(text + used, capacity - used,
                                 "[node N%u]\naddress=1.1.1.%u\nport=1\nlink_port=2\n", i, i + 1);
    }
    used += (size_t)snprintf(text + used, capacity - used, "[links]\nN0 =");
    for (unsigned i = 1; i < count; i++) {
        used += (size_t)snprintf(text + used, capacity - used, " N%u", i);
    }
    assert_true(used < capacity);
}

static void what_the_board_has_no_room_for_is_refused(void **state)
{
    static char text[8192];
    char expected[128];
    (void)state;
    make_star(text, sizeof text, CFG_LINKS + 1);
    accepts(text, NULL, "N0");
    assert_int_equal(config.neighbour_count, CFG_LINKS);
    make_star(text, sizeof text, CFG_LINKS + 2);
    accepts(text, NULL, "N1");
    snprintf(expected, sizeof expected,
             "t.conf: [links]: N0 has more neighbours than the %d that this board has room for",
             CFG_LINKS);
    refuses(text, NULL, "N0", expected);
    make_star(text, sizeof text, CFG_NODES);
    accepts(text, NULL, "N1");
    make_star(text, sizeof text, CFG_NODES + 1);
    snprintf(expected, sizeof expected,
             "t.conf:%d: [node N%d]: more nodes than the %d that this board has room for",
             2 + 4 * CFG_NODES, CFG_NODES, CFG_NODES);
    refuses(text, NULL, "N0", expected);
}

/* --- Neighbours of the older kind -------------------------------------------------------------- */

#define OPEN_O "[open O]\naddress = 127.0.0.1\nport = 3\n"

static void open_neighbours_are_read_and_listed_apart(void **state)
{
    (void)state;
    if (CFG_OPEN_LINKS < 2) {
        skip(); /* a small board has room for one */
    }
    accepts("[herd]\nopen_anyone = yes\n[links]\nA = P B\nO = A\n" OPEN_O
            "[open P]\naddress = 10.0.0.9\nport = 65535\ndialect = update\nlines = 32\n" NODES_AB,
            NULL, "A");
    assert_true(config.open_anyone);
    assert_int_equal(config.node_count, 4);
    assert_int_equal(config.neighbour_count, 1);
    assert_string_equal(config.nodes[config.neighbours[0]].name, "B");
    assert_int_equal(config.open_count, 2);
    const struct config_node *o = &config.nodes[config.open[0]];
    assert_string_equal(o->name, "O");
    assert_true(o->open);
    assert_int_equal(o->port, 3);
    assert_int_equal(o->link_port, 0);
    assert_int_equal(o->dialect, CONFIG_DIALECT_AT);
    assert_int_equal(o->lines, 1);
    const struct config_node *p = &config.nodes[config.open[CFG_OPEN_LINKS > 1]];
    assert_string_equal(p->name, "P");
    assert_int_equal(p->address, 0x0A000009);
    assert_int_equal(p->dialect, CONFIG_DIALECT_UPDATE);
    assert_int_equal(p->lines, 32);
}

static void open_neighbours_are_off_unless_a_node_is_linked_with_them(void **state)
{
    (void)state;
    accepts(NODES_AB OPEN_O "[links]\nB = O\n", NULL, "A");
    assert_int_equal(config.open_count, 0);
    assert_int_equal(config_check_addresses(&config, false), HERD_OK);
    accepts(NODES_AB OPEN_O "[links]\nB = O\n", NULL, "B");
    assert_int_equal(config.open_count, 1);
    assert_int_equal(config.neighbour_count, 0);
    assert_false(config.open_anyone);
}

static void an_open_neighbour_needs_address_and_port(void **state)
{
    (void)state;
    refuses(
        NODES_AB "[open O]\nport = 3\n", NULL, "A",
        "t.conf:9: [open O] address: missing; every open neighbour needs an IPv4 address there");
    refuses(NODES_AB "[open O]\naddress = 1.1.1.1\n", NULL, "A",
            "t.conf:9: [open O] port: missing; every open neighbour needs a port there");
    refuses("[open O]\nlink_port = 4\n", NULL, "A",
            "t.conf:2: [open O] link_port: unknown key; use address, port, dialect, lines");
    refuses("[open O]\ndialects = at\n", NULL, "A",
            "t.conf:2: [open O] dialects: unknown key; did you mean dialect?");
    refuses("[node A]\ndialect = at\n", NULL, "A",
            "t.conf:2: [node A] dialect: unknown key; use address, port, link_port, mask, "
            "gateway, dns, dhcp, upstream");
    refuses("[open O]\nlines = 1\nlines = 1\n", NULL, "A",
            "t.conf:3: [open O] lines: given twice; first on line 2");
}

static void names_and_ports_of_open_neighbours_are_their_own(void **state)
{
    (void)state;
    refuses("[open]\n", NULL, "A", "t.conf:1: [open]: unknown section; did you mean [open NAME]?");
    refuses("[open O P]\n", NULL, "A",
            "t.conf:1: [open]: \"O P\" is not a name for a node; use 1 to 32 of A-Z a-z 0-9 . _ -");
    refuses("[node A]\n[open A]\n", NULL, "A", "t.conf:2: [open A]: given twice; first on line 1");
    refuses("[open A]\n[node A]\n", NULL, "A", "t.conf:2: [node A]: given twice; first on line 1");
    refuses(NODES_AB "[open O]\naddress = 127.0.0.1\nport = 12\n", NULL, "A",
            "t.conf:9: [open O]: port 12 is taken by node B at the same address; use another");
    refuses(OPEN_O "[open P]\naddress = 127.0.0.1\nport = 3\n" NODES_AB, NULL, "A",
            "t.conf:4: [open P]: port 3 is taken by open neighbour O at the same address; use "
            "another");
    refuses("[open O]\naddress = 127.0.0.1\nport = 2\n" NODES_AB, NULL, "A",
            "t.conf:8: [node B]: port 2 is taken by open neighbour O at the same address; use "
            "another");
    accepts(NODES_AB OPEN_O "[open P]\naddress = 127.0.0.1\nport = 4\n", NULL, "A");
}

static void an_open_neighbour_is_not_run_from_here(void **state)
{
    (void)state;
    refuses(OPEN_O, NULL, "O", "t.conf: no nodes; add a section [node NAME] for each");
    refuses(NODES_AB OPEN_O, NULL, "O",
            "t.conf:9: [open O]: a neighbour of the older kind is not run from here; use A, B");
    refuses(NODES_AB OPEN_O, NULL, "", "t.conf: which node? use A, B");
    refuses(NODES_AB OPEN_O, NULL, "X", "t.conf: \"X\" is not a node of this herd; use A, B");
    refuses(NODES_AB OPEN_O, "open.port=5", "A",
            "setting open.port: \"open.port=5\" is not SECTION.KEY=VALUE; use section herd, node, "
            "places, limits or log");
}

static void links_between_open_neighbours_are_none_of_ours(void **state)
{
    (void)state;
    refuses(NODES_AB OPEN_O "[open P]\naddress = 127.0.0.1\nport = 4\n[links]\nO = P\n", NULL, "A",
            "t.conf:16: [links] O: \"P\" is of the older kind too, and such links are none of this "
            "herd's; leave it out");
    refuses(NODES_AB OPEN_O "[links]\nA = X\n", NULL, "A",
            "t.conf:13: [links] A: \"X\" is not a node of this herd; use A, B, O");
    refuses(NODES_AB OPEN_O "[links]\nA = O\nO = A\n", NULL, "A",
            "t.conf:14: [links] O: \"A\" is linked already; write each link once, at either end");
}

static void open_neighbours_need_anyone_where_addresses_are_not_real(void **state)
{
    (void)state;
    accepts(NODES_AB OPEN_O "[links]\nA = O\n", NULL, "A");
    assert_int_equal(config_check_addresses(&config, true), HERD_OK);
    assert_int_equal(config_check_addresses(&config, false), HERD_E_RANGE);
    assert_string_equal(
        text_cstr(&error),
        "t.conf: [herd] open_anyone: on this network every peer seems to have the "
        "same address, so that A cannot tell its open neighbour O from its clients; "
        "accept such lines from anyone with open_anyone = yes, or remove the link");
    accepts(NODES_AB OPEN_O "[links]\nA = O\n", "herd.open_anyone=yes", "A");
    assert_int_equal(config_check_addresses(&config, false), HERD_OK);
}

static void more_open_neighbours_than_the_board_has_room_for_are_refused(void **state)
{
    char text[2048];
    char expected[128];
    (void)state;
    size_t used = (size_t)snprintf(text, sizeof text, NODES_AB);
    for (unsigned i = 0; i <= CFG_OPEN_LINKS; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "[open O%u]\naddress = 1.1.1.1\nport = %u\n", i, i + 1);
    }
    used += (size_t)snprintf(text + used, sizeof text - used, "[links]\nA =");
    for (unsigned i = 0; i <= CFG_OPEN_LINKS; i++) {
        if (i == CFG_OPEN_LINKS) {
            accepts(text, NULL, "A");
            assert_int_equal(config.open_count, CFG_OPEN_LINKS);
        }
        used += (size_t)snprintf(text + used, sizeof text - used, " O%u", i);
    }
    snprintf(expected, sizeof expected,
             "t.conf: [links]: A has more open neighbours than the %d that this board has room for",
             CFG_OPEN_LINKS);
    refuses(text, NULL, "A", expected);
    accepts(text, NULL, "B");
}

/* --- Hostile and real texts -------------------------------------------------------------------- */

static void no_truncation_or_change_of_a_byte_crashes(void **state)
{
    static const char bytes[] = {'\0', '\n', '[', ']', '=', ' ', ';', '9', (char)0xFF};
    char text[sizeof full];
    (void)state;
    for (size_t n = 0; n < sizeof full; n++) {
        (void)load_bytes(full, n, NULL, "A");
    }
    for (size_t n = 0; n < sizeof full - 1; n++) {
        for (size_t b = 0; b < sizeof bytes; b++) {
            memcpy(text, full, sizeof full);
            text[n] = bytes[b];
            (void)load_bytes(text, sizeof full - 1, NULL, "A");
        }
    }
}

static void preset(const char *name, const char *node, unsigned nodes, unsigned neighbours)
{
    static char text[16384];
    FILE *f = neighbours > CFG_LINKS ? NULL : fopen(name, "r");
    if (f == NULL) {
        skip(); /* not run from the root of the repository, or on a board with fewer links */
        return;
    }
    size_t bytes = fread(text, 1, sizeof text, f);
    fclose(f);
    assert_true(bytes < sizeof text);
    if (load_bytes(text, bytes, NULL, node) != HERD_OK) {
        fail_msg("%s", text_cstr(&error));
    }
    assert_int_equal(config.node_count, nodes);
    assert_int_equal(config.neighbour_count, neighbours);
}

static void the_presets_are_valid(void **state)
{
    (void)state;
    preset("tools/herds/bailey.conf", "Bailey", 5, 2);
    preset("tools/herds/bailey.conf", "Jaquez", 5, 2);
    preset("tools/herds/bailey-tap.conf", "Clark", 5, 2);
    preset("tools/herds/goloman.conf", "Goloman", 5, 3);
    preset("tools/herds/goloman.conf", "Welsh", 5, 1);
    preset("tools/herds/solo.conf", "Solo", 1, 0);
}

static void every_key_is_written_as_it_is_read(void **state)
{
    static const char *const values[] = {"",
                                         "1",
                                         "yes",
                                         "no",
                                         "64",
                                         "500",
                                         "1.2.3.4",
                                         "none",
                                         "google-legacy",
                                         "debug",
                                         "a.example",
                                         "/a/path",
                                         "update",
                                         "1.2.3.4 5.6.7.8",
                                         "ecdhe-psk",
                                         "255.255.255.0"};
    (void)state;
    for (unsigned i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const struct config_key *key = config_keys_get(i);
        unsigned taken = 0;
        for (unsigned v = 0; v < sizeof values / sizeof values[0]; v++) {
            static char base[sizeof(struct config)];
            char buffer[400], again[400];
            struct text why, text;
            memset(base, 0, sizeof base);
            text_init(&why, buffer, sizeof buffer);
            if (config_keys_assign(key, span_of(values[v]), base, &why)) {
                text_init(&text, again, sizeof again);
                config_keys_format(key, base, &text);
                assert_span_equal(text_span(&text), values[v]);
                taken++;
            }
        }
        assert_true(taken > 0);
    }
}

static void ntp_servers_are_a_list_of_addresses(void **state)
{
    static const char head[] = "[node A]\naddress = 127.0.0.1\nport = 1\nlink_port = 2\n[herd]\n";
    char text[300];
    (void)state;
    static const struct {
        const char *value, *error; /* NULL: fine */
    } cases[] = {
        {"192.168.1.1", NULL},
        {"1.2.3.4\t 5.6.7.8  9.9.9.9", NULL},
        {"1.2.3.4 5.6.7.8 9.9.9.9 8.8.8.8",
         "t.conf:6: [herd] ntp: \"1.2.3.4 5.6.7.8 9.9.9.9 8.8.8.8\" are too many; use at most 3"},
        {"1.2.3.4, 5.6.7.8",
         "t.conf:6: [herd] ntp: \"1.2.3.4,\" is not an IPv4 address; use addresses of "
         "NTP servers, as in 192.168.1.1, separated by spaces"},
        {"pool.ntp.org",
         "t.conf:6: [herd] ntp: \"pool.ntp.org\" is not an IPv4 address; use addresses "
         "of NTP servers, as in 192.168.1.1, separated by spaces"},
        {"0.0.0.0", "t.conf:6: [herd] ntp: \"0.0.0.0\" is not an IPv4 address; use addresses of "
                    "NTP servers, as in 192.168.1.1, separated by spaces"},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text t;
        text_init(&t, text, sizeof text);
        text_str(&t, head);
        text_str(&t, "ntp = ");
        text_str(&t, cases[i].value);
        text_char(&t, '\n');
        if (cases[i].error != NULL) {
            refuses(text_cstr(&t), NULL, "A", cases[i].error);
        } else {
            accepts(text_cstr(&t), NULL, "A");
            assert_int_equal(config.ntp.at[0] >> 24, i == 0 ? 192 : 1);
            assert_int_equal(config.ntp.count, i == 0 ? 1 : 3);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_written_as_it_is_read),
        cmocka_unit_test(ntp_servers_are_a_list_of_addresses),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(a_node_has_an_upstream_unless_it_says_that_it_has_none),
        cmocka_unit_test(an_upstream_is_there_or_not),
        cmocka_unit_test(neighbours_are_in_the_order_of_their_names),
        cmocka_unit_test(defaults_hold_where_the_file_is_silent),
        cmocka_unit_test(an_empty_value_is_the_default_where_there_is_one),
        cmocka_unit_test(an_override_replaces_what_the_file_says),
        cmocka_unit_test(an_override_of_node_is_of_the_named_node_only),
        cmocka_unit_test(a_bad_override_is_refused),
        cmocka_unit_test(a_bad_value_is_refused_with_its_place_and_what_would_be_right),
        cmocka_unit_test(a_path_that_is_too_long_is_refused),
        cmocka_unit_test(unknown_and_repeated_names_are_refused),
        cmocka_unit_test(names_of_nodes_are_strict),
        cmocka_unit_test(lines_that_are_not_ini_are_refused),
        cmocka_unit_test(a_line_is_never_cut_silently),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(the_node_must_be_in_the_herd),
        cmocka_unit_test(every_node_needs_address_and_ports),
        cmocka_unit_test(the_network_of_a_node_makes_sense),
        cmocka_unit_test(ports_of_one_address_differ),
        cmocka_unit_test(links_name_known_nodes_once),
        cmocka_unit_test(what_older_herd_files_said_of_links_is_answered_with_what_to_do),
        cmocka_unit_test(keys_in_the_herd_file_are_refused),
        cmocka_unit_test(a_link_has_the_herds_suite_or_its_own),
        cmocka_unit_test(a_link_of_others_may_have_a_suite_that_this_build_has_not),
        cmocka_unit_test(a_wrong_suite_of_a_link_is_refused),
        cmocka_unit_test(what_the_board_has_no_room_for_is_refused),
        cmocka_unit_test(open_neighbours_are_read_and_listed_apart),
        cmocka_unit_test(open_neighbours_are_off_unless_a_node_is_linked_with_them),
        cmocka_unit_test(an_open_neighbour_needs_address_and_port),
        cmocka_unit_test(names_and_ports_of_open_neighbours_are_their_own),
        cmocka_unit_test(an_open_neighbour_is_not_run_from_here),
        cmocka_unit_test(links_between_open_neighbours_are_none_of_ours),
        cmocka_unit_test(open_neighbours_need_anyone_where_addresses_are_not_real),
        cmocka_unit_test(more_open_neighbours_than_the_board_has_room_for_are_refused),
        cmocka_unit_test(no_truncation_or_change_of_a_byte_crashes),
        cmocka_unit_test(the_presets_are_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
