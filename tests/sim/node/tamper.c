/* A neighbour that is authenticated and says wrong things: bytes of the scenario's go in front of a frame
 * that the node sends on a link. The linker puts this before firmware/tls.c's own (--wrap, tests/sim/sim.mk);
 * links write one whole frame at a time. */
#include "conn.h"
#include "frames.h"
#include "tls.h"

#include "sim_node.h"

int __real_tls_write(struct tls *t, const void *data, size_t n, size_t *bytes);
int __wrap_tls_write(struct tls *t, const void *data, size_t n, size_t *bytes);

/* HELLO stays the first frame. */
int __wrap_tls_write(struct tls *t, const void *data, size_t n, size_t *bytes)
{
    uint8_t more[ABI_TAMPER_BYTES];
    size_t taken = 0;
    bool is_hello = n > 0 && *(const uint8_t *)data == FRAMES_HELLO;
    size_t room = conn_room(t->conn);
    if (!is_hello && room >= n + sizeof more + 4 * TLS_RECORD_OVERHEAD_BYTES) {
        size_t count = sim_host.tamper(sim_host.wire.context, more);
        if (count > 0) {
            (void)__real_tls_write(t, more, count, &taken);
        }
    }
    return __real_tls_write(t, data, n, bytes);
}
