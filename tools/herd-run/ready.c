#include "ready.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void ready_init(struct ready *ready, const struct herdfile *herd)
{
    memset(ready, 0, sizeof *ready);
    ready->herd = herd;
}

/* The third word of `time level event key=value ...`; NULL when there is none. */
static const char *find_event(const char *line)
{
    for (int word = 0; word < 2; word++) {
        line += strcspn(line, " ");
        line += strspn(line, " ");
    }
    return *line != '\0' ? line : NULL;
}

static bool event_is(const char *event, const char *name)
{
    size_t bytes = strlen(name);

    return strncmp(event, name, bytes) == 0 && (event[bytes] == ' ' || event[bytes] == '\0');
}

/* True when the event has peer=NAME. Names hold no blanks and no quotes: no unescaping is due. */
static bool peer_is(const char *event, const char *name)
{
    static const char key[] = " peer=";
    const char *peer = strstr(event, key);
    size_t bytes = strlen(name);

    if (peer == NULL) {
        return false;
    }
    peer += sizeof key - 1;
    return strncmp(peer, name, bytes) == 0 && (peer[bytes] == ' ' || peer[bytes] == '\0');
}

static void set_link(struct ready *ready, size_t node, const char *event, bool up)
{
    const struct herdfile *herd = ready->herd;

    for (size_t i = 0; i < herd->link_count; i++) {
        const size_t *ends = herd->links[i].ends;
        for (size_t end = 0; end < 2; end++) {
            if (ends[end] == node && peer_is(event, herd->nodes[ends[1 - end]].name)) {
                ready->link_up[i][end] = up;
            }
        }
    }
}

void ready_line(struct ready *ready, size_t node, const char *line)
{
    const char *event = find_event(line);

    if (event == NULL) {
        return;
    }
    if (event_is(event, "node.ready")) {
        ready->node_up[node] = true;
    } else if (event_is(event, "link.up")) {
        set_link(ready, node, event, true);
    } else if (event_is(event, "link.down")) {
        set_link(ready, node, event, false);
    }
}

void ready_ended(struct ready *ready, size_t node)
{
    ready->node_up[node] = false;
    for (size_t i = 0; i < ready->herd->link_count; i++) {
        for (size_t end = 0; end < 2; end++) {
            if (ready->herd->links[i].ends[end] == node) {
                ready->link_up[i][end] = false;
            }
        }
    }
}

bool ready_complete(const struct ready *ready)
{
    for (size_t i = 0; i < ready->herd->node_count; i++) {
        if (!ready->node_up[i]) {
            return false;
        }
    }
    for (size_t i = 0; i < ready->herd->link_count; i++) {
        if (!ready->link_up[i][0] || !ready->link_up[i][1]) {
            return false;
        }
    }
    return true;
}

static void append(char *text, size_t bytes, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void append(char *text, size_t bytes, const char *format, ...)
{
    size_t used = strlen(text);
    va_list values;

    va_start(values, format);
    (void)vsnprintf(text + used, bytes - used, format, values);
    va_end(values);
}

void ready_missing(const struct ready *ready, char *text, size_t bytes)
{
    const struct herdfile *herd = ready->herd;

    text[0] = '\0';
    for (size_t i = 0; i < herd->node_count; i++) {
        if (!ready->node_up[i]) {
            append(text, bytes, "%s%s", text[0] != '\0' ? "; " : "", herd->nodes[i].name);
        }
    }
    for (size_t i = 0; i < herd->link_count; i++) {
        const size_t *ends = herd->links[i].ends;
        for (size_t end = 0; end < 2; end++) {
            /* A link of a node that is missing itself is no news. */
            if (!ready->link_up[i][end] && ready->node_up[ends[0]] && ready->node_up[ends[1]]) {
                append(text, bytes, "%sthe link %s-%s at %s", text[0] != '\0' ? "; " : "",
                       herd->nodes[ends[0]].name, herd->nodes[ends[1]].name,
                       herd->nodes[ends[end]].name);
            }
        }
    }
}
