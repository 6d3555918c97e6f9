/* The switch: frames between stations, and what happens to them on the way. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define HEADER_BYTES    14
#define QUEUE_BYTES     65536u
#define REORDER_NS      (5 * SIM_MS)
#define DUPLICATE_NS    (2 * SIM_MS)
#define NOISE_BITS      15
#define HOST_FRAMES_MAX 8192
/* Ethernet's 100 Mbit/s, with preamble and gap: an endless burst at one moment would fill every input. */
#define BYTE_NS         80
#define FRAME_BYTES_MIN 84

/* --- Memory ------------------------------------------------------------------------------------------ */

static struct frame *make_frame(struct world *w, const uint8_t *data, size_t bytes)
{
    struct frame *f = w->spare_frames;
    if (f != NULL) {
        w->spare_frames = f->next;
    } else {
        f = malloc(sizeof *f);
        SIM_ASSERT(f != NULL);
    }
    memset(f, 0, offsetof(struct frame, data));
    f->bytes = (uint16_t)bytes;
    memcpy(f->data, data, bytes);
    return f;
}

void wire_drop(struct world *w, struct frame *f)
{
    f->next = w->spare_frames;
    w->spare_frames = f;
}

void wire_empty(struct world *w, struct queue *q)
{
    while (q->first != NULL) {
        struct frame *f = q->first;
        q->first = f->next;
        wire_drop(w, f);
    }
    *q = (struct queue){0};
}

void wire_free(struct world *w)
{
    while (w->spare_frames != NULL) {
        struct frame *f = w->spare_frames;
        w->spare_frames = f->next;
        free(f);
    }
}

void wire_init(struct world *w)
{
    for (unsigned from = 0; from < w->station_count; from++) {
        for (unsigned to = 0; to < w->station_count; to++) {
            w->wires[from][to].random =
                random_of(w->options.seed, "wire", from * UINT64_C(256) + to);
        }
        w->stations[from]->input_max =
            from < w->options.nodes ? WORLD_FROZEN_FRAMES : HOST_FRAMES_MAX;
    }
}

/* --- On the way -------------------------------------------------------------------------------------- */

static bool is_flapping(const struct world_link *l, sim_ns now)
{
    return l->flap_period_ns > 0 && now % l->flap_period_ns < l->flap_down_ns;
}

/* Lost before it was sent: nothing passes here. */
static bool is_cut(struct world *w, unsigned from, unsigned to)
{
    const struct world_link *l = &w->wires[from][to].link;
    if (l->cut) {
        world_fire(w, w->wires[to][from].link.cut ? FAULT_CUT_BOTH : FAULT_CUT_ONE_WAY);
        return true;
    }
    if (is_flapping(l, w->now)) {
        world_fire(w, FAULT_FLAP);
        return true;
    }
    return false;
}

/* When its last bit has left, behind those before it; false: the queue is full. */
static bool leave(struct world *w, struct direction *d, struct frame *f, sim_ns *at)
{
    uint64_t rate = d->link.bits_per_s;
    *at = w->now;
    if (rate == 0) {
        *at = d->busy_until > w->now ? d->busy_until : w->now;
        *at += (f->bytes < FRAME_BYTES_MIN ? FRAME_BYTES_MIN : f->bytes) * BYTE_NS;
        d->busy_until = *at;
        return true;
    }
    uint32_t room = d->link.queue_bytes == 0 ? QUEUE_BYTES : d->link.queue_bytes;
    if (d->busy_until > w->now) {
        uint64_t waiting = (uint64_t)(d->busy_until - w->now) / 1000 * rate / 8000000u;
        if (waiting + f->bytes > room) {
            world_fire(w, FAULT_BANDWIDTH);
            return false;
        }
        f->waited = true;
        *at = d->busy_until;
    }
    *at += (sim_ns)((uint64_t)f->bytes * 8000000000u / rate);
    d->busy_until = *at;
    return true;
}

/* A burst of at most 15 bits: sums of 16 bits find every one. The Ethernet header has a better sum on a
 * real wire, and so has what is no IPv4: those are lost instead. False: lost. */
static bool make_noise(struct direction *d, struct frame *f)
{
    bool is_ip = f->bytes > HEADER_BYTES && f->data[12] == 0x08 && f->data[13] == 0x00;
    uint64_t draw = random_u64(&d->random);
    if (!is_ip) {
        return false;
    }
    size_t bits = (size_t)(f->bytes - HEADER_BYTES) * 8;
    size_t from = random_below(&d->random, bits - NOISE_BITS);
    unsigned width = 1 + (unsigned)(draw % NOISE_BITS);
    for (unsigned i = 0; i < width; i++) {
        bool flips = i == 0 || i == width - 1 || (draw >> (8 + i) & 1) != 0;
        size_t bit = from + i;
        if (flips) {
            f->data[HEADER_BYTES + bit / 8] ^= (uint8_t)(0x80u >> bit % 8);
        }
    }
    f->noisy = true;
    return true;
}

static void schedule(struct world *w, struct frame *f, sim_ns when)
{
    events_add(&w->events, (struct event){.when = when, .frame = f});
}

static void pass(struct world *w, unsigned from, unsigned to, const uint8_t *data, size_t bytes,
                 bool injected)
{
    struct direction *d = &w->wires[from][to];
    const struct world_link *l = &d->link;
    sim_ns at;
    if (is_cut(w, from, to)) {
        return;
    }
    if (l->loss_ppm > 0 && random_chance(&d->random, l->loss_ppm)) {
        world_fire(w, FAULT_LOSS);
        return;
    }
    struct frame *f = make_frame(w, data, bytes);
    f->from = (uint8_t)from;
    f->to = (uint8_t)to;
    f->injected = injected;
    if (!leave(w, d, f, &at)) {
        wire_drop(w, f);
        return;
    }
    if (l->noise_ppm > 0 && random_chance(&d->random, l->noise_ppm) && !make_noise(d, f)) {
        world_fire(w, FAULT_LOSS);
        wire_drop(w, f);
        return;
    }
    at += WIRE_NS + l->delay_ns;
    if (l->jitter_ns > 0) {
        sim_ns more = random_between(&d->random, 0, l->jitter_ns);
        f->jittered = more > 0;
        at += more;
    }
    at = at < d->last_arrival ? d->last_arrival : at;
    f->sequence = ++d->sent;
    if (l->reorder_ppm > 0 && random_chance(&d->random, l->reorder_ppm)) {
        at += random_between(&d->random, SIM_MS / 4, REORDER_NS);
    } else {
        d->last_arrival = at;
    }
    if (l->duplicate_ppm > 0 && random_chance(&d->random, l->duplicate_ppm)) {
        struct frame *twin = make_frame(w, f->data, f->bytes);
        memcpy(twin, f, offsetof(struct frame, data));
        twin->duplicate = true;
        schedule(w, twin, at + random_between(&d->random, 0, DUPLICATE_NS));
    }
    schedule(w, f, at);
}

void wire_send(struct world *w, unsigned from, const uint8_t *frame, size_t bytes, bool injected)
{
    static const uint8_t prefix[5] = {0x02, 0, 0, 0, 0};
    SIM_ASSERT(bytes >= HEADER_BYTES && bytes <= ABI_FRAME_BYTES);
    if (w->listener.on_frame != NULL) {
        w->listener.on_frame(w->listener.context, from, frame, bytes);
    }
    if ((frame[0] & 1) != 0) {
        for (unsigned to = 0; to < w->station_count; to++) {
            if (to != from) {
                pass(w, from, to, frame, bytes, injected);
            }
        }
    } else if (memcmp(frame, prefix, sizeof prefix) == 0 && frame[5] < w->station_count &&
               frame[5] != from) {
        pass(w, from, frame[5], frame, bytes, injected);
    }
}

void world_inject(struct world *w, unsigned as, const uint8_t *frame, size_t bytes)
{
    SIM_ASSERT(as < w->station_count);
    wire_send(w, as, frame, bytes, true);
}

/* --- Arrival ----------------------------------------------------------------------------------------- */

static void count_faults(struct world *w, struct direction *d, const struct frame *f)
{
    if (f->duplicate) {
        world_fire(w, FAULT_DUPLICATE);
    } else if (f->sequence < d->arrived) {
        world_fire(w, FAULT_REORDER);
    } else {
        d->arrived = f->sequence;
    }
    if (f->jittered) {
        world_fire(w, FAULT_JITTER);
    }
    if (f->waited) {
        world_fire(w, FAULT_BANDWIDTH);
    }
    if (f->noisy) {
        world_fire(w, FAULT_NOISE);
    }
    if (f->injected && f->to < w->options.nodes) {
        world_fire(w, FAULT_INJECT);
    }
}

void world_capture(struct world *w, FILE *file)
{
    /* Version 2.4, times in ns, Ethernet. */
    const uint32_t header[6] = {0xA1B23C4D, 2 | 4 << 16, 0, 0, 65535, 1};
    w->capture = file;
    if (file != NULL) {
        (void)fwrite(header, sizeof header, 1, file);
    }
}

static void capture(struct world *w, const struct frame *f)
{
    const uint32_t header[4] = {(uint32_t)(w->now / SIM_S), (uint32_t)(w->now % SIM_S), f->bytes,
                                f->bytes};
    if (w->capture != NULL) {
        (void)fwrite(header, sizeof header, 1, w->capture);
        (void)fwrite(f->data, f->bytes, 1, w->capture);
    }
}

void wire_arrive(struct world *w, struct frame *f)
{
    struct station *s = w->stations[f->to];
    struct node *n = f->to < w->options.nodes ? &w->nodes[f->to] : NULL;
    if (n != NULL && n->state == NODE_OFF) {
        wire_drop(w, f);
        return;
    }
    bool frozen = n != NULL && n->state == NODE_FROZEN;
    if (frozen) {
        world_fire(w, FAULT_FREEZE);
    }
    if (s->input.count == s->input_max) {
        world_fire(w, FAULT_FREEZE_DROP);
        wire_drop(w, f);
        return;
    }
    count_faults(w, &w->wires[f->from][f->to], f);
    const uint64_t head[2] = {(uint64_t)w->now,
                              f->from | (uint64_t)f->to << 8 | (uint64_t)f->bytes << 16};
    world_hash_add(w, head, sizeof head);
    world_hash_add(w, f->data, f->bytes);
    capture(w, f);
    f->next = NULL;
    if (s->input.last == NULL) {
        s->input.first = f;
    } else {
        s->input.last->next = f;
    }
    s->input.last = f;
    s->input.count++;
    station_wake(s, w->now);
}

size_t wire_take(struct station *s, uint8_t *frame)
{
    struct frame *f = s->input.first;
    if (f == NULL) {
        return 0;
    }
    size_t bytes = f->bytes;
    memcpy(frame, f->data, bytes);
    s->input.first = f->next;
    if (f->next == NULL) {
        s->input.last = NULL;
    }
    s->input.count--;
    wire_drop(s->world, f);
    return bytes;
}

/* --- The scenario's side ----------------------------------------------------------------------------- */

struct world_link *world_link(struct world *w, unsigned from, unsigned to)
{
    SIM_ASSERT(from < w->station_count && to < w->station_count && from != to);
    return &w->wires[from][to].link;
}

void world_cut(struct world *w, unsigned a, unsigned b, bool cut)
{
    world_note(w, "%s %u - %u", cut ? "cut" : "mend", a, b);
    world_link(w, a, b)->cut = cut;
    world_link(w, b, a)->cut = cut;
}

void world_link_all(struct world *w, const struct world_link *link)
{
    for (unsigned from = 0; from < w->station_count; from++) {
        for (unsigned to = 0; to < w->station_count; to++) {
            w->wires[from][to].link = *link;
        }
    }
}

void world_heal(struct world *w)
{
    world_note(w, "heal");
    world_link_all(w, &(struct world_link){0});
    for (unsigned i = 0; i < w->options.nodes; i++) {
        world_freeze(w, i, false);
    }
}
