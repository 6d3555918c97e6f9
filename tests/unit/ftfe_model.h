/* A register model of FTFE for tests of port/nxp/ftfe.c: flash memory behind a command interface that
 * objects to what the manual forbids, and fails on demand. A fake with a memory, not a mock. */
#ifndef FTFE_MODEL_H
#define FTFE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define FTFE_MODEL_BASE   0x40020000u
#define FTFE_MODEL_FIRST  0x80000u /* of block 1: reading block 0 meanwhile is allowed */
#define FTFE_MODEL_BYTES  (4 * 4096u)
#define FTFE_MODEL_PHRASE 8u

struct ftfe_model {
    uint8_t memory[FTFE_MODEL_BYTES];
    bool unreadable[FTFE_MODEL_BYTES / FTFE_MODEL_PHRASE]; /* check bits are beyond repair */
    bool half_erased[FTFE_MODEL_BYTES / 4096]; /* reads as erased now, but not at a margin */
    uint32_t violations;                       /* what the manual forbids; `why` is the last one */
    const char *why;
    uint32_t commands; /* that changed the memory */
    /* Faults to make */
    uint32_t busy_reads; /* looks at FSTAT until a command ends (default 3) */
    bool hang;           /* no command ends */
    uint32_t cut_at;     /* power goes during that command, counted from 1; 0: never */
    uint32_t cut_kind;   /* 0: nothing of it done, 1: half, unreadable, 2: done, but unmarked */
    bool dead;           /* the power is gone: nothing changes any more */
    bool protected;      /* FPVIOL for whatever writes */
    bool unsaid;         /* a worn phrase is not reported */
    bool weak_erase;     /* erased, but not at a margin */
    uint32_t worn;       /* this phrase of the memory, counted from 1, keeps a bit at 1 */
};
extern struct ftfe_model ftfe_model;

/* Erased flash, no fault. */
void ftfe_model_reset(void);
/* The power comes back: the memory stays, the module starts anew. */
void ftfe_model_power_on(void);

/* What mmio.h's functions of a test program call for addresses of this module. */
uint8_t ftfe_model_read8(uint32_t offset);
void ftfe_model_write8(uint32_t offset, uint8_t value);

#endif
