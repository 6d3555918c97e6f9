/* json_stream: a document as it arrives. */
#include "unit.h"

#include <stdio.h>

#include "json_stream.h"

static struct json_stream stream;
static char events[65536];
static size_t events_bytes;

static void note(const char *kind, struct span s)
{
    events_bytes += (size_t)snprintf(events + events_bytes, sizeof events - events_bytes,
                                     "%s(%.*s)", kind, (int)s.bytes, s.at);
}

static void on_outside(void *context, enum json_zone zone, char byte)
{
    static const char *const names[] = {"h", "g", "t"};
    assert_ptr_equal(context, &events);
    note(names[zone], (struct span){&byte, 1});
}

static void on_element(void *context, struct span text, bool whole)
{
    (void)context;
    note(whole ? "E" : "E-cut", whole ? text : SPAN_LIT(""));
}

static void on_member(void *context, struct span name, struct span text, bool whole)
{
    (void)context;
    note(whole ? "N" : "N-cut", name);
    note("V", whole ? text : SPAN_LIT(""));
}

static const struct json_sink loud = {on_outside, on_element, on_member};
static const struct json_sink quiet = {NULL, on_element, on_member};

static int run(struct span text, size_t piece, const struct json_sink *sink)
{
    events_bytes = 0;
    events[0] = '\0';
    json_stream_init(&stream, SPAN_LIT("results"), sink, events);
    for (size_t i = 0; i < text.bytes; i += piece) {
        size_t n = text.bytes - i < piece ? text.bytes - i : piece;
        int err = json_stream_feed(&stream, (struct span){text.at + i, n});
        if (err != HERD_OK) {
            return err;
        }
    }
    return json_stream_end(&stream);
}

static int run_text(const char *text)
{
    return run(span_of(text), strlen(text) + 1, &quiet);
}

static void elements_and_members_are_handed_out(void **state)
{
    (void)state;
    assert_int_equal(
        run_text("{\"a\":[1,{\"b\":2}],\"results\":[ {\"x\":[]} , 12,\"s]\\\"\", [3 ]],"
                 "\"status\" : \"OK\", \"n\":-1.5e3,\"t\":true}"),
        HERD_OK);
    assert_string_equal(events, "N(a)V([1,{\"b\":2}])E({\"x\":[]})E(12)E(\"s]\\\"\")E([3 ])"
                                "N(status)V(\"OK\")N(n)V(-1.5e3)N(t)V(true)");
    assert_true(json_stream_has_array(&stream));
}

static void bytes_outside_of_elements_tell_where_they_stand(void **state)
{
    (void)state;
    assert_int_equal(run(SPAN_LIT("{\"results\":[ 1 ,{} ],\"s\":2}"), 1, &loud), HERD_OK);
    assert_string_equal(events, "h({)h(\")h(r)h(e)h(s)h(u)h(l)h(t)h(s)h(\")h(:)h([)g( )E(1)g( )"
                                "g(,)E({})g( )t(])t(,)t(\")t(s)t(\")t(:)t(2)N(s)V(2)t(})");
}

static void an_array_twice_or_of_another_type_is_a_member(void **state)
{
    (void)state;
    assert_int_equal(run_text("{\"results\":{},\"x\":{\"results\":[1]}}"), HERD_OK);
    assert_string_equal(events, "N(results)V({})N(x)V({\"results\":[1]})");
    assert_false(json_stream_has_array(&stream));
    assert_int_equal(run_text("{\"results\":[],\"results\":[1]}"), HERD_OK);
    assert_string_equal(events, "N(results)V([1])");
    assert_int_equal(run_text("{\"results\":null}"), HERD_OK);
    assert_string_equal(events, "N(results)V(null)");
}

static const char document[] =
    " {\"html_attributions\" : [], \"next\":\"\xc3\xa9\\u00e9\xf0\x9f\x98\x80\",\n\"results\" : [ {"
    "\"geometry\":{\"location\":{\"lat\":-33.8587323, "
    "\"lng\":1.5E+2}},\"p\":[{\"h\":0,\"a\":[\"<\\\""
    "\"]}],\"open\":false}\n,\n{ },null,0],\n\"status\":\"OK\"}\n";

static void every_split_gives_the_same(void **state)
{
    (void)state;
    static char whole[sizeof events];
    struct span text = span_of(document);
    assert_int_equal(run(text, text.bytes, &loud), HERD_OK);
    memcpy(whole, events, events_bytes + 1);
    for (size_t piece = 1; piece < text.bytes; piece++) {
        assert_int_equal(run(text, piece, &loud), HERD_OK);
        assert_string_equal(events, whole);
    }
}

static void a_document_cut_at_any_byte_is_never_complete(void **state)
{
    (void)state;
    size_t last = (size_t)(strrchr(document, '}') - document);
    for (size_t n = 0; n <= last; n++) {
        assert_int_equal(run((struct span){document, n}, 7, &quiet), HERD_E_SYNTAX);
    }
    assert_int_equal(run((struct span){document, last + 1}, 7, &quiet), HERD_OK);
}

static void a_byte_out_of_place_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[]",
        "1",
        "\"a\"",
        "null",
        "{}{}",
        "{} x",
        "{\"a\":1,}",
        "{,}",
        "{\"a\"}",
        "{\"a\" 1}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":[1,]}",
        "{\"a\":[,]}",
        "{\"a\":[1 2]}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":]}",
        "{\"a\":[}",
        "{\"a\":01}",
        "{\"a\":-}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":1e}",
        "{\"a\":1e+}",
        "{\"a\":+1}",
        "{\"a\":1.2.3}",
        "{\"a\":1ee1}",
        "{\"a\":0x1}",
        "{\"a\":tru}",
        "{\"a\":True}",
        "{\"a\":nulL}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12G4\"}",
        "{\"a\":\"\x80\"}",
        "{\"a\":\"\xc0\x80\"}",
        "{\"a\":\"\xed\xa0\x80\"}",
        "{\"a\":\"\xf4\x90\x80\x80\"}",
        "{\"a\":\"\xc3\"}",
        "{\"a\":\"\xe0\x80\x80\"}",
        "{\"a\":'b'}",
        "{\"a\":1/**/}",
        "\xef\xbb\xbf{}",
        "{\"a\":--1}",
        "{\"a\":NaN}",
        "{\"results\":[}",
        "{\"results\":[1,]}",
        "{\"results\":[1}}",
        "{\"results\":[{]}",
        "{\"results\":[\"a]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(run_text(bad[i]), HERD_E_SYNTAX);
        assert_int_equal(run(span_of(bad[i]), 1, &loud), HERD_E_SYNTAX);
    }
}

static void nesting_is_limited(void **state)
{
    (void)state;
    char text[1200];
    for (unsigned depth = 1; depth < 1000; depth++) {
        int n = snprintf(text, sizeof text, "{\"a\":");
        unsigned inner = depth - 1;
        for (unsigned i = 0; i < 2 * inner && n < 1100; i++) {
            text[n++] = i < inner ? '[' : ']';
        }
        n += snprintf(text + n, sizeof text - (size_t)n, inner == 0 ? "1}" : "}");
        if (2 * inner < 1000) {
            assert_int_equal(run((struct span){text, (size_t)n}, 100, &quiet),
                             depth <= CFG_JSON_DEPTH ? HERD_OK : HERD_E_RANGE);
        }
    }
}

static void an_element_longer_than_the_buffer_is_not_whole(void **state)
{
    (void)state;
    static char text[3 * CFG_JSON_TEXT_BYTES];
    for (int over = 0; over < 2; over++) {
        unsigned inner = (unsigned)(CFG_JSON_TEXT_BYTES - 2 + over);
        int n = snprintf(text, sizeof text, "{\"results\":[1,\"%0*d\",2],\"status\":\"OK\"}",
                         (int)inner, 0);
        assert_int_equal(run((struct span){text, (size_t)n}, 100, &quiet), HERD_OK);
        assert_int_equal(strstr(events, "E-cut()") != NULL, over);
        assert_non_null(strstr(events, "E(2)N(status)V(\"OK\")"));
    }
}

static void long_names_are_cut(void **state)
{
    (void)state;
    assert_int_equal(
        run_text("{\"0123456789012345678901234567890123456789\":1,\"r\\u0065sults\":[1]}"),
        HERD_OK);
    assert_string_equal(events, "N(01234567890123456789012345678901)V(1)N(r\\u0065sults)V([1])");
}

static void mutated_documents_never_overrun(void **state)
{
    (void)state;
    struct unit_random random = {20261120};
    char text[sizeof document];
    unsigned good = 0;
    for (unsigned round = 0; round < 20000; round++) {
        memcpy(text, document, sizeof document);
        for (unsigned i = unit_below(&random, 4); i < 4; i++) {
            text[unit_below(&random, sizeof document - 1)] = (char)unit_next(&random);
        }
        good += run((struct span){text, sizeof document - 1}, 1 + unit_below(&random, 50), &loud) ==
                HERD_OK;
    }
    assert_in_range(good, 1, 19999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_and_members_are_handed_out),
        cmocka_unit_test(bytes_outside_of_elements_tell_where_they_stand),
        cmocka_unit_test(an_array_twice_or_of_another_type_is_a_member),
        cmocka_unit_test(every_split_gives_the_same),
        cmocka_unit_test(a_document_cut_at_any_byte_is_never_complete),
        cmocka_unit_test(a_byte_out_of_place_is_refused),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(an_element_longer_than_the_buffer_is_not_whole),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(mutated_documents_never_overrun),
    };
    return cmocka_run_group_tests_name("json_stream", tests, NULL, NULL);
}
