/* The node's own configuration: over the factory's, checked, kept, taken back. */
#include "unit.h"

#include "flash_double.h"
#include "hal_clock.h"
#include "hal_console.h"
#include "hal_net.h"
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
    };
    return cmocka_run_group_tests_name("setup", tests, NULL, NULL);
}
