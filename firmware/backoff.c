/* Pauses between attempts; backoff.h has the contract. */
#include "backoff.h"

uint32_t backoff_ms(uint32_t failures, uint32_t first_ms, uint32_t last_ms, uint32_t random)
{
    uint32_t pause_ms = first_ms;

    for (uint32_t i = 0; i < failures && pause_ms < last_ms; i++) { /* at most 31: it doubles */
        if (pause_ms == 0) {
            return 0;
        }
        pause_ms = pause_ms > last_ms / 2 ? last_ms : 2 * pause_ms;
    }
    return pause_ms / 2 + random % (pause_ms / 2 + 1);
}
