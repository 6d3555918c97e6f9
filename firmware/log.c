#include "log.h"

#include <string.h>

#include "cfg.h"
#include "hal_clock.h"
#include "hal_console.h"
#include "sched.h"
#include "when.h"

#define VALUE_BYTES_MAX 200 /* of a value from outside, before escaping */
#define RETRY_MS        20  /* until a busy console is asked again */

struct log_line {
    struct text text;
    bool open;
};

struct event {
    const char *name;
    enum log_level level;
};

#define EVENT_ROW(event, level, name) {name, level},
static const struct event events[LOG_EVENT_COUNT] = {LOG_EVENTS(EVENT_ROW)};
#undef EVENT_ROW

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static enum log_level threshold = LOG_INFO;
static struct log_line line;
static char line_buffer[CFG_LOG_LINE_BYTES];

static char ring[CFG_LOG_RING_BYTES];
static size_t ring_head; /* next byte to write */
static size_t ring_used;
static uint32_t dropped;
static uint32_t dropped_told;

static void drain(void);
static struct sched_task task = {.name = "log", .run = drain};

void log_init(enum log_level level)
{
    threshold = level;
    line.open = false;
    ring_head = 0;
    ring_used = 0;
    dropped = 0;
    dropped_told = 0;
    sched_add(&task);
}

void log_set_level(enum log_level level)
{
    threshold = level;
}

enum log_level log_get_level(void)
{
    return threshold;
}

int log_parse_level(struct span name, enum log_level *out)
{
    for (unsigned i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (span_equal(name, span_of(level_names[i]))) {
            *out = (enum log_level)i;
            return HERD_OK;
        }
    }
    return HERD_E_SYNTAX;
}

static void ring_put(const char *data, size_t bytes)
{
    size_t first = CFG_LOG_RING_BYTES - ring_head;
    if (first > bytes) {
        first = bytes;
    }
    memcpy(ring + ring_head, data, first);
    memcpy(ring, data + first, bytes - first);
    ring_head = (ring_head + bytes) % CFG_LOG_RING_BYTES;
    ring_used += bytes;
}

struct log_line *log_begin(enum log_event event)
{
    HERD_ASSERT(!line.open);
    if (events[event].level > threshold) {
        return NULL;
    }
    line.open = true;
    /* One byte is kept for the newline, whatever is cut. */
    text_init(&line.text, line_buffer, sizeof line_buffer - 1);
    int64_t now_ns = 0;
    if (!hal_clock_wall_ns(&now_ns)) {
        now_ns = (int64_t)hal_clock_ms() * WHEN_NS_PER_MS; /* shown as 1970: time since start */
    }
    when_format_utc(&line.text, now_ns);
    text_char(&line.text, ' ');
    text_str(&line.text, level_names[events[event].level]);
    text_char(&line.text, ' ');
    text_str(&line.text, events[event].name);
    return &line;
}

static struct text *begin_value(struct log_line *l, const char *key)
{
    text_char(&l->text, ' ');
    text_str(&l->text, key);
    text_char(&l->text, '=');
    return &l->text;
}

void log_str(struct log_line *l, const char *key, const char *value)
{
    if (l != NULL) {
        struct text *t = begin_value(l, key);
        const char *quote = strchr(value, ' ') == NULL ? "" : "\"";
        text_str(t, quote);
        text_str(t, value);
        text_str(t, quote);
    }
}

void log_span(struct log_line *l, const char *key, struct span value)
{
    if (l != NULL) {
        struct text *t = begin_value(l, key);
        text_char(t, '"');
        text_escaped(t, value, VALUE_BYTES_MAX);
        text_char(t, '"');
    }
}

void log_u64(struct log_line *l, const char *key, uint64_t value)
{
    if (l != NULL) {
        text_u64(begin_value(l, key), value);
    }
}

void log_i64(struct log_line *l, const char *key, int64_t value)
{
    if (l != NULL) {
        text_i64(begin_value(l, key), value);
    }
}

void log_address(struct log_line *l, const char *key, uint32_t address)
{
    if (l != NULL) {
        struct text *t = begin_value(l, key);
        for (int shift = 24; shift >= 0; shift -= 8) {
            text_u64(t, (address >> shift) & 0xFFu);
            text_str(t, shift > 0 ? "." : "");
        }
    }
}

void log_ip4(struct log_line *l, const char *key, uint32_t address, uint16_t port)
{
    log_address(l, key, address);
    if (l != NULL) {
        text_char(&l->text, ':');
        text_u64(&l->text, port);
    }
}

void log_end(struct log_line *l)
{
    if (l == NULL) {
        return;
    }
    HERD_ASSERT(l->open);
    l->open = false;
    size_t bytes = l->text.bytes;
    line_buffer[bytes++] = '\n';
    if (bytes > CFG_LOG_RING_BYTES - ring_used) {
        dropped++;
        return;
    }
    ring_put(line_buffer, bytes);
    sched_wake(&task);
}

uint32_t log_dropped(void)
{
    return dropped;
}

void log_flush(void)
{
    while (ring_used > 0) {
        size_t tail = (ring_head + CFG_LOG_RING_BYTES - ring_used) % CFG_LOG_RING_BYTES;
        size_t chunk = CFG_LOG_RING_BYTES - tail;
        if (chunk > ring_used) {
            chunk = ring_used;
        }
        size_t taken = hal_console_write(ring + tail, chunk);
        HERD_ASSERT(taken <= chunk);
        if (taken == 0) {
            return;
        }
        ring_used -= taken;
    }
}

static void drain(void)
{
    log_flush();
    if (ring_used > 0) {
        sched_at(&task, sched_now_ms() + RETRY_MS);
    } else if (dropped != dropped_told) {
        struct log_line *l = log_begin(EV_LOG_DROPPED);
        log_u64(l, "lines", dropped - dropped_told);
        dropped_told = dropped;
        log_end(l);
    }
}
