#include "child.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void child_init(struct child *child, const char *name, const char *program)
{
    memset(child, 0, sizeof *child);
    child->name = name;
    child->net_namespace = -1;
    child->pipes[CHILD_OUT].fd = -1;
    child->pipes[CHILD_ERR].fd = -1;
    child_add(child, program);
}

void child_add(struct child *child, const char *arg)
{
    if (child->arg_count + 1 >= CHILD_ARGS_MAX) {
        abort();
    }
    child->args[child->arg_count++] = arg;
    child->args[child->arg_count] = NULL;
}

void child_add_pair(struct child *child, const char *option, const char *value)
{
    child_add(child, option);
    child_add(child, value);
}

/* In the new process: becomes the program, or says on its stderr why not. */
static void become(const struct child *child, pid_t parent, int out, int err)
{
    sigset_t none;

    /* KILL, not TERM: when the launcher is gone nobody is left to insist. The parent may have died
     * before the request took effect: then there would be no signal any more. */
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(127);
    }
    if (child->net_namespace >= 0 && setns(child->net_namespace, CLONE_NEWNET) != 0) {
        _exit(127);
    }
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(err, STDERR_FILENO) < 0) {
        _exit(127);
    }
    /* The key travels in the environment only: argument lists can be read by every user. */
    if (child->places_key != NULL) {
        (void)setenv("PLACES_KEY", child->places_key, 1);
    } else {
        (void)unsetenv("PLACES_KEY");
    }
    /* execv takes char *const[] for historical reasons and changes nothing. */
    (void)execv(child->args[0], (char *const *)(void *)child->args);
    (void)dprintf(STDERR_FILENO, "cannot start %s: %s\n", child->args[0], strerror(errno));
    _exit(127);
}

static void close_pair(const int pair[2])
{
    (void)close(pair[0]);
    (void)close(pair[1]);
}

bool child_start(struct child *child)
{
    int out[2];
    int err[2];
    pid_t parent = getpid();

    if (pipe2(out, O_CLOEXEC) != 0) {
        say_error("cannot start %s: no pipe: %s", child->name, strerror(errno));
        return false;
    }
    if (pipe2(err, O_CLOEXEC) != 0) {
        say_error("cannot start %s: no pipe: %s", child->name, strerror(errno));
        close_pair(out);
        return false;
    }
    pid_t pid = fork();
    if (pid == 0) {
        become(child, parent, out[1], err[1]);
    }
    if (pid < 0) {
        say_error("cannot start %s: %s", child->name, strerror(errno));
        close_pair(out);
        close_pair(err);
        return false;
    }
    (void)setpgid(pid, pid); /* also here: whichever of the two comes first counts */
    (void)close(out[1]);
    (void)close(err[1]);
    (void)fcntl(out[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(err[0], F_SETFL, O_NONBLOCK);
    child->pid = pid;
    child->last_error[0] = '\0';
    child->pipes[CHILD_OUT] = (struct child_pipe){.fd = out[0]};
    child->pipes[CHILD_ERR] = (struct child_pipe){.fd = err[0]};
    return true;
}

static void close_pipe(struct child_pipe *stream)
{
    if (stream->fd >= 0) {
        (void)close(stream->fd);
        stream->fd = -1;
    }
}

static void pass_line(struct child *child, struct child_pipe *stream, child_on_line *on_line,
                      void *context)
{
    stream->line[stream->bytes] = '\0';
    stream->bytes = 0;
    if (stream == &child->pipes[CHILD_ERR] && stream->line[0] != '\0') {
        (void)snprintf(child->last_error, sizeof child->last_error, "%.500s", stream->line);
    }
    on_line(context, child, stream->line);
}

static void read_pipe(struct child *child, struct child_pipe *stream, child_on_line *on_line,
                      void *context)
{
    char chunk[4096];

    /* Bounded: a process that writes without end must not keep the launcher from its signals. */
    for (int round = 0; round < 16 && stream->fd >= 0; round++) {
        ssize_t count = read(stream->fd, chunk, sizeof chunk);
        if (count < 0) {
            if (errno != EAGAIN && errno != EINTR) {
                close_pipe(stream);
            }
            return;
        }
        if (count == 0) {
            if (stream->bytes > 0) {
                pass_line(child, stream, on_line, context);
            }
            close_pipe(stream);
            return;
        }
        for (ssize_t i = 0; i < count; i++) {
            if (chunk[i] != '\n') {
                stream->line[stream->bytes++] = chunk[i];
            }
            if (chunk[i] == '\n' || stream->bytes == sizeof stream->line - 1) {
                pass_line(child, stream, on_line, context);
            }
        }
    }
}

void child_read(struct child *child, child_on_line *on_line, void *context)
{
    read_pipe(child, &child->pipes[CHILD_OUT], on_line, context);
    read_pipe(child, &child->pipes[CHILD_ERR], on_line, context);
}

bool child_reap(struct child *child, child_on_line *on_line, void *context)
{
    if (child->pid == 0 || waitpid(child->pid, &child->status, WNOHANG) != child->pid) {
        return false;
    }
    child->pid = 0;
    /* A pipe holds 64 KB at most, which one call takes; what a process it left behind may still
     * write is not waited for. */
    child_read(child, on_line, context);
    for (size_t i = 0; i < CHILD_STREAMS; i++) {
        struct child_pipe *stream = &child->pipes[i];
        if (stream->fd >= 0 && stream->bytes > 0) {
            pass_line(child, stream, on_line, context);
        }
        close_pipe(stream);
    }
    return true;
}

void child_signal(const struct child *child, int number)
{
    if (child->pid > 0) {
        (void)kill(number == SIGKILL ? -child->pid : child->pid, number);
    }
}

void child_describe_end(const struct child *child, char *text, size_t bytes)
{
    const char *colon = child->last_error[0] != '\0' ? ": " : "";

    if (WIFSIGNALED(child->status)) {
        int number = WTERMSIG(child->status);
        (void)snprintf(text, bytes, "signal %d, %s%s%s", number, strsignal(number), colon,
                       child->last_error);
    } else {
        (void)snprintf(text, bytes, "exit status %d%s%s", WEXITSTATUS(child->status), colon,
                       child->last_error);
    }
}
