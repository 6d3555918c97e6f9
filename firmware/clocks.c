#include "clocks.h"

#include "cfg.h"
#include "err.h"
#include "log.h"
#include "skew.h"
#include "wall.h"

struct clock {
    bool known;
    int64_t offset_ns; /* neighbour's wall clock - ours */
};

static struct clock clocks[CFG_LINKS];
static int64_t bound;
static bool trusted;

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
            offsets_ns[count++] = clocks[i].offset_ns;
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
    int64_t own_ns = 0;

    HERD_ASSERT(link < CFG_LINKS);
    clocks[link].known = now_ns > 0 && wall_now_ns(&own_ns);
    clocks[link].offset_ns = now_ns - own_ns;
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
    return trusted;
}
