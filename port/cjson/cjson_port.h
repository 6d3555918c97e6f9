/* cJSON without heap, printf and strtod: included in front of cJSON.c by the build.
 *
 * What cJSON calls is renamed to functions of firmware/json.c, which sees cJSON alone. The system's
 * headers come first, so that the renaming does not touch their declarations.
 */
#ifndef CJSON_PORT_H
#define CJSON_PORT_H

#include <ctype.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfg.h"
#include "json_hooks.h"

/* An element of the upstream's answer begins at the third level of its document. */
#define CJSON_NESTING_LIMIT CFG_JSON_DEPTH

#define malloc  json_cjson_malloc
#define realloc json_cjson_realloc
#define free    json_cjson_free
#define strtod  json_cjson_strtod
#define sprintf json_cjson_print
#define sscanf  json_cjson_print

#endif
