/* The ring between a UART's ISR and a task. */
#include "unit.h"

#include "../../port/cortex-m/uart_ring.h"

static struct uart_ring ring;

static int setup(void **state)
{
    (void)state;
    memset(&ring, 0, sizeof ring);
    return 0;
}

/* The counters are near where they wrap. */
static int setup_late(void **state)
{
    (void)state;
    memset(&ring, 0, sizeof ring);
    ring.written = ring.read = UINT32_MAX - UART_RING_BYTES / 2;
    return 0;
}

static void an_empty_ring_gives_nothing(void **state)
{
    char byte = 'x';
    (void)state;
    assert_true(uart_ring_is_empty(&ring));
    assert_int_equal(uart_ring_get(&ring, &byte, 1), 0);
    assert_int_equal(byte, 'x');
    assert_int_equal(uart_ring_put(&ring, &byte, 0), 0);
    assert_true(uart_ring_is_empty(&ring));
}

static void a_full_ring_takes_no_more_and_keeps_what_it_has(void **state)
{
    char data[UART_RING_BYTES + 40], found[UART_RING_BYTES + 40];
    (void)state;
    for (unsigned i = 0; i < sizeof data; i++) {
        data[i] = (char)(i * 3);
    }
    assert_false(uart_ring_is_full(&ring));
    assert_int_equal(uart_ring_put(&ring, data, sizeof data), UART_RING_BYTES);
    assert_true(uart_ring_is_full(&ring));
    assert_int_equal(uart_ring_put(&ring, "y", 1), 0);
    assert_int_equal(uart_ring_get(&ring, found, 1), 1);
    assert_int_equal(uart_ring_put(&ring, "yz", 2), 1); /* room for one again */
    assert_int_equal(uart_ring_get(&ring, found + 1, sizeof found - 1), UART_RING_BYTES);
    assert_memory_equal(found, data, UART_RING_BYTES);
    assert_int_equal(found[UART_RING_BYTES], 'y');
    assert_true(uart_ring_is_empty(&ring));
}

/* Pieces of all lengths, against a count of what went in and out. */
static void bytes_come_out_in_their_order_over_many_rounds(void **state)
{
    struct unit_random random = {77};
    uint32_t in = 0, out = 0;
    unsigned full = 0, empty = 0;
    (void)state;
    while (in < 100 * UART_RING_BYTES) {
        char piece[UART_RING_BYTES + 8];
        size_t bytes = unit_below(&random, sizeof piece);
        for (size_t i = 0; i < bytes; i++) {
            piece[i] = (char)(in + i);
        }
        size_t taken = uart_ring_put(&ring, piece, bytes);
        size_t room = UART_RING_BYTES - (in - out);
        assert_int_equal(taken, bytes < room ? bytes : room);
        in += (uint32_t)taken;
        full += taken < bytes;
        bytes = unit_below(&random, sizeof piece);
        size_t given = uart_ring_get(&ring, piece, bytes);
        assert_int_equal(given, bytes < in - out ? bytes : in - out);
        for (size_t i = 0; i < given; i++) {
            assert_int_equal((unsigned char)piece[i], (unsigned char)(out + i));
        }
        out += (uint32_t)given;
        empty += uart_ring_is_empty(&ring);
        assert_int_equal(uart_ring_is_empty(&ring), in == out);
    }
    assert_true(full > 10 && empty > 10);
}

/* What an ISR meets that comes between any two steps of the other side: the counter moves after the byte. */
static void each_side_sees_whole_bytes_only(void **state)
{
    char byte;
    (void)state;
    ring.bytes[ring.written % UART_RING_BYTES] = 'a'; /* put, but not said yet */
    assert_int_equal(uart_ring_get(&ring, &byte, 1), 0);
    ring.written = ring.written + 1;
    assert_int_equal(uart_ring_get(&ring, &byte, 1), 1);
    assert_int_equal(byte, 'a');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_ring_gives_nothing, setup),
        cmocka_unit_test_setup(a_full_ring_takes_no_more_and_keeps_what_it_has, setup),
        cmocka_unit_test_setup(a_full_ring_takes_no_more_and_keeps_what_it_has, setup_late),
        cmocka_unit_test_setup(bytes_come_out_in_their_order_over_many_rounds, setup),
        cmocka_unit_test_setup(bytes_come_out_in_their_order_over_many_rounds, setup_late),
        cmocka_unit_test_setup(each_side_sees_whole_bytes_only, setup_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
