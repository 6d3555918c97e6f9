/* What the engine and a loaded image (node.so, client.so) know of each other. One image is loaded once per
 * station, each copy with globals of its own; it exports one symbol, and calls the engine by the pointers
 * that it is given. Everything happens within a call of the engine, at one moment of virtual time.
 */
#ifndef SIM_ABI_H
#define SIM_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "world.h"

#define ABI_EXPORT __attribute__((visibility("default")))

#define ABI_MTU          1500
#define ABI_FRAME_BYTES  (ABI_MTU + 14)
#define ABI_FLASH_BYTES  65536u
#define ABI_TAMPER_BYTES WORLD_TAMPER_BYTES

/* The moment at which an image is called, as its own clocks show it. */
struct abi_time {
    uint64_t ms;     /* hal_clock_ms */
    int64_t wall_ns; /* since 1970 */
    bool knows_wall;
};

/* --- Both -------------------------------------------------------------------------------------------- */

struct abi_wire {
    void *context; /* first argument of everything */
    void (*send)(void *context, const uint8_t *frame, size_t bytes);
    /* Copies the next frame out of the input queue; its bytes, or 0. At most ABI_FRAME_BYTES. */
    size_t (*receive)(void *context, uint8_t *frame);
    bool (*has_frame)(void *context);
    void (*entropy)(void *context, void *out, size_t bytes);
    /* A bug was found. Does not return. */
    void (*panic)(void *context, const char *file, unsigned line, const char *what);
    uint8_t mac[6];
    uint32_t address; /* host byte order */
};

/* --- node.so ----------------------------------------------------------------------------------------- */

struct abi_node_host {
    struct abi_wire wire;
    void (*log)(void *context, const char *data, size_t bytes);
    void (*answer)(void *context, const char *data, size_t bytes);
    /* What was typed: moves up to `bytes` bytes, returns how many. */
    size_t (*typed)(void *context, char *data, size_t bytes);
    /* What is to go in front of the frame that is being sent to a neighbour: bytes, or 0. */
    size_t (*tamper)(void *context, uint8_t more[ABI_TAMPER_BYTES]);
    void (*set_wall)(void *context, int64_t wall_ns);
    void (*restart)(void *context);    /* does not return */
    int64_t (*host_ns)(void *context); /* the host's clock, for measuring and nothing else */
    uint8_t *flash;                    /* ABI_FLASH_BYTES */
};

struct abi_node_boot {
    const char *herd; /* all live as long as the node runs */
    const char *name;
    const char *keys; /* "": none */
    uint64_t seed;
};

#define ABI_NEVER UINT64_MAX

struct abi_node {
    /* Call once after loading, or resetting. False with a text for a person in `error`. */
    bool (*start)(const struct abi_node_host *host, const struct abi_node_boot *boot,
                  const struct abi_time *now, char *error, size_t error_bytes);
    /* One round; ms until the next is due, ABI_NEVER when nothing is. */
    uint64_t (*step)(const struct abi_time *now);
    void (*stop)(const struct abi_time *now);
    bool (*has_stopped)(const struct abi_time *now);
    void (*probe)(struct world_probe *out);
    /* The host's CPU time that crypto has taken within the last step. ns */
    int64_t (*crypto_ns)(void);
};

/* The symbol sim_node of node.so. */
typedef const struct abi_node *abi_node_entry(void);

/* --- client.so --------------------------------------------------------------------------------------- */

/* Called within `step` or any call below, so the engine notes what it hears and acts on it later. */
struct abi_peer_host {
    struct abi_wire wire;
    void (*connected)(void *context, unsigned slot);
    void (*data)(void *context, unsigned slot, const uint8_t *data, size_t bytes);
    void (*room)(void *context, unsigned slot); /* bytes were acknowledged */
    void (*closed)(void *context, unsigned slot,
                   int reason); /* enum world_closed; the slot is free */
};

struct abi_peer {
    void (*start)(const struct abi_peer_host *host, const struct abi_time *now);
    uint64_t (*step)(const struct abi_time *now); /* as abi_node */
    /* Slots are the engine's to choose, < WORLD_CONNECTIONS_MAX. False: no memory for it. */
    bool (*connect)(const struct abi_time *now, unsigned slot, uint32_t address, uint16_t port);
    /* Takes up to `bytes` bytes in segments of `piece` (0: any) and returns how many. */
    size_t (*write)(const struct abi_time *now, unsigned slot, const uint8_t *data, size_t bytes,
                    size_t piece);
    size_t (*unacked)(unsigned slot);
    void (*finish)(const struct abi_time *now, unsigned slot); /* FIN after what was written */
    void (*reset)(const struct abi_time *now, unsigned slot);  /* the slot is free */
    /* The engine's side is done with so many bytes: opens the window. */
    void (*taken)(const struct abi_time *now, unsigned slot, size_t bytes);
};

/* The symbol sim_peer of client.so. */
typedef const struct abi_peer *abi_peer_entry(void);

#endif
