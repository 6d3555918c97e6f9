/* The console is the board's UART. */
#include "hal_console.h"

#include "cortexm.h"

size_t hal_console_write(const char *data, size_t bytes)
{
    return uart_write(data, bytes);
}
