/* The node's own configuration: over the factory's, checked, kept, taken back. */
#include "unit.h"

#include "flash_double.h"
#include "hal_clock.h"
#include "hal_console.h"
#include "hal_net.h"
#include "keys.h"
#include "log.h"
#include "nv.h"
#include "sched.h"
#include "setup.h"

#define NODE(name, port)                                                                           \
    "[node " name "]\naddress = 127.0.0.1\nport = " port "\nlink_port = 1" port "\n"

uint64_t hal_clock_ms(void)
{
    return 0;
}
bool hal_clock_wall_ns(int64_t *ns)
{
    (void)ns;
    return false;
}
size_t hal_console_write(const char *data, size_t bytes)
{
    (void)data;
    return bytes;
}
bool hal_net_addresses_are_real(void)
{
    return false;
}

static struct setup_factory factory;
static struct config config;
static char buffer[2048];
static struct text error;

static int set_up(void **state)
{
    (void)state;
    flash_double_make(65536, 4096, 16, 1);
    factory = (struct setup_factory){.herd_file = SPAN_LIT("f.conf"),
                                     .herd_text = SPAN_LIT(NODE("A", "1000") NODE("B", "1001")),
                                     .node = SPAN_LIT("A"),
                                     .settings = SPAN_LIT("limits.idle_seconds=77\n"),
                                     .places_key = SPAN_LIT("factory-key")};
    sched_init();
    log_init(LOG_INFO);
    return 0;
}

static void clear_error(void)
{
    text_init(&error, buffer, sizeof buffer);
}

static int start(void)
{
    flash_double_restart(1);
    nv_start();
    clear_error();
    return setup_start(&factory, &config, &error);
}

static int set(const char *assignment)
{
    clear_error();
    return setup_set(span_of(assignment), &error);
}

static int save(void)
{
    clear_error();
    return setup_save(&error);
}

static int load(const char *text, const char *node)
{
    clear_error();
    setup_load_begin();
    while (*text != '\0') {
        size_t bytes = strcspn(text, "\n");
        setup_load_line((struct span){text, bytes});
        text += bytes + (text[bytes] == '\n');
    }
    return setup_load_end(span_of(node), &error);
}

static void without_an_own_configuration_the_factorys_counts(void **state)
{
    (void)state;
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(setup_origin(), SETUP_FROM_FACTORY);
    assert_string_equal(config.nodes[config.self].name, "A");
    assert_int_equal(config.idle_s, 77);
    assert_span_equal(setup_places_key(), "factory-key");
    assert_false(setup_is_changed());
}

static void a_setting_counts_after_save_and_the_next_start(void **state)
{
    (void)state;
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(set("node.port=2000"), HERD_OK);
    assert_true(setup_is_changed());
    assert_int_equal(config.nodes[0].port, 1000);
    assert_int_equal(start(), HERD_OK); /* not saved */
    assert_int_equal(config.nodes[0].port, 1000);
    assert_int_equal(set("node.port=2000"), HERD_OK);
    assert_int_equal(set("  log.level = debug "), HERD_OK);
    assert_int_equal(save(), HERD_OK);
    assert_false(setup_is_changed());
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(setup_origin(), SETUP_FROM_NODE);
    assert_int_equal(config.nodes[0].port, 2000);
    assert_int_equal(config.log_level, LOG_DEBUG);
    assert_int_equal(config.idle_s, 77); /* the factory's settings still count */
}

static void a_setting_replaces_the_one_before_and_can_be_taken_back(void **state)
{
    (void)state;
    assert_int_equal(start(), HERD_OK);
    for (unsigned i = 0; i < 3000; i++) {
        assert_int_equal(set(i % 2 ? "node.port=2000" : "node.port=2001"), HERD_OK);
        assert_int_equal(set("log.level=warn"), HERD_OK);
    }
    assert_span_equal(setup_get(SETUP_SETTINGS), "node.port=2000\nlog.level=warn\n");
    clear_error();
    assert_int_equal(setup_unset(SPAN_LIT("node.port"), &error), HERD_OK);
    assert_span_equal(setup_get(SETUP_SETTINGS), "log.level=warn\n");
    assert_int_equal(setup_unset(SPAN_LIT("node.port"), &error), HERD_E_RANGE);
}

static void what_config_refuses_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(set("node.port=2000"), HERD_OK);
    assert_int_equal(set("node.port=99999"), HERD_E_SYNTAX);
    assert_span_equal(text_span(&error),
                      "setting node.port: \"99999\" is not a port; use 1 to 65535");
    assert_int_equal(set("node.prt=1"), HERD_E_SYNTAX);
    assert_int_equal(set("nonsense"), HERD_E_SYNTAX);
    assert_int_equal(set("node.port=1001"), HERD_E_RANGE); /* B has it */
    assert_span_equal(setup_get(SETUP_SETTINGS), "node.port=2000\n");
}

static void a_herd_file_and_a_name_take_the_place_of_the_factorys(void **state)
{
    (void)state;
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(load("; a comment\n[herd]\n" NODE("X", "3000") NODE("Y", "3001"), "Y"),
                     HERD_OK);
    assert_int_equal(save(), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_string_equal(config.nodes[config.self].name, "Y");
    assert_int_equal(config.node_count, 2);
    assert_int_equal(config.idle_s, 3600);
    clear_error();
    assert_int_equal(setup_put_node(SPAN_LIT("X"), &error), HERD_OK);
    assert_int_equal(setup_put_node(SPAN_LIT("Z"), &error), HERD_E_RANGE);
    assert_int_equal(save(), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_string_equal(config.nodes[config.self].name, "X");
}

static void a_wrong_herd_file_is_refused_with_its_line_and_nothing_is_lost(void **state)
{
    (void)state;
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(set("node.port=2000"), HERD_OK);
    assert_int_equal(save(), HERD_OK);
    assert_int_equal(load("; one\n; two\n\n[node X]\nadress = 1\n", "X"), HERD_E_SYNTAX);
    assert_span_equal(text_span(&error),
                      "herd file:5: [node X] adress: unknown key; did you mean address?");
    assert_span_equal(setup_get(SETUP_SETTINGS), "node.port=2000\n");
    assert_int_equal(load(NODE("X", "3000"), ""), HERD_E_RANGE); /* there is no A */
    assert_non_null(strstr(text_cstr(&error), "\"A\" is not a node of this herd; use X"));
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(config.nodes[0].port, 2000);
}

static void a_herd_file_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    assert_int_equal(start(), HERD_OK);
    setup_load_begin();
    for (unsigned i = 0; i < CFG_NV_CONFIG_BYTES; i++) {
        setup_load_line(SPAN_LIT("[herd]"));
    }
    clear_error();
    assert_int_equal(setup_load_end(SPAN_LIT("A"), &error), HERD_E_FULL);
    assert_non_null(strstr(text_cstr(&error), "no room"));
    assert_int_equal(setup_get(SETUP_TEXT).bytes, 0);
}

static void settings_that_do_not_fit_are_refused(void **state)
{
    int err = HERD_OK;
    unsigned settings = 0;
    (void)state;
    assert_int_equal(start(), HERD_OK);
    /* One key is one line: fill the rest with a herd file of empty lines. */
    setup_load_begin();
    for (unsigned i = 0; i + 200 < NV_CONFIG_BYTES; i++) {
        setup_load_line(SPAN_LIT(""));
    }
    setup_load_line(SPAN_LIT("[node A]"));
    setup_load_line(SPAN_LIT("address = 127.0.0.1"));
    setup_load_line(SPAN_LIT("port = 1"));
    setup_load_line(SPAN_LIT("link_port = 2"));
    clear_error();
    assert_int_equal(setup_load_end(SPAN_LIT("A"), &error), HERD_OK);
    static const char *const names[] = {"places.host=a.very.long.name.example.org",
                                        "places.trust_file=/a/path/of/some/length/ca.pem",
                                        "places.key_file=/another/path/of/some/length/key",
                                        "limits.idle_seconds=100000", "places.timeout_ms=12345"};
    for (; settings < 5 && err == HERD_OK; settings++) {
        err = set(names[settings]);
    }
    assert_int_equal(err, HERD_E_FULL);
    assert_int_equal(save(), HERD_OK);
    assert_int_equal(start(), HERD_OK);
}

static void a_key_of_the_nodes_own_wins_and_is_forgotten_by_a_factory_reset(void **state)
{
    (void)state;
    assert_int_equal(start(), HERD_OK);
    clear_error();
    assert_int_equal(setup_put_key(SPAN_LIT("has white space"), &error), HERD_E_RANGE);
    assert_int_equal(setup_put_key(SPAN_LIT("own-key"), &error), HERD_OK);
    assert_int_equal(save(), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_span_equal(setup_places_key(), "own-key");
    setup_set_factory_key(SPAN_LIT("from-a-file"));
    assert_span_equal(setup_places_key(), "own-key");
    clear_error();
    assert_int_equal(setup_factory_reset(&error), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(setup_origin(), SETUP_FROM_FACTORY);
    assert_span_equal(setup_places_key(), "factory-key");
    setup_set_factory_key(SPAN_LIT("from-a-file"));
    assert_span_equal(setup_places_key(), "from-a-file");
    for (uint32_t at = 0; at + 7 < 65536; at++) {
        assert_false(memcmp(flash_double_bytes() + at, "own-key", 7) == 0);
    }
}

static void a_rollback_brings_the_one_before(void **state)
{
    (void)state;
    assert_int_equal(start(), HERD_OK);
    clear_error();
    assert_int_equal(setup_rollback(&error), HERD_E_RANGE);
    assert_int_equal(set("node.port=2000"), HERD_OK);
    assert_int_equal(save(), HERD_OK);
    assert_int_equal(set("node.port=2001"), HERD_OK);
    assert_int_equal(save(), HERD_OK);
    clear_error();
    assert_int_equal(setup_rollback(&error), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(config.nodes[0].port, 2000);
}

static void an_own_configuration_that_the_image_refuses_gives_way_to_the_factorys(void **state)
{
    (void)state;
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(load(NODE("A", "3000"), "A"), HERD_OK);
    assert_int_equal(set("herd.report_bytes=100"), HERD_OK);
    assert_int_equal(save(), HERD_OK);
    /* An image with a smaller table would say this of 100. */
    uint8_t *bytes = nv_config_buffer();
    size_t count = 0;
    assert_int_equal(nv_config_read(&count), HERD_OK);
    for (size_t i = 0; i + 3 < count; i++) {
        if (memcmp(bytes + i, "=100", 4) == 0) {
            memcpy(bytes + i, "=999", 4);
        }
    }
    assert_int_equal(nv_config_write(count), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(setup_origin(), SETUP_FROM_FACTORY);
    assert_int_equal(config.nodes[0].port, 1000);
    assert_non_null(strstr(setup_refused().at, "report_bytes"));
}

static void without_any_configuration_there_is_an_error_and_one_can_be_loaded(void **state)
{
    (void)state;
    factory.herd_text = SPAN_LIT("");
    factory.node = SPAN_LIT("");
    factory.settings = SPAN_LIT("");
    assert_int_equal(start(), HERD_E_RANGE);
    assert_int_equal(setup_origin(), SETUP_FROM_NOBODY);
    assert_int_equal(load(NODE("N", "3000"), "N"), HERD_OK);
    assert_int_equal(save(), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_string_equal(config.nodes[config.self].name, "N");
}

static void without_memory_nothing_is_saved_and_it_is_said(void **state)
{
    (void)state;
    flash_double_make(0, 512, 512, 1);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(set("node.port=2000"), HERD_OK);
    assert_int_equal(save(), HERD_E_REFUSED);
    assert_span_equal(text_span(&error), "there is no non-volatile memory");
    assert_true(setup_is_changed());
}

static bool overriding(struct config *c)
{
    return config_set(c, SPAN_LIT("node.port=4000")) == HERD_OK;
}

/* --- Keys of links ------------------------------------------------------------------------------- */

#define HEX_A  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX_C  "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define LINKED NODE("A", "1000") NODE("B", "1001") NODE("C", "1002") "[links]\nA = B\n"
#define KEYS_A "[keys A]\nB = 7:" HEX_A "\nB = 8:" HEX_B "\n"
#define NEEDS(name)                                                                                \
    "there are no keys for the link of A with " name "; links are always authenticated: make key " \
    "files with herdctl keys, and give this node its own"

static int load_keys(const char *text)
{
    struct span rest = span_of(text);
    clear_error();
    setup_keys_begin();
    while (rest.bytes > 0) {
        setup_keys_line(span_take_until(&rest, '\n'));
    }
    return setup_keys_end(&error);
}

/* The number of A's current key with B, as the node would find it. */
static unsigned key_number(void)
{
    clear_error();
    assert_int_equal(keys_init(&config, setup_link_keys(), &error), HERD_OK);
    return keys_number(0);
}

static void a_node_with_neighbours_starts_with_the_factorys_keys_or_not_at_all(void **state)
{
    (void)state;
    factory.herd_text = SPAN_LIT(LINKED);
    assert_int_equal(start(), HERD_E_RANGE);
    assert_true(setup_lacks_keys());
    assert_int_equal(setup_origin(), SETUP_FROM_NOBODY);
    assert_string_equal(text_cstr(&error), NEEDS("B"));
    factory.link_keys = SPAN_LIT("[keys B]\nA = 1:" HEX_A " 2:" HEX_B);
    assert_int_equal(start(), HERD_E_RANGE);
    assert_true(setup_lacks_keys());
    assert_string_equal(text_cstr(&error), "line 1: these are the keys of B; this node is A");
    factory.link_keys = SPAN_LIT(KEYS_A);
    assert_int_equal(start(), HERD_OK);
    assert_false(setup_lacks_keys());
    assert_int_equal(key_number(), 7);
    factory.herd_text = SPAN_LIT("[nonsense");
    assert_int_equal(start(), HERD_E_SYNTAX);
    assert_false(setup_lacks_keys());
}

static void keys_are_loaded_saved_replaced_and_forgotten(void **state)
{
    (void)state;
    factory.herd_text = SPAN_LIT(LINKED);
    assert_int_equal(start(), HERD_E_RANGE);
    assert_int_equal(save(), HERD_E_RANGE); /* not something that does not start */
    assert_string_equal(text_cstr(&error), NEEDS("B"));
    assert_true(setup_lacks_keys());
    assert_int_equal(load_keys("; a comment\n\n" KEYS_A), HERD_OK);
    assert_true(setup_is_changed());
    assert_int_equal(save(), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(setup_origin(), SETUP_FROM_NODE);
    assert_int_equal(key_number(), 7);
    factory.link_keys = SPAN_LIT("[keys A]\nB = 3:" HEX_A " 4:" HEX_B);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(key_number(), 7); /* the node's own win */
    assert_int_equal(load_keys("[keys A]\nB = 8:" HEX_B " 9:" HEX_C), HERD_OK);
    assert_int_equal(save(), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(key_number(), 8);
    clear_error();
    assert_int_equal(setup_rollback(&error), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(key_number(), 7);
    assert_int_equal(load_keys(""), HERD_OK); /* none of its own: the factory's */
    assert_int_equal(save(), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(key_number(), 3);
    clear_error();
    assert_int_equal(setup_factory_reset(&error), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(key_number(), 3);
    for (uint32_t at = 0; at + KEYS_BYTES <= 65536; at++) { /* neither packed nor as text */
        assert_false(memcmp(flash_double_bytes() + at, HEX_B, KEYS_BYTES) == 0);
        assert_false(memchr("\xBB\xCC", flash_double_bytes()[at], 2) != NULL &&
                     memcmp(flash_double_bytes() + at, flash_double_bytes() + at + 1, 31) == 0);
    }
}

static void wrong_keys_are_refused_and_leave_none_behind(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"[keys A]\nB = 7:" HEX_A "\n\nB = 8:" HEX_B "0\nB = 9:x\n",
         "line 4 is none of a key file's: [keys NAME] and NEIGHBOUR = NUMBER:KEY lines, as herdctl "
         "keys makes them"},
        {"B = 7:" HEX_A "\nB = 8:" HEX_B "\n",
         "line 1: neither [keys NAME] nor NEIGHBOUR = NUMBER:KEY"},
        {"[keys B]\nA = 7:" HEX_A " 8:" HEX_B "\n", "these are the keys of B; this node is A"},
        {"[keys A]\nC = 7:" HEX_A " 8:" HEX_B "\n", NEEDS("B")},
        {"[keys A]\nB = 7:" HEX_A " 8:" HEX_A "\n",
         "two keys are the same, those of B; make new ones with herdctl keys"},
    };
    (void)state;
    factory.herd_text = SPAN_LIT(LINKED);
    factory.link_keys = SPAN_LIT(KEYS_A);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(set("node.port=2000"), HERD_OK);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_not_equal(load_keys(cases[i].text), HERD_OK);
        assert_string_equal(text_cstr(&error), cases[i].error);
        assert_int_equal(setup_get(SETUP_LINK_KEYS).bytes, 0);
    }
    setup_keys_begin();
    for (unsigned i = 0; i < CFG_NV_CONFIG_BYTES / KEYS_BYTES; i++) {
        setup_keys_line(SPAN_LIT("Somebody = 1:" HEX_A));
    }
    clear_error();
    assert_int_equal(setup_keys_end(&error), HERD_E_FULL);
    assert_int_equal(setup_get(SETUP_LINK_KEYS).bytes, 0);
    assert_span_equal(setup_get(SETUP_SETTINGS), "node.port=2000\n"); /* what was set stays */
}

static void another_herd_file_needs_other_keys_before_it_is_saved(void **state)
{
    (void)state;
    factory.herd_text = SPAN_LIT(LINKED);
    factory.link_keys = SPAN_LIT(KEYS_A);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(
        load(NODE("A", "1000") NODE("B", "1001") NODE("C", "1002") "[links]\nA = B C\n", ""),
        HERD_OK);
    assert_int_equal(save(), HERD_E_RANGE);
    assert_string_equal(text_cstr(&error), NEEDS("C"));
    assert_int_equal(load_keys(KEYS_A "C = 1:" HEX_C "\nC = 2:0" HEX_C), HERD_E_SYNTAX);
    assert_int_equal(load_keys(KEYS_A "C = 1:" HEX_C "\n"), HERD_E_RANGE);
    assert_int_equal(
        load_keys("[keys A]\nB = 7:" HEX_A " 8:" HEX_B "\nC = 1:" HEX_C
                  " 2:0000000000000000000000000000000000000000000000000000000000000001\n"),
        HERD_OK);
    assert_int_equal(save(), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(config.neighbour_count, 2);
}

static void an_own_document_without_the_keys_it_needs_gives_way_to_the_factorys(void **state)
{
    (void)state;
    factory.herd_text = SPAN_LIT(LINKED);
    factory.link_keys = SPAN_LIT(KEYS_A);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(set("node.port=2000"), HERD_OK);
    assert_int_equal(save(), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(config.nodes[0].port, 2000);
    factory.link_keys = SPAN_LIT("");
    factory.herd_text = SPAN_LIT(NODE("A", "1000"));
    factory.settings = SPAN_LIT("");
    assert_int_equal(start(), HERD_OK); /* one without links needs none */
    assert_int_equal(setup_origin(), SETUP_FROM_NODE);
    assert_int_equal(load(LINKED, ""), HERD_OK);
    assert_int_equal(load_keys(KEYS_A), HERD_OK);
    assert_int_equal(save(), HERD_OK);
    assert_int_equal(load_keys(""), HERD_OK);
    size_t bytes = 0; /* what save would not keep */
    for (unsigned i = 0; i < SETUP_PARTS; i++) {
        bytes += setup_get((enum setup_part)i).bytes + 2;
    }
    assert_int_equal(nv_config_write(bytes), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(setup_origin(), SETUP_FROM_FACTORY);
    assert_true(setup_refused().bytes > 20 &&
                memcmp(setup_refused().at, "there are no keys", 17) == 0);
}

static void a_document_from_before_links_had_keys_is_still_read(void **state)
{
    static const char parts[] = "Bown-keylog.level=warn\n" NODE("B", "3000");
    (void)state;
    assert_int_equal(start(), HERD_OK);
    uint8_t *bytes = nv_config_buffer();
    const uint16_t lengths[] = {1, 7, 15, (uint16_t)(sizeof parts - 1 - 23)};
    for (unsigned i = 0; i < 4; i++) {
        bytes[2 * i] = (uint8_t)lengths[i];
        bytes[2 * i + 1] = (uint8_t)(lengths[i] >> 8);
    }
    memcpy(bytes + 8, parts, sizeof parts - 1);
    assert_int_equal(nv_config_write(8 + sizeof parts - 1), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(setup_origin(), SETUP_FROM_NODE);
    assert_string_equal(config.nodes[config.self].name, "B");
    assert_int_equal(config.log_level, LOG_WARN);
    assert_span_equal(setup_places_key(), "own-key");
    assert_int_equal(setup_get(SETUP_LINK_KEYS).bytes, 0);
    assert_int_equal(set("log.level=debug"), HERD_OK);
    assert_int_equal(save(), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(config.log_level, LOG_DEBUG);
    /* One byte more or less, and it is none. */
    bytes[0] = 2;
    memcpy(bytes + 8, parts, sizeof parts - 1);
    assert_int_equal(nv_config_write(8 + sizeof parts - 1), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(setup_origin(), SETUP_FROM_FACTORY);
}

static void the_command_line_wins_over_everything(void **state)
{
    (void)state;
    factory.override = overriding;
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(set("node.port=2000"), HERD_OK);
    assert_int_equal(save(), HERD_OK);
    assert_int_equal(start(), HERD_OK);
    assert_int_equal(config.nodes[0].port, 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_an_own_configuration_the_factorys_counts, set_up),
        cmocka_unit_test_setup(a_setting_counts_after_save_and_the_next_start, set_up),
        cmocka_unit_test_setup(a_setting_replaces_the_one_before_and_can_be_taken_back, set_up),
        cmocka_unit_test_setup(what_config_refuses_changes_nothing, set_up),
        cmocka_unit_test_setup(a_herd_file_and_a_name_take_the_place_of_the_factorys, set_up),
        cmocka_unit_test_setup(a_wrong_herd_file_is_refused_with_its_line_and_nothing_is_lost,
                               set_up),
        cmocka_unit_test_setup(a_herd_file_that_does_not_fit_is_refused, set_up),
        cmocka_unit_test_setup(settings_that_do_not_fit_are_refused, set_up),
        cmocka_unit_test_setup(a_key_of_the_nodes_own_wins_and_is_forgotten_by_a_factory_reset,
                               set_up),
        cmocka_unit_test_setup(a_rollback_brings_the_one_before, set_up),
        cmocka_unit_test_setup(
            an_own_configuration_that_the_image_refuses_gives_way_to_the_factorys, set_up),
        cmocka_unit_test_setup(without_any_configuration_there_is_an_error_and_one_can_be_loaded,
                               set_up),
        cmocka_unit_test_setup(without_memory_nothing_is_saved_and_it_is_said, set_up),
        cmocka_unit_test_setup(the_command_line_wins_over_everything, set_up),
        cmocka_unit_test_setup(a_node_with_neighbours_starts_with_the_factorys_keys_or_not_at_all,
                               set_up),
        cmocka_unit_test_setup(keys_are_loaded_saved_replaced_and_forgotten, set_up),
        cmocka_unit_test_setup(wrong_keys_are_refused_and_leave_none_behind, set_up),
        cmocka_unit_test_setup(another_herd_file_needs_other_keys_before_it_is_saved, set_up),
        cmocka_unit_test_setup(an_own_document_without_the_keys_it_needs_gives_way_to_the_factorys,
                               set_up),
        cmocka_unit_test_setup(a_document_from_before_links_had_keys_is_still_read, set_up),
    };
    return cmocka_run_group_tests_name("setup", tests, NULL, NULL);
}
