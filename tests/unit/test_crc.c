/* CRC-32 against the published check values, and in pieces. */
#include "unit.h"

#include "crc.h"

static void it_gives_the_check_values(void **state)
{
    (void)state;
    /* "123456789": the check value of CRC-32/ISO-HDLC in every catalogue, and of zlib's crc32(). */
    assert_int_equal(crc_32(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(crc_32(0, "", 0), 0);
    assert_int_equal(crc_32(0, "a", 1), 0xE8B7BE43);
    assert_int_equal(crc_32(0, "The quick brown fox jumps over the lazy dog", 43), 0x414FA339);
}

static void pieces_give_the_same_as_the_whole(void **state)
{
    static const char text[] = "The quick brown fox jumps over the lazy dog";
    (void)state;
    for (size_t i = 0; i <= 43; i++) {
        assert_int_equal(crc_32(crc_32(0, text, i), text + i, 43 - i), 0x414FA339);
    }
}

static void any_changed_bit_changes_it(void **state)
{
    uint8_t bytes[64] = {0};
    (void)state;
    uint32_t crc = crc_32(0, bytes, sizeof bytes);
    for (unsigned bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1u << bit % 8);
        assert_int_not_equal(crc_32(0, bytes, sizeof bytes), crc);
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_gives_the_check_values),
        cmocka_unit_test(pieces_give_the_same_as_the_whole),
        cmocka_unit_test(any_changed_bit_changes_it),
    };
    return cmocka_run_group_tests_name("crc", tests, NULL, NULL);
}
