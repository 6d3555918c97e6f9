/* Seeds on several processes: each takes the next seed and tells what came of it through a pipe. A process
 * that dies, or does not come to an end, is a failure of its seed. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "inside.h"
#include "run.h"

#define JOBS_MAX   64
#define HANG_S     600 /* of the host's time, for one seed */
#define PROGRESS_S 10

struct shared {
    uint64_t next; /* seed to take */
    uint64_t end;
    uint64_t running[JOBS_MAX];
};

struct many {
    const struct run_setup *setup;
    struct shared *shared;
    pid_t workers[JOBS_MAX];
    double started[JOBS_MAX]; /* of its present seed */
    uint64_t seen[JOBS_MAX];
    unsigned jobs;
    int pipe[2];
    uint64_t first;
    uint64_t count;
    uint64_t done;
    unsigned failed;
    uint64_t fired[FAULT_COUNT];
    uint64_t seeds_fired[FAULT_COUNT];
    double virtual_s;
    int64_t worst_step_ns;
    uint64_t hash; /* of all hashes, whatever the order */
};

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void work(struct many *m, unsigned job)
{
    struct run_result result;
    for (;;) {
        uint64_t seed = __atomic_fetch_add(&m->shared->next, 1, __ATOMIC_SEQ_CST);
        if (seed >= m->shared->end) {
            _exit(0);
        }
        m->shared->running[job] = seed + 1;
        run_seed(m->setup, seed, &result);
        m->shared->running[job] = 0;
        if (write(m->pipe[1], &result, sizeof result) != (ssize_t)sizeof result) {
            _exit(1);
        }
    }
}

static void hire(struct many *m, unsigned job)
{
    (void)fflush(NULL);
    m->started[job] = now_s();
    m->workers[job] = fork();
    if (m->workers[job] == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody would hear of it */
        work(m, job);
    }
    if (m->workers[job] < 0) {
        perror("sim: fork");
        exit(2);
    }
}

static void count_result(struct many *m, const struct run_result *r)
{
    m->done++;
    if (m->setup->hashes) {
        printf("hash %llu %016llx\n", (unsigned long long)r->seed, (unsigned long long)r->hash);
    }
    m->virtual_s += (double)r->virtual_ns / (double)SIM_S;
    m->hash += r->hash * UINT64_C(0x9E3779B97F4A7C15);
    m->worst_step_ns = r->worst_step_ns > m->worst_step_ns ? r->worst_step_ns : m->worst_step_ns;
    for (unsigned i = 0; i < FAULT_COUNT; i++) {
        m->fired[i] += r->fired[i];
        m->seeds_fired[i] += r->fired[i] > 0;
    }
    if (r->failed && m->failed++ < RUN_FAILURES_SHOWN) {
        run_print(m->setup, r);
    }
}

/* Its seed has failed; another goes on with the rest. */
static void bury(struct many *m, unsigned job, const char *how, int number)
{
    uint64_t running = m->shared->running[job];
    m->workers[job] = 0;
    if (running == 0) {
        return;
    }
    struct run_result r = {.seed = running - 1, .failed = true};
    (void)snprintf(r.invariant, sizeof r.invariant, "alive");
    (void)snprintf(r.failure, sizeof r.failure, "the simulator %s (%d)", how, number);
    m->shared->running[job] = 0;
    count_result(m, &r);
    hire(m, job);
}

static void look_after(struct many *m)
{
    for (unsigned i = 0; i < m->jobs; i++) {
        int status;
        if (m->workers[i] == 0) {
            continue;
        }
        if (m->seen[i] != m->shared->running[i]) {
            m->seen[i] = m->shared->running[i];
            m->started[i] = now_s();
        }
        if (m->seen[i] != 0 && now_s() - m->started[i] > HANG_S) {
            (void)kill(m->workers[i], SIGKILL);
            (void)waitpid(m->workers[i], &status, 0);
            bury(m, i, "did not come to an end", HANG_S);
        } else if (waitpid(m->workers[i], &status, WNOHANG) == m->workers[i]) {
            bury(m, i, WIFSIGNALED(status) ? "died of a signal" : "ended",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        }
    }
}

static bool anybody(const struct many *m)
{
    for (unsigned i = 0; i < m->jobs; i++) {
        if (m->workers[i] != 0) {
            return true;
        }
    }
    return false;
}

/* False: some fault never fired. */
static bool print_summary(const struct many *m, double took_s)
{
    bool all = true;
    printf("%llu seeds, %u failed, %.0f virtual s in %.1f s: %.1f seeds/s, %.0f x real time; "
           "hashes %016llx; worst step %lld us\n",
           (unsigned long long)m->done, m->failed, m->virtual_s, took_s, (double)m->done / took_s,
           m->virtual_s / took_s, (unsigned long long)m->hash,
           (long long)(m->worst_step_ns / 1000));
    printf("fired:\n");
    run_print_fired(m->fired);
    for (unsigned i = 0; i < FAULT_COUNT; i++) {
        if (m->fired[i] == 0) {
            printf("%s %s", all ? "never fired:" : ",", world_fault_name(i));
            all = false;
        }
    }
    printf("%s", all ? "" : "\n");
    return all;
}

unsigned run_many(const struct run_setup *setup, uint64_t first, uint64_t count, unsigned jobs)
{
    static struct many m;
    double began = now_s();
    double told = began;
    m = (struct many){
        .setup = setup, .jobs = jobs > JOBS_MAX ? JOBS_MAX : jobs, .first = first, .count = count};
    m.shared =
        mmap(NULL, sizeof *m.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (m.shared == MAP_FAILED || pipe(m.pipe) != 0) {
        perror("sim");
        exit(2);
    }
    m.shared->next = first;
    m.shared->end = first + count;
    for (unsigned i = 0; i < m.jobs; i++) {
        hire(&m, i);
    }
    for (;;) {
        struct pollfd fd = {.fd = m.pipe[0], .events = POLLIN};
        struct run_result r;
        if (poll(&fd, 1, 500) > 0) {
            if (read(m.pipe[0], &r, sizeof r) == (ssize_t)sizeof r) {
                count_result(&m, &r);
            }
        } else if (!anybody(&m)) {
            break;
        }
        look_after(&m);
        if (now_s() - told > PROGRESS_S) {
            told = now_s();
            printf("%llu of %llu seeds, %u failed, %.1f seeds/s\n", (unsigned long long)m.done,
                   (unsigned long long)count, m.failed, (double)m.done / (told - began));
            (void)fflush(stdout);
        }
    }
    bool all = print_summary(&m, now_s() - began);
    if (!all && setup->all_fired) {
        printf("FAILED: a fault that never fires proves nothing\n");
        m.failed++;
    }
    (void)munmap(m.shared, sizeof *m.shared);
    (void)close(m.pipe[0]);
    (void)close(m.pipe[1]);
    return m.failed;
}
