#include "clocks.h"

#include "cfg.h"
#include "err.h"
#include "log.h"
#include "sched.h"
#include "skew.h"
#include "wall.h"
#include "when.h"

/* What a neighbour's clock showed, and when by the clock that nobody sets: how far ours is from it is computed
 * when it is asked for, so that a clock of ours that has been set is doubted at once. */
struct clock {
    bool known;
    int64_t now_ns;
    uint64_t heard_ms;
};

static struct clock clocks[CFG_LINKS];
static int64_t bound;
static bool trusted;

/* What the neighbour's clock shows now, if it goes as ours does. */
static int64_t shown_now(const struct clock *clock)
{
    int64_t since_ns = (int64_t)(sched_now_ms() - clock->heard_ms) * WHEN_NS_PER_MS;

    return clock->now_ns > INT64_MAX - since_ns ? INT64_MAX : clock->now_ns + since_ns;
}

static bool compute(void)
{
    int64_t now_ns = 0;
    int64_t offsets_ns[CFG_LINKS];
    unsigned count = 0;

    if (!wall_now_ns(&now_ns)) {
        return false;
    }
    for (unsigned i = 0; i < CFG_LINKS; i++) {
        if (clocks[i].known) {
            offsets_ns[count++] = shown_now(&clocks[i]) - now_ns; /* neither is negative */
        }
    }
    return skew_is_within(offsets_ns, count, bound);
}

static void update(void)
{
    bool now_trusted = compute();

    if (now_trusted != trusted) {
        trusted = now_trusted;
        struct log_line *l = log_begin(EV_CLOCK_TRUST);
        log_str(l, "trusted", trusted ? "yes" : "no");
        log_end(l);
    }
}

void clocks_init(int64_t bound_ns)
{
    for (unsigned i = 0; i < CFG_LINKS; i++) {
        clocks[i].known = false;
    }
    bound = bound_ns;
    trusted = compute();
}

void clocks_heard(unsigned link, int64_t now_ns)
{
    HERD_ASSERT(link < CFG_LINKS);
    clocks[link] =
        (struct clock){.known = now_ns > 0, .now_ns = now_ns, .heard_ms = sched_now_ms()};
    update();
}

void clocks_forget(unsigned link)
{
    HERD_ASSERT(link < CFG_LINKS);
    clocks[link].known = false;
    update();
}

bool clocks_trusted(void)
{
    update();
    return trusted;
}
