#include "check.h"
#include "command.h"
#include "say.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool check_program(const char *path, const char *what)
{
    if (access(path, X_OK) == 0) {
        return true;
    }
    say_error("%s is not there: %s: %s; `make` builds it", what, path, strerror(errno));
    return false;
}

static bool check_file(const char *path, const char *what, const char *advice)
{
    if (access(path, R_OK) == 0) {
        return true;
    }
    say_error("cannot read %s: %s: %s%s", what, path, strerror(errno), advice);
    return false;
}

bool check_programs(const struct options *options, bool standin)
{
    char root[PATH_MAX];

    if (!check_program(options->node_bin, "the node program")) {
        return false;
    }
    if (options->places_key_file != NULL &&
        !check_file(options->places_key_file, "the file with the places key", "")) {
        return false;
    }
    if (!standin) {
        return true;
    }
    if ((size_t)snprintf(root, sizeof root, "%s/root-ec.pem", options->certs) >= sizeof root) {
        say_error("the name of the certificates' directory is too long");
        return false;
    }
    return check_program(options->standin, "the Places stand-in") &&
           check_file(root, "the stand-in's root certificate", "; `make` makes it") &&
           (options->answer_file == NULL ||
            check_file(options->answer_file, "the stand-in's answer file", ""));
}

static bool is_program(const char *board)
{
    return strncmp(board, "posix", 5) == 0;
}

bool check_boards(const struct options *options, const struct herdfile *herd)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < herd->node_count; i++) {
        const struct herdfile_node *node = &herd->nodes[i];
        if (strcmp(options->net, "slirp") != 0 && !is_program(node->board)) {
            say_error("%s: [node %s] is on board %s: boards under QEMU are not on TAP devices; use "
                      "--net slirp",
                      options->herd_file, node->name, node->board);
            return false;
        }
        if (!command_program(options, node->board, path) || access(path, X_OK) != 0) {
            say_error("%s: [node %s] is on board %s, which cannot run here: %s is not there. `make "
                      "boards` lists the boards, `make run HERD=%s` builds those that QEMU has",
                      options->herd_file, node->name, node->board, path, options->herd_file);
            return false;
        }
    }
    return true;
}

/* 0 when a listener can have address:port, else the errno. */
static int try_port(const char *address, uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1;
    int error = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return errno;
    }
    /* As the nodes' listeners do: connections of the last run that linger do not count. */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (inet_pton(AF_INET, address, &at.sin_addr) != 1 ||
        bind(fd, (const struct sockaddr *)&at, sizeof at) != 0) {
        error = errno;
    }
    (void)close(fd);
    return error;
}

static bool check_port(const char *owner, const char *key, const char *address, uint16_t port,
                       const char *where)
{
    int error = port != 0 ? try_port(address, port) : 0;

    if (error == 0) {
        return true;
    }
    if (error == EADDRINUSE) {
        say_error("%s %u of %s is in use; `ss -ltnp 'sport = :%u'` shows by whom: end that, or "
                  "change %s",
                  key, (unsigned)port, owner, (unsigned)port, where);
    } else if (error == EADDRNOTAVAIL) {
        say_error("%s of %s is not an address of this machine; right here is 127.0.0.1 (%s)",
                  address, owner, where);
    } else {
        say_error("%s %u of %s cannot be used: %s (%s)", key, (unsigned)port, owner,
                  strerror(error), where);
    }
    return false;
}

bool check_ports(const struct options *options, const struct herdfile *herd)
{
    /* On other nets nodes have addresses of their own, which are none of this machine's. */
    for (size_t i = 0; strcmp(options->net, "slirp") == 0 && i < herd->node_count; i++) {
        const struct herdfile_node *node = &herd->nodes[i];
        if (!check_port(node->name, "port", node->address, node->port, options->herd_file) ||
            !check_port(node->name, "link port", node->address, node->link_port,
                        options->herd_file)) {
            return false;
        }
    }
    return check_port("the Places stand-in", "port", "127.0.0.1", options->standin_port,
                      "--standin-port") &&
           check_port("the Places stand-in", "control port", "127.0.0.1", options->control_port,
                      "--control-port");
}

static bool herd_uses(const struct options *options, const struct herdfile *herd, uint16_t port)
{
    for (size_t i = 0; i < herd->node_count; i++) {
        if (herd->nodes[i].port == port || herd->nodes[i].link_port == port) {
            return true;
        }
    }
    for (size_t i = 0; i < herd->open_count; i++) {
        if (herd->open[i].port == port) {
            return true;
        }
    }
    return options->control_port == port;
}

uint16_t check_free_port(const struct options *options, const struct herdfile *herd)
{
    for (int round = 0; round < 100; round++) {
        struct sockaddr_in at = {.sin_family = AF_INET,
                                 .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
        socklen_t bytes = sizeof at;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool bound = fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 &&
                     getsockname(fd, (struct sockaddr *)&at, &bytes) == 0;
        if (fd >= 0) {
            (void)close(fd);
        }
        if (bound && !herd_uses(options, herd, ntohs(at.sin_port))) {
            return ntohs(at.sin_port);
        }
    }
    say_error("no free port for the Places stand-in; --standin-port P gives it one");
    return 0;
}
