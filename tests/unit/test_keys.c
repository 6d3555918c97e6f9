/* keys: key files, every error word by word, and who is believed to be whom. */
#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "keys.h"

#define HEX_A "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
#define HEX_B "1111111111111111111111111111111111111111111111111111111111111111"
#define HEX_C "2222222222222222222222222222222222222222222222222222222222222222"
#define HEX_D "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define GOOD                                                                                       \
    "; made by a test\n\n[keys Clark]\nBona = 3:" HEX_A " 4:" HEX_B "\nJaquez = 3:" HEX_C          \
    " 4:" HEX_D "\n"

/* Clark with its neighbours Bona and Jaquez; Bailey is a node, and no neighbour. */
static struct config herd = {
    .nodes = {{.name = "Jaquez"}, {.name = "Clark"}, {.name = "Bailey"}, {.name = "Bona"}},
    .node_count = 4,
    .self = 1,
    .neighbours = {3, 0},
    .neighbour_count = 2,
};
static struct config alone = {.nodes = {{.name = "Clark"}}, .node_count = 1};
enum { BONA, JAQUEZ };

static char error_buffer[400];
static struct text error;

static int init(const char *file)
{
    text_init(&error, error_buffer, sizeof error_buffer);
    int err = keys_init(&herd, span_of(file), &error);
    assert_int_equal(err != HERD_OK, error.bytes > 0);
    assert_false(error.cut);
    return err;
}

static void accepts(const char *file)
{
    if (init(file) != HERD_OK) {
        fail_msg("refused: %s", text_cstr(&error));
    }
}

static void refuses(int err, const char *file, const char *expected)
{
    accepts(GOOD); /* what was there is gone after the error */
    assert_int_equal(init(file), err);
    assert_string_equal(text_cstr(&error), expected);
    assert_false(keys_has(BONA));
    assert_false(keys_has(JAQUEZ));
    text_init(&error, error_buffer, sizeof error_buffer);
    assert_int_equal(keys_check(&herd, span_of(file), &error), err);
    assert_string_equal(text_cstr(&error), expected);
}

static enum keys_verdict judge(const char *identity, unsigned *link, struct span *key)
{
    *link = 77;
    *key = (struct span){NULL, 0};
    enum keys_verdict verdict = keys_judge(span_of(identity), link, key);
    bool good = verdict == KEYS_CURRENT || verdict == KEYS_NEXT;
    assert_int_equal(good, *link != 77);
    assert_int_equal(key->bytes, good ? KEYS_BYTES : 0);
    return verdict;
}

static void judged(const char *identity, enum keys_verdict expected)
{
    unsigned link;
    struct span key;
    enum keys_verdict verdict = judge(identity, &link, &key);
    if (verdict != expected) {
        fail_msg("%s: %d, not %d", identity, (int)verdict, (int)expected);
    }
}

/* --- Files ------------------------------------------------------------------------------------- */

static void a_key_file_is_read_and_its_keys_are_offered_by_name(void **state)
{
    (void)state;
    static const uint8_t bytes_a[KEYS_BYTES] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                                0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF,
                                                0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                                0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF};
    char buffer[KEYS_IDENTITY_BYTES_MAX];
    struct text identity;
    accepts(GOOD);
    assert_true(keys_has(BONA));
    assert_int_equal(keys_number(JAQUEZ), 3);
    text_init(&identity, buffer, sizeof buffer);
    struct span key = keys_offer(BONA, &identity);
    assert_int_equal(key.bytes, KEYS_BYTES);
    assert_memory_equal(key.at, bytes_a, KEYS_BYTES);
    assert_span_equal(text_span(&identity), "Clark>Bona#3");
    text_init(&identity, buffer, sizeof buffer);
    key = keys_offer(JAQUEZ, &identity);
    assert_int_equal((unsigned char)key.at[31], 0x22);
    assert_span_equal(text_span(&identity), "Clark>Jaquez#3");
}

static void spacing_order_line_ends_and_foreign_names_do_not_matter(void **state)
{
    (void)state;
    accepts("# by hand\r\n\t[keys  Clark ]\r\nJaquez=65535:" HEX_A "\t 1:" HEX_B
            "\r\n  Bailey = 7:" HEX_A " 8:" HEX_A "\nClark=1:" HEX_A " 2:" HEX_A
            "\n   ; none\n Bona =  9:" HEX_C "    10:" HEX_D "   ");
    assert_int_equal(keys_number(BONA), 9);
    assert_int_equal(keys_number(JAQUEZ), 65535);
}

static void the_keys_of_a_link_may_stand_on_two_lines(void **state)
{
    (void)state;
    unsigned link;
    struct span key;
    accepts("[keys Clark]\nBona = 3:" HEX_A "\nJaquez = 3:" HEX_C "\nBona = 4:" HEX_B
            "\nJaquez = 4:" HEX_D "\n");
    assert_int_equal(judge("Bona>Clark#4", &link, &key), KEYS_NEXT);
    assert_int_equal((unsigned char)key.at[0], 0x11);
    assert_int_equal(judge("Jaquez>Clark#3", &link, &key), KEYS_CURRENT);
    assert_int_equal((unsigned char)key.at[0], 0x22);
    refuses(HERD_E_RANGE, "[keys Clark]\nBona = 4:" HEX_B "\nBona = 3:" HEX_A,
            "line 3: Bona: the second key is not the one after the first; number it 5");
}

/* --- Packed ------------------------------------------------------------------------------------ */

static char packed_buffer[1024];
static struct text packed;

/* Packs a file line by line. */
static int pack_file(const char *file)
{
    struct span rest = span_of(file);
    int err = HERD_OK;
    text_init(&packed, packed_buffer, sizeof packed_buffer);
    text_init(&error, error_buffer, sizeof error_buffer);
    while (err == HERD_OK && rest.bytes > 0) {
        char line_buffer[KEYS_PACKED_LINE_BYTES_MAX];
        struct text line;
        text_init(&line, line_buffer, sizeof line_buffer);
        err = keys_pack_line(span_take_until(&rest, '\n'), &line, &error);
        assert_false(line.cut);
        text_put(&packed, text_span(&line));
    }
    return err;
}

static void a_packed_file_is_as_good_as_its_text(void **state)
{
    (void)state;
    unsigned link;
    struct span key;
    assert_int_equal(pack_file(GOOD), HERD_OK);
    assert_true(packed.bytes < strlen(GOOD));
    assert_int_equal(keys_init(&herd, text_span(&packed), &error), HERD_OK);
    assert_int_equal(judge("Bona>Clark#3", &link, &key), KEYS_CURRENT);
    assert_int_equal((unsigned char)key.at[1], 0x11);
    assert_int_equal(judge("Jaquez>Clark#4", &link, &key), KEYS_NEXT);
    assert_int_equal((unsigned char)key.at[0], 0xFE);
    assert_int_equal(pack_file("[keys Clark]\nBona = 65535:" HEX_A "\nJaquez = 256:" HEX_C
                               "\nJaquez = 257:" HEX_D "\nBona = 1:" HEX_B),
                     HERD_OK);
    assert_int_equal(keys_init(&herd, text_span(&packed), &error), HERD_OK);
    assert_int_equal(keys_number(BONA), 65535);
    assert_int_equal(keys_number(JAQUEZ), 256);
}

static void lines_that_are_none_are_not_packed(void **state)
{
    (void)state;
    assert_int_equal(pack_file("[keys Clark]\nBona = 3\n"), HERD_E_SYNTAX);
    assert_string_equal(text_cstr(&error), "Bona: not a key; use NUMBER:KEY, number 1 to 65535, "
                                           "key of 64 hexadecimal digits");
    assert_int_equal(pack_file("[herd]\n"), HERD_E_SYNTAX);
    assert_string_equal(text_cstr(&error), "a key file begins with [keys NAME]");
    assert_int_equal(pack_file("[keys " HEX_A "]\n"), HERD_E_SYNTAX);
    assert_int_equal(pack_file("x\n"), HERD_E_SYNTAX);
}

static void what_is_wrong_with_a_packed_file_is_said_without_lines(void **state)
{
    (void)state;
    assert_int_equal(pack_file("[keys Bona]\n"), HERD_OK);
    assert_int_equal(keys_init(&herd, text_span(&packed), &error), HERD_E_RANGE);
    assert_string_equal(text_cstr(&error), "these are the keys of Bona; this node is Clark");
    assert_int_equal(pack_file(GOOD GOOD), HERD_OK);
    assert_int_equal(keys_init(&herd, text_span(&packed), &error), HERD_E_SYNTAX);
    assert_string_equal(text_cstr(&error), "a second section; a node's key file has one");
}

static void a_packed_file_that_is_cut_or_garbled_is_refused_and_never_read_beyond(void **state)
{
    (void)state;
    assert_int_equal(pack_file(GOOD), HERD_OK);
    for (size_t bytes = 1; bytes < packed.bytes; bytes++) {
        char *copy = malloc(bytes); /* its end is where a sanitizer looks */
        memcpy(copy, packed_buffer, bytes);
        text_init(&error, error_buffer, sizeof error_buffer);
        assert_int_not_equal(keys_init(&herd, (struct span){copy, bytes}, &error), HERD_OK);
        assert_false(keys_has(BONA));
        free(copy);
    }
    struct unit_random random = {.state = 77};
    for (unsigned round = 0; round < 20000; round++) {
        char *copy = malloc(packed.bytes);
        memcpy(copy, packed_buffer, packed.bytes);
        copy[unit_below(&random, (uint32_t)packed.bytes)] ^= (char)(1 + unit_below(&random, 255));
        text_init(&error, error_buffer, sizeof error_buffer);
        int err = keys_init(&herd, (struct span){copy, packed.bytes}, &error);
        assert_int_equal(err == HERD_OK, keys_has(BONA));
        free(copy);
    }
}

static void a_node_without_neighbours_needs_no_keys(void **state)
{
    (void)state;
    text_init(&error, error_buffer, sizeof error_buffer);
    assert_int_equal(keys_init(&alone, (struct span){NULL, 0}, &error), HERD_OK);
    assert_int_equal(keys_init(&alone, SPAN_LIT("[keys Clark]\n"), &error), HERD_OK);
    assert_false(keys_has(0));
    unsigned link = 0;
    struct span key;
    assert_int_equal(keys_judge(SPAN_LIT("Bona>Clark#1"), &link, &key), KEYS_UNKNOWN);
}

static void the_longest_names_make_the_longest_identity(void **state)
{
    (void)state;
    static struct config longest = {
        .nodes = {{.name = "A23456789012345678901234567890-A"},
                  {.name = "B23456789012345678901234567890-B"}},
        .node_count = 2,
        .self = 1,
        .neighbours = {0},
        .neighbour_count = 1,
    };
    char buffer[KEYS_IDENTITY_BYTES_MAX];
    struct text identity;
    text_init(&error, error_buffer, sizeof error_buffer);
    assert_int_equal(
        keys_init(&longest,
                  SPAN_LIT("[keys B23456789012345678901234567890-B]\n"
                           "A23456789012345678901234567890-A = 65535:" HEX_A " 1:" HEX_B),
                  &error),
        HERD_OK);
    text_init(&identity, buffer, sizeof buffer);
    (void)keys_offer(0, &identity);
    assert_false(identity.cut);
    assert_int_equal(identity.bytes, KEYS_IDENTITY_BYTES_MAX);
    judged("A23456789012345678901234567890-A>B23456789012345678901234567890-B#1", KEYS_NEXT);
}

static void checking_a_file_takes_nothing(void **state)
{
    (void)state;
    accepts(GOOD);
    text_init(&error, error_buffer, sizeof error_buffer);
    assert_int_equal(keys_check(&herd,
                                SPAN_LIT("[keys Clark]\nBona=8:" HEX_A " 9:" HEX_B
                                         "\nJaquez=8:" HEX_C " 9:" HEX_D),
                                &error),
                     HERD_OK);
    assert_int_equal(keys_number(BONA), 3);
    judged("Bona>Clark#3", KEYS_CURRENT);
}

/* --- Errors ------------------------------------------------------------------------------------ */

#define NOT_A_KEY                                                                                  \
    "line 2: Bona: not a key; use NUMBER:KEY, number 1 to 65535, key of 64 hexadecimal digits"

static void values_that_are_no_keys_are_refused_and_not_shown(void **state)
{
    (void)state;
    static const char *const values[] = {
        "",
        "3:" HEX_A " 4:" HEX_B " x",
        "3:" HEX_A ",4:" HEX_B,
        "3:" HEX_A "0 4:" HEX_B,
        "3:0" HEX_A " 4:" HEX_B,
        "3:" HEX_A " 4:111111111111111111111111111111111111111111111111111111111111111",
        "3:g0112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF 4:" HEX_B,
        "3:0`112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF 4:" HEX_B,
        "3:00/12233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF 4:" HEX_B,
        "3:00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEE:F 4:" HEX_B,
        "3:00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEE@F 4:" HEX_B,
        "3:00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEG0 4:" HEX_B,
        "3:00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEF\xE6 4:" HEX_B,
        "3:00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEF\x10 4:" HEX_B,
        "0:" HEX_A " 1:" HEX_B,
        "03:" HEX_A " 4:" HEX_B,
        "+3:" HEX_A " 4:" HEX_B,
        "65536:" HEX_A " 65537:" HEX_B,
        "65535:" HEX_A " 65536:" HEX_B,
        "65535:" HEX_A " 0:" HEX_B,
        "18446744073709551619:" HEX_A " 4:" HEX_B,
        ":" HEX_A " 4:" HEX_B,
        HEX_A " " HEX_B,
        "3 " HEX_A " 4 " HEX_B,
        "3: " HEX_A " 4: " HEX_B,
    };
    char file[512];
    for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++) {
        (void)snprintf(file, sizeof file, "[keys Clark]\nBona = %s\n", values[i]);
        /* an empty value is no assignment */
        refuses(HERD_E_SYNTAX, file,
                i == 0 ? "line 2: neither [keys NAME] nor NEIGHBOUR = NUMBER:KEY" : NOT_A_KEY);
    }
}

static void keys_that_do_not_follow_each_other_are_refused(void **state)
{
    (void)state;
    refuses(HERD_E_RANGE, "[keys Clark]\nBona = 3:" HEX_A " 3:" HEX_B,
            "line 2: Bona: the second key is not the one after the first; number it 4");
    refuses(HERD_E_RANGE, "[keys Clark]\nBona = 3:" HEX_A " 5:" HEX_B,
            "line 2: Bona: the second key is not the one after the first; number it 4");
    refuses(HERD_E_RANGE, "[keys Clark]\nBona = 65535:" HEX_A " 65534:" HEX_B,
            "line 2: Bona: the second key is not the one after the first; number it 1");
}

static void lines_that_are_no_lines_of_a_key_file_are_refused(void **state)
{
    (void)state;
    static const char neither[] = "line 2: neither [keys NAME] nor NEIGHBOUR = NUMBER:KEY";
    static const char begins[] = "line 1: a key file begins with [keys NAME]";
    refuses(HERD_E_SYNTAX, "[keys Clark]\nBona\n", neither);
    refuses(HERD_E_SYNTAX, "[keys Clark]\n= 3:" HEX_A " 4:" HEX_B, neither);
    refuses(HERD_E_SYNTAX, "[keys Clark]\nBo na = 3:" HEX_A " 4:" HEX_B, neither);
    refuses(HERD_E_SYNTAX, "[keys Clark]\n" HEX_A "\n", neither);
    refuses(HERD_E_SYNTAX, "[herd]\n", begins);
    refuses(HERD_E_SYNTAX, "[keys]\n", begins);
    refuses(HERD_E_SYNTAX, "[keys Clark\n", begins);
    refuses(HERD_E_SYNTAX, "[", begins);
    refuses(HERD_E_SYNTAX, "Bona = 3:" HEX_A " 4:" HEX_B,
            "line 1: Bona: a key file begins with [keys NAME]");
    refuses(HERD_E_SYNTAX, "[keys Clark]\n[keys Clark]\n",
            "line 2: a second section; a node's key file has one");
    refuses(HERD_E_SYNTAX, GOOD "Jaquez = 3:" HEX_C " 4:" HEX_D,
            "line 6: Jaquez: more than two keys");
    refuses(HERD_E_SYNTAX, "[keys Clark]\nBona = 3:" HEX_A " 4:" HEX_B " 5:" HEX_C,
            "line 2: Bona: more than two keys");
}

static void another_nodes_file_is_refused_by_name(void **state)
{
    (void)state;
    refuses(HERD_E_RANGE, "[keys Bona]\n",
            "line 1: these are the keys of Bona; this node is Clark");
    refuses(HERD_E_SYNTAX, "[keys ]\n",
            "line 1: no name of a node; a key file begins with [keys NAME]");
    refuses(HERD_E_SYNTAX, "[keys Cl rk]\n",
            "line 1: no name of a node; a key file begins with [keys NAME]");
    refuses(HERD_E_RANGE, "[keys clark]\n",
            "line 1: these are the keys of clark; this node is Clark");
}

static void a_neighbour_without_keys_is_an_error_that_says_what_to_do(void **state)
{
    (void)state;
#define MISSING(who) MISSING_(who, "there are no keys")
#define MISSING_(who, what)                                                                        \
    what " for the link of Clark with " who "; links are always authenticated: make "              \
         "key files with herdctl keys, and give this node its own"
    refuses(HERD_E_RANGE, "", MISSING("Bona"));
    refuses(HERD_E_RANGE, "[keys Clark]\n", MISSING("Bona"));
    refuses(HERD_E_RANGE, "[keys Clark]\nBona = 3:" HEX_A " 4:" HEX_B, MISSING("Jaquez"));
    refuses(HERD_E_RANGE, "[keys Clark]\nBona = 3:" HEX_A " 4:" HEX_B "\nJaquez = 3:" HEX_C,
            MISSING_("Jaquez", "there is one key, not a next one,"));
}

static void the_same_key_twice_is_refused(void **state)
{
    (void)state;
    refuses(HERD_E_RANGE,
            "[keys Clark]\nBona = 3:" HEX_A " 4:" HEX_A "\nJaquez = 3:" HEX_C " 4:" HEX_D,
            "two keys are the same, those of Bona; make new ones with herdctl keys");
    refuses(HERD_E_RANGE,
            "[keys Clark]\nBona = 3:" HEX_A " 4:" HEX_B "\nJaquez = 3:" HEX_C " 4:" HEX_B,
            "two keys are the same, those of Bona and Jaquez; make new ones with herdctl keys");
}

/* --- Who is believed --------------------------------------------------------------------------- */

static void a_caller_is_judged_by_name_and_number(void **state)
{
    (void)state;
    unsigned link;
    struct span key;
    accepts(GOOD);
    assert_int_equal(judge("Bona>Clark#3", &link, &key), KEYS_CURRENT);
    assert_int_equal(link, BONA);
    assert_int_equal((unsigned char)key.at[1], 0x11);
    assert_int_equal(judge("Bona>Clark#4", &link, &key), KEYS_NEXT);
    assert_int_equal(link, BONA);
    assert_int_equal((unsigned char)key.at[0], 0x11);
    assert_int_equal(judge("Jaquez>Clark#3", &link, &key), KEYS_CURRENT);
    assert_int_equal(link, JAQUEZ);
    assert_int_equal((unsigned char)key.at[0], 0x22);
    assert_int_equal(judge("Jaquez>Clark#4", &link, &key), KEYS_NEXT);
    assert_int_equal((unsigned char)key.at[0], 0xFE);
    judged("Bona>Clark#2", KEYS_OLD);
    judged("Bona>Clark#1", KEYS_UNKNOWN);
    judged("Bona>Clark#5", KEYS_UNKNOWN);
    judged("Bona>Clark#65535", KEYS_UNKNOWN);
}

static void nobody_is_believed_who_is_no_neighbour_or_calls_somebody_else(void **state)
{
    (void)state;
    accepts(GOOD);
    judged("Clark>Clark#3", KEYS_UNKNOWN);  /* reflected, with the name put right */
    judged("Clark>Bona#3", KEYS_UNKNOWN);   /* reflected */
    judged("Bona>Bona#3", KEYS_UNKNOWN);    /* the caller's own */
    judged("Bona>Jaquez#3", KEYS_UNKNOWN);  /* meant for another */
    judged("Bailey>Clark#3", KEYS_UNKNOWN); /* a node, but no neighbour */
    judged("Dave>Clark#3", KEYS_UNKNOWN);
    judged("bona>Clark#3", KEYS_UNKNOWN);
    judged("Bona>clark#3", KEYS_UNKNOWN);
    judged("Bon>Clark#3", KEYS_UNKNOWN);
    judged("Bona>Clar#3", KEYS_UNKNOWN);
}

static void numbers_wrap(void **state)
{
    (void)state;
    accepts("[keys Clark]\nBona = 65535:" HEX_A " 1:" HEX_B "\nJaquez = 1:" HEX_C " 2:" HEX_D);
    judged("Bona>Clark#65534", KEYS_OLD);
    judged("Bona>Clark#65535", KEYS_CURRENT);
    judged("Bona>Clark#1", KEYS_NEXT);
    judged("Bona>Clark#2", KEYS_UNKNOWN);
    judged("Jaquez>Clark#65534", KEYS_UNKNOWN);
    judged("Jaquez>Clark#65535", KEYS_OLD);
    judged("Jaquez>Clark#1", KEYS_CURRENT);
    judged("Jaquez>Clark#2", KEYS_NEXT);
    judged("Jaquez>Clark#0", KEYS_UNKNOWN);
    judged("Jaquez>Clark#65536", KEYS_UNKNOWN);
    assert_int_equal(keys_number_after(65535), 1);
    assert_int_equal(keys_number_after(65534), 65535);
}

static void what_is_no_identity_is_unknown(void **state)
{
    (void)state;
    static const char *const identities[] = {"",
                                             ">",
                                             "#",
                                             ">#",
                                             "Bona",
                                             "Bona>Clark",
                                             "Bona>Clark#",
                                             "Bona>#3",
                                             ">Clark#3",
                                             "Bona#3>Clark",
                                             "Bona>Clark#03",
                                             "Bona>Clark#+3",
                                             "Bona>Clark# 3",
                                             "Bona>Clark#3 ",
                                             "Bona>Clark#3\n",
                                             "Bona >Clark#3",
                                             "Bona> Clark#3",
                                             " Bona>Clark#3",
                                             "Bona>Clark#3#3",
                                             "Bona>Bona>Clark#3",
                                             "Bona>Clark#4294967299",
                                             "Bona>Clark#18446744073709551619",
                                             "Bona>Clark#0x3",
                                             "Bona>Clark#3\xFF",
                                             "\xFF",
                                             "Bona#3"};
    accepts(GOOD);
    for (unsigned i = 0; i < sizeof identities / sizeof identities[0]; i++) {
        judged(identities[i], KEYS_UNKNOWN);
    }
    unsigned link = 0;
    struct span key;
    assert_int_equal(keys_judge(SPAN_LIT("Bona>Clark#3\0"), &link, &key), KEYS_UNKNOWN);
    assert_int_equal(keys_judge(SPAN_LIT("Bona\0>Clark#3"), &link, &key), KEYS_UNKNOWN);
    static char huge[70000];
    memset(huge, '3', sizeof huge);
    memcpy(huge, "Bona>Clark#", 11);
    assert_int_equal(keys_judge((struct span){huge, sizeof huge}, &link, &key), KEYS_UNKNOWN);
}

static void every_single_byte_changed_makes_another_identity(void **state)
{
    (void)state;
    static const char good[] = "Bona>Clark#3";
    accepts(GOOD);
    for (unsigned i = 0; i < sizeof good - 1; i++) {
        for (unsigned c = 0; c < 256; c++) {
            char changed[sizeof good];
            memcpy(changed, good, sizeof good);
            changed[i] = (char)c;
            unsigned link = 77;
            struct span key;
            enum keys_verdict verdict =
                keys_judge((struct span){changed, sizeof good - 1}, &link, &key);
            bool is_same = changed[i] == good[i];
            bool is_next = i == sizeof good - 2 && c == '4';
            bool is_old = i == sizeof good - 2 && c == '2';
            assert_int_equal(verdict, is_same   ? KEYS_CURRENT
                                      : is_next ? KEYS_NEXT
                                      : is_old  ? KEYS_OLD
                                                : KEYS_UNKNOWN);
            assert_int_equal(link, is_same || is_next ? BONA : 77);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_file_is_read_and_its_keys_are_offered_by_name),
        cmocka_unit_test(spacing_order_line_ends_and_foreign_names_do_not_matter),
        cmocka_unit_test(the_keys_of_a_link_may_stand_on_two_lines),
        cmocka_unit_test(a_packed_file_is_as_good_as_its_text),
        cmocka_unit_test(lines_that_are_none_are_not_packed),
        cmocka_unit_test(what_is_wrong_with_a_packed_file_is_said_without_lines),
        cmocka_unit_test(a_packed_file_that_is_cut_or_garbled_is_refused_and_never_read_beyond),
        cmocka_unit_test(a_node_without_neighbours_needs_no_keys),
        cmocka_unit_test(the_longest_names_make_the_longest_identity),
        cmocka_unit_test(checking_a_file_takes_nothing),
        cmocka_unit_test(values_that_are_no_keys_are_refused_and_not_shown),
        cmocka_unit_test(keys_that_do_not_follow_each_other_are_refused),
        cmocka_unit_test(lines_that_are_no_lines_of_a_key_file_are_refused),
        cmocka_unit_test(another_nodes_file_is_refused_by_name),
        cmocka_unit_test(a_neighbour_without_keys_is_an_error_that_says_what_to_do),
        cmocka_unit_test(the_same_key_twice_is_refused),
        cmocka_unit_test(a_caller_is_judged_by_name_and_number),
        cmocka_unit_test(nobody_is_believed_who_is_no_neighbour_or_calls_somebody_else),
        cmocka_unit_test(numbers_wrap),
        cmocka_unit_test(what_is_no_identity_is_unknown),
        cmocka_unit_test(every_single_byte_changed_makes_another_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
