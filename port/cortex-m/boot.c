#include "boot.h"

#include <string.h>

#include <mbedtls/platform_util.h>

#include "cortexm.h"
#include "crc.h"
#include "entropy.h"

__attribute__((section(".boot_block"))) static struct boot_block block;

static bool usable;

static bool is_whole(void)
{
    const uint8_t *covered = (const uint8_t *)&block + offsetof(struct boot_block, version);
    size_t bytes = sizeof block - offsetof(struct boot_block, version);
    return block.magic == BOOT_MAGIC && block.version == BOOT_VERSION &&
           block.crc == crc_32(0, covered, bytes);
}

void boot_read(void)
{
    int64_t kept_ns;
    bool has_kept = retained_take_wall(&kept_ns);
    usable = is_whole();
    bool fresh = usable && !retained_saw_block(block.crc);
    if (fresh && (block.flags & BOOT_HAS_WALL) != 0) {
        clock_set_wall(block.wall_ns);
    } else if (has_kept) {
        clock_set_wall(kept_ns); /* a reset takes no time worth mentioning */
    }
    if (fresh && (block.flags & BOOT_HAS_SEED) != 0) {
        entropy_seed(block.seed, sizeof block.seed);
    }
    mbedtls_platform_zeroize(block.seed, sizeof block.seed);
}

bool boot_net(struct boot_net *net)
{
    if (!usable || (block.flags & BOOT_HAS_NET) == 0) {
        return false;
    }
    *net = (struct boot_net){block.address, block.netmask, block.gateway, block.dns};
    return true;
}

bool boot_user_net(void)
{
    return usable && (block.flags & BOOT_USER_NET) != 0;
}
