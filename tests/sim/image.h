/* Images: shared objects that are loaded once per station, each copy with globals of its own. Copies stay
 * loaded from one world to the next. */
#ifndef SIM_IMAGE_H
#define SIM_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi.h"

enum image_kind { IMAGE_NODE, IMAGE_NODE_SMALL, IMAGE_CLIENT, IMAGE_KINDS };

/* Where node.so and the others are; once, first. */
void image_folder(const char *path);

/* The entry of copy `index` of a kind, with all its variables as they are in the file: as after power on.
 * Loads it when it is asked for the first time. What an earlier call returned for this copy is void. Ends
 * the program with a text when the file cannot be loaded. Cost: a copy of .data and .bss; a load under ASan,
 * whose red zones and poison cannot be copied. */
const struct abi_node *image_node(enum image_kind kind, unsigned index);
const struct abi_peer *image_peer(unsigned index);

#endif
