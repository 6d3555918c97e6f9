/* A register model of RNGA for tests of port/nxp/rnga.c: gives a known sequence, objects to misuse, fails
 * on demand. */
#ifndef RNGA_MODEL_H
#define RNGA_MODEL_H

#include <stdbool.h>
#include <stdint.h>

struct rnga_model {
    uint32_t violations;
    const char *why;
    uint32_t words; /* given so far */
    bool asleep;
    /* Faults to make */
    uint32_t wait_reads;  /* looks at SR until a word is there (default 5) */
    bool silent;          /* no word ever comes */
    uint32_t violated_at; /* SR[SECV] from that word on; UINT32_MAX: never */
    uint32_t stuck_at;    /* the same word from that one on */
    uint32_t flipping_at; /* each word the complement of the one before, from that one on */
    uint32_t underrun_at; /* LEVEL lies once */
};
extern struct rnga_model rnga_model;

void rnga_model_reset(void);
uint32_t rnga_model_word(uint32_t i); /* what word i is, without faults */
uint32_t rnga_model_read(uint32_t offset);
void rnga_model_write(uint32_t offset, uint32_t value);

#endif
