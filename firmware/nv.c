#include "nv.h"

#include <string.h>

#include "crc.h"
#include "hal_flash.h"

#define MAGIC         UINT32_C(0x44524568)
#define VERSION       1u
#define KIND_STATE    1u
#define KIND_CONFIG   2u
#define COPIES        2u
#define NONE          COPIES
#define STATE_PAYLOAD 48u /* seed, epoch, config, other, flags */
#define STATE_SEED    1u  /* flag: there is one */
#define PIECE_BYTES   64u /* read at a time */

_Static_assert(CFG_NV_CONFIG_BYTES % HAL_FLASH_PROGRAM_BYTES_MAX == 0,
               "the image of a configuration is programmed from its buffer, in whole units");
_Static_assert(NV_HEADER_BYTES + STATE_PAYLOAD <= HAL_FLASH_PROGRAM_BYTES_MAX, "one buffer for it");
_Static_assert(HAL_FLASH_BYTES_MIN >= 2 * (HAL_FLASH_ERASE_BYTES_MAX + 2048),
               "a small configuration fits into the smallest area");

struct state {
    uint8_t seed[NV_SEED_BYTES];
    bool has_seed;
    uint32_t epoch;
    uint32_t config; /* sequence of the configuration in effect; 0: the factory's */
    uint32_t other;  /* of the one that a rollback goes to; the same */
};

/* One of the two things that are kept. */
struct place {
    uint16_t kind;
    uint32_t at[COPIES];
    uint32_t sequence[COPIES]; /* 0: the copy does not count */
    uint32_t bytes[COPIES];    /* of its payload */
};

static struct hal_flash_geometry geometry;
static struct place states;
static struct place configs;
CFG_SECRET static struct state state;
static struct nv_info info;
static const char *status_text = "there is no non-volatile memory";

/* Header and payload together, as they are programmed. */
CFG_SECRET static uint8_t image[CFG_NV_CONFIG_BYTES];

/* --- Bytes ------------------------------------------------------------------------------------- */

static void put_u32(uint8_t *to, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
}

static uint32_t get_u32(const uint8_t *from)
{
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static uint32_t round_up(uint32_t bytes, uint32_t unit)
{
    return (bytes + unit - 1) / unit * unit; /* unit is a power of two, bytes a few thousand */
}

static bool is_blank(const uint8_t *bytes, size_t count)
{
    size_t i = 1;
    while (i < count && bytes[i] == bytes[0]) {
        i++;
    }
    return i >= count;
}

/* --- Records ----------------------------------------------------------------------------------- */

static void make_header(uint8_t *header, uint16_t kind, uint32_t sequence, const uint8_t *payload,
                        uint32_t bytes)
{
    memset(header, 0, NV_HEADER_BYTES);
    put_u32(header, MAGIC);
    put_u32(header + 4, kind | VERSION << 16);
    put_u32(header + 8, sequence);
    put_u32(header + 12, bytes);
    put_u32(header + 16, crc_32(crc_32(0, header, 16), payload, bytes));
}

/* Reads the record at `at`, into `payload` unless that is NULL. Its sequence, or 0. */
static uint32_t read_record(uint32_t at, uint16_t kind, uint32_t bytes_max, uint8_t *payload,
                            uint32_t *bytes_out)
{
    uint8_t header[NV_HEADER_BYTES];
    uint8_t piece[PIECE_BYTES];
    if (hal_flash_read(at, header, sizeof header) != HAL_FLASH_OK || get_u32(header) != MAGIC ||
        get_u32(header + 4) != (kind | VERSION << 16)) {
        return 0;
    }
    uint32_t bytes = get_u32(header + 12);
    if (bytes > bytes_max) {
        return 0;
    }
    uint32_t crc = crc_32(0, header, 16);
    for (uint32_t done = 0; done < bytes;) {
        uint32_t part = bytes - done < sizeof piece ? bytes - done : (uint32_t)sizeof piece;
        if (hal_flash_read(at + NV_HEADER_BYTES + done, piece, part) != HAL_FLASH_OK) {
            return 0;
        }
        crc = crc_32(crc, piece, part);
        if (payload != NULL) {
            memcpy(payload + done, piece, part);
        }
        done += part;
    }
    if (crc != get_u32(header + 16)) {
        return 0;
    }
    *bytes_out = bytes;
    return get_u32(header + 8);
}

/* Within one erase unit at a time. */
static bool program_units(uint32_t at, const uint8_t *data, uint32_t bytes)
{
    while (bytes > 0) {
        uint32_t part = geometry.erase_bytes - at % geometry.erase_bytes;
        part = part < bytes ? part : bytes;
        if (hal_flash_program(at, data, part) != HAL_FLASH_OK) {
            return false;
        }
        at += part;
        data += part;
        bytes -= part;
    }
    return true;
}

/* The header last, and only when the rest is safe: before, nothing of the new record counts. `data` is
 * header and payload, filled up with 0xFF to a program unit. */
static bool write_record(uint32_t at, const uint8_t *data, uint32_t bytes)
{
    uint32_t head = round_up(NV_HEADER_BYTES, geometry.program_bytes);
    for (uint32_t done = 0; done < bytes; done += geometry.erase_bytes) {
        if (hal_flash_erase(at + done) != HAL_FLASH_OK) {
            return false;
        }
    }
    return hal_flash_sync() == HAL_FLASH_OK &&
           (bytes <= head || (program_units(at + head, data + head, bytes - head) &&
                              hal_flash_sync() == HAL_FLASH_OK)) &&
           program_units(at, data, head) && hal_flash_sync() == HAL_FLASH_OK;
}

static unsigned newest(const struct place *p)
{
    if (p->sequence[0] == 0 && p->sequence[1] == 0) {
        return NONE;
    }
    return p->sequence[1] > p->sequence[0];
}

static uint32_t highest(const struct place *p)
{
    return p->sequence[0] > p->sequence[1] ? p->sequence[0] : p->sequence[1];
}

/* Writes a copy and reads it back. `data` has room for the header in front of `bytes` of payload, and
 * behind them to the end of a program unit. */
static int write_copy(struct place *p, unsigned copy, uint32_t sequence, uint8_t *data,
                      uint32_t bytes)
{
    uint32_t total = round_up(NV_HEADER_BYTES + bytes, geometry.program_bytes);
    uint32_t found = 0;
    make_header(data, p->kind, sequence, data + NV_HEADER_BYTES, bytes);
    memset(data + NV_HEADER_BYTES + bytes, 0xFF, total - NV_HEADER_BYTES - bytes);
    p->sequence[copy] = 0;
    info.writes++;
    if (!write_record(p->at[copy], data, total) ||
        read_record(p->at[copy], p->kind, bytes, NULL, &found) != sequence || found != bytes) {
        info.status = NV_FAILED;
        status_text = "writing failed: the medium is worn out, write-protected or gone";
        return HERD_E_CLOSED;
    }
    p->sequence[copy] = sequence;
    p->bytes[copy] = bytes;
    info.status = NV_READY;
    status_text = "ready";
    return HERD_OK;
}

static bool is_usable(void)
{
    return info.status == NV_READY || info.status == NV_FAILED;
}

/* --- State ------------------------------------------------------------------------------------- */

static int write_state(const struct state *s)
{
    uint8_t data[HAL_FLASH_PROGRAM_BYTES_MAX];
    uint8_t *payload = data + NV_HEADER_BYTES;
    if (!is_usable()) {
        return HERD_E_REFUSED;
    }
    memcpy(payload, s->seed, NV_SEED_BYTES);
    put_u32(payload + 32, s->epoch);
    put_u32(payload + 36, s->config);
    put_u32(payload + 40, s->other);
    put_u32(payload + 44, s->has_seed ? STATE_SEED : 0);
    unsigned current = newest(&states);
    unsigned copy = current == 0 ? 1 : 0;
    int err = write_copy(&states, copy, highest(&states) + 1, data, STATE_PAYLOAD);
    memset(data, 0, sizeof data);
    if (err == HERD_OK) {
        state = *s;
    }
    return err;
}

static void unpack_state(const uint8_t *payload, struct state *s)
{
    memcpy(s->seed, payload, NV_SEED_BYTES);
    s->epoch = get_u32(payload + 32);
    s->config = get_u32(payload + 36);
    s->other = get_u32(payload + 40);
    s->has_seed = (get_u32(payload + 44) & STATE_SEED) != 0;
}

/* Finds the newest state, and judges its seed. */
static void read_state(void)
{
    struct state found[COPIES];
    uint8_t payload[STATE_PAYLOAD];
    memset(found, 0, sizeof found);
    for (unsigned i = 0; i < COPIES; i++) {
        states.sequence[i] =
            read_record(states.at[i], KIND_STATE, STATE_PAYLOAD, payload, &states.bytes[i]);
        if (states.sequence[i] != 0 && states.bytes[i] == STATE_PAYLOAD) {
            unpack_state(payload, &found[i]);
        } else {
            states.sequence[i] = 0;
        }
    }
    unsigned current = newest(&states);
    memset(&state, 0, sizeof state);
    info.seed = NV_SEED_NONE;
    if (current == NONE) {
        return;
    }
    state = found[current];
    if (!state.has_seed) {
        info.seed = NV_SEED_NONE;
    } else if (is_blank(state.seed, sizeof state.seed)) {
        info.seed = NV_SEED_BLANK;
    } else if (found[1 - current].has_seed && found[1 - current].epoch != state.epoch &&
               memcmp(found[1 - current].seed, state.seed, sizeof state.seed) == 0) {
        info.seed = NV_SEED_USED; /* two boots and one seed: the first may have used it */
    } else {
        info.seed = NV_SEED_FRESH;
    }
    memset(found, 0, sizeof found);
    memset(payload, 0, sizeof payload);
}

/* --- Configurations ---------------------------------------------------------------------------- */

/* The copy with that sequence, or NONE. */
static unsigned find_config(uint32_t sequence)
{
    unsigned copy = 0;
    while (copy < COPIES && (sequence == 0 || configs.sequence[copy] != sequence)) {
        copy++;
    }
    return copy;
}

static void describe(void)
{
    info.epoch = state.epoch;
    info.config_sequence = state.config;
    info.other_sequence = state.other;
    info.can_roll_back = state.config != state.other;
}

static void erase_copy(unsigned copy)
{
    uint32_t bytes = round_up(CFG_NV_CONFIG_BYTES, geometry.erase_bytes);
    configs.sequence[copy] = 0;
    for (uint32_t done = 0; done < bytes; done += geometry.erase_bytes) {
        if (hal_flash_erase(configs.at[copy] + done) != HAL_FLASH_OK) {
            return; /* void all the same; the next start tries again */
        }
    }
    (void)!hal_flash_sync();
}

/* A configuration that the state does not name is void: the power was cut before it took effect, or
 * during a factory reset. One that it names and that cannot be read: the other one, then the factory's. */
static void read_configs(void)
{
    for (unsigned i = 0; i < COPIES; i++) {
        configs.sequence[i] =
            read_record(configs.at[i], KIND_CONFIG, NV_CONFIG_BYTES, NULL, &configs.bytes[i]);
    }
    if (newest(&states) == NONE) { /* without a state nothing is named: better the last than none */
        state.config = highest(&configs);
    }
    for (unsigned i = 0; i < COPIES; i++) {
        bool is_named = configs.sequence[i] == state.config || configs.sequence[i] == state.other;
        if (configs.sequence[i] != 0 && !is_named && newest(&states) != NONE) {
            erase_copy(i); /* keys may be in it */
        }
    }
    if (state.config != 0 && find_config(state.config) == NONE) {
        state.config = state.other;
    }
    if (find_config(state.config) == NONE) {
        state.config = 0;
    }
    if (find_config(state.other) == NONE) {
        state.other = 0;
    }
}

/* --- Interface --------------------------------------------------------------------------------- */

static void lay_out(uint32_t state_bytes, uint32_t config_bytes)
{
    states = (struct place){.kind = KIND_STATE, .at = {0, geometry.bytes - state_bytes}};
    configs = (struct place){.kind = KIND_CONFIG,
                             .at = {state_bytes, geometry.bytes - state_bytes - config_bytes}};
}

void nv_start(void)
{
    info = (struct nv_info){.status = NV_OFF};
    memset(&state, 0, sizeof state);
    int err = hal_flash_start();
    geometry = hal_flash_geometry();
    if (err != HAL_FLASH_OK || geometry.bytes == 0) {
        info.status = err == HAL_FLASH_E_FOREIGN ? NV_FOREIGN : NV_OFF;
        status_text = err == HAL_FLASH_E_FOREIGN ? "the medium is not prepared for herd"
                                                 : "there is no non-volatile memory";
        return;
    }
    uint32_t state_bytes = round_up(
        round_up(NV_HEADER_BYTES + STATE_PAYLOAD, geometry.program_bytes), geometry.erase_bytes);
    uint32_t config_bytes = round_up(CFG_NV_CONFIG_BYTES, geometry.erase_bytes);
    if (2 * (state_bytes + config_bytes) > geometry.bytes) {
        info.status = NV_SMALL;
        status_text = "the medium is too small for two configurations";
        return;
    }
    info.status = NV_READY;
    status_text = "ready";
    lay_out(state_bytes, config_bytes);
    read_state();
    read_configs();
    describe();
}

struct nv_info nv_info(void)
{
    return info;
}

const char *nv_status_text(void)
{
    return status_text;
}

enum nv_seed nv_take_seed(uint8_t seed[NV_SEED_BYTES])
{
    if (info.seed == NV_SEED_FRESH) {
        memcpy(seed, state.seed, NV_SEED_BYTES);
    }
    return info.seed;
}

int nv_begin_boot(const uint8_t *seed)
{
    struct state next = state;
    next.epoch++;
    next.has_seed = seed != NULL;
    memset(next.seed, 0, sizeof next.seed);
    if (seed != NULL) {
        memcpy(next.seed, seed, NV_SEED_BYTES);
    }
    int err = write_state(&next);
    memset(&next, 0, sizeof next);
    describe();
    return err;
}

int nv_put_seed(const uint8_t seed[NV_SEED_BYTES])
{
    struct state next = state;
    next.has_seed = true;
    memcpy(next.seed, seed, NV_SEED_BYTES);
    int err = write_state(&next);
    memset(&next, 0, sizeof next);
    return err;
}

uint8_t *nv_config_buffer(void)
{
    return image + NV_HEADER_BYTES;
}

int nv_config_read(size_t *bytes)
{
    uint32_t found = 0;
    unsigned copy = find_config(state.config);
    if (!is_usable()) {
        return HERD_E_REFUSED;
    }
    if (copy == NONE || read_record(configs.at[copy], KIND_CONFIG, NV_CONFIG_BYTES,
                                    image + NV_HEADER_BYTES, &found) != state.config) {
        return HERD_E_RANGE;
    }
    *bytes = found;
    return HERD_OK;
}

/* Puts one configuration into effect and remembers another. */
static int choose(uint32_t config, uint32_t other)
{
    struct state next = state;
    next.config = config;
    next.other = other;
    int err = write_state(&next);
    memset(&next, 0, sizeof next);
    describe();
    return err;
}

int nv_config_write(size_t bytes)
{
    HERD_ASSERT(bytes <= NV_CONFIG_BYTES);
    if (!is_usable()) {
        return HERD_E_REFUSED;
    }
    unsigned copy = find_config(state.config) == 0 ? 1 : 0;
    uint32_t sequence = highest(&configs);
    sequence = sequence > state.config ? sequence : state.config;
    sequence = (sequence > state.other ? sequence : state.other) + 1;
    if (state.other != 0 && find_config(state.other) == copy) {
        state.other = 0; /* about to be overwritten, whatever becomes of it */
    }
    int err = write_copy(&configs, copy, sequence, image, (uint32_t)bytes);
    return err != HERD_OK ? err : choose(sequence, state.config);
}

int nv_rollback(void)
{
    if (!is_usable()) {
        return HERD_E_REFUSED;
    }
    return info.can_roll_back ? choose(state.other, state.config) : HERD_E_RANGE;
}

int nv_factory_reset(void)
{
    if (!is_usable()) {
        return HERD_E_REFUSED;
    }
    int err = choose(0, 0);
    if (err == HERD_OK) {
        erase_copy(0);
        erase_copy(1);
        memset(image, 0, sizeof image);
    }
    return err;
}
