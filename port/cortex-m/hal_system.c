/* Restart, crash record and stack, for the firmware's console. */
#include "hal_system.h"

#include "cortexm.h"
#include "text.h"

/* What the UART still holds is sent before the reset: uart_write_now waits for it. */
void hal_system_restart(void)
{
    uart_write_now("\r\n", 2);
    cortexm_reset();
}

size_t hal_system_crash(unsigned line, char *out, size_t bytes)
{
    struct text t;
    text_init(&t, out, bytes);
    crash_put_line(line, &t);
    return t.bytes;
}

bool hal_system_stack(size_t *reserved, size_t *high_water)
{
    *reserved = stack_bytes();
    *high_water = stack_high_water();
    return true;
}
