/* Server names as small numbers; names.h has the contracts. */
#include "names.h"

#include <string.h>

#include "cfg.h"
#include "proto.h"

static struct {
    uint8_t bytes;
    char at[PROTO_SERVER_BYTES_MAX];
} names[CFG_SERVER_NAMES];
static unsigned names_used;
static uint32_t refused;

void names_init(void)
{
    names_used = 0;
    refused = 0;
}

int names_intern(struct span name, uint8_t *index)
{
    if (!proto_is_server_name(name)) {
        return HERD_E_SYNTAX;
    }
    for (unsigned i = 0; i < names_used; i++) {
        if (span_equal(name, names_get((uint8_t)i))) {
            *index = (uint8_t)i;
            return HERD_OK;
        }
    }
    if (names_used == CFG_SERVER_NAMES) {
        refused++;
        return HERD_E_FULL;
    }
    names[names_used].bytes = (uint8_t)name.bytes;
    memcpy(names[names_used].at, name.at, name.bytes);
    *index = (uint8_t)names_used++;
    return HERD_OK;
}

struct span names_get(uint8_t index)
{
    HERD_ASSERT(index < names_used);
    return (struct span){names[index].at, names[index].bytes};
}

unsigned names_count(void)
{
    return names_used;
}

uint32_t names_refused(void)
{
    return refused;
}
