/* A 24x512 EEPROM on two wires (port/at24c/i2c_wires.h), edge by edge, and the clock that their waits
 * drive. It fails the test when the wires move faster than 100 kHz allows (UM10204, table 10).
 *
 * What it does with a power cut is the worst that a data sheet allows: bytes of the page that is being
 * written are old, new or noise, chosen by a seed; all others stay.
 */
#ifndef EEPROM_MODEL_H
#define EEPROM_MODEL_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#define EEPROM_PAGE 128u

struct eeprom_model {
    /* How it is; a test changes it. */
    bool is_there;
    uint32_t bytes;    /* 65536; a smaller one repeats */
    uint32_t cycle_us; /* of a write; UINT32_MAX: for ever */
    bool protected;    /* takes data and keeps what it had */
    bool refuses;      /* does not acknowledge data */
    bool is_stuck;     /* the data wire is low */
    uint32_t seed;     /* of what a power cut leaves; not 0 */
    uint8_t memory[65536];

    /* What happened. */
    uint32_t edges;  /* of either wire, moved by the master */
    unsigned cycles; /* write cycles begun */
    unsigned torn;   /* pages that a cut left torn */
    bool is_cycling;
};

extern struct eeprom_model eeprom;

/* A new chip, blank, on an idle bus. */
void eeprom_model_make(void);

/* Instead of the edge number `edges` from now the power goes, or (chip_stays) the master alone is reset
 * while the chip goes on: longjmp to `where`. UINT32_MAX: never. */
void eeprom_model_stop_after(uint32_t edges, bool chip_stays, jmp_buf *where);
/* From that edge on the data wire is low. */
void eeprom_model_stick_after(uint32_t edges);
uint64_t eeprom_model_us(void);

#endif
