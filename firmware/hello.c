#include "hello.h"

#include "answer.h"
#include "nv.h"
#include "rng.h"

static const struct config *config;
static uint64_t own_boot;

static struct span own_name(void)
{
    return span_of(config->nodes[config->self].name);
}

void hello_init(const struct config *given)
{
    config = given;
    /* Different at every start: the epoch, where one is kept, and chance. */
    own_boot = (uint64_t)nv_info().epoch << 32 | rng_u32();
    if (nv_info().epoch == 0) {
        rng_bytes(&own_boot, sizeof own_boot);
    }
}

void hello_say(struct channel *ch)
{
    struct frames_hello hello = {.version = FRAMES_VERSION,
                                 .features = answer_features(),
                                 .boot = own_boot,
                                 .report_bytes = config->report_bytes,
                                 .skew_max_s = config->skew_max_s,
                                 .capacity = CFG_DEVICES,
                                 .name = own_name(),
                                 .target = span_of(ch->peer)};
    channel_say_hello(ch, &hello);
}

/* CHANNEL_NO_LINK: not a neighbour. */
static unsigned find_link(struct span name)
{
    for (unsigned i = 0; i < config->neighbour_count; i++) {
        if (span_equal(name, span_of(config->nodes[config->neighbours[i]].name))) {
            return i;
        }
    }
    return CHANNEL_NO_LINK;
}

static int refused(enum frames_bye why, enum frames_bye *reason)
{
    *reason = why;
    return HERD_E_REFUSED;
}

int hello_judge(const struct channel *ch, struct span body, struct frames_hello *out,
                unsigned *link, enum frames_bye *reason)
{
    *out = (struct frames_hello){.version = 0};
    if (frames_get_hello(body, out) != HERD_OK) {
        return refused(FRAMES_BYE_PROTOCOL, reason);
    }
    if (out->version != FRAMES_VERSION) {
        return refused(FRAMES_BYE_VERSION, reason);
    }
    unsigned found = find_link(out->name);
    bool is_expected = ch->link == CHANNEL_NO_LINK || ch->link == found;
    if (found == CHANNEL_NO_LINK || !is_expected || !span_equal(out->target, own_name())) {
        return refused(FRAMES_BYE_IDENTITY, reason);
    }
    if (out->report_bytes != config->report_bytes || out->skew_max_s != config->skew_max_s) {
        return refused(FRAMES_BYE_SETTINGS, reason);
    }
    *link = found;
    return HERD_OK;
}
