/* frames: encoding, decoding, and assembly from a stream. */
#include "unit.h"

#include "frames.h"
#include "names.h"

#define REPORT_BYTES 128

static char buffer[6 * FRAMES_BYTES_MAX];
static struct text t;
static uint8_t clark;

static int begin(void **state)
{
    (void)state;
    names_init();
    text_init(&t, buffer, sizeof buffer);
    return names_intern(SPAN_LIT("Clark"), &clark);
}

static struct frames_hello a_hello(void)
{
    return (struct frames_hello){.version = FRAMES_VERSION,
                                 .features = 0x80000001u,
                                 .boot = UINT64_C(0x0123456789ABCDEF),
                                 .report_bytes = 128,
                                 .skew_max_s = 60,
                                 .capacity = 4096,
                                 .name = SPAN_LIT("Clark"),
                                 .target = SPAN_LIT("Jaquez")};
}

static struct client_record a_record(void)
{
    return (struct client_record){.key_ns = INT64_C(1621464827959498503),
                                  .difference_ns = -263873386,
                                  .server = clark,
                                  .flags = CLIENTS_FLAG_PINNED,
                                  .report = {.client = SPAN_LIT("kiwi"),
                                             .location = SPAN_LIT("+34-118"),
                                             .stamp = SPAN_LIT("1621464827.959498503"),
                                             .stamp_ns = INT64_C(1621464827959498503)}};
}

static struct span body(void)
{
    return (struct span){buffer + FRAMES_HEADER_BYTES, t.bytes - FRAMES_HEADER_BYTES};
}

static void hello_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    struct frames_hello sent = a_hello();
    struct frames_hello got;

    frames_put_hello(&t, &sent);
    assert_int_equal(buffer[0], FRAMES_HELLO);
    assert_int_equal(frames_get_hello(body(), &got), HERD_OK);
    assert_int_equal(got.version, sent.version);
    assert_int_equal(got.features, sent.features);
    assert_true(got.boot == sent.boot);
    assert_int_equal(got.report_bytes, sent.report_bytes);
    assert_int_equal(got.skew_max_s, sent.skew_max_s);
    assert_int_equal(got.capacity, sent.capacity);
    assert_span_equal(got.name, "Clark");
    assert_span_equal(got.target, "Jaquez");
}

static void hello_has_the_bytes_of_the_protocol(void **state)
{
    (void)state;
    static const char expected[] = "\x01\x00\x24"
                                   "\x01\x80\x00\x00\x01\x01\x23\x45\x67\x89\xab\xcd\xef"
                                   "\x00\x80\x00\x00\x00\x3c\x00\x00\x10\x00"
                                   "\x05"
                                   "Clark\x06Jaquez";
    struct frames_hello sent = a_hello();

    frames_put_hello(&t, &sent);
    assert_int_equal(t.bytes, sizeof expected - 1);
    assert_memory_equal(buffer, expected, sizeof expected - 1);
}

static void hello_of_another_version_is_read_up_to_its_version(void **state)
{
    (void)state;
    struct frames_hello got;

    assert_int_equal(frames_get_hello(SPAN_LIT("\x02"), &got), HERD_OK);
    assert_int_equal(got.version, 2);
    assert_int_equal(got.name.bytes, 0);
    assert_int_equal(frames_get_hello(SPAN_LIT("\x00 whatever this may be"), &got), HERD_OK);
    assert_int_equal(got.version, 0);
    assert_int_equal(frames_get_hello((struct span){buffer, 0}, &got), HERD_E_SYNTAX);
}

static void hello_is_refused_when_a_name_is_none(void **state)
{
    (void)state;
    struct frames_hello sent = a_hello();
    struct frames_hello got = {.version = 99};

    frames_put_hello(&t, &sent);
    char *name = buffer + FRAMES_HEADER_BYTES + 23;
    assert_int_equal(name[0], 5);
    for (int length = 0; length < 256; length++) {
        name[0] = (char)length; /* too short, or eats into the target, or beyond the end */
        int expected = length == 5 ? HERD_OK : HERD_E_SYNTAX;
        assert_int_equal(frames_get_hello(body(), &got), expected);
        assert_int_equal(got.version, length < 5 ? 99 : FRAMES_VERSION);
    }
    name[0] = 5;
    name[1] = ' ';
    assert_int_equal(frames_get_hello(body(), &got), HERD_E_SYNTAX);
    name[1] = 'C';
    name[7] = '\n'; /* the target's first byte */
    assert_int_equal(frames_get_hello(body(), &got), HERD_E_SYNTAX);
}

static void report_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    struct client_record sent = a_record();
    struct client_record got;

    frames_put_report(&t, &sent);
    assert_int_equal(buffer[0], FRAMES_REPORT);
    assert_int_equal(frames_get_report(body(), REPORT_BYTES, &got), HERD_OK);
    assert_true(got.key_ns == sent.key_ns);
    assert_int_equal(got.difference_ns, sent.difference_ns);
    assert_int_equal(got.server, clark);
    assert_int_equal(got.flags, CLIENTS_FLAG_PINNED);
    assert_span_equal(got.report.client, "kiwi");
    assert_span_equal(got.report.location, "+34-118");
    assert_span_equal(got.report.stamp, "1621464827.959498503");
    assert_true(got.report.stamp_ns == sent.report.stamp_ns);
}

static void report_travels_as_key_flags_and_at_line(void **state)
{
    (void)state;
    struct client_record sent = a_record();

    sent.key_ns = INT64_C(0x0102030405060708);
    frames_put_report(&t, &sent);
    assert_memory_equal(buffer, "\x02\x00\x40\x01\x02\x03\x04\x05\x06\x07\x08\x02", 12);
    struct span line = {buffer + 12, t.bytes - 12};
    assert_span_equal(line, "AT Clark -0.263873386 kiwi +34-118 1621464827.959498503");
}

static void report_flags_that_are_not_known_are_ignored(void **state)
{
    (void)state;
    struct client_record sent = a_record();
    struct client_record got;

    frames_put_report(&t, &sent);
    buffer[FRAMES_HEADER_BYTES + 8] = (char)0xFF;
    assert_int_equal(frames_get_report(body(), REPORT_BYTES, &got), HERD_OK);
    assert_int_equal(got.flags, CLIENTS_FLAG_PINNED | CLIENTS_FLAG_TOMBSTONE);
}

static void report_is_refused_when_its_key_is_negative(void **state)
{
    (void)state;
    struct client_record sent = a_record();
    struct client_record got = {.key_ns = 77};

    frames_put_report(&t, &sent);
    buffer[FRAMES_HEADER_BYTES] = (char)0x80;
    assert_int_equal(frames_get_report(body(), REPORT_BYTES, &got), HERD_E_SYNTAX);
    assert_int_equal(got.key_ns, 77);
}

static void report_is_refused_when_its_line_is_none_or_too_long(void **state)
{
    (void)state;
    struct client_record sent = a_record();
    struct client_record got = {.key_ns = 77};

    frames_put_report(&t, &sent);
    assert_int_equal(frames_get_report(body(), 4 + 7 + 20, &got), HERD_OK);
    assert_int_equal(frames_get_report(body(), 4 + 7 + 19, &got), HERD_E_RANGE);
    buffer[t.bytes - 1] = 'x';
    got.key_ns = 77;
    assert_int_equal(frames_get_report(body(), REPORT_BYTES, &got), HERD_E_SYNTAX);
    assert_int_equal(got.key_ns, 77);
}

static void report_is_refused_when_no_more_server_names_fit(void **state)
{
    (void)state;
    struct client_record sent = a_record();
    struct client_record got;
    char name[16];
    struct text n;
    uint8_t index;

    frames_put_report(&t, &sent);
    names_init();
    for (unsigned i = 0; i < CFG_SERVER_NAMES; i++) {
        text_init(&n, name, sizeof name);
        text_str(&n, "n");
        text_u64(&n, i);
        assert_int_equal(names_intern(text_span(&n), &index), HERD_OK);
    }
    assert_int_equal(frames_get_report(body(), REPORT_BYTES, &got), HERD_E_FULL);
    assert_int_equal(names_refused(), 1);
}

static void malformed_report_does_not_take_a_server_name(void **state)
{
    (void)state;
    struct client_record got;

    assert_int_equal(
        frames_get_report(SPAN_LIT("\0\0\0\0\0\0\0\0\0AT Newcomer +0.000000000 kiwi +34-118 none"),
                          REPORT_BYTES, &got),
        HERD_E_SYNTAX);
    assert_int_equal(names_count(), 1);
}

static void ack_and_bye_come_back_as_they_were_sent(void **state)
{
    (void)state;
    uint32_t reports = 0;
    uint8_t reason = 0;

    frames_put_ack(&t, 0xFEDCBA98u);
    assert_memory_equal(buffer, "\x03\x00\x04\xfe\xdc\xba\x98", 7);
    assert_int_equal(frames_get_ack(body(), &reports), HERD_OK);
    assert_int_equal(reports, 0xFEDCBA98u);
    text_init(&t, buffer, sizeof buffer);
    frames_put_bye(&t, FRAMES_BYE_SETTINGS);
    assert_memory_equal(buffer, "\x09\x00\x01\x05", 4);
    assert_int_equal(frames_get_bye(body(), &reason), HERD_OK);
    assert_int_equal(reason, FRAMES_BYE_SETTINGS);
    assert_string_equal(frames_bye_name(reason), "settings");
    assert_string_equal(frames_bye_name(0), "unknown");
    assert_string_equal(frames_bye_name(255), "unknown");
}

static void beat_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 4; flags++) {
        struct frames_beat sent = {
            .now_ns = INT64_C(1621464827959498503),
            .floor = {.full = (flags & 1) != 0, .pinned = (flags & 2) != 0, .key_ns = INT64_MAX}};
        struct frames_beat got;

        text_init(&t, buffer, sizeof buffer);
        frames_put_beat(&t, &sent);
        assert_int_equal(frames_get_beat(body(), &got), HERD_OK);
        assert_true(got.now_ns == sent.now_ns);
        assert_int_equal(got.floor.full, sent.floor.full);
        assert_int_equal(got.floor.pinned, sent.floor.pinned);
        assert_true(got.floor.key_ns == INT64_MAX);
    }
}

static void beat_with_negative_times_is_refused_and_never_sent(void **state)
{
    (void)state;
    struct frames_beat beat = {.now_ns = -1};
    struct frames_beat got = {.now_ns = 77};

    frames_put_beat(&t, &beat);
    assert_int_equal(frames_get_beat(body(), &got), HERD_OK);
    assert_int_equal(got.now_ns, 0);
    got.now_ns = 77;
    buffer[FRAMES_HEADER_BYTES] = (char)0x80;
    assert_int_equal(frames_get_beat(body(), &got), HERD_E_SYNTAX);
    buffer[FRAMES_HEADER_BYTES] = 0;
    buffer[FRAMES_HEADER_BYTES + 9] = (char)0x80;
    assert_int_equal(frames_get_beat(body(), &got), HERD_E_SYNTAX);
    assert_int_equal(got.now_ns, 77);
}

static struct frames_ask an_ask(void)
{
    return (struct frames_ask){.id = 0xFEDC,
                               .at = {-900000000, 1800000000},
                               .radius_mm = 50000000,
                               .bound = 20,
                               .bytes_max = 0x80000001u};
}

static void ask_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    static const int32_t corners[] = {0, 1, -1, INT32_MAX, INT32_MIN, 900000000, -900000000};
    struct frames_ask sent = an_ask();
    struct frames_ask got;

    for (size_t i = 0; i < sizeof corners / sizeof corners[0]; i++) {
        sent.at = (struct geo_point){corners[i], -1 - corners[i]};
        text_init(&t, buffer, sizeof buffer);
        frames_put_ask(&t, &sent);
        assert_int_equal(frames_get_ask(body(), &got), HERD_OK);
        assert_int_equal(got.id, sent.id);
        assert_int_equal(got.at.lat_e7, sent.at.lat_e7);
        assert_int_equal(got.at.lng_e7, sent.at.lng_e7);
        assert_int_equal(got.radius_mm, sent.radius_mm);
        assert_int_equal(got.bound, sent.bound);
        assert_int_equal(got.bytes_max, sent.bytes_max);
    }
}

static void ask_has_the_bytes_of_the_protocol(void **state)
{
    (void)state;
    struct frames_ask sent = an_ask();

    sent.at.lat_e7 = -2;
    sent.at.lng_e7 = 0x01020304;
    frames_put_ask(&t, &sent);
    assert_int_equal(t.bytes, 22);
    assert_memory_equal(buffer,
                        "\x07\x00\x13\xfe\xdc\xff\xff\xff\xfe\x01\x02\x03\x04\x02\xfa\xf0\x80\x14"
                        "\x80\x00\x00\x01",
                        22);
}

static void answer_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 4; flags++) {
        struct frames_answer sent = {.id = 0x1234,
                                     .last = (flags & 1) != 0,
                                     .failure = (flags & 2) != 0,
                                     .bytes = SPAN_LIT("{\"a\":1}")};
        struct frames_answer got;

        text_init(&t, buffer, sizeof buffer);
        frames_put_answer(&t, &sent);
        assert_memory_equal(buffer, "\x08\x00\x0a\x12\x34", 5);
        assert_int_equal(buffer[5], flags);
        assert_memory_equal(buffer + 6, "{\"a\":1}", 7);
        assert_int_equal(frames_get_answer(body(), &got), HERD_OK);
        assert_int_equal(got.id, sent.id);
        assert_int_equal(got.last, sent.last);
        assert_int_equal(got.failure, sent.failure);
        assert_span_equal(got.bytes, "{\"a\":1}");
    }
}

static void answer_flags_that_are_not_known_are_ignored(void **state)
{
    (void)state;
    struct frames_answer got;

    assert_int_equal(frames_get_answer(SPAN_LIT("\0\1\xfc"), &got), HERD_OK);
    assert_false(got.last);
    assert_false(got.failure);
    assert_int_equal(got.bytes.bytes, 0);
}

static void answer_cut_before_its_bytes_is_refused(void **state)
{
    (void)state;
    struct frames_answer got = {.id = 77};

    for (size_t bytes = 0; bytes < 3; bytes++) {
        assert_int_equal(frames_get_answer((struct span){"\0\0\0", bytes}, &got), HERD_E_SYNTAX);
    }
    assert_int_equal(got.id, 77);
}

static void longest_piece_of_this_board_fits_and_one_byte_more_panics(void **state)
{
    (void)state;
    static char bytes[FRAMES_PIECE_BYTES_MAX(CFG_REPORT_BYTES) + 1];
    struct frames_answer piece = {.bytes = {bytes, sizeof bytes - 1}};

    frames_put_answer(&t, &piece);
    assert_int_equal(t.bytes, FRAMES_BYTES_MAX);
    text_init(&t, buffer, sizeof buffer);
    piece.bytes.bytes++;
    expect_assert_failure(frames_put_answer(&t, &piece));
}

/* Decodes as a frame of any fixed layout; HERD_E_SYNTAX for every length but its own. */
static int decode(enum frames_type type, struct span bytes)
{
    struct frames_hello hello;
    struct frames_beat beat;
    struct frames_ask ask;
    uint32_t reports;
    uint8_t reason;

    switch (type) {
    case FRAMES_ASK:
        return frames_get_ask(bytes, &ask);
    case FRAMES_HELLO:
        return frames_get_hello(bytes, &hello);
    case FRAMES_ACK:
        return frames_get_ack(bytes, &reports);
    case FRAMES_BEAT:
        return frames_get_beat(bytes, &beat);
    default:
        return frames_get_bye(bytes, &reason);
    }
}

static void bodies_of_every_wrong_length_are_refused(void **state)
{
    (void)state;
    static const enum frames_type types[] = {FRAMES_HELLO, FRAMES_ACK, FRAMES_BEAT, FRAMES_ASK,
                                             FRAMES_BYE};
    struct frames_hello hello = a_hello();
    struct frames_ask ask = an_ask();
    struct frames_beat beat = {.now_ns = 1};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        memset(buffer, 0, sizeof buffer);
        text_init(&t, buffer, sizeof buffer);
        switch (types[i]) {
        case FRAMES_HELLO:
            frames_put_hello(&t, &hello);
            break;
        case FRAMES_ACK:
            frames_put_ack(&t, 1);
            break;
        case FRAMES_BEAT:
            frames_put_beat(&t, &beat);
            break;
        case FRAMES_ASK:
            frames_put_ask(&t, &ask);
            break;
        default:
            frames_put_bye(&t, FRAMES_BYE_STOPPING);
            break;
        }
        for (size_t bytes = 0; bytes < FRAMES_BODY_BYTES_MAX; bytes++) {
            struct span cut = {buffer + FRAMES_HEADER_BYTES, bytes};
            assert_int_equal(decode(types[i], cut),
                             bytes == body().bytes ? HERD_OK : HERD_E_SYNTAX);
        }
    }
}

static void report_cut_before_its_stamp_is_refused(void **state)
{
    (void)state;
    struct client_record sent = a_record();
    struct client_record got;

    frames_put_report(&t, &sent);
    for (size_t bytes = 0; bytes <= body().bytes - 20; bytes++) {
        struct span cut = {buffer + FRAMES_HEADER_BYTES, bytes};
        assert_int_equal(frames_get_report(cut, REPORT_BYTES, &got), HERD_E_SYNTAX);
    }
}

static void longest_report_fits_in_a_frame(void **state)
{
    (void)state;
    char client[CFG_REPORT_BYTES];
    struct client_record sent = a_record();
    struct client_record got;

    memset(client, 'c', sizeof client);
    assert_int_equal(names_intern(SPAN_LIT("12345678901234567890123456789012"), &sent.server),
                     HERD_OK);
    sent.difference_ns = INT64_MIN;
    sent.report.client = (struct span){client, CFG_REPORT_BYTES - 7 - 20};
    frames_put_report(&t, &sent);
    assert_int_equal(t.bytes, FRAMES_BYTES_MAX);
    assert_int_equal(frames_get_report(body(), CFG_REPORT_BYTES, &got), HERD_OK);
}

static void encoding_without_room_panics(void **state)
{
    (void)state;
    text_init(&t, buffer, FRAMES_BYTES_MAX - 1);
    expect_assert_failure(frames_put_ack(&t, 1));
}

/* --- Reader --------------------------------------------------------------------------------- */

static struct frames_reader reader;

static int begin_reader(void **state)
{
    frames_reader_init(&reader);
    return begin(state);
}

/* Feeds the stream in pieces of `step` bytes, 0: of as many as the reader wants, and writes the types of its frames as letters. */
static const char *types_of(const char *stream, size_t bytes, size_t step, int *err)
{
    static char types[64];
    size_t count = 0;
    size_t at = 0;

    *err = HERD_E_AGAIN;
    while (at < bytes && *err != HERD_E_PROTOCOL) {
        struct frames_frame frame;
        size_t most = step == 0 ? frames_reader_wants(&reader) : step;
        size_t piece = bytes - at < most ? bytes - at : most;
        size_t used = 999999;

        *err = frames_reader_feed(&reader, (const uint8_t *)stream + at, piece, &used, &frame);
        assert_true(used <= piece);
        assert_true(*err != HERD_E_AGAIN || used == piece);
        assert_true(most > 0 && (step != 0 || *err == HERD_E_PROTOCOL || used == piece));
        at += used;
        if (*err == HERD_OK) {
            assert_true(count < sizeof types - 1);
            types[count++] = "?HRAB??QPY"[frame.type];
        }
    }
    types[count] = '\0';
    return types;
}

static void reader_finds_the_same_frames_however_the_stream_is_cut(void **state)
{
    (void)state;
    struct frames_hello hello = a_hello();
    struct client_record record = a_record();
    struct frames_ask ask = an_ask();
    struct frames_answer piece = {.id = 1, .bytes = SPAN_LIT("{}")};
    int err;

    frames_put_hello(&t, &hello);
    frames_put_report(&t, &record);
    text_put(&t,
             SPAN_LIT("\x05\x00\x03xyz\x63\x00\x00\x03\x00\x00")); /* two unknown, an empty ACK */
    frames_put_ack(&t, 1);
    frames_put_ask(&t, &ask);
    frames_put_answer(&t, &piece);
    frames_put_bye(&t, FRAMES_BYE_STOPPING);
    for (size_t step = 0; step <= t.bytes; step++) {
        frames_reader_init(&reader);
        assert_string_equal(types_of(buffer, t.bytes, step, &err), "HRAAQPY");
        assert_int_equal(reader.skipped_frames, 2);
    }
}

static void reader_gives_the_body_that_was_sent(void **state)
{
    (void)state;
    struct client_record record = a_record();
    struct frames_frame frame;
    size_t used;

    frames_put_report(&t, &record);
    frames_put_ack(&t, 7);
    assert_int_equal(frames_reader_feed(&reader, (const uint8_t *)buffer, t.bytes, &used, &frame),
                     HERD_OK);
    assert_int_equal(used, t.bytes - 7);
    assert_int_equal(frame.type, FRAMES_REPORT);
    assert_int_equal(frame.body.bytes, used - FRAMES_HEADER_BYTES);
    assert_memory_equal(frame.body.at, buffer + FRAMES_HEADER_BYTES, frame.body.bytes);
}

static void reader_waits_when_it_is_fed_nothing(void **state)
{
    (void)state;
    struct frames_frame frame;
    size_t used = 9;

    assert_int_equal(frames_reader_feed(&reader, NULL, 0, &used, &frame), HERD_E_AGAIN);
    assert_int_equal(used, 0);
    assert_int_equal(frames_reader_feed(&reader, (const uint8_t *)"\x03\x00", 2, &used, &frame),
                     HERD_E_AGAIN);
    assert_int_equal(frames_reader_feed(&reader, NULL, 0, &used, &frame), HERD_E_AGAIN);
    assert_int_equal(frames_reader_feed(&reader, (const uint8_t *)"\x00", 1, &used, &frame),
                     HERD_OK);
    assert_int_equal(frame.body.bytes, 0);
    /* The frame was given out; it does not come again. */
    assert_int_equal(frames_reader_feed(&reader, NULL, 0, &used, &frame), HERD_E_AGAIN);
}

static void reader_skips_unknown_frames_of_any_length_in_constant_memory(void **state)
{
    (void)state;
    static char stream[3 + 65535 + 7];
    static const size_t steps[] = {1, 2, 3, 1000, 65537, sizeof stream};
    int err;

    for (unsigned type = 0; type < 256; type++) {
        bool known = (type >= 1 && type <= 4) || (type >= 7 && type <= 9);
        if (known) {
            continue;
        }
        memset(stream, FRAMES_HELLO, sizeof stream);
        stream[0] = (char)type;
        stream[1] = stream[2] = (char)0xFF;
        memcpy(stream + 3 + 65535, "\x03\x00\x04\x00\x00\x00\x01", 7);
        frames_reader_init(&reader);
        size_t step = steps[type % (sizeof steps / sizeof steps[0])];
        assert_string_equal(types_of(stream, sizeof stream, step, &err), "A");
        assert_int_equal(reader.skipped_frames, 1);
    }
}

static void reader_takes_the_longest_known_body_and_refuses_one_byte_more(void **state)
{
    (void)state;
    static const uint8_t types[] = {FRAMES_HELLO, FRAMES_REPORT, FRAMES_ACK, FRAMES_BEAT,
                                    FRAMES_ASK,   FRAMES_ANSWER, FRAMES_BYE};
    struct frames_frame frame;
    size_t used;

    for (size_t i = 0; i < sizeof types; i++) {
        for (size_t bytes = FRAMES_BODY_BYTES_MAX; bytes <= FRAMES_BODY_BYTES_MAX + 1; bytes++) {
            uint8_t stream[FRAMES_BYTES_MAX + 1] = {types[i], (uint8_t)(bytes >> 8),
                                                    (uint8_t)bytes};
            bool fits = bytes == FRAMES_BODY_BYTES_MAX;
            frames_reader_init(&reader);
            assert_int_equal(frames_reader_feed(&reader, stream, sizeof stream, &used, &frame),
                             fits ? HERD_OK : HERD_E_PROTOCOL);
            assert_int_equal(used, fits ? FRAMES_BYTES_MAX : FRAMES_HEADER_BYTES);
            if (!fits) { /* and it stays broken */
                assert_int_equal(frames_reader_feed(&reader, stream, 1, &used, &frame),
                                 HERD_E_PROTOCOL);
            }
        }
    }
}

static void reader_survives_random_streams(void **state)
{
    (void)state;
    struct unit_random r = {20260101};
    int err;

    for (unsigned round = 0; round < 2000; round++) {
        char stream[60];
        for (size_t i = 0; i < sizeof stream; i++) {
            stream[i] = (char)(unit_below(&r, 4) == 0 ? unit_next(&r) : unit_below(&r, 10));
        }
        frames_reader_init(&reader);
        struct frames_reader whole = reader;
        size_t step = unit_below(&r, 10);
        char first[64];
        strcpy(first, types_of(stream, sizeof stream, step, &err));
        reader = whole;
        assert_string_equal(types_of(stream, sizeof stream, sizeof stream, &err), first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(hello_comes_back_as_it_was_sent, begin),
        cmocka_unit_test_setup(hello_has_the_bytes_of_the_protocol, begin),
        cmocka_unit_test_setup(hello_of_another_version_is_read_up_to_its_version, begin),
        cmocka_unit_test_setup(hello_is_refused_when_a_name_is_none, begin),
        cmocka_unit_test_setup(report_comes_back_as_it_was_sent, begin),
        cmocka_unit_test_setup(report_travels_as_key_flags_and_at_line, begin),
        cmocka_unit_test_setup(report_flags_that_are_not_known_are_ignored, begin),
        cmocka_unit_test_setup(report_is_refused_when_its_key_is_negative, begin),
        cmocka_unit_test_setup(report_is_refused_when_its_line_is_none_or_too_long, begin),
        cmocka_unit_test_setup(report_is_refused_when_no_more_server_names_fit, begin),
        cmocka_unit_test_setup(malformed_report_does_not_take_a_server_name, begin),
        cmocka_unit_test_setup(ack_and_bye_come_back_as_they_were_sent, begin),
        cmocka_unit_test_setup(beat_comes_back_as_it_was_sent, begin),
        cmocka_unit_test_setup(beat_with_negative_times_is_refused_and_never_sent, begin),
        cmocka_unit_test_setup(ask_comes_back_as_it_was_sent, begin),
        cmocka_unit_test_setup(ask_has_the_bytes_of_the_protocol, begin),
        cmocka_unit_test_setup(answer_comes_back_as_it_was_sent, begin),
        cmocka_unit_test_setup(answer_flags_that_are_not_known_are_ignored, begin),
        cmocka_unit_test_setup(answer_cut_before_its_bytes_is_refused, begin),
        cmocka_unit_test_setup(longest_piece_of_this_board_fits_and_one_byte_more_panics, begin),
        cmocka_unit_test_setup(bodies_of_every_wrong_length_are_refused, begin),
        cmocka_unit_test_setup(report_cut_before_its_stamp_is_refused, begin),
        cmocka_unit_test_setup(longest_report_fits_in_a_frame, begin),
        cmocka_unit_test_setup(encoding_without_room_panics, begin),
        cmocka_unit_test_setup(reader_finds_the_same_frames_however_the_stream_is_cut,
                               begin_reader),
        cmocka_unit_test_setup(reader_gives_the_body_that_was_sent, begin_reader),
        cmocka_unit_test_setup(reader_waits_when_it_is_fed_nothing, begin_reader),
        cmocka_unit_test_setup(reader_skips_unknown_frames_of_any_length_in_constant_memory,
                               begin_reader),
        cmocka_unit_test_setup(reader_takes_the_longest_known_body_and_refuses_one_byte_more,
                               begin_reader),
        cmocka_unit_test_setup(reader_survives_random_streams, begin_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
