/* The factory configuration: what provisioning put into the last pages of the board's flash (section
 * .factory), so that one image serves every node. tools/build/factory writes the bytes, little-endian:
 *
 *     u32 magic, u32 CRC-32 of all that follows, u32 version, u32 bytes in all,
 *     seven times u32 offset, u32 bytes: the parts in the order of struct factory; then the parts.
 */
#ifndef CORTEXM_FACTORY_H
#define CORTEXM_FACTORY_H

#include <stdbool.h>

#include "text.h"

#define FACTORY_MAGIC   0x46524448u /* "HDRF" */
#define FACTORY_VERSION 2u
#define FACTORY_PARTS   7u

struct factory {
    struct span herd_file; /* its name, for errors */
    struct span herd_text;
    struct span node;
    struct span settings;   /* lines of section.key=value, over the herd file */
    struct span places_key; /* empty: none */
    struct span trust_pem;  /* with its final NUL counted; empty: the built-in anchors */
    struct span link_keys;  /* the node's key file; empty: none */
};

/* Reads it in place: the spans point into flash. False: the flash holds none, or it is damaged. */
bool factory_read(struct factory *f);

#endif
