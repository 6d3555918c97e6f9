#include "uart_ring.h"

_Static_assert((UART_RING_BYTES & (UART_RING_BYTES - 1)) == 0, "the counters wrap at 2^32");

size_t uart_ring_put(struct uart_ring *ring, const char *data, size_t bytes)
{
    size_t taken = 0;
    uint32_t written = ring->written;
    while (taken < bytes && !uart_ring_is_full(ring)) {
        ring->bytes[written % UART_RING_BYTES] = data[taken++];
        ring->written = ++written;
    }
    return taken;
}

size_t uart_ring_get(struct uart_ring *ring, char *data, size_t bytes)
{
    size_t given = 0;
    uint32_t read = ring->read;
    while (given < bytes && read != ring->written) {
        data[given++] = ring->bytes[read % UART_RING_BYTES];
        ring->read = ++read;
    }
    return given;
}

bool uart_ring_is_empty(const struct uart_ring *ring)
{
    return ring->read == ring->written;
}

bool uart_ring_is_full(const struct uart_ring *ring)
{
    return ring->written - ring->read >= UART_RING_BYTES;
}
