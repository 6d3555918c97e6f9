/* iamat and whatsat: one command, one answer. */
#include "herdctl.h"
#include "say.h"
#include "text.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Prints an answer; false when it can not be written (a full disk, a closed pipe). */
static bool print(const char *text, size_t bytes)
{
    return fwrite(text, 1, bytes, stdout) == bytes && putchar('\n') != EOF;
}

/* What an answer's first line means: printed, and judged. */
static enum herdctl_exit judge(const struct wire *wire, const char *line, size_t bytes,
                               const char *advice)
{
    if (!print(line, bytes)) {
        return HERDCTL_USAGE;
    }
    if (bytes > 3 && strncmp(line, "AT ", 3) == 0) {
        return HERDCTL_OK;
    }
    if (bytes >= 1 && line[0] == '?') {
        say_error("%s refused the command; %s", wire->node->name, advice);
    } else {
        say_error("%s did not answer as a node of herd does; is this the right port?",
                  wire->node->name);
    }
    return HERDCTL_REFUSED;
}

/* Takes one piece of the answer within the time-out, or says why there is none. */
static bool take(struct wire *wire, const char *mark, const char **answer, size_t *bytes)
{
    enum wire_result result =
        wire_take(wire, mark, wire_now_ms() + wire->node->timeout_ms, answer, bytes);
    if (result == WIRE_LATER) {
        wire_say_late(wire);
    }
    return result == WIRE_OK;
}

/* Sends `line` and prints the answer: an AT line and, with `with_places`, the JSON after it. */
static enum herdctl_exit ask(const struct herdctl_node *node, const char *line, bool with_places,
                             const char *advice)
{
    struct wire wire;
    const char *answer;
    size_t bytes;
    enum herdctl_exit result = HERDCTL_NETWORK;

    if (!wire_open(&wire, node)) {
        return HERDCTL_NETWORK;
    }
    if (wire_send(&wire, line, strlen(line)) && take(&wire, "\n", &answer, &bytes)) {
        result = judge(&wire, answer, bytes, advice);
        if (result == HERDCTL_OK && with_places) {
            /* Two newlines end the answer and stand nowhere else in it (protocol, section 3). */
            if (!take(&wire, "\n\n", &answer, &bytes)) {
                result = HERDCTL_NETWORK;
            } else if (!print(answer, bytes)) {
                result = HERDCTL_USAGE;
            }
        }
    }
    wire_close(&wire);
    return result;
}

enum herdctl_exit command_iamat(const struct herdctl_node *node, const char *id, const char *lat,
                                const char *lon, const char *time)
{
    char location[TEXT_LOCATION_BYTES];
    char now[32];
    char *line = NULL;

    if (!text_location(lat, lon, location)) {
        say_error("'%s %s' is no place; it takes decimal degrees, LAT up to 90 and LON up to 180 "
                  "with - for south and west, such as 34.068930 -118.445127",
                  lat, lon);
        return HERDCTL_USAGE;
    }
    if (time == NULL) {
        struct timespec clock;
        (void)clock_gettime(CLOCK_REALTIME, &clock);
        (void)snprintf(now, sizeof now, "%lld.%09ld", (long long)clock.tv_sec, clock.tv_nsec);
        time = now;
    }
    if (!text_is_time(time)) {
        say_error("'%s' is no time; --time takes seconds since 1970 such as 1621464827.959, at "
                  "most 9223372036",
                  time);
        return HERDCTL_USAGE;
    }
    size_t report_bytes = strlen(id) + strlen(location) + strlen(time);
    if (node->report_bytes > 0 && report_bytes > node->report_bytes) {
        say_error("ID, place and time are %zu bytes; this herd takes %zu (report_bytes in the herd "
                  "file)",
                  report_bytes, node->report_bytes);
        return HERDCTL_USAGE;
    }
    if (asprintf(&line, "IAMAT %s %s %s\n", id, location, time) < 0) {
        say_error("out of memory");
        return HERDCTL_USAGE;
    }
    enum herdctl_exit result =
        ask(node, line, false, "is ID, place and time longer than its report_bytes?");
    free(line);
    return result;
}

enum herdctl_exit command_whatsat(const struct herdctl_node *node, const char *id,
                                  const char *radius_km, const char *bound)
{
    char *line = NULL;

    if (!text_is_number(radius_km) || text_compare(radius_km, "50") > 0) {
        say_error("'%s' is no radius; KM is 0 to 50 kilometres, decimals allowed", radius_km);
        return HERDCTL_USAGE;
    }
    if (!text_is_number(bound) || strchr(bound, '.') != NULL || text_compare(bound, "20") > 0) {
        say_error("'%s' is no number of places; N is a whole number, 0 to 20", bound);
        return HERDCTL_USAGE;
    }
    if (asprintf(&line, "WHATSAT %s %s %s\n", id, radius_km, bound) < 0) {
        say_error("out of memory");
        return HERDCTL_USAGE;
    }
    enum herdctl_exit result =
        ask(node, line, true, "no report of this ID has reached it (herdctl iamat sends one)");
    free(line);
    return result;
}
