/* What a node keeps over restarts, on hal_flash: its state (entropy seed, boot epoch) and its own
 * configuration. Safe at any power cut: the old or the new one is found, never neither, never a
 * mixture.
 *
 * Each of the two is kept twice, one copy at each end of the area (the middle is left to whoever comes
 * next). A write goes to the copy that is not in effect; a copy counts when its CRC is right, and of
 * two states the one with the higher sequence number. A record, little-endian:
 *
 *     0  u32 magic "hERD"      8  u32 sequence, 1 and up      16  u32 CRC-32 of bytes 0 to 15, then
 *     4  u16 kind, u16 version 12 u32 bytes of the payload        of the payload
 *     20 zeros to 32, then the payload, then 0xFF to the end of the program unit
 *
 * The state names the configuration in effect and the one before, by their sequence numbers: a write of
 * the state is what puts one into effect, takes it back, or resets to the factory's. The state is
 * written anew in every boot; so torn bytes that happen to read well once cannot change anything later.
 *
 * Context: tasks, or before the scheduler runs. Calls that write block for as long as hal_flash does:
 * at most some 10 erases and programs, typically a few ms.
 */
#ifndef HERD_NV_H
#define HERD_NV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfg.h"
#include "err.h"

#define NV_SEED_BYTES   32
#define NV_HEADER_BYTES 32
#define NV_CONFIG_BYTES (CFG_NV_CONFIG_BYTES - NV_HEADER_BYTES) /* of a configuration */

enum nv_status {
    NV_OFF,     /* nv_start was not called, or there is no medium */
    NV_FOREIGN, /* the medium is not prepared for herd */
    NV_SMALL,   /* it has no room for two configurations of NV_CONFIG_BYTES */
    NV_READY,
    NV_FAILED /* a write failed: what was written before is still there */
};

enum nv_seed {
    NV_SEED_NONE,  /* no state yet, or one without a seed */
    NV_SEED_BLANK, /* all its bytes are alike */
    NV_SEED_USED,  /* the last start could not replace it */
    NV_SEED_FRESH
};

struct nv_info {
    enum nv_status status;
    enum nv_seed seed;        /* as it was found at start */
    uint32_t epoch;           /* of this boot; 0: not known */
    uint32_t config_sequence; /* of the configuration in effect; 0: none, the factory's is */
    uint32_t
        other_sequence; /* of the one that nv_rollback would put into effect; 0: the factory's */
    bool can_roll_back;
    uint32_t writes; /* since start */
};

/* Finds the medium and reads it. Call once, first. Without a medium everything below still may be
 * called, and says HERD_E_REFUSED. */
void nv_start(void);
struct nv_info nv_info(void);
/* For a person: what is wrong, or "ready". */
const char *nv_status_text(void);

/* The seed that was found, if NV_SEED_FRESH: copies it. It must be replaced by nv_begin_boot before
 * anything is made of it. */
enum nv_seed nv_take_seed(uint8_t seed[NV_SEED_BYTES]);

/* Counts the boot epoch up, keeps `seed` for the next start (NULL: none), and has read it back. Once
 * per start. HERD_E_REFUSED: no medium; HERD_E_CLOSED: it failed, and the seed found may be found
 * again. */
int nv_begin_boot(const uint8_t *seed) HERD_MUST_CHECK;

/* A new seed for the next start, whatever was there. Errors as above. */
int nv_put_seed(const uint8_t seed[NV_SEED_BYTES]) HERD_MUST_CHECK;

/* The configuration's buffer, NV_CONFIG_BYTES: one for reading, editing and writing. */
uint8_t *nv_config_buffer(void);

/* Fills the buffer with the configuration in effect. HERD_E_RANGE: there is none; the buffer is
 * anything. HERD_E_REFUSED as above. */
int nv_config_read(size_t *bytes) HERD_MUST_CHECK;

/* Writes the first `bytes` bytes of the buffer as the configuration, in effect from now on; what was in
 * effect becomes what nv_rollback goes back to. HERD_E_REFUSED, HERD_E_CLOSED: the old one is in effect. */
int nv_config_write(size_t bytes) HERD_MUST_CHECK;

/* The configuration before the last write; called again, the last one. HERD_E_RANGE: nothing was ever
 * written. */
int nv_rollback(void) HERD_MUST_CHECK;

/* Forgets all configurations, now and at the next start; seed and epoch stay. */
int nv_factory_reset(void) HERD_MUST_CHECK;

#endif
