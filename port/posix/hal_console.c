/* Where log lines go. stdout may be a pipe that nobody reads: it is written only when poll() says
 * that a write will not block, from a buffer of its own. Without a log file a full buffer is
 * the firmware's to handle (its ring drops and counts lines). With one the file gets every line, and
 * stdout loses whole lines. */
#include "hal_console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "cfg.h"
#include "posix.h"

#define CHUNK_BYTES 4096 /* a writable pipe takes as much without blocking (PIPE_BUF) */
#define OWN_STDOUT  "/proc/self/fd/1"

static struct {
    char buffer[65536];
    size_t used;
    size_t whole; /* of these: whole lines, which may be written */
    bool is_file; /* never blocks */
    int fd;
    bool is_closed; /* EPIPE and the like: nothing is written any more */
    bool skipping;  /* the rest of a line that did not fit */
    unsigned long skipped;
} out;

static int log_fd = -1;
static bool log_failed;

/* --- Commands ---------------------------------------------------------------------------------- */

static struct {
    bool on;
    bool terminal;
    bool ready; /* poll() saw something */
    struct termios before;
    volatile bool resumed;
} in;

/* In the background neither the terminal's mode nor its input is ours: the system would stop us. */
static bool is_foreground(void)
{
    return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/* Keys as they come, without echo. Ctrl-C and Ctrl-Z stay signals: this is a program of a shell. */
static void take_terminal(void)
{
    struct termios mode = in.before;
    mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
    mode.c_iflag &= ~(tcflag_t)(IXON | ICRNL | INLCR);
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &mode);
}

static void open_commands(bool wanted)
{
    in.terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && is_foreground() &&
                  tcgetattr(STDIN_FILENO, &in.before) == 0;
    in.on = in.terminal || wanted;
    if (in.terminal) {
        take_terminal();
    }
}

void posix_console_close(void)
{
    if (in.terminal && is_foreground()) {
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &in.before);
    }
}

void posix_console_resumed(void)
{
    in.resumed = true;
}

bool posix_console_listens(struct pollfd *fd)
{
    if (in.terminal && in.resumed) {
        in.resumed = false;
        in.on = is_foreground();
        if (in.on) {
            take_terminal();
        }
    }
    *fd = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    return in.on;
}

void posix_console_heard(const struct pollfd *fd)
{
    in.ready = in.ready || fd->revents != 0;
}

bool hal_console_is_terminal(void)
{
    return in.terminal;
}

size_t hal_console_read(char *data, size_t bytes)
{
    struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
    if (!in.on || !in.ready) {
        return 0;
    }
    if (poll(&fd, 1, 0) != 1 || fd.revents == 0 || (in.terminal && !is_foreground())) {
        in.ready = false;
        return 0;
    }
    ssize_t got = read(STDIN_FILENO, data, bytes);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        in.on = false; /* the end: no more commands, the node goes on */
    }
    return got > 0 ? (size_t)got : 0;
}

/* --- Output ------------------------------------------------------------------------------------ */

int posix_console_open(const char *log_file, bool commands)
{
    struct stat s;
    out.is_file = fstat(STDOUT_FILENO, &s) == 0 && S_ISREG(s.st_mode);
    out.fd = STDOUT_FILENO;
    if (isatty(STDOUT_FILENO)) {
        /* A terminal (^S, or nobody reads) may have room for less than a line, and a write then waits
         * for the rest. Opened once more, so that it is not non-blocking for others that have it. */
        int fd = open(OWN_STDOUT, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        out.fd = fd >= 0 ? fd : STDOUT_FILENO;
    }
    open_commands(commands);
    if (log_file == NULL) {
        return 0;
    }
    log_fd = open(log_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    return log_fd < 0 ? -1 : 0;
}

bool posix_console_wants(struct pollfd *fd)
{
    *fd = (struct pollfd){.fd = out.fd, .events = POLLOUT};
    return out.whole > 0 && !out.is_closed;
}

static bool is_writable(void)
{
    struct pollfd fd;
    if (!posix_console_wants(&fd)) {
        return false;
    }
    return out.is_file || (poll(&fd, 1, 0) == 1 && fd.revents != 0);
}

void posix_console_drain(void)
{
    size_t done = 0;
    while (done < out.whole && is_writable()) {
        size_t chunk = out.whole - done < CHUNK_BYTES ? out.whole - done : CHUNK_BYTES;
        ssize_t wrote = write(out.fd, out.buffer + done, chunk);
        if (wrote < 0) {
            out.is_closed = errno != EAGAIN && errno != EINTR;
            break;
        }
        done += (size_t)wrote;
    }
    if (out.is_closed) {
        out.used = 0;
        out.whole = 0;
        return;
    }
    memmove(out.buffer, out.buffer + done, out.used - done);
    out.used -= done;
    out.whole -= done;
}

void posix_console_finish(uint32_t wait_ms)
{
    for (uint32_t waited_ms = 0;; waited_ms += 10) {
        struct pollfd fd;
        posix_console_drain();
        if (waited_ms >= wait_ms || !posix_console_wants(&fd)) {
            return;
        }
        (void)poll(&fd, 1, 10);
    }
}

/* As much as fits. */
static size_t append(const char *data, size_t bytes)
{
    size_t room = sizeof out.buffer - out.used;
    if (bytes > room) {
        bytes = room;
    }
    memcpy(out.buffer + out.used, data, bytes);
    out.used += bytes;
    const char *newline = memrchr(out.buffer + out.whole, '\n', out.used - out.whole);
    if (newline != NULL) {
        out.whole = (size_t)(newline - out.buffer) + 1;
    }
    return bytes;
}

/* Once there is room again. */
static void tell_what_was_skipped(void)
{
    char line[96];
    if (out.skipped == 0 || out.used != out.whole || sizeof out.buffer - out.used < sizeof line) {
        return;
    }
    int bytes = snprintf(line, sizeof line, "(%lu lines are only in the log file: not read here)\n",
                         out.skipped);
    out.skipped = 0;
    (void)append(line, (size_t)bytes);
}

/* A piece of a line, with its newline or without; the line is dropped whole when it does not fit. */
static void append_or_skip(const char *data, size_t bytes)
{
    bool ends = data[bytes - 1] == '\n';
    if (!out.skipping && bytes > sizeof out.buffer - out.used) {
        out.used = out.whole;
        out.skipping = true;
        out.skipped++;
    } else if (!out.skipping) {
        (void)append(data, bytes);
    }
    if (ends) {
        out.skipping = false;
    }
}

static void write_log_file(const char *data, size_t bytes)
{
    ssize_t wrote = write(log_fd, data, bytes);
    bool failed = wrote < 0 || (size_t)wrote < bytes;
    if (failed && !log_failed) { /* once, not for each line */
        fprintf(stderr, "herd: the log file is not written: %s\n",
                wrote < 0 ? strerror(errno) : "no room");
    }
    log_failed = failed;
}

/* Whatever is there may be written: a prompt has no line end. */
size_t hal_console_answer(const char *data, size_t bytes)
{
    if (out.is_closed) {
        return bytes;
    }
    size_t taken = append(data, bytes);
    out.whole = out.used;
    posix_console_drain();
    return taken;
}

size_t hal_console_write(const char *data, size_t bytes)
{
    if (log_fd >= 0) {
        write_log_file(data, bytes);
    }
    if (out.is_closed) {
        return bytes;
    }
    size_t taken = 0;
    if (log_fd < 0) {
        taken = append(data, bytes);
        posix_console_drain();
        return taken;
    }
    while (taken < bytes) {
        const char *newline = memchr(data + taken, '\n', bytes - taken);
        size_t piece = newline == NULL ? bytes - taken : (size_t)(newline - data) + 1 - taken;
        tell_what_was_skipped();
        append_or_skip(data + taken, piece);
        taken += piece;
    }
    posix_console_drain();
    return bytes;
}
