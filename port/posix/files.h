/* What the POSIX node reads before it starts: the herd file, trust anchors, the API key. */
#ifndef FILES_H
#define FILES_H

#include "text.h"

/* Each: negative after one line on stderr. What they return lives as long as the program. */

/* The whole herd file. */
int files_read_herd(const char *name, struct span *text);

/* A node's key file (firmware/keys.h). Refused when others than its owner, who is this user or root, may
 * read or write it, and when it is no file. */
int files_read_link_keys(const char *name, struct span *text);

/* PEM text with its final NUL counted. */
int files_read_trust(const char *name, struct span *pem);

/* The API key without white space around it: from the file, or when `name` is empty from the
 * environment, else empty. PLACES_KEY is wiped from the environment in any case, so that
 * /proc/PID/environ does not show it. */
int files_read_key(const char *name, struct span *key);

#endif
