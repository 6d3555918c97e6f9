/* iamat and whatsat: one command, one answer. */
#include "answer.h"
#include "herdctl.h"
#include "json.h"
#include "report.h"
#include "say.h"
#include "text.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Prints a piece of the answer for people; whether stdout took it is seen at the end of the run. */
static void print(const char *text, size_t bytes)
{
    if (!report_is_json()) {
        (void)fwrite(text, 1, bytes, stdout);
        (void)putchar('\n');
    }
}

/* What an answer's first line means: printed, and judged. */
static enum herdctl_exit judge(const struct wire *wire, const char *line, size_t bytes,
                               const char *advice)
{
    struct answer answer;

    print(line, bytes);
    if (answer_read(line, bytes, &answer)) {
        report_add_answer(NULL, &answer);
        return HERDCTL_OK;
    }
    report_add_text("answer", line, bytes);
    if (bytes >= 1 && line[0] == '?') {
        say_error("%s refused the command; %s", wire->node->name, advice);
    } else {
        say_error("%s did not answer as a node of herd does; is this its port for clients?",
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

/* Takes the JSON after the AT line. Two newlines end it and stand nowhere else in it (protocol,
 * section 3). */
static enum herdctl_exit take_places(struct wire *wire)
{
    const char *places;
    size_t bytes;

    if (!take(wire, "\n\n", &places, &bytes)) {
        return wire->fault;
    }
    print(places, bytes);
    if (!json_is_object(places, bytes)) {
        say_error("the places that %s answered are not JSON; is it a node of herd?",
                  wire->node->name);
        return HERDCTL_REFUSED;
    }
    report_add_json("places", places, bytes);
    return HERDCTL_OK;
}

/* Sends `line` and shows the answer: an AT line and, with `with_places`, the JSON after it. */
static enum herdctl_exit ask(const struct herdctl_node *node, const char *line, bool with_places,
                             const char *advice)
{
    struct wire wire;
    const char *answer;
    size_t bytes;

    if (!wire_open(&wire, node)) {
        return wire.fault;
    }
    enum herdctl_exit result = HERDCTL_OK;
    if (!wire_send(&wire, line, strlen(line)) || !take(&wire, "\n", &answer, &bytes)) {
        result = wire.fault;
    } else {
        result = judge(&wire, answer, bytes, advice);
        if (result == HERDCTL_OK && with_places) {
            result = take_places(&wire);
        }
    }
    wire_close(&wire);
    return result;
}

/* Sends a line that asprintf() has made (NULL where it could not), and frees it. */
static enum herdctl_exit ask_and_free(const struct herdctl_node *node, char *line, bool with_places,
                                      const char *advice)
{
    if (line == NULL) {
        say_error("out of memory");
        return HERDCTL_LOCAL;
    }
    enum herdctl_exit result = ask(node, line, with_places, advice);
    free(line);
    return result;
}

/* Joins the coordinates, or says which of them is wrong and what would be right. */
static bool join_place(const char *lat, const char *lon, char location[TEXT_LOCATION_BYTES])
{
    bool lat_is_right = text_is_coordinate(lat, "90");

    if (!lat_is_right && text_is_coordinate(lat, "180") && text_is_coordinate(lon, "90")) {
        say_error("LAT is '%s', beyond 90 degrees; LAT goes before LON, as decimal degrees: "
                  "34.068930 -118.445127",
                  lat);
    } else if (!lat_is_right) {
        say_error("LAT is '%s'; it takes decimal degrees from -90 (south) to 90 (north), such as "
                  "34.068930",
                  lat);
    } else if (!text_is_coordinate(lon, "180")) {
        say_error("LON is '%s'; it takes decimal degrees from -180 (west) to 180 (east), such as "
                  "-118.445127",
                  lon);
    } else if (!text_location(lat, lon, location)) {
        say_error("LAT and LON are %zu characters; together they take at most %d",
                  strlen(lat) + strlen(lon), TEXT_LOCATION_BYTES - 3);
    } else {
        return true;
    }
    return false;
}

enum herdctl_exit command_iamat(const struct herdctl_node *node, const char *id, const char *lat,
                                const char *lon, const char *time)
{
    char location[TEXT_LOCATION_BYTES];
    char now[32];
    char *line = NULL;

    if (!join_place(lat, lon, location)) {
        return HERDCTL_USAGE;
    }
    if (time == NULL) {
        struct timespec clock;
        (void)clock_gettime(CLOCK_REALTIME, &clock);
        (void)snprintf(now, sizeof now, "%lld.%09ld", (long long)clock.tv_sec, clock.tv_nsec);
        time = now;
    }
    if (!text_is_time(time)) {
        say_error(
            "--time is '%s'; it takes seconds since 1970 such as 1621464827.959 (date +%%s.%%N "
            "prints them), at most 9223372036",
            time);
        return HERDCTL_USAGE;
    }
    size_t report_bytes = strlen(id) + strlen(location) + strlen(time);
    if (node->report_bytes > 0 && report_bytes > node->report_bytes) {
        say_error("ID, place and time are %zu bytes; this herd takes %zu (report_bytes in %s); a "
                  "shorter ID or fewer decimals fit",
                  report_bytes, node->report_bytes, node->herd_file);
        return HERDCTL_USAGE;
    }
    if (asprintf(&line, "IAMAT %s %s %s\n", id, location, time) < 0) {
        line = NULL;
    }
    return ask_and_free(node, line, false,
                        "are ID, place and time together longer than its report_bytes (herd "
                        "file)?");
}

enum herdctl_exit command_whatsat(const struct herdctl_node *node, const char *id,
                                  const char *radius_km, const char *bound)
{
    char *line = NULL;

    if (!text_is_number(radius_km) || text_compare(radius_km, "50") > 0) {
        say_error("KM is '%s'; it takes kilometres from 0 to 50 such as 10 or 0.5", radius_km);
        return HERDCTL_USAGE;
    }
    if (!text_is_number(bound) || strchr(bound, '.') != NULL || text_compare(bound, "20") > 0) {
        say_error("N is '%s'; it takes a whole number of places from 0 to 20", bound);
        return HERDCTL_USAGE;
    }
    if (asprintf(&line, "WHATSAT %s %s %s\n", id, radius_km, bound) < 0) {
        line = NULL;
    }
    return ask_and_free(node, line, true,
                        "no report of this ID has reached it (herdctl iamat sends one)");
}
