/* An SD card in SPI mode, as far as port/sdcard talks to it, that can fail on demand; and the clock that
 * its bytes drive. Included by one test program.
 *
 * It is stricter than most cards: commands that are not selected, checksums that are wrong while they are
 * on, block addresses in bytes or beyond its end, and writes while it is busy are errors of the test.
 */
#ifndef FAKE_CARD_H
#define FAKE_CARD_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "hal_clock.h"
#include "sdspi.h"

#define FAKE_BLOCKS 600 /* different ones that a test may write */

enum fake_kind { FAKE_NONE, FAKE_SD1, FAKE_SDSC, FAKE_SDHC };

struct fake_card {
    enum fake_kind kind;
    uint32_t blocks;
    bool knows_crc_on;
    unsigned busy_bytes;      /* after a write */
    unsigned initialise;      /* ACMD41s until it is ready */
    unsigned read_wait_bytes; /* before a data token */
    /* Faults: how many times they will happen yet. */
    unsigned bad_read_crc;
    unsigned read_error_token;
    unsigned write_crc_error;
    unsigned write_refused;
    unsigned status_error;
    bool stuck_busy;
    bool mute_reads; /* never a data token */

    /* What happened. */
    unsigned writes;

    /* Its state. */
    bool selected, ready, idle, crc_on, app, fast;
    uint8_t in[6];
    unsigned in_count;
    uint8_t out[600];
    unsigned out_at, out_count;
    unsigned busy;
    enum { FAKE_COMMANDS, FAKE_TOKEN, FAKE_DATA } mode;
    uint8_t data[514];
    unsigned data_count;
    uint32_t block;

    struct {
        uint32_t number;
        uint8_t bytes[512];
    } kept[FAKE_BLOCKS];
    unsigned kept_count;
};

static struct fake_card card;
static uint64_t fake_bytes;

uint64_t hal_clock_ms(void)
{
    return fake_bytes / 50; /* 20 us for a byte: 400 kHz */
}

static uint8_t *fake_block(uint32_t number)
{
    for (unsigned i = 0; i < card.kept_count; i++) {
        if (card.kept[i].number == number) {
            return card.kept[i].bytes;
        }
    }
    assert_true(card.kept_count < FAKE_BLOCKS);
    card.kept[card.kept_count].number = number;
    memset(card.kept[card.kept_count].bytes, 0, 512);
    return card.kept[card.kept_count++].bytes;
}

/* Bit by bit, from the polynomials: not as sdcard.c does it. */
static uint32_t fake_crc(const uint8_t *data, size_t bytes, unsigned width, uint32_t polynomial)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < bytes * 8; i++) {
        uint32_t bit = (uint32_t)(data[i / 8] >> (7 - i % 8)) & 1u;
        uint32_t top = crc >> (width - 1) & 1u;
        crc = (crc << 1 & ((1u << width) - 1)) ^ ((top ^ bit) != 0 ? polynomial : 0);
    }
    return crc;
}

static void fake_say(uint8_t byte)
{
    assert_true(card.out_count < sizeof card.out);
    card.out[card.out_count++] = byte;
}

static void fake_say_u32(uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        fake_say((uint8_t)(value >> shift));
    }
}

static void fake_say_data(const uint8_t *data, size_t bytes)
{
    if (card.mute_reads) {
        return;
    }
    for (unsigned i = 0; i < card.read_wait_bytes; i++) {
        fake_say(0xFF);
    }
    if (card.read_error_token > 0) {
        card.read_error_token--;
        fake_say(0x04);
        return;
    }
    fake_say(0xFE);
    for (size_t i = 0; i < bytes; i++) {
        fake_say(data[i]);
    }
    uint32_t crc = fake_crc(data, bytes, 16, 0x1021);
    if (card.bad_read_crc > 0) {
        card.bad_read_crc--;
        crc ^= 0x10;
    }
    fake_say((uint8_t)(crc >> 8));
    fake_say((uint8_t)crc);
}

static void fake_say_csd(void)
{
    uint8_t csd[16] = {0};
    if (card.kind == FAKE_SDHC) {
        uint32_t size = card.blocks / 1024 - 1;
        csd[0] = 0x40;
        csd[7] = (uint8_t)(size >> 16);
        csd[8] = (uint8_t)(size >> 8);
        csd[9] = (uint8_t)size;
    } else { /* READ_BL_LEN 10 and C_SIZE_MULT 7: 512 * 2 blocks of 512 bytes a unit */
        uint32_t size = card.blocks / 1024 - 1;
        csd[5] = 0x0A;
        csd[6] = (uint8_t)(size >> 10 & 3);
        csd[7] = (uint8_t)(size >> 2);
        csd[8] = (uint8_t)(size << 6);
        csd[9] = 3;
        csd[10] = 0x80;
    }
    fake_say_data(csd, sizeof csd);
}

static uint32_t fake_address(uint32_t argument)
{
    if (card.kind != FAKE_SDHC) {
        assert_int_equal(argument % 512, 0);
        argument /= 512;
    }
    assert_true(argument < card.blocks);
    return argument;
}

static void fake_command(void)
{
    uint8_t number = card.in[0] & 0x3F;
    uint32_t argument = (uint32_t)card.in[1] << 24 | (uint32_t)card.in[2] << 16 |
                        (uint32_t)card.in[3] << 8 | card.in[4];
    bool app = card.app;
    card.app = false;
    assert_int_equal(card.in[0] & 0xC0, 0x40);
    if (card.crc_on || number == 0 || number == 8) {
        assert_int_equal(card.in[5], fake_crc(card.in, 5, 7, 0x09) << 1 | 1);
    }
    if (number != 0 && !card.idle && !card.ready) {
        return; /* still in the mode of power-up: silent */
    }
    uint8_t r1 = card.ready ? 0 : 1;
    fake_say(0xFF); /* NCR */
    switch (number) {
    case 0:
        card.idle = true;
        card.ready = card.crc_on = false;
        fake_say(1);
        break;
    case 8:
        fake_say(card.kind == FAKE_SD1 ? r1 | 4 : r1);
        if (card.kind != FAKE_SD1) {
            fake_say_u32(argument & 0xFFF);
        }
        break;
    case 9:
        fake_say(r1);
        fake_say_csd();
        break;
    case 13:
        fake_say(r1);
        fake_say(card.status_error > 0 ? 0x04 : 0);
        card.status_error -= card.status_error > 0;
        break;
    case 16:
        assert_int_equal(argument, 512);
        fake_say(r1);
        break;
    case 17:
        assert_true(card.ready);
        fake_say(0);
        fake_say_data(fake_block(fake_address(argument)), 512);
        break;
    case 24:
        assert_true(card.ready);
        card.block = fake_address(argument);
        card.mode = FAKE_TOKEN;
        fake_say(0);
        break;
    case 41:
        assert_true(app);
        assert_int_equal(argument, card.kind == FAKE_SD1 ? 0 : 0x40000000);
        if (card.initialise > 0) {
            card.initialise--;
        } else {
            card.ready = true;
        }
        fake_say(card.ready ? 0 : 1);
        break;
    case 55:
        card.app = true;
        fake_say(r1);
        break;
    case 58:
        fake_say(r1);
        fake_say_u32(card.kind == FAKE_SDHC ? 0xC0FF8000 : 0x80FF8000);
        break;
    case 59:
        if (card.knows_crc_on) {
            card.crc_on = argument == 1;
        }
        fake_say(card.knows_crc_on ? r1 : r1 | 4);
        break;
    default:
        fail_msg("command %u", number);
    }
}

static void fake_data(uint8_t byte)
{
    card.data[card.data_count++] = byte;
    if (card.data_count < sizeof card.data) {
        return;
    }
    card.data_count = 0;
    card.mode = FAKE_COMMANDS;
    if (card.crc_on) {
        assert_int_equal((uint32_t)card.data[512] << 8 | card.data[513],
                         fake_crc(card.data, 512, 16, 0x1021));
    }
    if (card.write_crc_error > 0) {
        card.write_crc_error--;
        fake_say(0xEB);
        return;
    }
    if (card.write_refused > 0) {
        card.write_refused--;
        fake_say(0xED);
        return;
    }
    card.writes++;
    memcpy(fake_block(card.block), card.data, 512);
    fake_say(0xE5);
    card.busy = card.busy_bytes;
}

void sdspi_start(void)
{
    card.fast = card.selected = false;
}

void sdspi_fast(void)
{
    card.fast = true;
}

void sdspi_select(bool selected)
{
    card.selected = selected;
    card.in_count = 0;
    if (!selected) {
        card.out_at = card.out_count = 0;
    }
}

uint8_t sdspi_exchange(uint8_t out)
{
    fake_bytes++;
    if (card.kind == FAKE_NONE || !card.selected) {
        return 0xFF;
    }
    if (card.out_at < card.out_count) {
        assert_int_equal(out, 0xFF);
        uint8_t byte = card.out[card.out_at++];
        if (card.out_at == card.out_count) {
            card.out_at = card.out_count = 0;
        }
        return byte;
    }
    if (card.busy > 0 || card.stuck_busy) {
        assert_int_equal(out, 0xFF);
        card.busy -= card.busy > 0;
        return 0x00;
    }
    if (card.mode == FAKE_DATA) {
        fake_data(out);
    } else if (card.mode == FAKE_TOKEN && out == 0xFE) {
        card.mode = FAKE_DATA;
    } else if (card.in_count > 0 || out != 0xFF) {
        card.in[card.in_count++] = out;
        if (card.in_count == sizeof card.in) {
            card.in_count = 0;
            fake_command();
        }
    }
    return 0xFF;
}

/* A card that nothing is wrong with, blank. */
static void fake_insert(enum fake_kind kind)
{
    memset(&card, 0, sizeof card);
    card.kind = kind;
    card.blocks = kind == FAKE_SDHC ? 8 * 1024 * 1024 : 128 * 1024;
    card.knows_crc_on = true;
    card.busy_bytes = 20;
    card.initialise = 3;
    card.read_wait_bytes = 5;
}

#endif
