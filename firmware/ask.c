#include "ask.h"

#include <string.h>

#include "links.h"
#include "log.h"

#define TRIES       2 /* neighbours that one query may ask */
#define WORDS_BYTES (PROTO_SERVER_BYTES_MAX + 56)

enum state {
    IDLE,
    TO_SEND, /* when the link has room */
    WAITING, /* for the next piece */
    ENDED    /* the outcome is there */
};

static const struct config *config;
static struct sched_task *owner;
static struct ask_stats stats;

/* The one query. */
static enum state state;
static unsigned link; /* TO_SEND, WAITING: who is asked */
static unsigned tries;
static uint64_t deadline_ms;
static struct frames_ask question; /* its id is that of the last ASK */
static struct text answer;         /* in the caller's buffer */
static bool failure;               /* the answer is one */
static struct places_outcome outcome;
static char words[WORDS_BYTES]; /* of the outcome */

static const char *peer_name(unsigned i)
{
    return config->nodes[config->neighbours[i]].name;
}

/* --- Ends ----------------------------------------------------------------------------------- */

static void end(const struct places_outcome *o)
{
    state = ENDED;
    outcome = *o;
    sched_wake(owner);
}

static struct places_outcome failed(const char *before, const char *name, const char *after)
{
    struct text t;

    text_init(&t, words, sizeof words);
    text_str(&t, before);
    text_str(&t, name);
    text_str(&t, after);
    HERD_ASSERT(!t.cut);
    return (struct places_outcome){.status = SPAN_LIT("UNKNOWN_ERROR"), .message = text_span(&t)};
}

static void fail(const char *before, const char *name, const char *after)
{
    struct places_outcome o = failed(before, name, after);
    end(&o);
}

/* --- Whom to ask ---------------------------------------------------------------------------- */

static bool choose(void)
{
    for (unsigned i = 0; i < config->neighbour_count; i++) {
        if (links_offers_ask(i)) {
            link = i;
            return true;
        }
    }
    return false;
}

/* A new id: pieces of what was asked before are nobody's. */
static void ask_link(void)
{
    question.id++;
    answer.bytes = 0;
    failure = false;
    state = TO_SEND;
    links_wake();
}

static int backend_start(const struct places_query *query, uint64_t given_deadline_ms, char *buffer,
                         size_t capacity, struct places_outcome *out)
{
    HERD_ASSERT(state == IDLE);
    if (!choose()) {
        *out = failed("no neighbour with an upstream is reachable", "", "");
        return HERD_E_NETWORK;
    }
    question = (struct frames_ask){.id = question.id,
                                   .at = query->at,
                                   .radius_mm = query->radius_mm,
                                   .bound = (uint8_t)query->bound,
                                   .bytes_max = (uint32_t)capacity};
    text_init(&answer, buffer, capacity);
    deadline_ms = given_deadline_ms;
    tries = 1;
    ask_link();
    return HERD_OK;
}

void ask_lost(unsigned from)
{
    if ((state != TO_SEND && state != WAITING) || from != link) {
        return;
    }
    if (state == WAITING) {
        stats.lost++;
        struct log_line *l = log_begin(EV_ASK_LOST);
        log_str(l, "peer", peer_name(link));
        log_u64(l, "id", question.id);
        log_u64(l, "bytes", answer.bytes);
        log_end(l);
    }
    if (links_offers_ask(link)) { /* it has moved to another connection */
        ask_link();
    } else if (tries == TRIES) {
        fail("two neighbours went away while they were asked; try again", "", "");
    } else if (!choose()) {
        fail("no neighbour with an upstream is reachable", "", "");
    } else {
        tries++;
        ask_link();
    }
}

/* --- Frames --------------------------------------------------------------------------------- */

bool ask_next(unsigned to, struct text *frame)
{
    if (state != TO_SEND || to != link) {
        return false;
    }
    frames_put_ask(frame, &question);
    state = WAITING;
    stats.sent++;
    struct log_line *l = log_begin(EV_ASK_SENT);
    log_str(l, "peer", peer_name(link));
    log_u64(l, "id", question.id);
    log_end(l);
    return true;
}

/* An empty line would end the answer of the client: runs of newlines are one, wherever pieces meet. */
static void append(struct span bytes)
{
    for (size_t i = 0; i < bytes.bytes; i++) {
        bool run = answer.bytes == 0 || answer.at[answer.bytes - 1] == '\n';
        if (bytes.at[i] != '\n' || !run) {
            text_char(&answer, bytes.at[i]);
        }
    }
}

static void finish(void)
{
    while (answer.bytes > 0 && answer.at[answer.bytes - 1] == '\n') {
        answer.bytes--;
    }
    if (answer.bytes < 2 || answer.at[0] != '{' || answer.at[answer.bytes - 1] != '}') {
        fail("the answer of neighbour ", peer_name(link), " is not JSON");
        return;
    }
    /* The neighbour may cache, and does it for all: twice would be longer than the herd file says. */
    end(&(struct places_outcome){.bytes = answer.bytes, .good = !failure, .keep = false});
}

void ask_take(unsigned from, const struct frames_answer *piece)
{
    if (state != WAITING || from != link || piece->id != question.id) {
        stats.stray++;
        return;
    }
    if (piece->failure) {
        answer.bytes = 0;
        failure = true;
    }
    append(piece->bytes);
    if (answer.cut) {
        stats.too_large++;
        fail("the answer of neighbour ", peer_name(link), " is larger than asked for");
    } else if (piece->last) {
        stats.answered++;
        finish();
    }
}

/* --- The backend ---------------------------------------------------------------------------- */

static int backend_init(const struct config_places *places, struct span key,
                        struct sched_task *to_wake, const char **unusable)
{
    (void)places;
    (void)key;
    (void)unusable; /* who is there to be asked is known when it is needed */
    HERD_ASSERT(config != NULL);
    owner = to_wake;
    return HERD_OK;
}

static bool backend_run(struct places_outcome *out)
{
    bool under_way = state == TO_SEND || state == WAITING;

    if (under_way && sched_now_ms() >= deadline_ms) {
        stats.late++;
        fail("neighbour ", peer_name(link), " did not answer in time");
    }
    if (state != ENDED) {
        return false;
    }
    state = IDLE;
    *out = outcome;
    return true;
}

static uint64_t backend_wake_ms(void)
{
    return state == TO_SEND || state == WAITING ? deadline_ms : SCHED_NEVER;
}

const struct places_backend ask_backend = {.own = false,
                                           .init = backend_init,
                                           .start = backend_start,
                                           .run = backend_run,
                                           .wake_ms = backend_wake_ms};

void ask_init(const struct config *given)
{
    config = given;
    state = IDLE;
    question.id = 0;
    stats = (struct ask_stats){0};
}

struct ask_stats ask_stats(void)
{
    return stats;
}
