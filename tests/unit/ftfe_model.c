#include "ftfe_model.h"

#include <string.h>

#include "../../port/nxp/ftfe.h"
#include "../../port/nxp/mmio.h"

struct ftfe_model ftfe_model;

static struct {
    uint8_t fccob[12];
    uint8_t errors; /* of FSTAT */
    bool running;
    uint32_t looks_left;
} module;

static void violate(const char *why)
{
    ftfe_model.violations++;
    ftfe_model.why = why;
}

void ftfe_model_power_on(void)
{
    memset(&module, 0, sizeof module);
    ftfe_model.dead = false;
    ftfe_model.cut_at = 0;
    ftfe_model.hang = false;
}

void ftfe_model_reset(void)
{
    memset(&ftfe_model, 0, sizeof ftfe_model);
    memset(ftfe_model.memory, 0xFF, sizeof ftfe_model.memory);
    ftfe_model.busy_reads = 3;
    ftfe_model_power_on();
}

static uint32_t command_address(void)
{
    return (uint32_t)module.fccob[1] << 16 | (uint32_t)module.fccob[2] << 8 | module.fccob[3];
}

/* True when power goes during this command; *part: how much of it happens before. */
static bool power_goes(void)
{
    ftfe_model.commands++;
    if (ftfe_model.commands != ftfe_model.cut_at) {
        return false;
    }
    ftfe_model.dead = true;
    return true;
}

static void erase_sector(uint32_t at)
{
    bool cut = power_goes();
    if (cut && ftfe_model.cut_kind == 0) {
        return;
    }
    memset(&ftfe_model.memory[at], 0xFF, 4096);
    memset(&ftfe_model.unreadable[at / FTFE_MODEL_PHRASE], 0,
           4096 / FTFE_MODEL_PHRASE * sizeof ftfe_model.unreadable[0]);
    ftfe_model.half_erased[at / 4096] = ftfe_model.weak_erase || (cut && ftfe_model.cut_kind == 2);
    if (cut && ftfe_model.cut_kind == 1) {
        for (uint32_t i = 0; i < 4096 / FTFE_MODEL_PHRASE; i += 3) {
            ftfe_model.unreadable[at / FTFE_MODEL_PHRASE + i] = true;
        }
    }
}

static void program_phrase(uint32_t at)
{
    uint8_t *to = &ftfe_model.memory[at];
    /* Words of four, the last byte first (FCCOB4 is the byte at the highest address). */
    static const uint8_t order[8] = {7, 6, 5, 4, 11, 10, 9, 8};
    bool cut = power_goes();
    if (cut && ftfe_model.cut_kind == 0) {
        return;
    }
    bool blank = true;
    for (unsigned i = 0; i < FTFE_MODEL_PHRASE; i++) {
        blank = blank && to[i] == 0xFF;
    }
    if (!blank) {
        violate("a phrase was programmed twice");
        ftfe_model.unreadable[at / FTFE_MODEL_PHRASE] = true;
    }
    if (ftfe_model.half_erased[at / 4096]) {
        violate("a sector whose erase was cut short was programmed");
    }
    for (unsigned i = 0; i < FTFE_MODEL_PHRASE; i++) {
        to[i] &= module.fccob[order[i]];
    }
    if (ftfe_model.worn == at / FTFE_MODEL_PHRASE + 1) {
        to[0] |= 1;
        module.errors |= ftfe_model.unsaid ? 0 : 0x01;
    }
    if (cut && ftfe_model.cut_kind == 1) {
        ftfe_model.unreadable[at / FTFE_MODEL_PHRASE] = true;
    }
}

static void read_1s_section(uint32_t at)
{
    uint32_t bytes = ((uint32_t)module.fccob[4] << 8 | module.fccob[5]) * 16;
    if (at % 16 != 0 || bytes == 0 || at + bytes > FTFE_MODEL_BYTES) {
        module.errors |= 0x20;
        return;
    }
    for (uint32_t i = at; i < at + bytes; i++) {
        if (ftfe_model.memory[i] != 0xFF || ftfe_model.unreadable[i / FTFE_MODEL_PHRASE] ||
            (ftfe_model.half_erased[i / 4096] && module.fccob[6] != 0)) {
            module.errors |= 0x01;
        }
    }
}

static void launch(void)
{
    uint32_t at = command_address() - FTFE_MODEL_FIRST;
    uint8_t command = module.fccob[0];
    if ((module.errors & 0x70) != 0) {
        violate("a command was launched with error flags set");
    }
    module.errors &= 0x70;
    module.running = true;
    module.looks_left = ftfe_model.busy_reads;
    if (ftfe_model.dead) {
        return;
    }
    if (command_address() < FTFE_MODEL_FIRST || at >= FTFE_MODEL_BYTES) {
        violate("the block that the program runs from");
    } else if (command == 0x01) {
        read_1s_section(at);
    } else if ((command == 0x07 && at % 8 != 0) || (command == 0x09 && at % 16 != 0) ||
               (command != 0x07 && command != 0x09)) {
        module.errors |= 0x20;
    } else if (ftfe_model.protected) {
        module.errors |= 0x10;
    } else if (command == 0x07) {
        program_phrase(at);
    } else {
        erase_sector(at & ~4095u);
    }
}

uint8_t ftfe_model_read8(uint32_t offset)
{
    if (offset != 0) {
        violate("a register was read that the driver has no business with");
        return 0;
    }
    if (module.running && !ftfe_model.hang) {
        if (module.looks_left > 0) {
            module.looks_left--;
        } else {
            module.running = false;
        }
    }
    return module.running ? 0 : 0x80 | module.errors;
}

void ftfe_model_write8(uint32_t offset, uint8_t value)
{
    if (module.running) {
        violate("a register was written while a command runs");
        return;
    }
    if (offset == 0) {
        module.errors &= (uint8_t) ~(value & 0x70);
        if ((value & 0x80) != 0) {
            if ((value & 0x70) != 0) {
                violate("errors cleared and a command launched in one write");
            }
            launch();
        }
    } else if (offset >= 4 && offset < 16) {
        module.fccob[(offset & ~3u) - 4 + (3 - (offset & 3))] = value;
    } else {
        violate("a register was written that the driver has no business with");
    }
}

/* The memory map, with its bus errors: the array is read 16 bytes at a time. */
bool ftfe_port_read(uint32_t address, void *to, size_t bytes)
{
    uint32_t at = address - FTFE_MODEL_FIRST;
    if (module.running) {
        violate("the block was read while a command runs on it");
        return false;
    }
    for (uint32_t i = at & ~15u; i < at + bytes; i++) {
        if (ftfe_model.unreadable[i / FTFE_MODEL_PHRASE] ||
            ftfe_model.unreadable[(i ^ 8) / FTFE_MODEL_PHRASE]) {
            return false;
        }
    }
    memcpy(to, &ftfe_model.memory[at], bytes);
    return true;
}
