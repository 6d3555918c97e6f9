#include "report.h"
#include "json.h"
#include "say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define SAID_BYTES_MAX 8192 /* a run says a handful of lines; what is more is cut */

static bool wants_json;
static FILE *fields; /* the members of the object, each followed by a comma */
static char *field_text;
static size_t field_bytes;
static bool out_of_memory; /* fields are missing */
static char said[SAID_BYTES_MAX];
static size_t said_bytes;

/* Takes what goes to stderr: on to the real one, and kept. */
static ssize_t keep_said(void *cookie, const char *text, size_t bytes)
{
    size_t room = sizeof said - said_bytes;
    size_t kept = bytes < room ? bytes : room;

    (void)cookie;
    memcpy(said + said_bytes, text, kept);
    said_bytes += kept;
    for (size_t done = 0; done < bytes;) {
        ssize_t wrote = write(STDERR_FILENO, text + done, bytes - done);
        if (wrote > 0) {
            done += (size_t)wrote;
        } else if (wrote == 0 || errno != EINTR) {
            break; /* stderr is closed or full: there is nowhere left to say so */
        }
    }
    return (ssize_t)bytes;
}

void report_listen(void)
{
    const cookie_io_functions_t listener = {.write = keep_said};
    FILE *stream = fopencookie(NULL, "w", listener);

    /* Files shared by all tools say things too (arguments, herd file), so it is the stream that is
     * listened to. The C library of the hosts we support (glibc) lets it be replaced. */
    if (stream != NULL) {
        (void)setvbuf(stream, NULL, _IOLBF, BUFSIZ);
        stderr = stream;
    }
}

void report_set_json(bool json)
{
    wants_json = json;
}

bool report_is_json(void)
{
    return wants_json;
}

/* True when there is a place to write fields to. */
static bool open_fields(void)
{
    if (wants_json && fields == NULL && !out_of_memory) {
        fields = open_memstream(&field_text, &field_bytes);
        out_of_memory = fields == NULL;
    }
    return fields != NULL;
}

static bool begin_field(const char *name)
{
    if (!open_fields()) {
        return false;
    }
    (void)fprintf(fields, "\"%s\":", name);
    return true;
}

void report_add_text(const char *name, const char *text, size_t bytes)
{
    if (begin_field(name)) {
        json_write_text(fields, text, bytes);
        (void)fputc(',', fields);
    }
}

void report_add_count(const char *name, size_t count)
{
    if (begin_field(name)) {
        (void)fprintf(fields, "%zu,", count);
    }
}

void report_add_seconds(const char *name, int64_t milliseconds)
{
    if (begin_field(name)) {
        (void)fprintf(fields, "%lld.%03lld,", (long long)(milliseconds / 1000),
                      (long long)(milliseconds % 1000));
    }
}

void report_add_json(const char *name, const char *json, size_t bytes)
{
    if (begin_field(name)) {
        (void)fwrite(json, 1, bytes, fields);
        (void)fputc(',', fields);
    }
}

void report_add_answer(const char *name, const struct answer *answer)
{
    if (!open_fields()) {
        return;
    }
    if (name != NULL) {
        (void)fprintf(fields, "\"%s\":%s", name, answer != NULL ? "{" : "null");
    }
    if (answer != NULL) {
        const struct {
            const char *name;
            const struct answer_field *field;
        } members[] = {
            {"server", &answer->server},       {"difference", &answer->difference},
            {"client", &answer->client},       {"latitude", &answer->latitude},
            {"longitude", &answer->longitude}, {"time", &answer->time},
        };
        for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
            (void)fprintf(fields, "%s\"%s\":", i > 0 ? "," : "", members[i].name);
            json_write_text(fields, members[i].field->text, members[i].field->bytes);
        }
    }
    (void)fputs(name != NULL && answer != NULL ? "}," : ",", fields);
}

/* What was said, without the name of the program before each line, and in how many bytes. */
static size_t strip_said(void)
{
    static const char prefix[] = "herdctl: ";
    size_t kept = 0;

    for (size_t at = 0; at < said_bytes;) {
        const char *newline = memchr(said + at, '\n', said_bytes - at);
        size_t next = newline != NULL ? (size_t)(newline - said) + 1 : said_bytes;
        if (next - at >= sizeof prefix - 1 && memcmp(said + at, prefix, sizeof prefix - 1) == 0) {
            at += sizeof prefix - 1;
        }
        memmove(said + kept, said + at, next - at);
        kept += next - at;
        at = next;
    }
    return kept > 0 && said[kept - 1] == '\n' ? kept - 1 : kept;
}

static enum herdctl_exit print_object(enum herdctl_exit result)
{
    if (fields != NULL && (ferror(fields) != 0) + (fclose(fields) != 0) > 0) {
        out_of_memory = true;
    }
    if (out_of_memory) {
        say_error("out of memory: the answer cannot be shown");
        result = HERDCTL_LOCAL;
    }
    (void)putchar('{');
    if (fields != NULL && !out_of_memory) {
        (void)fwrite(field_text, 1, field_bytes, stdout);
    }
    if (result != HERDCTL_OK) {
        size_t bytes = strip_said();
        (void)fputs("\"error\":", stdout);
        json_write_text(stdout, said, bytes);
        (void)putchar(',');
    }
    (void)printf("\"exit\":%d}\n", (int)result);
    fields = NULL;
    free(field_text);
    field_text = NULL;
    return result;
}

enum herdctl_exit report_end(enum herdctl_exit result)
{
    if (wants_json) {
        result = print_object(result);
    }
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        /* The reason is known only where this last write is the one that failed. */
        say_error("cannot write the answer to stdout%s%s; is the disk full, or the reader of the "
                  "pipe gone?",
                  errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
        return result == HERDCTL_OK ? HERDCTL_LOCAL : result;
    }
    return result;
}
