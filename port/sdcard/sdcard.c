#include "sdcard.h"

#include <stdbool.h>

#include "err.h"
#include "hal_clock.h"
#include "sdspi.h"

/* Commands (7.3.1.3) */
#define CMD_GO_IDLE      0
#define CMD_SEND_IF_COND 8
#define CMD_SEND_CSD     9
#define CMD_SEND_STATUS  13
#define CMD_SET_BLOCKLEN 16
#define CMD_READ_SINGLE  17
#define CMD_WRITE_SINGLE 24
#define CMD_APP          55
#define CMD_READ_OCR     58
#define CMD_CRC_ON       59
#define ACMD_SEND_OP     41

#define IF_COND UINT32_C(0x1AA)     /* 2.7 to 3.6 V, and a pattern that comes back */
#define OP_HCS  (UINT32_C(1) << 30) /* we know high capacity */
#define OCR_CCS (UINT32_C(1) << 30) /* the card has it */

/* Answers (7.3.2, 7.3.3) */
#define R1_NONE        0x80u /* no answer came */
#define R1_IDLE        0x01u
#define R1_ILLEGAL     0x04u
#define R1_CRC         0x08u
#define R1_ERRORS      0x7Eu /* all but "idle" */
#define TOKEN_DATA     0xFEu
#define TOKEN_ERRORS   0xF0u /* in an error token, these are zero */
#define RESPONSE_MASK  0x1Fu
#define RESPONSE_TAKEN 0x05u
#define RESPONSE_CRC   0x0Bu

#define NOTHING        0xFFu
#define TRIES          3
#define RESET_TRIES    10
#define R1_WAIT_BYTES  16 /* the specification says 8 (7.5.1.1); the same for a data response */
#define POWER_UP_BYTES 16 /* 74 clocks at least (6.4.1) */
#define CSD_BYTES      16u

static enum sdcard_kind kind;
static bool checks; /* checksums are on */

/* --- Checksums (4.5) ----------------------------------------------------------------------------- */

static uint8_t crc7(uint8_t crc, uint8_t byte)
{
    for (unsigned bit = 0; bit < 8; bit++) {
        bool invert = ((crc ^ byte) & 0x80u) != 0;
        crc = (uint8_t)((uint32_t)crc << 1 ^ (invert ? 0x12u : 0u)); /* in the upper seven bits */
        byte = (uint8_t)(byte << 1);
    }
    return crc;
}

/* x^16 + x^12 + x^5 + 1, a byte at a time without a table */
static uint16_t crc16(uint16_t crc, uint8_t byte)
{
    uint32_t x = (uint32_t)(crc >> 8 ^ byte);
    x ^= x >> 4;
    return (uint16_t)((uint32_t)crc << 8 ^ x << 12 ^ x << 5 ^ x);
}

/* --- Bytes ------------------------------------------------------------------------------------- */

static uint8_t receive(void)
{
    return sdspi_exchange(NOTHING);
}

/* Waits for a byte other than `busy`; returns `busy` when it did not come in time. */
static uint8_t receive_other(uint8_t busy, uint32_t wait_ms)
{
    uint64_t until_ms = hal_clock_ms() + wait_ms + 1;
    for (;;) {
        uint8_t byte = receive();
        if (byte != busy || hal_clock_ms() > until_ms) {
            return byte;
        }
    }
}

static bool wait_ready(uint32_t wait_ms)
{
    uint64_t until_ms = hal_clock_ms() + wait_ms + 1;
    while (receive() != NOTHING) {
        if (hal_clock_ms() > until_ms) {
            return false;
        }
    }
    return true;
}

/* Deselects, and gives the card the clocks to let go of the wire. */
static void end(void)
{
    sdspi_select(false);
    (void)receive();
}

static void send_u32(uint32_t value, uint8_t *crc)
{
    for (unsigned shift = 32; shift > 0; shift -= 8) {
        uint8_t byte = (uint8_t)(value >> (shift - 8));
        *crc = crc7(*crc, byte);
        (void)sdspi_exchange(byte);
    }
}

/* Selects, sends a command, returns its R1. The card stays selected: what follows, then end(). */
static uint8_t begin(uint8_t command, uint32_t argument)
{
    sdspi_select(true);
    if (command != CMD_GO_IDLE && !wait_ready(SDCARD_WRITE_MS)) {
        return R1_NONE;
    }
    uint8_t head = (uint8_t)(0x40u | command);
    uint8_t crc = crc7(0, head);
    (void)sdspi_exchange(head);
    send_u32(argument, &crc);
    (void)sdspi_exchange((uint8_t)(crc | 1u));
    uint8_t r1 = NOTHING;
    for (unsigned i = 0; i < R1_WAIT_BYTES && (r1 & R1_NONE) != 0; i++) {
        r1 = receive();
    }
    return (r1 & R1_NONE) != 0 ? R1_NONE : r1;
}

static uint8_t command_only(uint8_t command, uint32_t argument)
{
    uint8_t r1 = begin(command, argument);
    end();
    return r1;
}

/* With the four bytes that follow the R1 of some commands. */
static uint8_t command_u32(uint8_t command, uint32_t argument, uint32_t *value)
{
    uint8_t r1 = begin(command, argument);
    *value = 0;
    for (unsigned i = 0; i < 4 && (r1 & (R1_NONE | R1_ILLEGAL)) == 0; i++) {
        *value = *value << 8 | receive();
    }
    end();
    return r1;
}

/* --- Start (7.2.1, figure 7-2) ------------------------------------------------------------------ */

static bool go_idle(void)
{
    for (unsigned i = 0; i < RESET_TRIES; i++) {
        sdspi_select(false);
        for (unsigned n = 0; n < POWER_UP_BYTES; n++) {
            (void)receive();
        }
        if (command_only(CMD_GO_IDLE, 0) == R1_IDLE) {
            return true;
        }
    }
    return false;
}

static bool initialise(bool version_2)
{
    uint64_t until_ms = hal_clock_ms() + SDCARD_START_MS;
    do {
        uint8_t r1 = command_only(CMD_APP, 0);
        if ((r1 & (R1_NONE | R1_ERRORS)) == 0) {
            r1 = command_only(ACMD_SEND_OP, version_2 ? OP_HCS : 0);
        }
        if (r1 == 0) {
            return true;
        }
        if ((r1 & (R1_NONE | R1_ERRORS)) != 0) {
            return false;
        }
    } while (hal_clock_ms() < until_ms);
    return false;
}

int sdcard_start(void)
{
    kind = SDCARD_NONE;
    checks = false;
    sdspi_start();
    if (!go_idle()) {
        return SDCARD_ABSENT;
    }
    uint32_t value;
    uint8_t r1 = command_u32(CMD_SEND_IF_COND, IF_COND, &value);
    bool version_2 = (r1 & (R1_NONE | R1_ERRORS)) == 0;
    if ((r1 & R1_NONE) != 0 || (version_2 && (value & 0xFFFu) != IF_COND)) {
        return SDCARD_ABSENT;
    }
    checks = (command_only(CMD_CRC_ON, 1) & (R1_NONE | R1_ERRORS)) == 0;
    if (!initialise(version_2)) {
        return SDCARD_ABSENT;
    }
    r1 = command_u32(CMD_READ_OCR, 0, &value);
    if ((r1 & (R1_NONE | R1_ERRORS)) != 0) {
        return SDCARD_ABSENT;
    }
    bool high = version_2 && (value & OCR_CCS) != 0;
    if (!high &&
        (command_only(CMD_SET_BLOCKLEN, SDCARD_BLOCK_BYTES) & (R1_NONE | R1_ERRORS)) != 0) {
        return SDCARD_ABSENT;
    }
    sdspi_fast();
    kind = high ? SDCARD_SDHC : SDCARD_SDSC;
    return SDCARD_OK;
}

enum sdcard_kind sdcard_kind(void)
{
    return kind;
}

/* --- Data -------------------------------------------------------------------------------------- */

/* A card that does not answer was pulled, or lost its power and with it its mode. */
static int absent(void)
{
    kind = SDCARD_NONE;
    return SDCARD_ABSENT;
}

/* A data block of `total` bytes, of which [first, first + bytes) is wanted. */
static int receive_data(size_t total, size_t first, uint8_t *out, size_t bytes)
{
    uint8_t token = receive_other(NOTHING, SDCARD_READ_MS);
    if (token == NOTHING) {
        return SDCARD_ABSENT;
    }
    if (token != TOKEN_DATA) {
        return SDCARD_FAILED; /* an error token, or nonsense */
    }
    uint16_t crc = 0;
    for (size_t i = 0; i < total; i++) {
        uint8_t byte = receive();
        crc = crc16(crc, byte);
        if (i >= first && i - first < bytes) {
            out[i - first] = byte;
        }
    }
    uint16_t sent = (uint16_t)(receive() << 8);
    sent = (uint16_t)(sent | receive());
    return checks && sent != crc ? SDCARD_FAILED : SDCARD_OK;
}

static int read_once(uint8_t command, uint32_t argument, size_t total, size_t first, void *out,
                     size_t bytes)
{
    uint8_t r1 = begin(command, argument);
    int result = (r1 & R1_NONE) != 0     ? SDCARD_ABSENT
                 : (r1 & R1_ERRORS) != 0 ? SDCARD_FAILED
                                         : receive_data(total, first, out, bytes);
    end();
    return result;
}

static int read_data(uint8_t command, uint32_t argument, size_t total, size_t first, void *out,
                     size_t bytes)
{
    int result = SDCARD_ABSENT;
    if (kind == SDCARD_NONE) {
        return SDCARD_ABSENT;
    }
    for (unsigned i = 0; i < TRIES && result != SDCARD_OK; i++) {
        result = read_once(command, argument, total, first, out, bytes);
        if (result == SDCARD_ABSENT) {
            return absent();
        }
    }
    return result;
}

static uint32_t address_of(uint32_t block)
{
    return kind == SDCARD_SDHC ? block : block * SDCARD_BLOCK_BYTES;
}

int sdcard_read(uint32_t block, size_t first, void *out, size_t bytes)
{
    HERD_ASSERT(first <= SDCARD_BLOCK_BYTES && bytes <= SDCARD_BLOCK_BYTES - first);
    return read_data(CMD_READ_SINGLE, address_of(block), SDCARD_BLOCK_BYTES, first, out, bytes);
}

static void send_data(const uint8_t *data)
{
    uint16_t crc = 0;
    (void)receive(); /* a byte at least between answer and token (7.5.2.1) */
    (void)sdspi_exchange(TOKEN_DATA);
    for (size_t i = 0; i < SDCARD_BLOCK_BYTES; i++) {
        uint8_t byte = data == NULL ? NOTHING : data[i];
        crc = crc16(crc, byte);
        (void)sdspi_exchange(byte);
    }
    (void)sdspi_exchange((uint8_t)(crc >> 8));
    (void)sdspi_exchange((uint8_t)crc);
}

static uint8_t receive_response(void)
{
    uint8_t response = NOTHING;
    for (unsigned i = 0; i < R1_WAIT_BYTES && response == NOTHING; i++) {
        response = receive();
    }
    return response & RESPONSE_MASK;
}

/* What programming came to is known only now (7.2.4). */
static int write_status(void)
{
    uint8_t r1 = begin(CMD_SEND_STATUS, 0);
    uint8_t errors = receive(); /* the second byte of R2 */
    end();
    return (r1 & R1_NONE) != 0                    ? SDCARD_ABSENT
           : (r1 & R1_ERRORS) != 0 || errors != 0 ? SDCARD_FAILED
                                                  : SDCARD_OK;
}

static int write_once(uint32_t block, const uint8_t *data, bool *again)
{
    uint8_t r1 = begin(CMD_WRITE_SINGLE, address_of(block));
    *again = (r1 & (R1_NONE | R1_CRC)) == R1_CRC;
    if ((r1 & R1_NONE) != 0) {
        return SDCARD_ABSENT;
    }
    if ((r1 & R1_ERRORS) != 0) {
        return SDCARD_FAILED;
    }
    send_data(data);
    uint8_t response = receive_response();
    *again = response == RESPONSE_CRC;
    if (!wait_ready(SDCARD_WRITE_MS)) {
        return SDCARD_ABSENT;
    }
    return response == RESPONSE_TAKEN ? SDCARD_OK : SDCARD_FAILED;
}

int sdcard_write(uint32_t block, const void *data)
{
    bool again = true;
    int result = SDCARD_ABSENT;
    if (kind == SDCARD_NONE) {
        return SDCARD_ABSENT;
    }
    for (unsigned i = 0; i < TRIES && again; i++) {
        result = write_once(block, data, &again);
        end();
    }
    if (result == SDCARD_OK) {
        result = write_status();
    }
    return result == SDCARD_ABSENT ? absent() : result;
}

int sdcard_blocks(uint32_t *blocks)
{
    uint8_t csd[CSD_BYTES];
    int result = read_data(CMD_SEND_CSD, 0, CSD_BYTES, 0, csd, CSD_BYTES);
    if (result != SDCARD_OK) {
        return result;
    }
    if (csd[0] >> 6 == 1) { /* version 2: 22 bits of 512 KB (5.3.3) */
        uint32_t size = (uint32_t)(csd[7] & 0x3Fu) << 16 | (uint32_t)csd[8] << 8 | csd[9];
        *blocks = (size + 1u) * 1024u;
        return SDCARD_OK;
    }
    uint32_t size = (uint32_t)(csd[6] & 3u) << 10 | (uint32_t)csd[7] << 2 | csd[8] >> 6;
    unsigned multiplier = (csd[9] & 3u) << 1 | csd[10] >> 7;
    unsigned length = csd[5] & 0xFu; /* log2 of the block's bytes, 9 to 11 (5.3.2) */
    if (length < 9 || length > 11) {
        return SDCARD_FAILED;
    }
    *blocks = (size + 1u) << (multiplier + 2u + length - 9u);
    return SDCARD_OK;
}
