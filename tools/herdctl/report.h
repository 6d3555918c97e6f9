/*
 * What a run of herdctl leaves for scripts: with --json exactly one JSON object on stdout, made of
 * the fields that the command adds, of what was said on stderr when it failed, and of the exit
 * code. Without --json the report_add functions do nothing and commands print for people.
 * There is one report per program.
 */
#ifndef HERDCTL_REPORT_H
#define HERDCTL_REPORT_H

#include "answer.h"
#include "herdctl.h"

/* From here on what is said on stderr is kept for report_end() too. Call it before anything is
 * said, where --json might be among the arguments. */
void report_listen(void);

/* Whether a JSON object is wanted. Set once the arguments are known. */
void report_set_json(bool json);
bool report_is_json(void);

/* Each adds one field; `name` is plain ASCII. `text` may hold any bytes. */
void report_add_text(const char *name, const char *text, size_t bytes);
void report_add_count(const char *name, size_t count);
void report_add_seconds(const char *name, int64_t milliseconds);

/* Adds json[bytes], which json_is_object() has accepted, byte for byte. */
void report_add_json(const char *name, const char *json, size_t bytes);

/* Adds the fields of an AT line: as they are, or within an object called `name` if it is not NULL.
 * `answer` may be NULL with a name: then the field is null. */
void report_add_answer(const char *name, const struct answer *answer);

/*
 * Ends the run: prints the object where one is wanted, and sees that stdout took everything.
 * Returns the exit code: `result`, or HERDCTL_LOCAL when the answer could not be written.
 */
enum herdctl_exit report_end(enum herdctl_exit result);

#endif
