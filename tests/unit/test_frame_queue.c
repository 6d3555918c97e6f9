/* frame_queue: what goes in comes out, in order and in one piece, whatever the sizes. */
#include "unit.h"

#include "../../port/posix/frame_queue.h"

#define CAPACITY 1000

static uint8_t memory[CAPACITY + 8];
static struct frame_queue queue;

static int begin(void **state)
{
    (void)state;
    memset(memory, 0xEE, sizeof memory);
    queue = (struct frame_queue){.at = memory, .capacity = CAPACITY};
    return 0;
}

static bool put(uint8_t fill, size_t bytes)
{
    static uint8_t frame[UINT16_MAX + 1];
    memset(frame, fill, bytes);
    return frame_queue_put(&queue, frame, bytes);
}

static void expect(uint8_t fill, size_t bytes)
{
    const uint8_t *frame = NULL;
    size_t got = 0;
    assert_true(frame_queue_peek(&queue, &frame, &got));
    assert_int_equal(got, bytes);
    for (size_t i = 0; i < bytes; i++) {
        assert_int_equal(frame[i], fill);
    }
    frame_queue_drop(&queue);
}

static void an_empty_queue_has_no_frame(void **state)
{
    const uint8_t *frame;
    size_t bytes;
    (void)state;
    assert_false(frame_queue_peek(&queue, &frame, &bytes));
    assert_false(frame_queue_is_busy(&queue));
    expect_assert_failure(frame_queue_drop(&queue));
}

static void frames_of_no_or_too_many_bytes_are_refused(void **state)
{
    (void)state;
    assert_false(put(1, 0));
    assert_false(put(1, CAPACITY));
    assert_false(put(1, UINT16_MAX + 1));
    assert_true(put(1, 1));
    expect(1, 1);
}

static void a_full_queue_refuses_and_keeps_what_it_has(void **state)
{
    (void)state;
    assert_true(put(1, 400));
    assert_false(frame_queue_is_busy(&queue));
    assert_true(put(2, 400));
    assert_true(frame_queue_is_busy(&queue));
    assert_false(put(3, 400));
    expect(1, 400);
    assert_true(put(4, 390)); /* at the front, where frame 1 was */
    assert_false(put(5, 390));
    expect(2, 400);
    expect(4, 390);
    assert_int_equal(queue.frames, 0);
    assert_int_equal(queue.frames_high, 2);
}

static void any_sequence_comes_out_as_it_went_in(void **state)
{
    struct unit_random random = {.state = 7};
    struct {
        uint8_t fill;
        size_t bytes;
    } model[CAPACITY];
    size_t first = 0;
    size_t count = 0;
    size_t refused = 0;
    (void)state;
    for (unsigned step = 0; step < 200000; step++) {
        if (unit_below(&random, 100) < 52) {
            size_t bytes = 1 + unit_below(&random, 1 + unit_below(&random, 400));
            uint8_t fill = (uint8_t)step;
            if (put(fill, bytes)) {
                model[(first + count) % CAPACITY].fill = fill;
                model[(first + count) % CAPACITY].bytes = bytes;
                count++;
            } else {
                refused++;
            }
        } else if (count > 0) {
            expect(model[first].fill, model[first].bytes);
            first = (first + 1) % CAPACITY;
            count--;
        }
        assert_int_equal(queue.frames, count);
    }
    assert_true(refused > 1000); /* it was full often enough to mean something */
    for (size_t i = CAPACITY; i < sizeof memory; i++) {
        assert_int_equal(memory[i], 0xEE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_queue_has_no_frame, begin),
        cmocka_unit_test_setup(frames_of_no_or_too_many_bytes_are_refused, begin),
        cmocka_unit_test_setup(a_full_queue_refuses_and_keeps_what_it_has, begin),
        cmocka_unit_test_setup(any_sequence_comes_out_as_it_went_in, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
