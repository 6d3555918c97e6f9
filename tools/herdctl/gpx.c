#include "gpx.h"
#include "say.h"

#include <errno.h>
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES 16384

struct gpx {
    const char *path;
    FILE *file;
    XML_Parser parser;
    bool suspended; /* the parser stopped after a point and has more of the chunk to read */
    bool ended;     /* the last chunk has been handed over */
    bool is_gpx;
    size_t depth;       /* open elements */
    size_t point_depth; /* depth of the open trkpt, 0 outside */
    bool in_time;
    size_t other_points;
    struct gpx_point point; /* being collected */
    bool complete;          /* `point` is whole and not yet taken */
    size_t time_bytes;
};

static const char *attribute(const XML_Char **attributes, const char *name)
{
    for (size_t i = 0; attributes[i] != NULL; i += 2) {
        if (strcmp(attributes[i], name) == 0) {
            return attributes[i + 1];
        }
    }
    return "";
}

static void copy_or_empty(char *to, size_t room, const char *from)
{
    /* Cut digits would be another place: too long is the same as missing. */
    to[0] = '\0';
    if (strlen(from) < room) {
        memcpy(to, from, strlen(from) + 1);
    }
}

/* Names may carry a namespace prefix (`gpx:trkpt`), which means the same. */
static bool is_element(const XML_Char *name, const char *local)
{
    const char *colon = strrchr(name, ':');

    return strcmp(colon != NULL ? colon + 1 : name, local) == 0;
}

static void on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
    struct gpx *gpx = user;

    gpx->depth++;
    if (gpx->depth == 1) {
        gpx->is_gpx = is_element(name, "gpx");
    } else if (gpx->point_depth == 0 && is_element(name, "trkpt")) {
        gpx->point_depth = gpx->depth;
        copy_or_empty(gpx->point.lat, sizeof gpx->point.lat, attribute(attributes, "lat"));
        copy_or_empty(gpx->point.lon, sizeof gpx->point.lon, attribute(attributes, "lon"));
        gpx->time_bytes = 0;
    } else if (gpx->point_depth != 0) {
        /* Only the point's own time: extensions may hold elements of the same name. */
        gpx->in_time = gpx->depth == gpx->point_depth + 1 && is_element(name, "time");
    } else if (is_element(name, "rtept") || is_element(name, "wpt")) {
        gpx->other_points++;
    }
}

static void on_text(void *user, const XML_Char *text, int bytes)
{
    struct gpx *gpx = user;

    if (!gpx->in_time) {
        return;
    }
    for (int i = 0; i < bytes && gpx->time_bytes < sizeof gpx->point.time; i++) {
        gpx->point.time[gpx->time_bytes++] = text[i];
    }
}

static void on_end(void *user, const XML_Char *name)
{
    struct gpx *gpx = user;

    (void)name;
    if (gpx->point_depth != 0 && gpx->depth == gpx->point_depth) {
        if (gpx->time_bytes < sizeof gpx->point.time) {
            gpx->point.time[gpx->time_bytes] = '\0';
        } else {
            /* Cut, it could read as another time: nothing of it is kept but that there was one. */
            (void)snprintf(gpx->point.time, sizeof gpx->point.time, "too long");
        }
        gpx->point_depth = 0;
        gpx->complete = true;
        (void)XML_StopParser(gpx->parser, XML_TRUE);
    }
    gpx->in_time = false;
    gpx->depth--;
}

struct gpx *gpx_open(const char *path)
{
    struct gpx *gpx = calloc(1, sizeof *gpx);

    if (gpx == NULL) {
        say_error("out of memory");
        return NULL;
    }
    gpx->path = path;
    gpx->file = fopen(path, "r");
    gpx->parser = XML_ParserCreate(NULL);
    if (gpx->file == NULL || gpx->parser == NULL) {
        say_error("cannot read the track %s: %s", path, strerror(errno));
        gpx_close(gpx);
        return NULL;
    }
    XML_SetUserData(gpx->parser, gpx);
    XML_SetElementHandler(gpx->parser, on_start, on_end);
    XML_SetCharacterDataHandler(gpx->parser, on_text);
    return gpx;
}

/* Lets the parser run until the next point or the end of a chunk. */
static enum XML_Status parse_some(struct gpx *gpx)
{
    if (gpx->suspended) {
        return XML_ResumeParser(gpx->parser);
    }
    void *chunk = XML_GetBuffer(gpx->parser, CHUNK_BYTES);
    if (chunk == NULL) {
        return XML_STATUS_ERROR;
    }
    size_t bytes = fread(chunk, 1, CHUNK_BYTES, gpx->file);
    gpx->ended = bytes < CHUNK_BYTES;
    return XML_ParseBuffer(gpx->parser, (int)bytes, gpx->ended ? XML_TRUE : XML_FALSE);
}

int gpx_next(struct gpx *gpx, struct gpx_point *point)
{
    while (!gpx->complete) {
        if (gpx->ended && !gpx->suspended) {
            return 0;
        }
        enum XML_Status status = parse_some(gpx);
        gpx->suspended = status == XML_STATUS_SUSPENDED;
        if (ferror(gpx->file)) {
            say_error("cannot read the track %s: %s", gpx->path, strerror(errno));
            return -1;
        }
        if (status == XML_STATUS_ERROR) {
            say_error("%s:%lu: not well-formed XML: %s; is it a GPX track, and a whole one?",
                      gpx->path, (unsigned long)XML_GetCurrentLineNumber(gpx->parser),
                      XML_ErrorString(XML_GetErrorCode(gpx->parser)));
            return -1;
        }
    }
    *point = gpx->point;
    gpx->complete = false;
    return 1;
}

size_t gpx_other_points(const struct gpx *gpx)
{
    return gpx->other_points;
}

bool gpx_is_gpx(const struct gpx *gpx)
{
    return gpx->is_gpx;
}

void gpx_close(struct gpx *gpx)
{
    if (gpx->parser != NULL) {
        XML_ParserFree(gpx->parser);
    }
    if (gpx->file != NULL) {
        (void)fclose(gpx->file);
    }
    free(gpx);
}
