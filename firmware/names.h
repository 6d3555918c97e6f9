/* Server names that records carry, as small numbers. Pure; one table per node, never forgets.
 *
 * The node's own name and those of the herd file are put in at start; names heard from neighbours
 * come after, until CFG_SERVER_NAMES are known. Beyond that a name is refused and counted.
 */
#ifndef HERD_NAMES_H
#define HERD_NAMES_H

#include <stdint.h>

#include "err.h"
#include "text.h"

void names_init(void);

/* Index of a name, adding it when new. HERD_E_FULL (counted) or HERD_E_SYNTAX (not a server name).
 * Cost: linear in CFG_SERVER_NAMES. */
int names_intern(struct span name, uint8_t *index) HERD_MUST_CHECK;

/* The name of an index that names_intern gave; lives for ever. */
struct span names_get(uint8_t index);

unsigned names_count(void);
uint32_t names_refused(void); /* since start */

#endif
