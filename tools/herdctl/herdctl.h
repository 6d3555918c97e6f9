/* What the files of herdctl share: exit codes, the node that is asked, the commands. */
#ifndef HERDCTL_H
#define HERDCTL_H

#include "herdfile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum herdctl_exit {
    HERDCTL_OK = 0,      /* every command was answered */
    HERDCTL_REFUSED = 1, /* the node answered `?`, or something that is not the protocol */
    HERDCTL_USAGE = 2,   /* arguments, herd file, keys or track cannot be used */
    HERDCTL_NETWORK = 3, /* cannot connect, connection lost, or no answer in time */
    HERDCTL_LOCAL = 4,   /* this machine: answer or keys cannot be written, or memory is out */
};

struct herdctl_node {
    char name[64];         /* for messages: "Bailey", or "127.0.0.1:10000" */
    const char *herd_file; /* where it was found, NULL when its address was given */
    char address[16];      /* dotted IPv4 */
    uint16_t port;
    size_t report_bytes; /* the herd's limit, 0 when it is not known */
    long timeout_ms;     /* for connecting, and for each answer */
};

struct herdctl_replay {
    const char *path; /* GPX file */
    const char *id;
    double speed; /* times real time; 0: as fast as answers allow */
    bool now;     /* shift the track so that its first point is now */
};

/*
 * The commands. Each prints its answer, or adds its fields to the report (report.h), says on
 * stderr what went wrong, and returns the exit code.
 */
enum herdctl_exit command_iamat(const struct herdctl_node *node, const char *id, const char *lat,
                                const char *lon, const char *time);
enum herdctl_exit command_whatsat(const struct herdctl_node *node, const char *id,
                                  const char *radius_km, const char *bound);
enum herdctl_exit replay_track(const struct herdctl_node *node,
                               const struct herdctl_replay *replay);
/* Keys for the links of the herd, into files in `directory` (linkkeys.h). */
enum herdctl_exit command_keys(const struct herdfile *herd, const char *directory, bool rotate);

/* Help on stdout: of `command`, or of all when it is NULL or not known. */
void help_print(const char *command);

#endif
