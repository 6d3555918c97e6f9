#include "command.h"
#include "linkkeys.h"
#include "rundir.h"
#include "say.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define KEY_BYTES 16

/* A key of its own for each run: a node that asked something else than this herd's stand-in would
 * be refused, and no key that is worth anything is on this machine because of a demonstration. */
static bool make_key(char *text, size_t bytes)
{
    unsigned char random[KEY_BYTES];
    int used = snprintf(text, bytes, "standin-");

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        say_error("no random bytes for the stand-in's key: %s", strerror(errno));
        return false;
    }
    for (size_t i = 0; i < sizeof random; i++) {
        used += snprintf(text + used, bytes - (size_t)used, "%02x", random[i]);
    }
    return true;
}

bool command_program(const struct options *options, const char *board, char *path)
{
    if (strcmp(board, "posix") == 0) {
        return snprintf(path, PATH_MAX, "%s", options->node_bin) < PATH_MAX;
    }
    if (snprintf(path, PATH_MAX, "%s/%s/herd", options->build, board) < PATH_MAX &&
        access(path, X_OK) == 0) {
        return true;
    }
    /* A build under sanitizers lies inside the plain one, and boards are of that. */
    char outer[PATH_MAX];
    if (snprintf(outer, sizeof outer, "%s/../%s/herd", options->build, board) < PATH_MAX &&
        access(outer, X_OK) == 0) {
        memcpy(path, outer, sizeof outer);
        return true;
    }
    return snprintf(path, PATH_MAX, "%s/%s/herd", options->build, board) < PATH_MAX;
}

bool command_prepare(const struct options *options, const struct herdfile *herd, bool standin,
                     const struct tapnet *tapnet, struct command_texts *texts)
{
    bool fits = true;

    memset(texts, 0, sizeof *texts);
    texts->tapnet = tapnet;
    int keys_bytes = snprintf(texts->keys_directory, sizeof texts->keys_directory, "%s%s",
                              options->keys != NULL ? options->keys : options->run_dir,
                              options->keys != NULL ? "" : "/keys");
    fits = (size_t)keys_bytes < sizeof texts->keys_directory;
    for (size_t i = 0; i < herd->node_count; i++) {
        (void)snprintf(texts->nets[i], sizeof texts->nets[i], "%s", options->net);
        if (strcmp(options->net, "tap") == 0) {
            (void)snprintf(texts->nets[i], sizeof texts->nets[i], "tap=" TAPNET_DEVICE, i);
        }
        fits = fits && command_program(options, herd->nodes[i].board, texts->programs[i]) &&
               rundir_path(options->run_dir, herd->nodes[i].name, "log", texts->logs[i],
                           sizeof texts->logs[i]) &&
               rundir_path(texts->keys_directory, herd->nodes[i].name, "keys", texts->keys[i],
                           sizeof texts->keys[i]);
        if (strcmp(herd->nodes[i].board, "posix") != 0) {
            char suffix[HERDFILE_BOARD_BYTES + sizeof ".state"];
            (void)snprintf(suffix, sizeof suffix, "%s.state", herd->nodes[i].board);
            fits = fits && rundir_path(options->run_dir, herd->nodes[i].name, suffix,
                                       texts->states[i], sizeof texts->states[i]);
        }
    }
    (void)snprintf(texts->standin_port, sizeof texts->standin_port, "%u",
                   (unsigned)options->standin_port);
    (void)snprintf(texts->control_port, sizeof texts->control_port, "%u",
                   (unsigned)options->control_port);
    (void)snprintf(texts->set_address, sizeof texts->set_address, "places.address=%s",
                   tapnet != NULL ? tapnet->host_address : "127.0.0.1");
    (void)snprintf(texts->set_port, sizeof texts->set_port, "places.port=%u",
                   (unsigned)options->standin_port);
    int trust_bytes = snprintf(texts->set_trust, sizeof texts->set_trust,
                               "places.trust_file=%s/root-ec.pem", options->certs);
    fits = fits && (size_t)trust_bytes < sizeof texts->set_trust;
    if (options->places_key_file != NULL) {
        int key_bytes = snprintf(texts->set_key_file, sizeof texts->set_key_file,
                                 "places.key_file=%s", options->places_key_file);
        fits = fits && (size_t)key_bytes < sizeof texts->set_key_file;
    }
    if (!fits) {
        say_error("a path on the command line is too long");
        return false;
    }
    return !standin || make_key(texts->places_key, sizeof texts->places_key);
}

void command_standin(const struct options *options, const struct command_texts *texts,
                     struct child *child)
{
    child_init(child, "places", options->standin);
    child->places_key = texts->places_key;
    if (texts->tapnet != NULL) {
        /* On this machine itself, so that its control port is where users are. */
        child->net_namespace = texts->tapnet->host_namespace;
        child_add_pair(child, "--address", texts->tapnet->host_address);
    }
    child_add_pair(child, "--port", texts->standin_port);
    child_add_pair(child, "--certs", options->certs);
    if (options->control_port != 0) {
        child_add_pair(child, "--control", texts->control_port);
    }
    if (options->answer_file != NULL) {
        child_add_pair(child, "--answer-file", options->answer_file);
    }
}

void command_node(const struct options *options, const struct herdfile *herd, size_t index,
                  bool standin, bool check_only, const struct command_texts *texts,
                  struct child *child)
{
    /* What judges herd files is the node program on this machine, for boards as well. */
    child_init(child, herd->nodes[index].name,
               check_only ? options->node_bin : texts->programs[index]);
    child_add_pair(child, "-c", options->herd_file);
    if (check_only) {
        child_add(child, "--check");
    } else {
        child_add_pair(child, "--log-file", texts->logs[index]);
        if (linkkeys_are_needed(herd, index)) {
            child_add_pair(child, "--keys", texts->keys[index]);
        }
        if (texts->states[index][0] != '\0') {
            child_add_pair(child, "--state", texts->states[index]);
        }
    }
    child_add_pair(child, "--net", texts->nets[index]);
    if (options->log_level != NULL) {
        child_add_pair(child, "--log-level", options->log_level);
    }
    if (standin) {
        child->places_key = texts->places_key;
        child_add_pair(child, "--set", texts->set_address);
        child_add_pair(child, "--set", texts->set_port);
        child_add_pair(child, "--set", texts->set_trust);
    } else if (options->places_key_file != NULL) {
        child_add_pair(child, "--set", texts->set_key_file);
    }
    /* The user's own come last: they win. */
    for (size_t i = 0; i < options->set_count; i++) {
        child_add_pair(child, "--set", options->sets[i]);
    }
    child_add(child, herd->nodes[index].name);
}
