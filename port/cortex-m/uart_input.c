#include "uart_input.h"

#include "cortexm.h"

static char ring[UART_INPUT_BYTES];
static volatile uint32_t received, read; /* bytes ever; their difference is in the ring */

void uart_input_put(char byte)
{
    if (received - read < UART_INPUT_BYTES) {
        ring[received % UART_INPUT_BYTES] = byte;
        received = received + 1;
    }
    cortexm_wake();
}

size_t uart_read(char *data, size_t bytes)
{
    size_t taken = 0;
    while (taken < bytes && read != received) {
        data[taken++] = ring[read % UART_INPUT_BYTES];
        read = read + 1;
    }
    return taken;
}
