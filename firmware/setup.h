/* Where a node's configuration comes from: the factory's (part of the image, or the file given at start),
 * or the node's own, kept in non-volatile memory and changed at the console.
 *
 * The node's own is a document of five parts, each of which may be empty and then leaves what the
 * factory says: which node of the herd this is, the key of the places provider, settings
 * (SECTION.KEY=VALUE, one a line), the herd file, and the keys of its links (keys.h; packed). It is edited in RAM, checked by config.c as a whole
 * after each change, and takes effect at the next start after setup_save. Where the document has a herd
 * file, the factory's settings do not count.
 *
 * Context: before the scheduler starts, or tasks.
 */
#ifndef HERD_SETUP_H
#define HERD_SETUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "err.h"
#include "text.h"

#define SETUP_KEY_BYTES_MAX 127
#define SETUP_ERROR_BYTES   320

/* What the image, or the port, brings; lives as long as the node runs. */
struct setup_factory {
    struct span herd_file;  /* its name, for errors */
    struct span herd_text;  /* empty: none */
    struct span node;       /* empty: not said */
    struct span settings;   /* lines of SECTION.KEY=VALUE */
    struct span places_key; /* empty: none */
    struct span link_keys;  /* a key file; empty: none */
    /* Settings that win over everything (a command line's): calls config_set, false when one fails.
     * NULL: none. */
    bool (*override)(struct config *config);
};

enum setup_part { SETUP_NODE, SETUP_KEY, SETUP_SETTINGS, SETUP_TEXT, SETUP_LINK_KEYS, SETUP_PARTS };

enum setup_origin {
    SETUP_FROM_FACTORY,
    SETUP_FROM_NODE,  /* the document in non-volatile memory */
    SETUP_FROM_NOBODY /* neither is a configuration: the node has a console and nothing else */
};

/* After nv_start. Fills *out with the node's configuration, from the document if there is one that this
 * image accepts and that has the keys of its links, else from the factory. HERD_E_SYNTAX, HERD_E_RANGE:
 * the factory's is wrong as well, with its error text. */
int setup_start(const struct setup_factory *factory, struct config *out,
                struct text *error) HERD_MUST_CHECK;

enum setup_origin setup_origin(void);
/* After setup_start failed: all that is missing is keys of links. */
bool setup_lacks_keys(void);
/* The keys of the links that count: a key file, or its packed form; lives until the document changes. */
struct span setup_link_keys(void);
/* Why the document in non-volatile memory was not taken at start; empty: it was, or there is none. */
struct span setup_refused(void);
/* The factory's key of the places provider, found only now (a file that the configuration names). */
void setup_set_factory_key(struct span key);
/* The key of the places provider that counts; lives as long as the node runs. */
struct span setup_places_key(void);

/* --- Editing: what is in effect after setup_save and the next start ------------------------------- */

/* A part of the document; lives until the next change. */
struct span setup_get(enum setup_part part);
bool setup_is_changed(void); /* since it was read, or saved */

/* Each: HERD_OK and changed; or, with words in `error` and nothing changed, HERD_E_SYNTAX or HERD_E_RANGE
 * (config.c says no), HERD_E_FULL (no room for it). */
int setup_set(struct span assignment, struct text *error) HERD_MUST_CHECK;
int setup_unset(struct span name, struct text *error) HERD_MUST_CHECK; /* SECTION.KEY */
int setup_put_node(struct span name, struct text *error) HERD_MUST_CHECK;
int setup_put_key(struct span key, struct text *error) HERD_MUST_CHECK; /* empty: the factory's */

/* A herd file, line by line without newlines, in place of the document's; comments are left out. An
 * error is told at the end, with the document as it was saved last. `node`: which node this is from now
 * on; empty: as before. It must not point into the document. */
void setup_load_begin(void);
void setup_load_line(struct span line);
int setup_load_end(struct span node, struct text *error) HERD_MUST_CHECK;

/* A key file of this node, line by line without newlines, in place of the document's; with no keys in it the
 * factory's count again. An error is told at the end: then there are no keys in the document. */
void setup_keys_begin(void);
void setup_keys_line(struct span line);
int setup_keys_end(struct text *error) HERD_MUST_CHECK;

/* Back to what is saved. */
void setup_discard(void);

/* What the node would start with. Errors as setup_start; *out lives until the next call of any
 * function here that has an `error`. */
int setup_preview(const struct config **out, struct text *error) HERD_MUST_CHECK;

/* Keeps the document, which must be one to start with: as setup_start. HERD_E_REFUSED, HERD_E_CLOSED with
 * words: as nv_config_write. */
int setup_save(struct text *error) HERD_MUST_CHECK;
int setup_rollback(struct text *error) HERD_MUST_CHECK;
int setup_factory_reset(struct text *error) HERD_MUST_CHECK;

#endif
