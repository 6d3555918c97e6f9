#include "wire.h"
#include "say.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS_MAX 3600000 /* poll takes an int: longer waits are made of several */

int64_t wire_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for `events` until the deadline: true when one of them, or an error, is there. */
static bool wait_for(int fd, short events, int64_t deadline_ms)
{
    for (;;) {
        int64_t left_ms = deadline_ms - wire_now_ms();
        struct pollfd poll_fd = {.fd = fd, .events = events, .revents = 0};
        int wait_ms = left_ms < 0 ? 0 : left_ms > WAIT_MS_MAX ? WAIT_MS_MAX : (int)left_ms;
        int count = poll(&poll_fd, 1, wait_ms);
        if (count > 0) {
            return true;
        }
        if ((count == 0 && left_ms <= wait_ms) || (count < 0 && errno != EINTR)) {
            return false;
        }
    }
}

static void say_unreachable(const struct herdctl_node *node, int error)
{
    const char *advice = "is the address right, and is the network to it up?";
    char place[96];

    if (node->herd_file != NULL) {
        (void)snprintf(place, sizeof place, "%s at %s:%u", node->name, node->address,
                       (unsigned)node->port);
    } else {
        (void)snprintf(place, sizeof place, "%s", node->name);
    }
    if (error == ETIMEDOUT) {
        say_error("cannot connect to %s: nothing answered within %ld s; is the address right, and "
                  "does no firewall stand between? --timeout SECONDS waits longer",
                  place, node->timeout_ms / 1000);
        return;
    }
    if (error == ECONNREFUSED && node->herd_file != NULL) {
        say_error("cannot connect to %s: nothing listens there; is the herd running (make run), "
                  "and from %s?",
                  place, node->herd_file);
        return;
    }
    if (error == ECONNREFUSED) {
        advice = "nothing listens there; is the herd running (make run), and is this the port of "
                 "one of its nodes?";
    }
    say_error("cannot connect to %s: %s; %s", place, strerror(error), advice);
}

/* Starts the connection and waits for it; 0 or an errno. */
static int dial(int fd, const struct herdctl_node *node)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(node->port)};
    int error = 0;
    socklen_t bytes = sizeof error;

    if (inet_pton(AF_INET, node->address, &to.sin_addr) != 1) {
        return EADDRNOTAVAIL;
    }
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) {
        return 0;
    }
    if (errno != EINPROGRESS) {
        return errno;
    }
    if (!wait_for(fd, POLLOUT, wire_now_ms() + node->timeout_ms)) {
        return ETIMEDOUT;
    }
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes) == 0 ? error : errno;
}

bool wire_open(struct wire *wire, const struct herdctl_node *node)
{
    int on = 1;

    memset(wire, 0, sizeof *wire);
    wire->node = node;
    wire->fault = HERDCTL_NETWORK;
    wire->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (wire->fd < 0) {
        say_error("no socket: %s", strerror(errno));
        return false;
    }
    int error = dial(wire->fd, node);
    if (error != 0) {
        say_unreachable(node, error);
        wire_close(wire);
        return false;
    }
    /* Lines are sent in batches already: waiting for more would only add delay. */
    (void)setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return true;
}

void wire_close(struct wire *wire)
{
    (void)close(wire->fd);
    free(wire->in);
    wire->in = NULL;
    wire->fd = -1;
}

void wire_say_late(const struct wire *wire)
{
    say_error("no answer from %s within %ld s; is it stopped or overloaded, or is this not its "
              "port for clients? --timeout SECONDS waits longer",
              wire->node->name, wire->node->timeout_ms / 1000);
}

bool wire_send(struct wire *wire, const char *text, size_t bytes)
{
    int64_t deadline_ms = wire_now_ms() + wire->node->timeout_ms;

    while (bytes > 0) {
        ssize_t sent = send(wire->fd, text, bytes, MSG_NOSIGNAL);
        if (sent >= 0) {
            text += sent;
            bytes -= (size_t)sent;
        } else if (errno == EAGAIN) {
            if (!wait_for(wire->fd, POLLOUT, deadline_ms)) {
                wire_say_late(wire);
                return false;
            }
        } else if (errno != EINTR) {
            say_error("connection to %s lost: %s; the node's log says why", wire->node->name,
                      strerror(errno));
            return false;
        }
    }
    return true;
}

/* Makes room for more at the end of the buffer; false when the answer is too long to take. */
static bool make_room(struct wire *wire)
{
    if (wire->start > 0) {
        memmove(wire->in, wire->in + wire->start, wire->end - wire->start);
        wire->end -= wire->start;
        wire->start = 0;
    }
    if (wire->end < wire->room) {
        return true;
    }
    if (wire->room >= WIRE_BYTES_MAX) {
        say_error("the answer of %s is longer than %d bytes; is it a node of herd, and is this its "
                  "port for clients?",
                  wire->node->name, WIRE_BYTES_MAX);
        wire->fault = HERDCTL_REFUSED;
        return false;
    }
    size_t room = wire->room == 0 ? 4096 : wire->room * 2;
    char *in = realloc(wire->in, room);
    if (in == NULL) {
        say_error("out of memory");
        wire->fault = HERDCTL_LOCAL;
        return false;
    }
    wire->in = in;
    wire->room = room;
    return true;
}

static void say_closed(const struct wire *wire)
{
    if (wire->answers > 0) {
        say_error("%s closed the connection before it had answered everything; its log says why",
                  wire->node->name);
    } else {
        say_error("%s closed the connection without an answer; is %u its port for clients (not "
                  "link_port)? If so its log says why",
                  wire->node->name, (unsigned)wire->node->port);
    }
}

/* Reads what is there, waiting until the deadline for the first of it. */
static enum wire_result receive(struct wire *wire, int64_t deadline_ms)
{
    if (!make_room(wire)) {
        return WIRE_FAILED;
    }
    for (;;) {
        ssize_t count = recv(wire->fd, wire->in + wire->end, wire->room - wire->end, 0);
        if (count > 0) {
            wire->end += (size_t)count;
            return WIRE_OK;
        }
        if (count == 0) {
            say_closed(wire);
            return WIRE_FAILED;
        }
        if (errno == EAGAIN) {
            if (!wait_for(wire->fd, POLLIN, deadline_ms)) {
                return WIRE_LATER;
            }
        } else if (errno != EINTR) {
            say_error("connection to %s lost: %s; the node's log says why", wire->node->name,
                      strerror(errno));
            return WIRE_FAILED;
        }
    }
}

enum wire_result wire_take(struct wire *wire, const char *mark, int64_t deadline_ms,
                           const char **answer, size_t *bytes)
{
    size_t mark_bytes = strlen(mark);
    size_t searched = 0; /* bytes from start in which `mark` does not begin */

    for (;;) {
        size_t have = wire->end - wire->start;
        const char *hit = NULL;
        if (have > searched) {
            hit = memmem(wire->in + wire->start + searched, have - searched, mark, mark_bytes);
        }
        if (hit != NULL) {
            *answer = wire->in + wire->start;
            *bytes = (size_t)(hit - *answer);
            wire->start += *bytes + mark_bytes;
            wire->answers++;
            return WIRE_OK;
        }
        searched = have >= mark_bytes ? have - mark_bytes + 1 : 0;
        enum wire_result result = receive(wire, deadline_ms);
        if (result != WIRE_OK) {
            return result;
        }
    }
}

bool wire_has_line(const struct wire *wire)
{
    return wire->end > wire->start &&
           memchr(wire->in + wire->start, '\n', wire->end - wire->start) != NULL;
}
