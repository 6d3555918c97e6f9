/* The console as an operator and as a program meet it: commands over a fake hal_console. */
#include <stdio.h>

#include "unit.h"

#include "lwip/stats.h"

#include "clients.h"
#include "conn.h"
#include "console.h"
#include "flash_double.h"
#include "hal_clock.h"
#include "hal_console.h"
#include "hal_net.h"
#include "hal_system.h"
#include "json.h"
#include "keys.h"
#include "links.h"
#include "log.h"
#include "names.h"
#include "nv.h"
#include "places.h"
#include "replica.h"
#include "rng.h"
#include "sched.h"
#include "session.h"
#include "setup.h"
#include "tls_upstream.h"
#include "wall.h"

#define HERD_TEXT                                                                                  \
    "[herd]\n[node A]\naddress = 127.0.0.1\nport = 1000\nlink_port = 1001\n"                       \
    "[node B]\naddress = 127.0.0.1\nport = 1002\nlink_port = 1003\n[links]\nA = B\n"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define KEYS_OF(node, neighbour, k, l)                                                             \
    "[keys " node "]\n" neighbour " = " k ":" HEX_A "\n" neighbour " = " l ":" HEX_B "\n"

/* --- The port ---------------------------------------------------------------------------------- */

static uint64_t now_ms;
static bool terminal;
static char typed[16384];
static size_t typed_bytes, typed_read;
static char screen[262144];
static size_t screen_bytes;
static size_t takes;  /* per call; SIZE_MAX: all */
static size_t budget; /* bytes until the next round */
static unsigned restarts;
static const char *crash[3];

uint64_t hal_clock_ms(void)
{
    return now_ms;
}
bool hal_clock_wall_ns(int64_t *ns)
{
    *ns = INT64_C(1795175314614695377);
    return true;
}
bool hal_net_addresses_are_real(void)
{
    return true;
}
static size_t take(const char *data, size_t bytes)
{
    bytes = bytes < takes ? bytes : takes;
    bytes = bytes < budget ? bytes : budget;
    budget -= bytes;
    assert_true(screen_bytes + bytes < sizeof screen);
    memcpy(screen + screen_bytes, data, bytes);
    screen_bytes += bytes;
    screen[screen_bytes] = '\0';
    return bytes;
}
size_t hal_console_write(const char *data, size_t bytes)
{
    return take(data, bytes);
}
size_t hal_console_answer(const char *data, size_t bytes)
{
    return take(data, bytes);
}
size_t hal_console_read(char *data, size_t bytes)
{
    size_t left = typed_bytes - typed_read;
    bytes = bytes < left ? bytes : left;
    memcpy(data, typed + typed_read, bytes);
    typed_read += bytes;
    return bytes;
}
bool hal_console_is_terminal(void)
{
    return terminal;
}
size_t hal_system_crash(unsigned line, char *out, size_t bytes)
{
    size_t n = line < 3 && crash[line] != NULL ? strlen(crash[line]) : 0;
    assert_true(n <= bytes);
    memcpy(out, n > 0 ? crash[line] : "", n);
    return n;
}
bool hal_system_stack(size_t *reserved, size_t *high)
{
    *reserved = 4096;
    *high = 1234;
    return true;
}
static void restart(void)
{
    restarts++;
}

/* --- Other rooms ------------------------------------------------------------------------------- */

static bool rng_secret;
static char rng_given[200];
static enum links_state link_state;
static struct wall_state wall;

bool rng_is_secret(void)
{
    return rng_secret;
}
const char *rng_source(void)
{
    return rng_secret ? "hardware" : "no: neither hardware nor a seed";
}
int rng_add_seed(struct span s)
{
    if (s.bytes < RNG_SEED_TEXT_MIN) {
        return HERD_E_RANGE;
    }
    memcpy(rng_given, s.at, s.bytes);
    rng_given[s.bytes] = '\0';
    rng_secret = true;
    return HERD_OK;
}
enum links_state links_state(unsigned i)
{
    assert_int_equal(i, 0);
    return link_state;
}
struct links_stats links_stats(void)
{
    return (struct links_stats){.up = 4,
                                .down = 3,
                                .bad_report = 1,
                                .skipped = 2,
                                .auth_failed = 5,
                                .auth_unknown = 6,
                                .auth_old_key = 7,
                                .crowded = 8};
}
bool links_clock_trusted(void)
{
    return true;
}
struct conn_stats conn_stats(void)
{
    return (struct conn_stats){
        .open = {2, 1, 0}, .high_water = {5, 2, 1}, .refused_full = {7, 0, 0}};
}
const char *conn_reason_name(enum conn_reason reason)
{
    (void)reason;
    return "reason";
}
struct session_stats session_stats(void)
{
    return (struct session_stats){.iamat = 11, .whatsat = 12, .invalid = 13};
}
struct places_stats places_stats(void)
{
    return (struct places_stats){.asked = 21, .answered = 20, .failed = 1};
}
struct tls_upstream_stats tls_upstream_stats(void)
{
    return (struct tls_upstream_stats){.arena_used = 100, .arena_peak = 200};
}
struct json_stats json_stats(void)
{
    return (struct json_stats){.arena_peak = 300};
}
struct wall_state wall_state(void)
{
    return wall;
}
bool wall_now_ns(int64_t *ns)
{
    if (wall.known) {
        (void)hal_clock_wall_ns(ns);
    }
    return wall.known;
}

/* --- The node ---------------------------------------------------------------------------------- */

static struct setup_factory factory;
static struct config config;
static struct console_means means;

static void boot(void)
{
    char buffer[512];
    struct text error;
    text_init(&error, buffer, sizeof buffer);
    flash_double_restart(1);
    nv_start();
    assert_int_equal(setup_start(&factory, &config, &error), HERD_OK);
    assert_int_equal(keys_init(&config, setup_link_keys(), &error), HERD_OK);
    means = (struct console_means){.config = &config, .restart = restart};
    sched_init();
    log_init(LOG_INFO);
    console_init(&means);
    typed_bytes = typed_read = 0;
    screen_bytes = 0;
    screen[0] = '\0';
}

static void run(void);

static int begin(bool is_terminal)
{
    flash_double_make(65536, 4096, 16, 1);
    factory = (struct setup_factory){.herd_file = SPAN_LIT("f.conf"),
                                     .herd_text = SPAN_LIT(HERD_TEXT),
                                     .node = SPAN_LIT("A"),
                                     .link_keys = SPAN_LIT(KEYS_OF("A", "B", "3", "4"))};
    terminal = is_terminal;
    takes = SIZE_MAX;
    now_ms = 0;
    restarts = 0;
    rng_secret = true;
    link_state = LINKS_UP;
    wall = (struct wall_state){.source = WALL_PORT, .known = true};
    memset(crash, 0, sizeof crash);
    names_init();
    clients_init(CFG_DEVICES);
    replica_init(1, 0);
    boot();
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return begin(false);
}

static int set_up_terminal(void **state)
{
    (void)state;
    begin(true);
    run();
    assert_string_equal(screen, "herd: Enter gives a prompt, help lists the commands\r\n");
    screen_bytes = 0;
    screen[0] = '\0';
    return 0;
}

/* Rounds until nothing happens any more. */
static void run(void)
{
    for (unsigned i = 0, quiet = 0; quiet < 3; i++) {
        size_t before = screen_bytes;
        now_ms += 20;
        budget = takes == SIZE_MAX ? SIZE_MAX : 4 * takes;
        console_wake();
        (void)sched_round(now_ms);
        quiet = screen_bytes == before && typed_read == typed_bytes ? quiet + 1 : 0;
        assert_true(i < 100000);
    }
}

/* What a piece of input brings to the screen. */
static const char *type(const char *keys)
{
    size_t bytes = strlen(keys);
    assert_true(typed_bytes + bytes <= sizeof typed);
    memcpy(typed + typed_bytes, keys, bytes);
    typed_bytes += bytes;
    screen_bytes = 0;
    screen[0] = '\0';
    run();
    return screen;
}

#define assert_says(keys, words) assert_non_null(strstr(type(keys), words))

static void report(const char *device)
{
    struct client_record r = {.key_ns = 5,
                              .report = {.client = span_of(device),
                                         .location = SPAN_LIT("+1.5-2.5"),
                                         .stamp = SPAN_LIT("1.5"),
                                         .stamp_ns = 1500000000}};
    unsigned slot;
    bool evicted;
    assert_int_equal(names_intern(SPAN_LIT("Bailey"), &r.server), HERD_OK);
    assert_int_equal(clients_offer(&r, &slot, &evicted), CLIENTS_STORED);
}

/* --- Commands ---------------------------------------------------------------------------------- */

static void help_lists_every_command(void **state)
{
    unsigned count = 0;
    (void)state;
    const struct console_command *commands = console_commands(&count);
    const char *answer = type("help\n");
    for (unsigned i = 0; i < count; i++) {
        char start[40];
        struct text t;
        text_init(&t, start, sizeof start);
        text_str(&t, commands[i].name);
        text_str(&t, commands[i].arguments);
        assert_non_null(strstr(answer, text_cstr(&t)));
        assert_non_null(strstr(answer, commands[i].help));
    }
}

static void an_unknown_command_is_shown_escaped(void **state)
{
    (void)state;
    assert_string_equal(type("frobni\x1b[2Jcate 1\n"),
                        "unknown command frobni\\x1b[2Jcate; help lists the commands\n");
    assert_string_equal(type("\n  \n"), "");
}

static void status_shows_pools_with_high_water_marks_and_drops(void **state)
{
    (void)state;
    report("kiwi");
    const char *answer = type("status\n");
    assert_non_null(strstr(answer, "node A, herd "));
    assert_non_null(strstr(answer, "config the factory's\n"));
    assert_non_null(strstr(answer, "memory ready epoch=0 config=0 before=0\n"));
    assert_non_null(strstr(answer, "entropy hardware\n"));
    assert_non_null(strstr(answer, "by port, trusted\n"));
    assert_non_null(strstr(answer, "pool stack used=1234 high=1234 of=4096"));
    assert_non_null(strstr(answer, "pool devices used=1 high=1 of="));
    assert_non_null(strstr(answer, "pool clients used=2 high=5 of="));
    assert_non_null(strstr(answer, "refused=7\n"));
    assert_non_null(strstr(answer, "pool tls-arena used=100 high=200 of="));
    assert_non_null(strstr(answer, "sessions iamat=11 whatsat=12 invalid=13"));
}

static void status_says_what_to_do_without_entropy_or_time(void **state)
{
    (void)state;
    rng_secret = false;
    wall = (struct wall_state){.source = WALL_NONE};
    const char *answer = type("status\n");
    assert_non_null(strstr(answer, "entropy no: neither hardware nor a seed; no TLS until `seed`"));
    assert_non_null(
        strstr(answer, "clock unknown: no TLS to the places provider; config set herd.ntp="));
    wall.servers = 1;
    wall.server = 0xC0A80101;
    assert_says("status\n", "waiting for NTP server 192.168.1.1\n");
}

static void clients_are_listed_in_order_and_by_prefix(void **state)
{
    (void)state;
    report("kiwi");
    report("apple");
    report("kumquat");
    report("\xc3\xa9");
    assert_string_equal(type("clients\n"), "apple +1.5-2.5 1.5 at Bailey\n"
                                           "kiwi +1.5-2.5 1.5 at Bailey\n"
                                           "kumquat +1.5-2.5 1.5 at Bailey\n"
                                           "\\xc3\\xa9 +1.5-2.5 1.5 at Bailey\n"
                                           "4 of 4 devices\n");
    assert_string_equal(type("clients k\n"), "kiwi +1.5-2.5 1.5 at Bailey\n"
                                             "kumquat +1.5-2.5 1.5 at Bailey\n"
                                             "2 of 4 devices\n");
    assert_string_equal(type("clients zz\n"), "0 of 4 devices\n");
}

static void a_long_list_comes_in_pieces_between_which_others_run(void **state)
{
    (void)state;
    char name[] = "device-0000";
    for (unsigned i = 0; i < CFG_DEVICES; i++) {
        name[7] = (char)('0' + i / 1000 % 10);
        name[8] = (char)('0' + i / 100 % 10);
        name[9] = (char)('0' + i / 10 % 10);
        name[10] = (char)('0' + i % 10);
        report(name);
    }
    memcpy(typed, "clients\n", 8);
    typed_bytes = 8;
    budget = SIZE_MAX;
    size_t most = 0;
    for (unsigned i = 0; i < 40; i++) {
        size_t before = screen_bytes;
        console_wake();
        (void)sched_round(++now_ms);
        most = screen_bytes - before > most ? screen_bytes - before : most;
    }
    assert_true(most > 0 && most < 10 * 60);
    run();
    assert_non_null(strstr(screen, " devices\n"));
    assert_int_equal(log_dropped(), 0);
}

static void links_show_their_state(void **state)
{
    (void)state;
    assert_string_equal(type("links\n"),
                        "B up at 127.0.0.1:1003 pending=0 in_flight=0 suite=psk\n"
                        "1 links came_up=4 went_down=3 suspected=0 dead=0 refused=0 protocol=0 "
                        "bad_report=1 skipped=2\n"
                        "callers auth_failed=5 auth_unknown=6 auth_old_key=7 crowded=8\n");
    link_state = LINKS_SUSPECT;
    assert_says("links\n", "B suspect at");
}

static void the_log_level_is_shown_and_set(void **state)
{
    (void)state;
    assert_string_equal(type("log\n"), "log level info\n");
    assert_says("log debug\n", "log level debug until the next start");
    assert_int_equal(log_get_level(), LOG_DEBUG);
    assert_says("log loud\n", "error, warn, info or debug");
    assert_int_equal(log_get_level(), LOG_DEBUG);
}

static void time_and_places_tell_their_state(void **state)
{
    (void)state;
    wall = (struct wall_state){.source = WALL_SNTP,
                               .known = true,
                               .asking = true,
                               .servers = 2,
                               .answers = 3,
                               .step_ns = -4000};
    const char *answer = type("time\n");
    assert_non_null(strstr(answer, "clock 2026-11-20T"));
    assert_non_null(strstr(answer, " by sntp"));
    assert_non_null(strstr(answer, "ntp on servers=2 answers=3 refused=0 last="));
    assert_non_null(strstr(answer, "step_us=-4\n"));
    answer = type("places\n");
    assert_non_null(strstr(answer, "provider google at places.googleapis.com:443, no key"));
    assert_non_null(strstr(answer, "queries asked=21 answered=20 failed=1"));
}

static void a_crash_is_shown(void **state)
{
    (void)state;
    assert_string_equal(type("crash\n"), "no crash since power on\n");
    crash[0] = "assertion at a.c:1";
    crash[1] = "pc=0";
    assert_string_equal(type("crash\n"), "assertion at a.c:1\npc=0\n");
}

static void config_is_shown_as_a_herd_file_that_can_be_loaded(void **state)
{
    char text[8192];
    (void)state;
    const char *answer = type("config show\n");
    assert_non_null(
        strstr(answer, "; key of the places provider: none\n[herd]\nreport_bytes = 128\n"));
    assert_non_null(strstr(answer, "[node A] ; this node\naddress = 127.0.0.1\nport = 1000\n"));
    assert_non_null(strstr(answer, "[links]\nA = B\n"));
    text[0] = '\0';
    strcat(text, "config load B\n");
    strcat(text, answer);
    strcat(text, ".\n");
    if (strstr(type(text), "valid; config save keeps it") == NULL) {
        fail_msg("%s", screen);
    }
    assert_string_equal(type("config save\n"), "line 1: these are the keys of A; this node is B\n");
    assert_says("keys load\n" KEYS_OF("B", "A", "3", "4") ".\n", "valid; config save keeps it");
    assert_says("config save\n", "saved; reboot puts it into effect\n");
    boot();
    assert_string_equal(config.nodes[config.self].name, "B");
    assert_int_equal(config.neighbour_count, 1);
}

static void config_set_is_checked_saved_and_rolled_back(void **state)
{
    (void)state;
    assert_string_equal(type("config set node.port=99999\n"),
                        "setting node.port: \"99999\" is not a port; use 1 to 65535\n");
    assert_says("config set herd.ntp=1.2.3.4 5.6.7.8\n", "valid; config save");
    assert_says("config set node.port = 2000\n", "valid; config save");
    assert_says("config show new\n", "ntp = 1.2.3.4 5.6.7.8\n");
    assert_null(strstr(type("config show\n"), "1.2.3.4"));
    assert_says("status\n", "changes that are not saved");
    assert_says("reboot\n", "not saved: config save, or reboot anyway");
    assert_int_equal(restarts, 0);
    assert_says("config save\n", "saved");
    assert_says("reboot\n", "starting again\n");
    assert_int_equal(restarts, 1);
    boot();
    assert_int_equal(config.nodes[0].port, 2000);
    assert_int_equal(config.ntp.count, 2);
    assert_says("status\n", "config this node's own\n");
    assert_says("config rollback\n", "the configuration before");
    boot();
    assert_int_equal(config.nodes[0].port, 1000);
    assert_says("config rollback\n", "the configuration before");
    assert_says("factory-reset\n", "factory-reset yes\n");
    boot();
    assert_int_equal(config.nodes[0].port, 2000);
    assert_says("factory-reset yes\n", "forgotten");
    boot();
    assert_int_equal(config.nodes[0].port, 1000);
    assert_says("config rollback\n", "there is none\n");
}

static void config_subcommands_say_how_they_are_used(void **state)
{
    (void)state;
    assert_says("config\n", "config rollback");
    assert_says("config frobnicate\n", "config rollback");
    assert_says("config set\n", "SECTION.KEY=VALUE");
    assert_says("config unset\n", "SECTION.KEY");
    assert_says("config node\n", "config node NAME");
    assert_says("config load A B\n", "config load [NAME]");
    assert_says("config show old\n", "config show new");
    assert_says("config unset log.level\n", "no such setting");
    assert_says("config node Z\n", "\"Z\" is not a node of this herd; use A, B");
    assert_says("config node B\n", "valid");
    assert_says("config discard\n", "back to what is saved");
    assert_false(setup_is_changed());
}

static void a_wrong_herd_file_is_refused_with_its_line(void **state)
{
    (void)state;
    assert_says("config load A\n; hello\n[node A]\nadress = 1\n.\n",
                "herd file:3: [node A] adress: unknown key; did you mean address?\n");
    assert_false(setup_is_changed());
    assert_says("status\n", "config the factory's\n"); /* back at commands */
}

static void a_load_that_is_given_up_changes_nothing(void **state)
{
    (void)state;
    assert_says("config load\n[herd]\n\x03", "given up");
    assert_false(setup_is_changed());
    assert_says("log\n", "log level info\n");
}

static void a_line_that_is_too_long_is_refused(void **state)
{
    char line[3 * CFG_CONSOLE_LINE_BYTES];
    (void)state;
    memset(line, 'x', sizeof line);
    line[sizeof line - 2] = '\n';
    line[sizeof line - 1] = '\0';
    assert_string_equal(type(line), "the line is too long; help lists the commands\n");
    assert_says("config load\n", "single dot");
    type(line);
    assert_says(".\n", "a line is longer than");
    line[0] = ';'; /* a comment may be */
    assert_says("config load\n", "single dot");
    type(line);
    assert_says(HERD_TEXT ".\n", "valid");
}

static void a_key_is_taken_unseen_and_never_shown(void **state)
{
    (void)state;
    assert_says("config key\n", "it is not shown");
    assert_null(strstr(type("s3cr3t-key\n"), "s3cr3t"));
    assert_says("config save\n", "saved");
    boot();
    assert_span_equal(setup_places_key(), "s3cr3t-key");
    assert_null(strstr(type("config show\nstatus\nplaces\nconfig show new\n"), "s3cr3t"));
    assert_non_null(strstr(screen, "; key of the places provider: present"));
    assert_says("config key\n", "not shown");
    assert_says("white space within\n", "white space");
}

static void keys_of_links_are_taken_unseen_and_shown_by_number(void **state)
{
    (void)state;
    assert_string_equal(type("keys\n"), "link B current=3 next=4\nkeys of the factory\n");
    assert_says("keys load\n", "single dot; it is not shown");
    type("; made by somebody\n" KEYS_OF("A", "B", "65535", "1"));
    assert_null(strstr(screen, "aaaa"));
    assert_says(".\n", "valid; config save keeps it, reboot puts it into effect\n");
    assert_string_equal(type("keys\n"),
                        "link B current=3 next=4\nkeys of the node's own; they replace the "
                        "factory's, when config save has kept what was changed\n");
    assert_says("config save\n", "saved");
    boot();
    assert_string_equal(type("keys\n"), "link B current=65535 next=1\nkeys of the node's own; they "
                                        "replace the factory's\n");
    type("config show\nstatus\nlinks\nconfig show new\nhelp\nkeys\n");
    assert_null(strstr(screen, "aaaa"));
    assert_null(strstr(screen, "bbbb"));
}

static void wrong_keys_are_refused_and_not_shown(void **state)
{
    char line[3 * CFG_CONSOLE_LINE_BYTES];
    (void)state;
    assert_says("keys load\n[keys A]\nB = 3:" HEX_A "\nB = 3:" HEX_B "\n.\n",
                "B: the second key is not the one after the first; number it 4\n");
    assert_says("keys load\n[keys A]\nB = 3:" HEX_A "c\n.\n", "line 2 is none of a key file's");
    assert_null(strstr(screen, "aaaa"));
    assert_says("keys load\n[keys A]\n\x03", "given up; nothing changed since config save\n");
    assert_false(setup_is_changed());
    memset(line, 'a', sizeof line);
    line[sizeof line - 2] = '\n';
    line[sizeof line - 1] = '\0';
    type("keys load\n");
    type(line);
    assert_says(".\n", "a line is longer than");
    assert_null(strstr(screen, "aaaa"));
    assert_says("keys lod\n", "keys load: takes a key file that is pasted\n");
    assert_says("keys load x\n", "keys load: takes a key file that is pasted\n");
    assert_says("keys\n", "current=3");
}

static void on_a_terminal_a_pasted_key_file_is_not_echoed(void **state)
{
    (void)state;
    assert_int_equal(begin(true), 0);
    type("keys load\r" KEYS_OF("A", "B", "8", "9"));
    assert_null(strstr(screen, "aaaa"));
    assert_null(strstr(screen, "bbbb"));
    assert_non_null(strstr(type(".\r"), "valid; config save keeps it"));
    type("\x1b[A\x1b[A\x1b[A"); /* nor kept among the lines typed before */
    assert_null(strstr(screen, "aaaa"));
    type("\x15"); /* ^U */
    assert_non_null(strstr(type("log\r"), "log level"));
}

static void a_seed_is_taken_unseen(void **state)
{
    (void)state;
    rng_secret = false;
    assert_says("seed\n", "not shown");
    assert_says("too short\n", "not enough");
    assert_says("seed\n", "not shown");
    assert_string_equal(type("0123456789abcdef0123456789abcdef\n"),
                        "taken, and a successor is kept for the next start\n");
    assert_string_equal(rng_given, "0123456789abcdef0123456789abcdef");
}

static void without_a_configuration_it_can_still_be_set_up(void **state)
{
    (void)state;
    means = (struct console_means){.config = NULL, .restart = restart};
    sched_init();
    log_init(LOG_INFO);
    console_init(&means);
    assert_says("status\n", "node without a configuration");
    assert_says("clients\nlinks\nplaces\ntime\nconfig show\n", "config load takes a herd file");
    assert_says("keys\n", "there are no keys in effect; keys load takes a key file\n");
    assert_says("config load B\n" HERD_TEXT ".\n", "valid");
    assert_says("keys load\n" KEYS_OF("B", "A", "3", "4") ".\nconfig save\n", "saved");
}

/* --- Sharing the console with the log ---------------------------------------------------------- */

static void say_log(void)
{
    struct log_line *l = log_begin(EV_SESSION_TAKEN);
    log_u64(l, "slot", 3);
    log_end(l);
}

static void answers_and_log_lines_are_whole_however_slow_the_console_is(void **state)
{
    (void)state;
    report("kiwi");
    for (takes = 1; takes < 40; takes += 5) {
        say_log();
        memcpy(typed, "clients\nlinks\nlog\n", 18);
        typed_bytes = 18;
        typed_read = 0;
        screen_bytes = 0;
        for (unsigned i = 0; i < 3000; i++) {
            if (i % 50 == 0 && i < 500) {
                say_log();
            }
            now_ms += 20;
            budget = takes;
            console_wake();
            (void)sched_round(now_ms);
        }
        unsigned logs = 0, answers = 0;
        for (char *line = strtok(screen, "\n"); line != NULL; line = strtok(NULL, "\n")) {
            bool is_log = strstr(line, "info session.taken slot=3") != NULL &&
                          strncmp(line, "2026-", 5) == 0 && strlen(line) == 50;
            bool is_answer = strcmp(line, "kiwi +1.5-2.5 1.5 at Bailey") == 0 ||
                             strcmp(line, "1 of 1 devices") == 0 ||
                             strncmp(line, "B up at", 7) == 0 ||
                             strncmp(line, "1 links came_up=4", 17) == 0 ||
                             strncmp(line, "callers auth_failed=5", 21) == 0 ||
                             strcmp(line, "log level info") == 0;
            assert_true(is_log != is_answer);
            logs += is_log;
            answers += is_answer;
        }
        assert_int_equal(logs, 11);
        assert_int_equal(answers, 6);
    }
}

static void a_log_line_does_not_tear_the_row_that_is_typed(void **state)
{
    (void)state;
    type("\r");
    assert_string_equal(type("stat"), "stat");
    screen_bytes = 0;
    say_log();
    run();
    assert_string_equal(screen, "\r\x1b[K2026-11-20T11:48:34.614Z info session.taken slot=3\n"
                                "herd> stat");
    assert_non_null(strstr(type("us\r"), "us\r\nnode A, herd "));
}

static void a_terminal_gets_a_prompt_pages_and_crlf(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        char name[] = "device-a";
        name[7] = (char)('a' + i % 26);
        name[6] = (char)(i < 26 ? '-' : '+');
        report(name);
    }
    assert_string_equal(type("\r"), "herd> \r\nherd> ");
    const char *answer = type("clients\r");
    assert_non_null(strstr(answer, "clients\r\ndevice+a +1.5-2.5 1.5 at Bailey\r\n"));
    assert_non_null(strstr(answer, "-- more: any key, q to end --"));
    assert_null(strstr(answer, "30 of 30"));
    assert_says(" ", "30 of 30 devices\r\nherd> ");
    type("clients\r");
    answer = type("q");
    assert_string_equal(answer, "\r\x1b[Kherd> ");
    type("clients\r");
    say_log(); /* while it waits */
    screen_bytes = 0;
    run();
    assert_non_null(strstr(screen, "slot=3\n-- more"));
    assert_says("\x03", "herd> ");
}

static void control_c_ends_an_answer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 26 * 4; i++) {
        char name[] = "device-aa";
        name[7] = (char)('a' + i % 26);
        name[8] = (char)('a' + i / 26);
        report(name);
    }
    assert_null(strstr(type("clients\n\x03log\n"), "devices"));
    assert_non_null(strstr(screen, "^C\nlog level info\n"));
}

static void nothing_is_said_to_a_terminal_where_nobody_types(void **state)
{
    (void)state;
    say_log();
    run();
    assert_string_equal(screen, "2026-11-20T11:48:34.614Z info session.taken slot=3\n");
}

static void random_keys_do_no_harm(void **state)
{
    static const char *const words[] = {"status",
                                        "clients",
                                        "config ",
                                        "show",
                                        "set ",
                                        "load ",
                                        "save",
                                        "rollback",
                                        " new",
                                        "node.port=5",
                                        "\n",
                                        "\n",
                                        ".\n",
                                        "\x03",
                                        "q",
                                        "[herd]\n",
                                        "key",
                                        "x",
                                        "factory-reset yes",
                                        "discard",
                                        "help",
                                        "\x1b[A",
                                        "unset ",
                                        "seed",
                                        "reboot anyway",
                                        "links\n",
                                        "log debug\n",
                                        " "};
    struct unit_random r = {3};
    (void)state;
    report("kiwi");
    for (unsigned i = 0; i < 20000; i++) {
        typed_bytes = typed_read = 0;
        takes = 1 + unit_below(&r, 100);
        type(words[unit_below(&r, sizeof words / sizeof words[0])]);
        if (unit_below(&r, 10) == 0) {
            say_log();
        }
        if (unit_below(&r, 500) == 0) {
            boot();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(help_lists_every_command, set_up),
        cmocka_unit_test_setup(an_unknown_command_is_shown_escaped, set_up),
        cmocka_unit_test_setup(status_shows_pools_with_high_water_marks_and_drops, set_up),
        cmocka_unit_test_setup(status_says_what_to_do_without_entropy_or_time, set_up),
        cmocka_unit_test_setup(clients_are_listed_in_order_and_by_prefix, set_up),
        cmocka_unit_test_setup(a_long_list_comes_in_pieces_between_which_others_run, set_up),
        cmocka_unit_test_setup(links_show_their_state, set_up),
        cmocka_unit_test_setup(the_log_level_is_shown_and_set, set_up),
        cmocka_unit_test_setup(time_and_places_tell_their_state, set_up),
        cmocka_unit_test_setup(a_crash_is_shown, set_up),
        cmocka_unit_test_setup(config_is_shown_as_a_herd_file_that_can_be_loaded, set_up),
        cmocka_unit_test_setup(config_set_is_checked_saved_and_rolled_back, set_up),
        cmocka_unit_test_setup(config_subcommands_say_how_they_are_used, set_up),
        cmocka_unit_test_setup(a_wrong_herd_file_is_refused_with_its_line, set_up),
        cmocka_unit_test_setup(a_load_that_is_given_up_changes_nothing, set_up),
        cmocka_unit_test_setup(a_line_that_is_too_long_is_refused, set_up),
        cmocka_unit_test_setup(a_key_is_taken_unseen_and_never_shown, set_up),
        cmocka_unit_test_setup(keys_of_links_are_taken_unseen_and_shown_by_number, set_up),
        cmocka_unit_test_setup(wrong_keys_are_refused_and_not_shown, set_up),
        cmocka_unit_test_setup(on_a_terminal_a_pasted_key_file_is_not_echoed, set_up),
        cmocka_unit_test_setup(a_seed_is_taken_unseen, set_up),
        cmocka_unit_test_setup(without_a_configuration_it_can_still_be_set_up, set_up),
        cmocka_unit_test_setup(answers_and_log_lines_are_whole_however_slow_the_console_is, set_up),
        cmocka_unit_test_setup(a_log_line_does_not_tear_the_row_that_is_typed, set_up_terminal),
        cmocka_unit_test_setup(a_terminal_gets_a_prompt_pages_and_crlf, set_up_terminal),
        cmocka_unit_test_setup(control_c_ends_an_answer, set_up),
        cmocka_unit_test_setup(nothing_is_said_to_a_terminal_where_nobody_types, set_up_terminal),
        cmocka_unit_test_setup(random_keys_do_no_harm, set_up_terminal),
    };
    return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
