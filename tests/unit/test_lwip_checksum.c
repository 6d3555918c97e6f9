/* lwip_checksum against the definition (RFC 1071), at every place and length, and RFC 1071's example. */
#include "unit.h"

#include "lwip/opt.h"

#define BYTES 80

/* The sum as RFC 1071, section 1 defines it, in the byte order of memory as lwIP wants it. */
static uint16_t by_definition(const uint8_t *at, size_t bytes)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < bytes; i += 2) {
        uint8_t pair[2] = {at[i], i + 1 < bytes ? at[i + 1] : 0};
        uint16_t word;
        memcpy(&word, pair, sizeof word);
        sum += word;
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    return (uint16_t)sum;
}

static uint32_t seed = 1;

static uint8_t noise(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint8_t)(seed >> 24);
}

static void the_example_of_rfc_1071(void **state)
{
    static const uint8_t bytes[] = {0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7};
    (void)state;
    uint16_t sum = lwip_checksum(bytes, sizeof bytes);
    const uint8_t expected[] = {0xDD, 0xF2};
    assert_memory_equal(&sum, expected, sizeof sum);
}

static void nothing_sums_to_zero(void **state)
{
    (void)state;
    assert_int_equal(lwip_checksum("x", 0), 0);
}

static void every_place_and_length_gives_the_sum_of_the_definition(void **state)
{
    uint8_t buffer[BYTES + 8];
    (void)state;
    for (size_t i = 0; i < sizeof buffer; i++) {
        buffer[i] = noise();
    }
    for (size_t place = 0; place < 8; place++) {
        for (size_t bytes = 0; bytes <= BYTES; bytes++) {
            assert_int_equal(lwip_checksum(buffer + place, (int)bytes),
                             by_definition(buffer + place, bytes));
        }
    }
}

static void every_carry_is_brought_home(void **state)
{
    static uint8_t ones[1500];
    (void)state;
    memset(ones, 0xFF, sizeof ones);
    for (size_t bytes = 1; bytes <= sizeof ones; bytes++) {
        assert_int_equal(lwip_checksum(ones, (int)bytes), by_definition(ones, bytes));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_rfc_1071),
        cmocka_unit_test(nothing_sums_to_zero),
        cmocka_unit_test(every_place_and_length_gives_the_sum_of_the_definition),
        cmocka_unit_test(every_carry_is_brought_home),
    };
    return cmocka_run_group_tests_name("lwip_checksum", tests, NULL, NULL);
}
