/* Hosts and their clients: what the scenario asks of connections, and what it hears of them. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

static struct connection *connection_of(const struct world *w, int connection)
{
    SIM_ASSERT(connection >= 0 && connection < w->connection_count);
    return &w->connections[connection];
}

static struct abi_time time_of(const struct world *w)
{
    return (struct abi_time){.ms = (uint64_t)(w->now / SIM_MS)};
}

static struct host *host_of(struct world *w, const struct connection *c)
{
    return &w->hosts[c->host];
}

/* --- What the image tells: noted, acted on when its call is over ---------------------------------------- */

static struct note *add_note(struct host *h, enum heard what, unsigned slot)
{
    if (h->note_count == h->note_capacity) {
        h->note_capacity = h->note_capacity == 0 ? 256 : 2 * h->note_capacity;
        h->notes = realloc(h->notes, h->note_capacity * sizeof h->notes[0]);
        SIM_ASSERT(h->notes != NULL);
    }
    struct note *n = &h->notes[h->note_count++];
    *n = (struct note){.what = what, .slot = slot};
    return n;
}

static void on_connected(void *context, unsigned slot)
{
    (void)add_note(context, HEARD_CONNECTED, slot);
}

static void on_data(void *context, unsigned slot, const uint8_t *data, size_t bytes)
{
    struct host *h = context;
    struct note *n = add_note(h, HEARD_DATA, slot);
    if (h->data_bytes + bytes > h->data_capacity) {
        h->data_capacity = 2 * (h->data_bytes + bytes);
        h->data = realloc(h->data, h->data_capacity);
        SIM_ASSERT(h->data != NULL);
    }
    memcpy(h->data + h->data_bytes, data, bytes);
    n->at = h->data_bytes;
    n->bytes = bytes;
    h->data_bytes += bytes;
}

static void on_room(void *context, unsigned slot)
{
    (void)add_note(context, HEARD_ROOM, slot);
}

static void on_closed(void *context, unsigned slot, int reason)
{
    add_note(context, HEARD_CLOSED, slot)->reason = reason;
}

/* --- Sending ----------------------------------------------------------------------------------------- */

static void drop_chunks(struct connection *c)
{
    while (c->first != NULL) {
        struct chunk *chunk = c->first;
        c->first = chunk->next;
        free(chunk);
    }
    c->last = NULL;
    c->queued = 0;
}

/* Hands the image what it has room for. */
static void push(struct world *w, struct connection *c)
{
    struct host *h = host_of(w, c);
    const struct abi_time now = time_of(w);
    while (c->connected && c->first != NULL) {
        struct chunk *chunk = c->first;
        size_t rest = chunk->bytes - chunk->done;
        size_t taken =
            h->image->write(&now, c->slot, chunk->data + chunk->done, rest, chunk->piece);
        if (chunk->piece > 0 && chunk->piece < chunk->bytes && taken > 0 && chunk->done == 0) {
            world_fire(w, FAULT_CLIENT_PIECES);
        }
        chunk->done += taken;
        c->queued -= taken;
        if (taken < rest) {
            break;
        }
        c->first = chunk->next;
        c->last = c->first == NULL ? NULL : c->last;
        free(chunk);
    }
    if (c->connected && c->first == NULL && c->finish && !c->finished) {
        c->finished = true;
        world_fire(w, FAULT_CLIENT_FIN);
        h->image->finish(&now, c->slot);
    }
    station_wake(&h->station, w->now); /* its timers have changed */
}

int world_connect(struct world *w, unsigned host, unsigned node, uint16_t port)
{
    SIM_ASSERT(host < w->options.hosts && node < w->options.nodes);
    struct host *h = &w->hosts[host];
    unsigned slot = 0;
    while (slot < WORLD_CONNECTIONS_MAX && h->slots[slot] >= 0) {
        slot++;
    }
    SIM_ASSERT(slot < WORLD_CONNECTIONS_MAX);
    if (w->connection_count == w->connection_capacity) {
        w->connection_capacity = w->connection_capacity == 0 ? 256 : 2 * w->connection_capacity;
        w->connections =
            realloc(w->connections, (size_t)w->connection_capacity * sizeof w->connections[0]);
        SIM_ASSERT(w->connections != NULL);
    }
    int number = w->connection_count++;
    w->connections[number] =
        (struct connection){.host = host, .slot = slot, .open = true, .reading = true};
    h->slots[slot] = number;
    const struct abi_time now = time_of(w);
    SIM_ASSERT(h->image->connect(&now, slot, world_ip(w, node), port));
    station_wake(&h->station, w->now);
    return number;
}

void world_send(struct world *w, int connection, const void *data, size_t bytes, size_t piece)
{
    struct connection *c = connection_of(w, connection);
    if (!c->open || c->finish || bytes == 0) {
        return;
    }
    struct chunk *chunk = malloc(sizeof *chunk + bytes);
    SIM_ASSERT(chunk != NULL);
    *chunk = (struct chunk){.bytes = bytes, .piece = piece};
    memcpy(chunk->data, data, bytes);
    if (c->last == NULL) {
        c->first = chunk;
    } else {
        c->last->next = chunk;
    }
    c->last = chunk;
    c->queued += bytes;
    push(w, c);
}

void world_finish(struct world *w, int connection)
{
    struct connection *c = connection_of(w, connection);
    if (c->open && !c->finish) {
        c->finish = true;
        push(w, c);
    }
}

/* --- The end of a connection --------------------------------------------------------------------------- */

static void forget(struct world *w, struct connection *c)
{
    struct host *h = host_of(w, c);
    drop_chunks(c);
    free(c->held);
    c->held = NULL;
    c->held_bytes = 0;
    h->slots[c->slot] = -1;
    c->open = false;
    c->connected = false;
}

void world_reset(struct world *w, int connection)
{
    struct connection *c = connection_of(w, connection);
    struct host *h = host_of(w, c);
    if (!c->open) {
        return;
    }
    if (c->connected) {
        world_fire(w, FAULT_CLIENT_RST);
    }
    if (!c->ended) {
        const struct abi_time now = time_of(w);
        h->image->reset(&now, c->slot);
    }
    forget(w, c);
    station_wake(&h->station, w->now);
}

static void end(struct world *w, int connection, int reason)
{
    struct connection *c = connection_of(w, connection);
    forget(w, c);
    if (w->listener.on_closed != NULL) {
        w->listener.on_closed(w->listener.context, connection, reason);
    }
}

/* --- Receiving --------------------------------------------------------------------------------------- */

static void deliver(struct world *w, int connection, const uint8_t *data, size_t bytes)
{
    const uint64_t head[2] = {(uint64_t)w->now, (uint64_t)connection};
    world_hash_add(w, head, sizeof head);
    world_hash_add(w, data, bytes);
    struct connection *c = connection_of(w, connection);
    if (!c->ended) {
        const struct abi_time now = time_of(w);
        host_of(w, c)->image->taken(&now, c->slot, bytes);
    }
    if (w->listener.on_data != NULL) {
        w->listener.on_data(w->listener.context, connection, data, bytes);
    }
}

static void hold(struct world *w, struct connection *c, const uint8_t *data, size_t bytes)
{
    world_fire(w, FAULT_CLIENT_STALL);
    c->held = realloc(c->held, c->held_bytes + bytes);
    SIM_ASSERT(c->held != NULL);
    memcpy(c->held + c->held_bytes, data, bytes);
    c->held_bytes += bytes;
}

static void take_up(void *context, uint64_t connection)
{
    struct world *w = context;
    struct connection *c = connection_of(w, (int)connection);
    if (!c->open || !c->reading) {
        return;
    }
    uint8_t *data = c->held;
    size_t bytes = c->held_bytes;
    c->held = NULL;
    c->held_bytes = 0;
    if (bytes > 0) {
        deliver(w, (int)connection, data, bytes);
        station_wake(&w->hosts[connection_of(w, (int)connection)->host].station, w->now);
    }
    free(data);
    c = connection_of(w, (int)connection);
    if (c->open && c->ended && c->reading) {
        end(w, (int)connection, WORLD_CLOSED_FIN);
    }
}

void world_read(struct world *w, int connection, bool reading)
{
    struct connection *c = connection_of(w, connection);
    if (c->open && reading && !c->reading) {
        world_at(w, w->now, take_up, w, (uint64_t)connection);
    }
    c->reading = reading;
}

size_t world_unsent(const struct world *w, int connection)
{
    const struct connection *c = connection_of(w, connection);
    if (!c->open || c->ended) {
        return 0;
    }
    return c->queued + w->hosts[c->host].image->unacked(c->slot);
}

bool world_is_open(const struct world *w, int connection)
{
    return connection_of(w, connection)->open;
}

/* --- Steps ------------------------------------------------------------------------------------------- */

static void act(struct world *w, struct host *h, const struct note *note)
{
    int connection = h->slots[note->slot];
    if (connection < 0) {
        return; /* reset by the scenario meanwhile */
    }
    struct connection *c = connection_of(w, connection);
    switch (note->what) {
    case HEARD_CONNECTED:
        c->connected = true;
        push(w, c);
        if (w->listener.on_connected != NULL) {
            w->listener.on_connected(w->listener.context, connection);
        }
        break;
    case HEARD_DATA:
        if (c->reading && c->held_bytes == 0) {
            deliver(w, connection, h->data + note->at, note->bytes);
        } else {
            hold(w, c, h->data + note->at, note->bytes);
        }
        break;
    case HEARD_ROOM:
        push(w, c);
        break;
    case HEARD_CLOSED:
        if (c->held_bytes > 0 && note->reason == WORLD_CLOSED_FIN) {
            c->ended = true; /* told when it reads again */
            c->connected = false;
            drop_chunks(c);
        } else {
            end(w, connection, note->reason);
        }
        break;
    }
}

void host_step(struct world *w, struct host *h)
{
    const struct abi_time now = time_of(w);
    w->inside = h->station.number;
    h->note_count = 0;
    h->data_bytes = 0;
    if (setjmp(w->jump) != 0) {
        h->station.wake = NEVER;
        return;
    }
    uint64_t idle_ms = h->image->step(&now);
    h->station.ready = w->now + STEP_NS;
    h->station.wake = NEVER;
    if (idle_ms != ABI_NEVER) {
        station_wake(&h->station, (w->now / SIM_MS + (sim_ns)idle_ms) * SIM_MS);
    }
    w->inside = NOBODY;
    /* Nothing below makes the image tell more: it is called, but gets no frames and no time. */
    size_t count = h->note_count;
    for (size_t i = 0; i < count; i++) {
        const struct note note = h->notes[i];
        act(w, h, &note);
    }
    SIM_ASSERT(h->note_count == count);
}

void host_init(struct world *w, unsigned host)
{
    struct host *h = &w->hosts[host];
    station_init(w, &h->station, w->options.nodes + host);
    station_wire(&h->station, &h->abi.wire);
    h->number = host;
    h->abi.connected = on_connected;
    h->abi.data = on_data;
    h->abi.room = on_room;
    h->abi.closed = on_closed;
    for (unsigned i = 0; i < WORLD_CONNECTIONS_MAX; i++) {
        h->slots[i] = -1;
    }
    const struct abi_time now = time_of(w);
    h->image = image_peer(h->number);
    h->image->start(&h->abi, &now);
    station_wake(&h->station, 0);
}

void host_free(struct world *w)
{
    for (int i = 0; i < w->connection_count; i++) {
        drop_chunks(&w->connections[i]);
        free(w->connections[i].held);
    }
    free(w->connections);
    for (unsigned i = 0; i < w->options.hosts; i++) {
        free(w->hosts[i].notes);
        free(w->hosts[i].data);
    }
}
