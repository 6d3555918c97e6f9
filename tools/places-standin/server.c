#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"
#include "control.h"

#define CONNS_MAX        512
#define CONTROLS_MAX     16
#define CONTROL_LINE_MAX 256
#define BACKLOG          128
#define FILLERS          4 /* own connections that keep the accept queue full */

struct control_conn {
    int fd;
    size_t len;
    char line[CONTROL_LINE_MAX];
};

static struct server {
    int listener; /* -1 while refused */
    int control_listener;
    struct conn *conns[CONNS_MAX];
    size_t conn_count;
    struct control_conn controls[CONTROLS_MAX];
    size_t control_count;
    int fillers[FILLERS];
    bool filled;
} server = {.listener = -1, .control_listener = -1};

static volatile sig_atomic_t stop_asked;

static void on_signal(int number)
{
    (void)number;
    stop_asked = 1;
}

static struct sockaddr_in at(struct in_addr host, int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = host};
}

static int listen_on(struct in_addr host, int *port)
{
    struct sockaddr_in address = at(host, *port);
    socklen_t len = sizeof address;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

/* A SYN is not answered while the accept queue is full: fill it ourselves. */
static void stall_connects(const struct standin *standin)
{
    struct sockaddr_in address = at(standin->address, standin->port);
    listen(server.listener, 0);
    for (size_t i = 0; i < FILLERS; i++) {
        server.fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(server.fillers[i], (struct sockaddr *)&address, sizeof address);
    }
    server.filled = true;
}

static void unstall_connects(void)
{
    for (size_t i = 0; i < FILLERS; i++) {
        close(server.fillers[i]);
    }
    int fd;
    while ((fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        close(fd);
    }
    listen(server.listener, BACKLOG);
    server.filled = false;
}

static void close_idle(void)
{
    for (size_t i = server.conn_count; i-- > 0;) {
        if (conn_is_idle(server.conns[i])) {
            conn_say_goodbye(server.conns[i]);
            conn_free(server.conns[i]);
            server.conns[i] = server.conns[--server.conn_count];
        }
    }
}

/* Makes the listener what the fault in force says. False: the port could not be had again. */
static bool follow_fault(struct standin *standin)
{
    enum connecting connecting = standin->fault->connecting;
    if (faults_needs_new_connection(standin->fault)) {
        close_idle();
    }
    if (server.filled && connecting != CONNECTING_STALLED) {
        unstall_connects();
    }
    if (connecting == CONNECTING_REFUSED && server.listener >= 0) {
        close(server.listener);
        server.listener = -1;
    } else if (connecting != CONNECTING_REFUSED && server.listener < 0) {
        server.listener = listen_on(standin->address, &standin->port);
    }
    if (connecting == CONNECTING_STALLED && !server.filled && server.listener >= 0) {
        stall_connects(standin);
    }
    return server.listener >= 0 || connecting == CONNECTING_REFUSED;
}

bool server_listen(struct standin *standin, const char **what)
{
    *what = "port";
    server.listener = listen_on(standin->address, &standin->port);
    if (server.listener < 0) {
        return false;
    }
    if (standin->control_port >= 0) {
        *what = "control port";
        /* Who may make faults is on this machine. */
        const struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
        server.control_listener = listen_on(loopback, &standin->control_port);
        if (server.control_listener < 0) {
            return false;
        }
    }
    return follow_fault(standin);
}

static void accept_client(struct standin *standin)
{
    int one = 1;
    int fd = accept4(server.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct conn *conn = conn_open(standin, fd);
    if (conn != NULL) {
        server.conns[server.conn_count++] = conn;
    }
}

static void accept_control(void)
{
    int fd = accept4(server.control_listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        server.controls[server.control_count++] = (struct control_conn){.fd = fd};
    }
}

/* Does every complete line. False: the connection is over. */
static bool do_control_lines(struct standin *standin, struct control_conn *control)
{
    char *end;
    while ((end = memchr(control->line, '\n', control->len)) != NULL) {
        struct buf answer = {0};
        bool fault_changed = false;
        bool hangup = false;
        size_t line_len = (size_t)(end - control->line) + 1;
        *end = '\0';
        if (end > control->line && end[-1] == '\r') {
            end[-1] = '\0';
        }
        control_do(standin, control->line, &answer, &fault_changed, &hangup);
        if (hangup) {
            close_idle();
        }
        if (fault_changed && !follow_fault(standin)) {
            buf_free(&answer);
            buf_printf(&answer, "error port %d was taken by another program\n", standin->port);
        }
        ssize_t sent = write(control->fd, answer.data, answer.len);
        bool ok = sent == (ssize_t)answer.len;
        buf_free(&answer);
        if (!ok) {
            return false;
        }
        memmove(control->line, control->line + line_len, control->len - line_len);
        control->len -= line_len;
    }
    return control->len < sizeof control->line;
}

static bool step_control(struct standin *standin, struct control_conn *control)
{
    ssize_t got =
        read(control->fd, control->line + control->len, sizeof control->line - control->len);
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    control->len += (size_t)got;
    return got > 0 && do_control_lines(standin, control);
}

/* Milliseconds until the next connection is due; -1 for never. */
static int next_timeout_ms(void)
{
    long due_ms = LONG_MAX;
    for (size_t i = 0; i < server.conn_count; i++) {
        long own_ms = conn_due_ms(server.conns[i]);
        due_ms = own_ms < due_ms ? own_ms : due_ms;
    }
    if (due_ms == LONG_MAX) {
        return -1;
    }
    long left_ms = due_ms - conn_now_ms();
    return left_ms < 0 ? 0 : left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

/* One entry per descriptor: the listeners, the control connections, the clients. */
static size_t fill_polls(struct pollfd *polls)
{
    size_t count = 0;
    bool full = server.conn_count == CONNS_MAX || server.filled;
    polls[count++] = (struct pollfd){.fd = full ? -1 : server.listener, .events = POLLIN};
    bool control_full = server.control_count == CONTROLS_MAX;
    polls[count++] =
        (struct pollfd){.fd = control_full ? -1 : server.control_listener, .events = POLLIN};
    for (size_t i = 0; i < server.control_count; i++) {
        polls[count++] = (struct pollfd){.fd = server.controls[i].fd, .events = POLLIN};
    }
    for (size_t i = 0; i < server.conn_count; i++) {
        polls[count++] =
            (struct pollfd){.fd = conn_fd(server.conns[i]), .events = conn_events(server.conns[i])};
    }
    return count;
}

/* Backwards, so that the last one can take the place of one that ends; clients before control
 * connections, because a control line may close clients. */
static void serve(struct standin *standin, const struct pollfd *polls)
{
    const struct pollfd *conn_polls = polls + 2 + server.control_count;
    for (size_t i = server.conn_count; i-- > 0;) {
        struct conn *conn = server.conns[i];
        bool due = conn_now_ms() >= conn_due_ms(conn);
        if ((conn_polls[i].revents != 0 || due) && !conn_step(conn, conn_polls[i].revents)) {
            conn_free(conn);
            server.conns[i] = server.conns[--server.conn_count];
        }
    }
    for (size_t i = server.control_count; i-- > 0;) {
        if (polls[2 + i].revents != 0 && !step_control(standin, &server.controls[i])) {
            close(server.controls[i].fd);
            server.controls[i] = server.controls[--server.control_count];
        }
    }
    if (polls[0].revents != 0 && server.listener >= 0 && !server.filled) {
        accept_client(standin);
    }
    if (polls[1].revents != 0) {
        accept_control();
    }
}

static void close_all(void)
{
    while (server.conn_count > 0) {
        struct conn *conn = server.conns[--server.conn_count];
        conn_say_goodbye(conn);
        conn_free(conn);
    }
    while (server.control_count > 0) {
        close(server.controls[--server.control_count].fd);
    }
    if (server.filled) {
        unstall_connects();
    }
    close(server.listener);
    close(server.control_listener);
}

void server_run(struct standin *standin)
{
    static struct pollfd polls[2 + CONTROLS_MAX + CONNS_MAX];
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t blocked, original;

    /* Blocked except inside ppoll: a signal between the check and the wait is not lost. */
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    sigprocmask(SIG_BLOCK, &blocked, &original);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);

    while (stop_asked == 0) {
        size_t count = fill_polls(polls);
        int timeout_ms = next_timeout_ms();
        struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
        int ready = ppoll(polls, count, timeout_ms < 0 ? NULL : &timeout, &original);
        if (ready < 0) {
            continue; /* a signal; nothing was asked of the descriptors */
        }
        serve(standin, polls);
    }
    close_all();
    sigprocmask(SIG_SETMASK, &original, NULL);
}
