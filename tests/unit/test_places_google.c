/* places_google, places_entry, places_verdict: Google's two dialects. */
#include "unit.h"

#include <stdio.h>

#include "places_google.h"
#include "places_verdict.h"

#define KEY    "AIzaCanary-key_0123456789"
#define SYDNEY "../shared/data/places/nearbysearch-sydney.json"

static const struct places_google_service service_new = {
    CONFIG_PLACES_GOOGLE, "places.googleapis.com", {KEY, sizeof KEY - 1}};
static const struct places_google_service service_legacy = {
    CONFIG_PLACES_GOOGLE_LEGACY, "maps.googleapis.com", {KEY, sizeof KEY - 1}};

static struct places_google google;
static struct places_verdict verdict;
static char buffer[65536];
static char sydney[65536];
static size_t sydney_bytes;

static void answer(const struct places_google_service *service, unsigned status, struct span body,
                   unsigned bound, size_t capacity, size_t piece)
{
    memset(buffer, '#', sizeof buffer);
    places_google_begin(&google, service, bound, buffer, capacity);
    places_google_head(&google, status);
    for (size_t i = 0; i < body.bytes; i += piece) {
        size_t n = body.bytes - i < piece ? body.bytes - i : piece;
        places_google_body(&google, (struct span){body.at + i, n});
    }
    places_verdict_of(&google, &verdict);
    assert_int_equal(buffer[capacity < sizeof buffer ? capacity : 0],
                     capacity < sizeof buffer ? '#' : buffer[0]);
}

static struct span result(void)
{
    assert_true(verdict.good);
    return (struct span){buffer, verdict.bytes};
}

/* Entries of a JSON document, which must be complete. */
static unsigned entries;

static void on_element(void *context, struct span text, bool whole)
{
    (void)context;
    (void)text;
    (void)whole;
    entries++;
}

static void on_member(void *context, struct span name, struct span text, bool whole)
{
    (void)context;
    (void)name;
    (void)text;
    (void)whole;
}

static unsigned entries_of(struct span json)
{
    static const struct json_sink sink = {NULL, on_element, on_member};
    static struct json_stream stream;
    entries = 0;
    json_stream_init(&stream, SPAN_LIT("results"), &sink, NULL);
    assert_int_equal(json_stream_feed(&stream, json), HERD_OK);
    assert_int_equal(json_stream_end(&stream), HERD_OK);
    assert_true(json_stream_has_array(&stream));
    for (size_t i = 1; i < json.bytes; i++) {
        assert_false(json.at[i] == '\n' && json.at[i - 1] == '\n');
    }
    assert_true(json.bytes > 0 && json.at[0] != '\n' && json.at[json.bytes - 1] != '\n');
    return entries;
}

static void good_new(const char *body, unsigned bound, const char *expected)
{
    for (size_t piece = 1; piece < 64; piece += 9) {
        answer(&service_new, 200, span_of(body), bound, sizeof buffer, piece);
        assert_span_equal(result(), expected);
        entries_of(result());
    }
}

static void failed(const char *status, const char *message)
{
    assert_false(verdict.good);
    assert_span_equal(verdict.status, status);
    assert_span_equal(verdict.message, message);
}

/* Requests */

static const struct places_query query = {{-338670522, 1511957362}, 10000500, 5, 8192};

static void a_request_of_the_new_api_keeps_the_key_in_its_header(void **state)
{
    (void)state;
    char scratch[1024];
    struct text t;
    struct https_request r;
    text_init(&t, scratch, sizeof scratch);
    assert_int_equal(places_google_request(&service_new, &query, &t, &r), HERD_OK);
    assert_string_equal(r.method, "POST");
    assert_span_equal(r.target, "/v1/places:searchNearby");
    assert_span_equal(r.headers,
                      "Content-Type: application/json\r\nX-Goog-FieldMask: places.displayName,"
                      "places.location,places.id,places.types,places.shortFormattedAddress\r\n"
                      "X-Goog-Api-Key: " KEY "\r\n");
    assert_span_equal(r.body, "{\"maxResultCount\":5,\"rankPreference\":\"DISTANCE\","
                              "\"locationRestriction\":{\"circle\":{\"center\":{\"latitude\":"
                              "-33.8670522,\"longitude\":151.1957362},\"radius\":10000.500}}}");
}

static void a_legacy_request_has_whole_metres_and_an_escaped_key(void **state)
{
    (void)state;
    const struct places_google_service odd = {CONFIG_PLACES_GOOGLE_LEGACY, "h",
                                              SPAN_LIT("a+b&c=d/e")};
    struct places_query q = query;
    char scratch[1024];
    struct text t;
    struct https_request r;
    text_init(&t, scratch, sizeof scratch);
    assert_int_equal(places_google_request(&odd, &q, &t, &r), HERD_OK);
    assert_string_equal(r.method, "GET");
    assert_span_equal(r.target, "/maps/api/place/nearbysearch/json?location=-33.8670522,"
                                "151.1957362&radius=10001&key=a%2bb%26c%3dd%2fe");
    assert_int_equal(r.headers.bytes, 0);
    assert_int_equal(r.body.bytes, 0);
    q.radius_mm = 1;
    text_init(&t, scratch, sizeof scratch);
    assert_int_equal(places_google_request(&odd, &q, &t, &r), HERD_OK);
    assert_non_null(strstr(text_cstr(&t), "&radius=1&"));
    text_init(&t, scratch, 50);
    assert_int_equal(places_google_request(&odd, &q, &t, &r), HERD_E_RANGE);
}

/* The new dialect */

#define PLACE(name, id)                                                                            \
    "{\"id\":\"" id "\",\"types\":[\"cafe\",\"food\"],\"location\":{\"latitude\":-33.8587323,"     \
    "\"longitude\":151.21000549999999},\"displayName\":{\"text\":\"" name                          \
    "\",\"languageCode\":\"en\"},\"shortFormattedAddress\":\"1 \\\"Quay\\\" St\"}"
#define LEGACY(name, id)                                                                           \
    "{\"name\":\"" name "\",\"geometry\":{\"location\":{\"lat\":-33.8587323,\"lng\":"              \
    "151.21000549999999}},\"place_id\":\"" id "\",\"types\":[\"cafe\",\"food\"],"                  \
    "\"vicinity\":\"1 \\\"Quay\\\" St\"}"
#define HEAD "{\"html_attributions\":[],\"results\":["
#define TAIL "],\"status\":\"OK\"}"

static void answers_of_the_new_api_are_translated(void **state)
{
    (void)state;
    good_new("{\"places\":[" PLACE("Caf\xc3\xa9 \\u2603", "a") ",\n" PLACE("B", "b") "]}\n", 20,
             HEAD LEGACY("Caf\xc3\xa9 \xe2\x98\x83", "a") "," LEGACY("B", "b") TAIL);
    good_new("{\"places\":[" PLACE("A", "a") "," PLACE("B", "b") "]}", 1,
             HEAD LEGACY("A", "a") TAIL);
}

static void no_place_is_zero_results(void **state)
{
    (void)state;
    good_new("{}", 5, HEAD "],\"status\":\"ZERO_RESULTS\"}");
    good_new(" {\"places\": [ ]}\n", 5, HEAD "],\"status\":\"ZERO_RESULTS\"}");
}

static void members_that_are_missing_are_left_out(void **state)
{
    (void)state;
    good_new("{\"places\":[{\"displayName\":{\"text\":\"Null Island\"},\"location\":{}}]}", 5,
             HEAD
             "{\"name\":\"Null Island\",\"geometry\":{\"location\":{\"lat\":0,\"lng\":0}}}" TAIL);
    good_new("{\"places\":[{\"displayName\":{\"text\":\"E\"},\"location\":{\"latitude\":1e-05,"
             "\"longitude\":-180},\"types\":[]}]}",
             5,
             HEAD "{\"name\":\"E\",\"geometry\":{\"location\":{\"lat\":1e-05,\"lng\":-180}},"
                  "\"types\":[]}" TAIL);
}

static void entries_without_name_or_location_are_left_out(void **state)
{
    (void)state;
    good_new("{\"places\":[{\"id\":\"x\"}," PLACE("B", "b") ",{\"displayName\":{\"text\":\"C\"}}]}",
             5, HEAD LEGACY("B", "b") TAIL);
    assert_int_equal(verdict.left_out, 2);
    assert_int_equal(verdict.entries, 1);
    answer(&service_new, 200, SPAN_LIT("{\"places\":[{\"id\":\"x\"}]}"), 5, sizeof buffer, 100);
    failed("UNKNOWN_ERROR",
           "bad answer of places.googleapis.com: none of its entries can be read, or fits");
}

static void wrong_types_and_doubled_names_are_bad_answers(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "7",
        "null",
        "[]",
        "\"place\"",
        "{\"displayName\":\"A\",\"location\":{\"latitude\":1,\"longitude\":2}}",
        "{\"displayName\":{\"text\":5},\"location\":{\"latitude\":1,\"longitude\":2}}",
        "{\"displayName\":{\"text\":\"A\"},\"location\":[1,2]}",
        "{\"displayName\":{\"text\":\"A\"},\"location\":{\"latitude\":\"1\",\"longitude\":2}}",
        "{\"displayName\":{\"text\":\"A\"},\"location\":{\"latitude\":1e999,\"longitude\":2}}",
        "{\"displayName\":{\"text\":\"A\"},\"location\":{\"latitude\":90.1,\"longitude\":2}}",
        "{\"displayName\":{\"text\":\"A\"},\"location\":{\"latitude\":1,\"longitude\":2},\"types\":"
        "{}}",
        "{\"displayName\":{\"text\":\"A\"},\"location\":{\"latitude\":1,\"longitude\":2},\"types\":"
        "[1]}",
        "{\"displayName\":{\"text\":\"A\"},\"location\":{\"latitude\":1,\"longitude\":2},\"id\":"
        "null}",
        "{\"displayName\":{\"text\":\"A\"},\"displayName\":{\"text\":\"A\"},\"location\":{}}",
        "{\"displayName\":{\"text\":\"A\",\"text\":\"B\"},\"location\":{}}",
        "{\"displayName\":{\"text\":\"A\"},\"location\":{\"latitude\":1,\"latitude\":1}}",
        "{\"displayName\":{\"text\":\"\\ud800\"},\"location\":{\"latitude\":1,\"longitude\":2}}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char body[512];
        int n = snprintf(body, sizeof body, "{\"places\":[%s,%s]}", PLACE("A", "a"), bad[i]);
        answer(&service_new, 200, (struct span){body, (size_t)n}, 5, sizeof buffer, 100);
        failed("UNKNOWN_ERROR",
               "bad answer of places.googleapis.com: an entry is not what an entry should be");
    }
    answer(&service_new, 200, SPAN_LIT("{\"places\":{}}"), 5, sizeof buffer, 100);
    failed("UNKNOWN_ERROR",
           "bad answer of places.googleapis.com: its list of places is not a list");
    answer(&service_new, 200, SPAN_LIT("{\"places\":[],\"places\":[]}"), 5, sizeof buffer, 100);
    failed("UNKNOWN_ERROR",
           "bad answer of places.googleapis.com: its list of places is there twice");
}

static void answers_that_are_not_whole_json_are_bad(void **state)
{
    (void)state;
    const char *body = "{\"places\":[" PLACE("A", "a") "]}";
    for (size_t n = 0; n < strlen(body); n++) {
        answer(&service_new, 200, (struct span){body, n}, 5, sizeof buffer, 50);
        failed("UNKNOWN_ERROR", "bad answer of places.googleapis.com: its JSON is cut");
    }
    answer(&service_new, 200, SPAN_LIT("<html>"), 5, sizeof buffer, 50);
    failed("UNKNOWN_ERROR", "bad answer of places.googleapis.com: it is not JSON");
    answer(&service_new, 200, SPAN_LIT("{} trailing"), 5, sizeof buffer, 50);
    failed("UNKNOWN_ERROR", "bad answer of places.googleapis.com: it is not JSON");
}

static void translated_entries_that_do_not_fit_are_left_out(void **state)
{
    (void)state;
    const char *body = "{\"places\":[" PLACE("A", "a") "," PLACE("B", "b") "," PLACE("C", "c") "]}";
    for (size_t capacity = 400; capacity < 800; capacity++) {
        answer(&service_new, 200, span_of(body), 20, capacity, 1000);
        unsigned n = entries_of(result());
        assert_int_equal(n, verdict.entries);
        assert_int_equal(n + verdict.left_out, 3);
        assert_true(n >= (capacity >= 700 ? 3 : 1));
        assert_non_null(strstr(buffer, "\"A\""));
    }
}

static void http_statuses_become_statuses_of_the_protocol(void **state)
{
    (void)state;
    static const struct {
        unsigned http;
        const char *status;
    } cases[] = {{400, "INVALID_REQUEST"}, {401, "REQUEST_DENIED"},   {403, "REQUEST_DENIED"},
                 {404, "UNKNOWN_ERROR"},   {429, "OVER_QUERY_LIMIT"}, {500, "UNKNOWN_ERROR"},
                 {503, "UNKNOWN_ERROR"},   {204, "UNKNOWN_ERROR"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[100];
        snprintf(expected, sizeof expected, "places.googleapis.com answered HTTP %u",
                 cases[i].http);
        answer(&service_new, cases[i].http, SPAN_LIT("<html>no</html>"), 5, sizeof buffer, 50);
        failed(cases[i].status, expected);
        answer(&service_new, cases[i].http, SPAN_LIT(""), 5, sizeof buffer, 50);
        failed(cases[i].status, expected);
        snprintf(expected, sizeof expected, "places.googleapis.com answered HTTP %u: so \"be\" it",
                 cases[i].http);
        answer(&service_new, cases[i].http,
               SPAN_LIT("{\"error\":{\"code\":1,\"message\":\"so \\\"be\\\" it\"}}"), 5,
               sizeof buffer, 50);
        failed(cases[i].status, expected);
    }
    answer(&service_new, 302, SPAN_LIT(""), 5, sizeof buffer, 50);
    failed("UNKNOWN_ERROR",
           "places.googleapis.com answered HTTP 302, a redirect, which is not followed");
}

static void a_bad_key_is_denied_and_what_to_do_is_said(void **state)
{
    (void)state;
    answer(&service_new, 400,
           SPAN_LIT(
               "{\"error\":{\"code\":400,\"message\":\"API key not valid. Please pass a valid API "
               "key.\",\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"@type\":\"x\",\"reason\":"
               "\"API_KEY_INVALID\",\"metadata\":{\"service\":\"places.googleapis.com\"}}]}}"),
           5, sizeof buffer, 50);
    failed("REQUEST_DENIED",
           "places.googleapis.com answered HTTP 400: API key not valid. Please pass "
           "a valid API key. (check the places key)");
    answer(&service_new, 403,
           SPAN_LIT("{\"error\":{\"code\":403,\"message\":\"Places API (New) has not been used in "
                    "project 1 before or it is disabled.\",\"status\":\"PERMISSION_DENIED\"}}"),
           5, sizeof buffer, 50);
    failed(
        "REQUEST_DENIED",
        "places.googleapis.com answered HTTP 403: Places API (New) has not been used in project 1 "
        "before or it is disabled. (this key is not enabled for Places API (New): enable it in "
        "the Google Cloud console, or set provider = google-legacy in the herd file)");
    answer(&service_legacy, 200,
           SPAN_LIT(
               "{\"error_message\":\"You're calling a legacy API, which is not enabled for your "
               "project.\",\"html_attributions\":[],\"results\":[],\"status\":\"REQUEST_DENIED\"}"),
           5, sizeof buffer, 50);
    failed(
        "REQUEST_DENIED",
        "maps.googleapis.com refused: You're calling a legacy API, which is not enabled for your "
        "project. (this key is not enabled for the legacy Places API: set provider = google in "
        "the herd file)");
}

static void the_key_never_comes_back_in_a_message(void **state)
{
    (void)state;
    answer(&service_new, 403,
           SPAN_LIT("{\"error\":{\"message\":\"Consumer 'api_key:" KEY "' has been suspended.\"}}"),
           5, sizeof buffer, 50);
    failed("REQUEST_DENIED",
           "places.googleapis.com answered HTTP 403: Consumer 'api_key:(key)' has "
           "been suspended.");
    /* also where the message is cut */
    char body[600];
    for (unsigned pad = 200; pad < 260; pad++) {
        int n = snprintf(body, sizeof body, "{\"error\":{\"message\":\"%0*d\xc3\xa9%s\"}}",
                         (int)pad, 0, KEY);
        answer(&service_new, 403, (struct span){body, (size_t)n}, 5, sizeof buffer, 50);
        for (size_t i = 0; i + 8 <= verdict.message.bytes; i++) {
            assert_memory_not_equal(verdict.message.at + i, KEY, 8);
        }
        assert_true((unsigned char)verdict.message.at[verdict.message.bytes - 1] != 0xc3);
    }
}

/* The legacy dialect */

static void legacy(const char *body, unsigned bound, const char *expected)
{
    for (size_t piece = 1; piece < 40; piece += 6) {
        answer(&service_legacy, 200, span_of(body), bound, sizeof buffer, piece);
        assert_span_equal(result(), expected);
        entries_of(result());
    }
}

#define L(name) "{\"name\":\"" name "\",\"geometry\":{\"location\":{\"lat\":1,\"lng\":2}}}"

static void legacy_text_is_passed_on_cut_to_the_bound(void **state)
{
    (void)state;
    const char *body = "{ \"a\" : [],\n \"results\" : [\n " L("1") ",\n  " L("2") " ,\n   " L(
        "3") "\n "
             "],\n \"status\" : \"OK\"\n}\n";
    legacy(body, 3,
           "{ \"a\" : [],\n \"results\" : [\n " L("1") ",\n  " L("2") " ,\n   " L(
               "3") "\n "
                    "],\n \"status\" : \"OK\"\n}");
    legacy(
        body, 2,
        "{ \"a\" : [],\n \"results\" : [\n " L("1") ",\n  " L("2") "\n "
                                                                   "],\n \"status\" : \"OK\"\n}");
    legacy(body, 1, "{ \"a\" : [],\n \"results\" : [\n " L("1") "\n ],\n \"status\" : \"OK\"\n}");
    legacy("{\"status\":\"ZERO_RESULTS\",\"results\":[ ]}", 5,
           "{\"status\":\"ZERO_RESULTS\",\"results\":[ ]}");
}

static void runs_of_newlines_become_one(void **state)
{
    (void)state;
    legacy("\n\n{\n\n\n\"status\":\n\n\"OK\",\"results\":\n[\n\n" L("1") "\n\n,\n\n" L(
               "2") "\n\n]\n\n}\n\n\n",
           1, "{\n\"status\":\n\"OK\",\"results\":\n[\n" L("1") "\n]\n}");
}

static void legacy_refusals_keep_their_status(void **state)
{
    (void)state;
    static const char *const statuses[] = {"INVALID_REQUEST", "OVER_QUERY_LIMIT", "REQUEST_DENIED",
                                           "UNKNOWN_ERROR"};
    char body[200];
    char expected[100];
    for (size_t i = 0; i < 4; i++) {
        int n = snprintf(body, sizeof body, "{\"results\":[],\"status\":\"%s\"}", statuses[i]);
        answer(&service_legacy, 200, (struct span){body, (size_t)n}, 5, sizeof buffer, 50);
        snprintf(expected, sizeof expected, "maps.googleapis.com refused: %s", statuses[i]);
        failed(statuses[i], expected);
    }
    answer(&service_legacy, 200, SPAN_LIT("{\"results\":[],\"status\":\"OVER_DAILY_LIMIT\"}"), 5,
           sizeof buffer, 50);
    failed("OVER_QUERY_LIMIT", "maps.googleapis.com refused: OVER_DAILY_LIMIT");
    answer(&service_legacy, 200, SPAN_LIT("{\"results\":[],\"status\":\"\\\"new\\\"\"}"), 5,
           sizeof buffer, 50);
    failed("UNKNOWN_ERROR", "maps.googleapis.com refused: \"new\"");
}

static void legacy_answers_of_the_wrong_form_are_bad(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"{\"results\":[]}", "it has no status"},
        {"{\"status\":\"OK\"}", "it has no results"},
        {"{\"status\":5,\"results\":[]}", "its status is not a word"},
        {"{\"status\":\"OK\",\"results\":[],\"status\":\"OK\"}", "its status is not a word"},
        {"{\"status\":\"OK\",\"results\":7}", "its list of places is not a list"},
        {"{\"status\":\"OK\",\"results\":[],\"results\":[]}", "its list of places is there twice"},
        {"{\"status\":\"OK\",\"results\":[7]}", "an entry is not what an entry should be"},
        {"{\"status\":\"OK\",\"results\":[{\"name\":3,\"geometry\":{\"location\":{\"lat\":1,"
         "\"lng\":2}}}]}",
         "an entry is not what an entry should be"},
        {"{\"status\":\"OK\",\"results\":[{\"geometry\":{\"location\":{\"lat\":1e999,\"lng\":2}}}]"
         "}",
         "an entry is not what an entry should be"},
        {"{\"status\":\"OK\",\"results\":[" L("1") "]", "its JSON is cut"},
        {"{\"status\":\"OK\",\"results\":[" L("1") "]]", "it is not JSON"},
        {"{\"status\":\"OK\",\"results\":[[[[[[[[[[[", "its JSON is nested too deeply"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char expected[200];
        snprintf(expected, sizeof expected, "bad answer of maps.googleapis.com: %s", bad[i][1]);
        answer(&service_legacy, 200, span_of(bad[i][0]), 5, sizeof buffer, 50);
        failed("UNKNOWN_ERROR", expected);
    }
}

static void entries_give_way_to_the_text_behind_them(void **state)
{
    (void)state;
    char body[2000];
    int n = snprintf(
        body, sizeof body,
        "{\"results\":[\n" L("1") "\n,\n" L("2") ",\n" L("3") "\n],\n\"t\":"
                                                              "\"%0200d\",\"status\":\"OK\"}",
        0);
    unsigned best = 0;
    unsigned refused = 0;
    for (size_t capacity = 256; capacity <= (size_t)n + 1; capacity++) {
        answer(&service_legacy, 200, (struct span){body, (size_t)n}, 20, capacity, 33);
        if (!verdict.good) {
            refused++;
            continue;
        }
        unsigned kept = entries_of(result());
        assert_int_equal(kept, verdict.entries);
        assert_int_equal(kept + verdict.left_out, 3);
        assert_true(kept >= best);
        best = kept;
    }
    assert_int_equal(best, 3);
    assert_true(refused < 60);
    answer(&service_legacy, 200, SPAN_LIT("{\"results\":[],\"status\":\"OK\"}"), 20, 256, 33);
    assert_true(verdict.good);
}

static void text_that_fits_nowhere_is_a_failure(void **state)
{
    (void)state;
    char body[1000];
    for (unsigned front = 0; front < 2; front++) {
        int n = snprintf(body, sizeof body,
                         front ? "{\"t\":\"%0400d\",\"results\":[" L("1") "],\"status\":\"OK\"}"
                               : "{\"results\":[],\"t\":\"%0400d\",\"status\":\"OK\"}",
                         0);
        answer(&service_legacy, 200, (struct span){body, (size_t)n}, 20, 256, 33);
        assert_false(verdict.good);
        assert_span_equal(verdict.status, "UNKNOWN_ERROR");
    }
}

static void an_entry_too_long_for_the_buffer_is_left_out_with_its_comma(void **state)
{
    (void)state;
    static char body[3 * CFG_JSON_TEXT_BYTES];
    static const unsigned wheres[] = {0, 1, 2};
    for (unsigned i = 0; i < 3; i++) {
        size_t n = (size_t)snprintf(body, sizeof body, "{\"results\":[");
        for (unsigned k = 0; k < 3; k++) {
            n += (size_t)snprintf(body + n, sizeof body - n, "%s", k > 0 ? "," : "");
            n += (size_t)(k == wheres[i] ? snprintf(body + n, sizeof body - n, "{\"x\":\"%0*d\"}",
                                                    CFG_JSON_TEXT_BYTES, 0)
                                         : snprintf(body + n, sizeof body - n, L("1")));
        }
        n += (size_t)snprintf(body + n, sizeof body - n, "],\"status\":\"OK\"}");
        answer(&service_legacy, 200, (struct span){body, n}, 20, sizeof buffer, 1000);
        assert_span_equal(result(), "{\"results\":[" L("1") "," L("1") "],\"status\":\"OK\"}");
        assert_int_equal(verdict.left_out, 1);
    }
}

/* A real answer of Google */

/* Its text with the first `bound` entries, found by their indentation. */
static struct span sydney_cut(unsigned bound)
{
    static char cut[sizeof sydney];
    static const char end[] = "\n      }";
    const char *at = sydney;
    const char *last = sydney;
    const char *keep = sydney;
    for (unsigned n = 1; (at = strstr(at, end)) != NULL; n++) {
        at += sizeof end - 1;
        last = at;
        keep = n <= bound ? at : keep;
    }
    size_t front = (size_t)(keep - sydney);
    size_t back = sydney_bytes - (size_t)(last - sydney) - 1; /* the last newline */
    memcpy(cut, sydney, front);
    memcpy(cut + front, last, back);
    return (struct span){cut, front + back};
}

static int read_sydney(void **state)
{
    (void)state;
    FILE *f = fopen(SYDNEY, "rb");
    if (f != NULL) {
        sydney_bytes = fread(sydney, 1, sizeof sydney - 1, f);
        fclose(f);
    }
    return 0;
}

static void a_real_answer_is_cut_to_each_bound(void **state)
{
    (void)state;
    if (sydney_bytes == 0) {
        print_message("skipped: no " SYDNEY "\n");
        skip();
    }
    for (unsigned bound = 1; bound <= 20; bound++) {
        struct span expected = sydney_cut(bound);
        answer(&service_legacy, 200, (struct span){sydney, sydney_bytes}, bound, 65536, 1400);
        assert_int_equal(verdict.entries, bound < 13 ? bound : 13);
        assert_int_equal(verdict.left_out, 0);
        assert_int_equal(verdict.bytes, expected.bytes);
        assert_memory_equal(buffer, expected.at, expected.bytes);
        assert_int_equal(entries_of(result()), verdict.entries);
    }
}

static void a_real_answer_leaves_entries_out_of_8_kilobytes(void **state)
{
    (void)state;
    if (sydney_bytes == 0) {
        print_message("skipped: no " SYDNEY "\n");
        skip();
    }
    static const unsigned bounds[] = {1, 5, 13, 20};
    for (unsigned i = 0; i < 4; i++) {
        answer(&service_legacy, 200, (struct span){sydney, sydney_bytes}, bounds[i], 8192, 1400);
        unsigned wanted = bounds[i] < 13 ? bounds[i] : 13;
        assert_int_equal(entries_of(result()), verdict.entries);
        assert_int_equal(verdict.entries + verdict.left_out, wanted);
        assert_true(verdict.entries >= (wanted < 3 ? wanted : 3));
        struct span expected = sydney_cut(verdict.entries);
        assert_int_equal(verdict.bytes, expected.bytes);
        assert_memory_equal(buffer, expected.at, expected.bytes);
    }
    assert_true(verdict.left_out > 0);
}

static void a_real_answer_that_is_cut_is_never_good(void **state)
{
    (void)state;
    if (sydney_bytes == 0) {
        print_message("skipped: no " SYDNEY "\n");
        skip();
    }
    for (size_t n = 0; n < sydney_bytes - 1; n += 1 + n / 200) {
        answer(&service_legacy, 200, (struct span){sydney, n}, 20, 65536, 4096);
        assert_false(verdict.good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_of_the_new_api_keeps_the_key_in_its_header),
        cmocka_unit_test(a_legacy_request_has_whole_metres_and_an_escaped_key),
        cmocka_unit_test(answers_of_the_new_api_are_translated),
        cmocka_unit_test(no_place_is_zero_results),
        cmocka_unit_test(members_that_are_missing_are_left_out),
        cmocka_unit_test(entries_without_name_or_location_are_left_out),
        cmocka_unit_test(wrong_types_and_doubled_names_are_bad_answers),
        cmocka_unit_test(answers_that_are_not_whole_json_are_bad),
        cmocka_unit_test(translated_entries_that_do_not_fit_are_left_out),
        cmocka_unit_test(http_statuses_become_statuses_of_the_protocol),
        cmocka_unit_test(a_bad_key_is_denied_and_what_to_do_is_said),
        cmocka_unit_test(the_key_never_comes_back_in_a_message),
        cmocka_unit_test(legacy_text_is_passed_on_cut_to_the_bound),
        cmocka_unit_test(runs_of_newlines_become_one),
        cmocka_unit_test(legacy_refusals_keep_their_status),
        cmocka_unit_test(legacy_answers_of_the_wrong_form_are_bad),
        cmocka_unit_test(entries_give_way_to_the_text_behind_them),
        cmocka_unit_test(text_that_fits_nowhere_is_a_failure),
        cmocka_unit_test(an_entry_too_long_for_the_buffer_is_left_out_with_its_comma),
        cmocka_unit_test(a_real_answer_is_cut_to_each_bound),
        cmocka_unit_test(a_real_answer_leaves_entries_out_of_8_kilobytes),
        cmocka_unit_test(a_real_answer_that_is_cut_is_never_good),
    };
    return cmocka_run_group_tests_name("places_google", tests, read_sydney, NULL);
}
