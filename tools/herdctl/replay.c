/*
 * replay: a recorded track becomes reports. One connection, up to WINDOW commands on their way, so
 * that the speed is that of the node and not of the round trip, and a node that stops answering
 * is noticed after its time-out.
 */
#include "answer.h"
#include "gpx.h"
#include "herdctl.h"
#include "report.h"
#include "say.h"
#include "stamp.h"
#include "text.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Commands sent and not yet answered. Both directions of a full window fit any socket buffer, so
 * a send that waits for room cannot wait for answers that nobody reads. */
#define WINDOW           64
#define BATCH_BYTES      4096
#define PROGRESS_MS      100
#define REFUSALS_SHOWN   3
#define SHOWN_BYTES      400
#define NANOS_PER_SECOND 1000000000LL

struct run {
    const struct herdctl_replay *replay;
    struct wire wire;
    char batch[BATCH_BYTES]; /* lines not yet sent */
    size_t batch_bytes;
    size_t sent; /* lines handed over, counting those in `batch` */
    size_t answered;
    size_t refused;
    size_t untimed;    /* points without a time */
    size_t bad_place;  /* points whose lat or lon is no coordinate */
    size_t bad_time;   /* points whose time cannot be read or carried */
    char *last_answer; /* the last AT line, NULL before the first */
    size_t last_bytes;
    bool started;        /* the first point has been seen: the three below are set */
    int64_t first_nanos; /* its recorded time */
    int64_t now_nanos;   /* the clock at that moment */
    int64_t start_ms;    /* the monotonic clock at that moment */
    int64_t begin_ms;    /* when the replay began, for the rate */
    int64_t progress_ms; /* when progress was last shown */
    int64_t waiting_ms;  /* since when the oldest answer has been waited for */
    bool show_progress;
};

static size_t outstanding(const struct run *run)
{
    return run->sent - run->answered - run->refused;
}

static void show_progress(struct run *run, bool last)
{
    int64_t now_ms = wire_now_ms();

    if (!run->show_progress || (!last && now_ms - run->progress_ms < PROGRESS_MS)) {
        return;
    }
    run->progress_ms = now_ms;
    double seconds = (double)(now_ms - run->begin_ms) / 1000.0;
    double rate = seconds > 0.0 ? (double)run->answered / seconds : 0.0;
    (void)fprintf(stderr, "\r%zu sent, %zu answered, %.0f/s, %.1f s \033[K%s", run->sent,
                  run->answered, rate, seconds, last ? "\n" : "");
}

static bool flush(struct run *run)
{
    bool sent = run->batch_bytes == 0 || wire_send(&run->wire, run->batch, run->batch_bytes);

    run->batch_bytes = 0;
    return sent;
}

static bool count_answer(struct run *run, const char *line, size_t bytes)
{
    char shown[SHOWN_BYTES];
    struct answer answer;
    bool refused = bytes >= 1 && line[0] == '?';

    if (outstanding(run) == 0 || (!refused && !answer_read(line, bytes, &answer))) {
        text_printable(line, bytes, shown, 80);
        say_error("%s does not answer as a node of herd does (%s); is this its port for clients?",
                  run->wire.node->name, shown);
        run->wire.fault = HERDCTL_REFUSED;
        return false;
    }
    if (refused) {
        run->refused++;
        if (run->refused <= REFUSALS_SHOWN) {
            text_printable(line, bytes, shown, sizeof shown);
            say_error("refused: %s", shown);
        }
        return true;
    }
    run->answered++;
    free(run->last_answer);
    run->last_answer = malloc(bytes + 1);
    run->last_bytes = bytes;
    if (run->last_answer == NULL) {
        say_error("out of memory");
        run->wire.fault = HERDCTL_LOCAL;
        return false;
    }
    memcpy(run->last_answer, line, bytes);
    return true;
}

/* Takes one answer, or returns WIRE_LATER at `until_ms`; a node that is silent for its whole
 * time-out is a failure. */
static enum wire_result take_answer(struct run *run, int64_t until_ms)
{
    const char *line;
    size_t bytes;
    int64_t late_ms = run->waiting_ms + run->wire.node->timeout_ms;
    bool may_be_late = outstanding(run) > 0 && late_ms < until_ms;

    enum wire_result result =
        wire_take(&run->wire, "\n", may_be_late ? late_ms : until_ms, &line, &bytes);
    if (result == WIRE_LATER && may_be_late) {
        wire_say_late(&run->wire);
        return WIRE_FAILED;
    }
    if (result == WIRE_OK) {
        run->waiting_ms = wire_now_ms();
        if (!count_answer(run, line, bytes)) {
            return WIRE_FAILED;
        }
    }
    show_progress(run, false);
    return result;
}

/* Sends what is collected and takes answers until at most `most` are missing. */
static bool settle(struct run *run, size_t most)
{
    if (!flush(run)) {
        return false;
    }
    while (outstanding(run) > most || wire_has_line(&run->wire)) {
        if (take_answer(run, INT64_MAX) != WIRE_OK) {
            return false;
        }
    }
    return true;
}

/* Waits until the monotonic clock shows `due_ms`, taking answers meanwhile. */
static bool wait_until(struct run *run, int64_t due_ms)
{
    if (wire_now_ms() >= due_ms) {
        return true;
    }
    if (!flush(run)) {
        return false;
    }
    while (wire_now_ms() < due_ms) {
        int64_t next_ms = wire_now_ms() + PROGRESS_MS;
        if (take_answer(run, next_ms < due_ms ? next_ms : due_ms) == WIRE_FAILED) {
            return false;
        }
    }
    return true;
}

/* Sets when the point is due, and its stamp as it will be sent. False: it cannot be carried. */
static bool place_in_time(struct run *run, struct stamp *stamp, int64_t *due_ms)
{
    if (!run->started) {
        struct timespec clock;
        (void)clock_gettime(CLOCK_REALTIME, &clock);
        run->started = true;
        run->now_nanos = (int64_t)clock.tv_sec * NANOS_PER_SECOND + clock.tv_nsec;
        run->start_ms = wire_now_ms();
        run->first_nanos = stamp->nanos;
    }
    int64_t since_nanos = stamp->nanos - run->first_nanos; /* both >= 0: no overflow */
    *due_ms = run->start_ms;
    if (run->replay->speed > 0.0) {
        double paced_nanos = (double)since_nanos / run->replay->speed;
        if (paced_nanos > 9.0e18 || paced_nanos < -9.0e18) {
            return false;
        }
        since_nanos = (int64_t)paced_nanos;
        *due_ms += since_nanos / 1000000;
    }
    if (run->replay->now) {
        int64_t shifted_nanos;
        if (__builtin_add_overflow(run->now_nanos, since_nanos, &shifted_nanos) ||
            shifted_nanos < 0) {
            return false;
        }
        stamp_set(shifted_nanos, stamp);
    }
    return true;
}

static bool send_point(struct run *run, const struct gpx_point *point)
{
    char location[TEXT_LOCATION_BYTES];
    struct stamp stamp;
    int64_t due_ms;

    if (point->time[0] == '\0') {
        run->untimed++;
        return true;
    }
    if (!text_location(point->lat, point->lon, location)) {
        run->bad_place++;
        return true;
    }
    if (!stamp_read(point->time, &stamp) || !place_in_time(run, &stamp, &due_ms)) {
        run->bad_time++;
        return true;
    }
    if (!wait_until(run, due_ms)) {
        return false;
    }
    size_t bytes_max = strlen(run->replay->id) + sizeof location + sizeof stamp.text + 16;
    if ((outstanding(run) >= WINDOW && !settle(run, WINDOW - 1)) ||
        (run->batch_bytes + bytes_max > sizeof run->batch && !flush(run))) {
        return false;
    }
    if (outstanding(run) == 0) {
        run->waiting_ms = wire_now_ms();
    }
    run->batch_bytes +=
        (size_t)snprintf(run->batch + run->batch_bytes, sizeof run->batch - run->batch_bytes,
                         "IAMAT %s %s %s\n", run->replay->id, location, stamp.text);
    run->sent++;
    show_progress(run, false);
    return true;
}

static void report_summary(const struct run *run)
{
    struct answer last;
    bool has_last =
        run->last_answer != NULL && answer_read(run->last_answer, run->last_bytes, &last);

    report_add_count("sent", run->sent);
    report_add_count("answered", run->answered);
    report_add_count("refused", run->refused);
    report_add_count("without_time", run->untimed);
    report_add_count("unusable_position", run->bad_place);
    report_add_count("unusable_time", run->bad_time);
    report_add_seconds("seconds", wire_now_ms() - run->begin_ms);
    report_add_answer("last", has_last ? &last : NULL);
}

static void print_summary(struct run *run)
{
    show_progress(run, true);
    if (report_is_json()) {
        report_summary(run);
        return;
    }
    (void)printf("%zu sent, %zu answered, %zu without time skipped", run->sent, run->answered,
                 run->untimed);
    if (run->refused > 0) {
        (void)printf(", %zu refused", run->refused);
    }
    if (run->bad_place > 0) {
        (void)printf(", %zu without a usable position skipped", run->bad_place);
    }
    if (run->bad_time > 0) {
        (void)printf(", %zu with an unusable time skipped", run->bad_time);
    }
    (void)printf("\n");
    if (run->last_answer != NULL) {
        (void)fwrite(run->last_answer, 1, run->last_bytes, stdout);
        (void)putchar('\n');
    }
}

/* Says why a track gave nothing to send. */
static void say_nothing_sent(const struct run *run, const struct gpx *gpx)
{
    size_t points = run->untimed + run->bad_place + run->bad_time;
    const char *path = run->replay->path;

    if (!gpx_is_gpx(gpx)) {
        say_error("%s is XML, but not GPX; replay takes GPX tracks", path);
    } else if (points == 0) {
        say_error("%s has no track points (trkpt); its %zu route points and waypoints are no "
                  "recorded positions and are not sent",
                  path, gpx_other_points(gpx));
    } else if (run->untimed == points) {
        say_error("none of the %zu track points of %s has a time; replay takes a track as a device "
                  "recorded it, and planned or cleaned ones have lost their times",
                  points, path);
    } else {
        say_error("none of the %zu track points of %s can be sent: %zu have no time, %zu a time "
                  "that is not like 2010-10-03T10:18:24Z, %zu no position in decimal degrees",
                  points, path, run->untimed, run->bad_time, run->bad_place);
    }
}

/* Sends the whole track over the open connection. */
static enum herdctl_exit run_track(struct run *run, struct gpx *gpx)
{
    struct gpx_point point;
    bool connected = true;
    int more;

    while ((more = gpx_next(gpx, &point)) == 1) {
        if (!send_point(run, &point)) {
            connected = false;
            break;
        }
    }
    /* A track that breaks off has been sent as far as it went: its answers still count. */
    connected = connected && settle(run, 0);
    print_summary(run);
    if (!connected) {
        return run->wire.fault;
    }
    if (more < 0) {
        return HERDCTL_USAGE;
    }
    if (run->sent == 0) {
        say_nothing_sent(run, gpx);
        return HERDCTL_USAGE;
    }
    if (run->refused > 0) {
        say_error("%s refused %zu of %zu reports; are ID, place and time together longer than its "
                  "report_bytes (herd file)?",
                  run->wire.node->name, run->refused, run->sent);
        return HERDCTL_REFUSED;
    }
    return HERDCTL_OK;
}

enum herdctl_exit replay_track(const struct herdctl_node *node, const struct herdctl_replay *replay)
{
    static struct run run; /* static for its size: there is one replay per program */
    struct gpx *gpx = gpx_open(replay->path);

    if (gpx == NULL) {
        return HERDCTL_USAGE;
    }
    run.replay = replay;
    run.show_progress = isatty(STDERR_FILENO) == 1 && !report_is_json();
    run.begin_ms = wire_now_ms();
    if (!wire_open(&run.wire, node)) {
        gpx_close(gpx);
        return run.wire.fault;
    }
    enum herdctl_exit result = run_track(&run, gpx);
    wire_close(&run.wire);
    gpx_close(gpx);
    free(run.last_answer);
    return result;
}
