#include "control.h"

#include <string.h>

static void say_fault(const struct standin *standin, struct buf *answer)
{
    buf_printf(answer, "ok fault=%s", standin->fault->name);
    if (standin->fault->argument != NULL) {
        buf_printf(answer, " arg=%ld", standin->fault_argument);
    }
    buf_add_str(answer, "\n");
}

static void say_stats(const struct standin *standin, struct buf *answer)
{
    const struct stats *s = &standin->stats;
    buf_printf(answer,
               "ok connections=%lu handshakes=%lu handshake_failures=%lu resumed=%lu requests=%lu "
               "new=%lu legacy=%lu bad_key=%lu bad_requests=%lu faults=%lu fault=%s\n",
               s->connections, s->handshakes, s->handshake_failures, s->resumed, s->requests,
               s->new_api, s->legacy, s->bad_key, s->bad_requests, s->faults, standin->fault->name);
}

void control_do(struct standin *standin, const char *line, struct buf *answer, bool *fault_changed,
                bool *hangup)
{
    const char *why = NULL;
    if (strncmp(line, "fault ", 6) == 0) {
        if (faults_parse(line + 6, &standin->fault, &standin->fault_argument, &why)) {
            *fault_changed = true;
            say_fault(standin, answer);
        } else {
            buf_printf(answer, "error %s\n", why);
        }
    } else if (strcmp(line, "stats") == 0) {
        say_stats(standin, answer);
    } else if (strcmp(line, "last") == 0) {
        buf_printf(answer, "ok %s\n", standin->last.len > 0 ? standin->last.data : "none");
    } else if (strcmp(line, "hangup") == 0) {
        *hangup = true;
        buf_add_str(answer, "ok\n");
    } else if (strcmp(line, "reset") == 0) {
        standin->stats = (struct stats){0};
        buf_free(&standin->last);
        standin->fault = faults_find("none");
        *fault_changed = true;
        buf_add_str(answer, "ok\n");
    } else {
        buf_add_str(answer,
                    "error use: fault NAME [ARG], fault none, stats, last, hangup, reset\n");
    }
}
