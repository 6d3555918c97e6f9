/* Frames through a FIFO's data register: every length, place and division into pieces. */
#include "unit.h"

static uint32_t queue[64];
static size_t queued, taken;

static void put(uint32_t word)
{
    assert_true(queued < sizeof queue / sizeof queue[0]);
    queue[queued++] = word;
}

static uint32_t get(void)
{
    assert_true(taken < queued);
    return queue[taken++];
}

#define ETH_FIFO_PUT(fifo, word) ((void)(fifo), put(word))
#define ETH_FIFO_GET(fifo)       ((void)(fifo), get())
#include "eth_fifo.h"

#define BYTES 80

static uint8_t frame[BYTES + 8];

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof frame; i++) {
        frame[i] = (uint8_t)(i + 1);
    }
    queued = 0;
    taken = 0;
    return 0;
}

/* What is in the queue, as bytes: `bytes` of the frame from `from` on, then zeros. */
static void assert_sent(const uint8_t *from, size_t bytes)
{
    static const uint8_t zeros[4];
    assert_int_equal(queued, (bytes + 3) / 4);
    assert_memory_equal(queue, from, bytes);
    assert_memory_equal((const uint8_t *)queue + bytes, zeros, 4 * queued - bytes);
}

static void a_chain_of_two_is_sent_wherever_it_is_divided(void **state)
{
    for (size_t place = 0; place < 4; place++) {
        for (size_t bytes = 1; bytes <= BYTES; bytes++) {
            for (size_t first = 0; first <= bytes; first++) {
                struct pbuf rest = {.payload = frame + place + first,
                                    .len = (u16_t)(bytes - first)};
                struct pbuf p = {.next = &rest, .payload = frame + place, .len = (u16_t)first};
                set_up(state);
                eth_fifo_write(NULL, &p, 0, 0, 0);
                assert_sent(frame + place, bytes);
            }
        }
    }
}

static void small_pieces_fill_words_together(void **state)
{
    struct pbuf pieces[20];
    (void)state;
    for (size_t i = 0, at = 0; i < 20; i++) { /* 0, 1, 2, 3, 4, 0, 1, ... bytes */
        pieces[i] = (struct pbuf){
            .next = i < 19 ? &pieces[i + 1] : NULL, .payload = frame + at, .len = (u16_t)(i % 5)};
        at += i % 5;
    }
    eth_fifo_write(NULL, pieces, 0, 0, 0);
    assert_sent(frame, 40);
}

static void what_is_skipped_makes_room_for_what_comes_first(void **state)
{
    for (size_t bytes = 2; bytes <= BYTES; bytes++) {
        struct pbuf p = {.payload = frame, .len = (u16_t)bytes};
        uint8_t expected[BYTES];
        set_up(state);
        memcpy(expected, frame, bytes);
        expected[0] = 0xAB;
        expected[1] = 0xCD;
        eth_fifo_write(NULL, &p, 2, 0xCDAB, 2);
        assert_sent(expected, bytes);
    }
}

static void a_frame_is_read_to_where_it_belongs_and_no_further(void **state)
{
    uint32_t words[BYTES / 4 + 1];
    for (size_t count = 0; count <= BYTES / 4; count++) {
        set_up(state);
        memcpy(queue, frame, 4 * count);
        queued = count;
        memset(words, 0xEE, sizeof words);
        assert_ptr_equal(eth_fifo_read(NULL, words, count), words + count);
        assert_int_equal(taken, count);
        assert_memory_equal(words, frame, 4 * count);
        assert_int_equal(words[count], 0xEEEEEEEE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_chain_of_two_is_sent_wherever_it_is_divided, set_up),
        cmocka_unit_test_setup(small_pieces_fill_words_together, set_up),
        cmocka_unit_test_setup(what_is_skipped_makes_room_for_what_comes_first, set_up),
        cmocka_unit_test_setup(a_frame_is_read_to_where_it_belongs_and_no_further, set_up),
    };
    return cmocka_run_group_tests_name("eth_fifo", tests, NULL, NULL);
}
