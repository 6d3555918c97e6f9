#include "callers.h"

#include "cfg.h"
#include "log.h"
#include "rng.h"
#include "sched.h"

#define NO_IDENTITY ((struct span){NULL, 0})

static struct channel *channels;
static struct callers_stats stats;

void callers_init(struct channel *given)
{
    channels = given;
    stats = (struct callers_stats){0};
}

struct callers_stats callers_stats(void)
{
    return stats;
}

static void log_refused(conn_handle h, struct span identity, const char *reason)
{
    uint32_t address = 0;
    uint16_t port = 0;
    conn_peer(h, &address, &port);
    struct log_line *l = log_begin(EV_LINK_REFUSED);
    log_str(l, "reason", reason);
    if (identity.bytes > 0) {
        log_span(l, "identity", identity);
    }
    log_ip4(l, "address", address, port);
    log_end(l);
}

static bool is_caller(const struct channel *ch)
{
    return ch->used && ch->link == CHANNEL_NO_LINK;
}

static struct channel *oldest(void)
{
    struct channel *found = NULL;
    for (unsigned i = 0; i < CFG_CONN_LINK_SLOTS; i++) {
        if (is_caller(&channels[i]) &&
            (found == NULL || channels[i].opened_ms < found->opened_ms)) {
            found = &channels[i];
        }
    }
    return found;
}

static void give_way(struct channel *ch)
{
    callers_count_late(ch, "gives way to another caller");
    channel_log_conn(EV_LINK_DROPPED, ch, "gives way to another caller");
    ch->used = false;
    channel_cut(ch);
}

bool callers_admit(struct channel *ch, conn_handle h, unsigned missing)
{
    const char *reason = rng_is_secret() ? "no room for callers" : "no entropy";
    if (rng_is_secret() && tls_link_free() <= missing) {
        struct channel *first = oldest();
        if (first != NULL && sched_now_ms() >= first->opened_ms + CFG_LINK_CALLER_MS) {
            give_way(first);
        }
    }
    if (!rng_is_secret() || tls_link_free() <= missing) {
        stats.crowded++;
        log_refused(h, NO_IDENTITY, reason);
        conn_release(h);
        return false;
    }
    channel_begin(ch, h, tls_link_take(h), CHANNEL_NO_LINK, "?");
    channel_log_conn(EV_LINK_TAKEN, ch, NULL);
    return true;
}

static void count(enum tls_link_refusal refusal)
{
    switch (refusal) {
    case TLS_LINK_UNKNOWN:
        stats.unknown++;
        break;
    case TLS_LINK_OLD_KEY:
        stats.old_key++;
        break;
    default:
        stats.failed++;
        break;
    }
}

int callers_authenticate(struct channel *ch, const char **reason)
{
    int err = tls_link_handshake(ch->tls);
    ch->again = err == HERD_E_AGAIN && ch->tls->tls.computing;
    if (err == HERD_OK || err == HERD_E_AGAIN) {
        return err;
    }
    enum tls_link_refusal refusal = (enum tls_link_refusal)ch->tls->refusal;
    *reason = tls_link_refusal_name(refusal);
    count(refusal);
    log_refused(ch->conn, tls_link_identity(), *reason);
    return HERD_E_REFUSED;
}

void callers_count_late(const struct channel *ch, const char *reason)
{
    stats.failed++;
    log_refused(ch->conn, NO_IDENTITY, reason);
}

bool callers_may_linger(unsigned missing)
{
    return conn_stats().open[CONN_LINK] + missing < CFG_CONN_LINK_SLOTS;
}
