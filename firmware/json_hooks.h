/* What cJSON calls in place of the C library; json.c fulfils it, port/cjson/cjson_port.h renames. */
#ifndef HERD_JSON_HOOKS_H
#define HERD_JSON_HOOKS_H

#include <stddef.h>

/* From the arena of json.c; released all at once when the next text is parsed. */
void *json_cjson_malloc(size_t bytes);
void *json_cjson_realloc(void *old, size_t bytes);
void json_cjson_free(void *old);

/* Not a conversion: keeps the digits, and returns where they are (json_number gives them back), so
 * that numbers pass through exactly and no floating point is linked. */
double json_cjson_strtod(const char *text, char **end);

/* cJSON's printing half is linked out, and panics if it is not. */
int json_cjson_print(char *out, const char *format, ...);

#endif
