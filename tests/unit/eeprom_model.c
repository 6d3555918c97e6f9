#include "eeprom_model.h"

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hal_clock.h"
#include "../../port/at24c/i2c_wires.h"

#define HALF_BIT_US 5u /* 100 kHz: at least 4.7 low, 4.0 high, 4.7 around START and STOP */
#define ADDRESS     0x50u

enum phase { IDLE, DEVICE, HIGH_BYTE, LOW_BYTE, DATA_IN, DATA_OUT };

struct eeprom_model eeprom;

static struct {
    bool clock, master, chip; /* true: let go */
    enum phase phase;
    int bit; /* 0 to 7, 8: acknowledge; -1: before the first clock */
    unsigned shift;
    bool acknowledged;
    uint32_t at;
    uint8_t page[EEPROM_PAGE]; /* what the write will put, where `has` says so */
    bool has[EEPROM_PAGE];
    uint32_t page_at;
    bool has_any;
    uint64_t cycle_end_us;
} chip;

static uint64_t now_us, clock_us, data_us; /* the last edges */
static uint32_t stop_at, stick_at;
static bool stop_keeps_chip;
static jmp_buf *stop_where;

uint64_t hal_clock_ms(void)
{
    return now_us / 1000;
}

uint64_t eeprom_model_us(void)
{
    return now_us;
}

/* --- The chip ---------------------------------------------------------------------------------- */

static bool line(void)
{
    return chip.master && chip.chip && !eeprom.is_stuck;
}

static uint8_t *cell(uint32_t at)
{
    return &eeprom.memory[at % eeprom.bytes];
}

static void forget_page(void)
{
    memset(chip.has, 0, sizeof chip.has);
    chip.has_any = false;
}

static void end_cycle(void)
{
    for (uint32_t i = 0; i < EEPROM_PAGE && !eeprom.protected; i++) {
        if (chip.has[i]) {
            *cell(chip.page_at + i) = chip.page[i];
        }
    }
    forget_page();
    eeprom.is_cycling = false;
}

static void settle(void)
{
    if (eeprom.is_cycling && now_us >= chip.cycle_end_us) {
        end_cycle();
    }
}

static void begin_cycle(void)
{
    eeprom.is_cycling = true;
    eeprom.cycles++;
    chip.cycle_end_us = eeprom.cycle_us == UINT32_MAX ? UINT64_MAX : now_us + eeprom.cycle_us;
}

static void put_data(uint8_t byte)
{
    uint32_t within = chip.at % EEPROM_PAGE;
    chip.page_at = chip.at - within;
    chip.page[within] = byte;
    chip.has[within] = chip.has_any = true;
    chip.at = chip.page_at + (within + 1) % EEPROM_PAGE; /* round, within the page */
}

static void load_out(void)
{
    chip.shift = *cell(chip.at);
    chip.at = (chip.at + 1) % 65536u;
}

/* A byte has come: whether the chip acknowledges it. */
static bool take_byte(void)
{
    uint8_t byte = (uint8_t)chip.shift;
    switch (chip.phase) {
    case DEVICE:
        if (!eeprom.is_there || eeprom.is_cycling || byte >> 1 != ADDRESS) {
            chip.phase = IDLE;
            return false;
        }
        chip.phase = (byte & 1) != 0 ? DATA_OUT : HIGH_BYTE;
        return true;
    case HIGH_BYTE:
        chip.at = (uint32_t)byte << 8;
        chip.phase = LOW_BYTE;
        return true;
    case LOW_BYTE:
        chip.at |= byte;
        chip.phase = DATA_IN;
        return true;
    case DATA_IN:
        if (eeprom.refuses) {
            forget_page();
            chip.phase = IDLE;
            return false;
        }
        put_data(byte);
        return true;
    default:
        return false;
    }
}

static void clock_falls(void)
{
    chip.bit++;
    if (chip.bit == 9) {
        chip.bit = 0;
        chip.chip = true;
        if (chip.phase == DATA_OUT && !chip.acknowledged) {
            chip.phase = IDLE;
        } else if (chip.phase == DATA_OUT) {
            load_out();
        }
    }
    if (chip.bit == 8 && chip.phase == DATA_OUT) {
        chip.chip = true; /* the master's turn */
    } else if (chip.bit == 8 && chip.phase != IDLE) {
        chip.acknowledged = take_byte();
        chip.chip = !chip.acknowledged;
    } else if (chip.bit < 8 && chip.phase == DATA_OUT) {
        chip.chip = (chip.shift >> (7 - chip.bit) & 1) != 0;
    }
}

static void clock_rises(void)
{
    if (chip.bit >= 0 && chip.bit < 8 && chip.phase != DATA_OUT) {
        chip.shift = (chip.shift << 1 | line()) & 0xFF;
    } else if (chip.bit == 8 && chip.phase == DATA_OUT) {
        chip.acknowledged = !line();
    }
}

static void see_start(void)
{
    chip.phase = DEVICE;
    chip.bit = -1;
    chip.chip = true;
    if (!eeprom.is_cycling) {
        forget_page(); /* data without a STOP are void */
    }
}

static void see_stop(void)
{
    if (chip.phase == DATA_IN && chip.bit == 0 && chip.has_any && !eeprom.is_cycling) {
        begin_cycle();
    }
    chip.phase = IDLE;
    chip.chip = true;
}

/* --- The wires --------------------------------------------------------------------------------- */

static void lose_power(void)
{
    if (eeprom.is_cycling) {
        eeprom.torn++;
        for (uint32_t i = 0; i < EEPROM_PAGE; i++) {
            eeprom.seed ^= eeprom.seed << 13;
            eeprom.seed ^= eeprom.seed >> 17;
            eeprom.seed ^= eeprom.seed << 5;
            if (chip.has[i] && eeprom.seed % 3 != 0) {
                *cell(chip.page_at + i) =
                    eeprom.seed % 3 == 1 ? chip.page[i] : (uint8_t)(eeprom.seed >> 8);
            }
        }
    }
    eeprom.is_cycling = false;
    forget_page();
    chip.phase = IDLE;
    chip.chip = true;
}

static void before_edge(void)
{
    settle();
    if (eeprom.edges == stick_at) {
        eeprom.is_stuck = true;
    }
    if (eeprom.edges++ != stop_at) {
        return;
    }
    stop_at = UINT32_MAX;
    if (!stop_keeps_chip) {
        lose_power();
    }
    longjmp(*stop_where, 1);
}

static void set_data(bool high)
{
    bool before = line();
    chip.master = high;
    data_us = now_us;
    if (chip.clock && line() != before) {
        if (before) {
            see_start();
        } else {
            see_stop();
        }
    }
}

static void set_clock(bool high)
{
    if (chip.clock == high) {
        return;
    }
    clock_us = now_us;
    chip.clock = high;
    if (high) {
        clock_rises();
    } else {
        clock_falls();
    }
}

/* A master that is reset lets go of both wires, at no particular pace. */
void i2c_wires_start(void)
{
    set_data(true);
    set_clock(true);
    now_us += HALF_BIT_US;
}

void i2c_wires_clock(bool high)
{
    before_edge();
    if (high != chip.clock) {
        assert_true(now_us - clock_us >= HALF_BIT_US); /* the other level lasted */
        assert_true(now_us - data_us >= HALF_BIT_US);  /* set-up; START before the clock */
    }
    set_clock(high);
}

void i2c_wires_data(bool high)
{
    before_edge();
    if (high != chip.master && chip.clock) {
        assert_true(now_us - clock_us >= HALF_BIT_US && now_us - data_us >= HALF_BIT_US);
    }
    set_data(high);
}

bool i2c_wires_read(void)
{
    return line();
}

void i2c_wires_wait(void)
{
    now_us += HALF_BIT_US;
}

void eeprom_model_make(void)
{
    memset(&eeprom, 0, sizeof eeprom);
    memset(&chip, 0, sizeof chip);
    memset(eeprom.memory, 0xFF, sizeof eeprom.memory);
    eeprom.is_there = true;
    eeprom.bytes = sizeof eeprom.memory;
    eeprom.cycle_us = 5000;
    eeprom.seed = 1;
    chip.clock = chip.master = chip.chip = true;
    chip.phase = IDLE;
    stop_at = stick_at = UINT32_MAX;
}

void eeprom_model_stop_after(uint32_t edges, bool chip_stays, jmp_buf *where)
{
    stop_at = edges == UINT32_MAX ? UINT32_MAX : eeprom.edges + edges;
    stop_keeps_chip = chip_stays;
    stop_where = where;
}

void eeprom_model_stick_after(uint32_t edges)
{
    stick_at = eeprom.edges + edges;
}
