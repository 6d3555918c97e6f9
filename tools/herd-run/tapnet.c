#include "tapnet.h"
#include "say.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define UPLINK "uplink" /* the bridge's end of the cable */

/* --- The herd file ----------------------------------------------------------------------------- */

static uint32_t parse(const char *text)
{
    struct in_addr address = {0};

    (void)inet_pton(AF_INET, text, &address); /* herdfile_read has seen it */
    return ntohl(address.s_addr);
}

static void format(uint32_t address, char text[16])
{
    (void)snprintf(text, 16, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
                   address & 255);
}

static unsigned prefix_of(uint32_t mask)
{
    return (unsigned)__builtin_popcount(mask);
}

static const struct herdfile_node *find_address(const struct herdfile *herd, size_t count,
                                                uint32_t address)
{
    for (size_t i = 0; i < count; i++) {
        if (parse(herd->nodes[i].address) == address) {
            return &herd->nodes[i];
        }
    }
    return NULL;
}

static bool check_node(const struct herdfile *herd, size_t index, const char *path)
{
    const struct herdfile_node *node = &herd->nodes[index];
    const struct herdfile_node *first = &herd->nodes[0];
    uint32_t address = parse(node->address);
    const struct herdfile_node *same = find_address(herd, index, address);

    if (address >> 24 == 127) {
        say_error("%s: [node %s] has address %s; with --net tap every node needs an address of its "
                  "own in one network, as in tools/herds/bailey-tap.conf",
                  path, node->name, node->address);
    } else if (same != NULL) {
        say_error(
            "%s: [node %s] has the address of %s, %s; with --net tap every node needs its own",
            path, node->name, same->name, node->address);
    } else if (strcmp(node->mask, first->mask) != 0 ||
               ((address ^ parse(first->address)) & parse(first->mask)) != 0) {
        say_error(
            "%s: [node %s] at %s is not in the network of %s, %s with mask %s; herd-run makes "
            "one network",
            path, node->name, node->address, first->name, first->address, first->mask);
    } else {
        return true;
    }
    return false;
}

/* This machine's address: what the nodes take for their gateway, or any that is free. */
static bool choose_host(const struct herdfile *herd, const char *path, struct tapnet *net)
{
    uint32_t first = parse(herd->nodes[0].address);

    net->host = 0;
    for (size_t i = 0; i < herd->node_count; i++) {
        const char *gateway = herd->nodes[i].gateway;
        if (gateway[0] != '\0' && net->host != 0 && parse(gateway) != net->host) {
            say_error("%s: nodes have different gateways; herd-run is the only one there", path);
            return false;
        }
        net->host = gateway[0] != '\0' ? parse(gateway) : net->host;
    }
    if (net->host == 0) {
        net->host = (first | ~net->mask) - 1;
        while (net->host > (first & net->mask) &&
               find_address(herd, herd->node_count, net->host) != NULL) {
            net->host--;
        }
    }
    const struct herdfile_node *same = find_address(herd, herd->node_count, net->host);
    if (same != NULL || net->host == (first & net->mask)) {
        say_error("%s: no address is left for this machine in the nodes' network", path);
        return false;
    }
    format(net->host, net->host_address);
    return true;
}

/* Another way to the network would be lost while the herd runs. */
static bool check_is_unused(const char *path, const struct tapnet *net)
{
    char line[256];
    char device[32];
    unsigned network;
    unsigned mask;
    bool unused = true;
    FILE *routes = fopen("/proc/net/route", "re");

    while (routes != NULL && unused && fgets(line, sizeof line, routes) != NULL) {
        if (sscanf(line, "%31s %x %*x %*x %*d %*d %*d %x", device, &network, &mask) == 3 &&
            mask != 0 && ((ntohl(network) ^ net->host) & ntohl(mask) & net->mask) == 0) {
            say_error("%s: the nodes' network %s is in use on this machine (%s); give them other "
                      "addresses",
                      path, net->network, device);
            unused = false;
        }
    }
    if (routes != NULL) {
        (void)fclose(routes);
    }
    return unused;
}

bool tapnet_check(const struct herdfile *herd, const char *path, struct tapnet *net)
{
    char network[16];

    net->mask = parse(herd->nodes[0].mask);
    net->host_namespace = -1;
    for (size_t i = 0; i < herd->node_count; i++) {
        if (!check_node(herd, i, path)) {
            return false;
        }
    }
    if (!choose_host(herd, path, net)) {
        return false;
    }
    format(net->host & net->mask, network);
    (void)snprintf(net->network, sizeof net->network, "%s/%u", network, prefix_of(net->mask));
    return check_is_unused(path, net);
}

/* --- ip(8) ------------------------------------------------------------------------------------- */

/* Lines for `ip -batch`. */
struct batch {
    char text[16384];
    size_t used;
};

static void add(struct batch *batch, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct batch *batch, const char *format, ...)
{
    size_t room = sizeof batch->text - batch->used;
    va_list values;

    va_start(values, format);
    int bytes = vsnprintf(batch->text + batch->used, room, format, values);
    va_end(values);
    if (bytes > 0 && (size_t)bytes < room) {
        batch->used += (size_t)bytes;
    }
}

static void become_ip(int net_namespace, int in, int err)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if ((net_namespace >= 0 && setns(net_namespace, CLONE_NEWNET) != 0) ||
        dup2(in, STDIN_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0) {
        _exit(126);
    }
    (void)execlp("ip", "ip", "-batch", "-", (char *)NULL);
    (void)dprintf(STDERR_FILENO, "ip(8) cannot be started: %s; install iproute2\n",
                  strerror(errno));
    _exit(127);
}

static void write_all(int fd, const char *text, size_t bytes)
{
    while (bytes > 0) {
        ssize_t wrote = write(fd, text, bytes);
        if (wrote <= 0) {
            return; /* ip has ended, and said why */
        }
        text += wrote;
        bytes -= (size_t)wrote;
    }
}

/* Runs the lines in the namespace (-1: the launcher's own). False after saying what failed. */
static bool run(const struct batch *batch, int net_namespace)
{
    int in[2];
    int err[2];
    char said[512];
    int status = -1;

    if (pipe2(in, O_CLOEXEC) != 0) {
        say_error("no pipe: %s", strerror(errno));
        return false;
    }
    if (pipe2(err, O_CLOEXEC) != 0) {
        say_error("no pipe: %s", strerror(errno));
        (void)close(in[0]);
        (void)close(in[1]);
        return false;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* as later for the whole run */
    pid_t pid = fork();
    if (pid == 0) {
        become_ip(net_namespace, in[0], err[1]);
    }
    (void)close(in[0]);
    (void)close(err[1]);
    if (pid > 0) {
        write_all(in[1], batch->text, batch->used); /* a pipe holds as much as a batch */
    }
    (void)close(in[1]);
    ssize_t bytes = read(err[0], said, sizeof said - 1);
    (void)close(err[0]);
    said[bytes > 0 ? bytes : 0] = '\0';
    said[strcspn(said, "\n")] = '\0';
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        say_error("cannot make the herd's network: %s", said[0] != '\0' ? said : "ip(8) failed");
        return false;
    }
    return true;
}

/* --- The network ------------------------------------------------------------------------------- */

/* A namespace of our own; the way back is kept. */
static bool enter_namespace(struct tapnet *net)
{
    net->host_namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (net->host_namespace < 0) {
        say_error("/proc/self/ns/net: %s", strerror(errno));
        return false;
    }
    if (unshare(CLONE_NEWNET) != 0) {
        say_error("--net tap needs root: it makes a network namespace, a bridge and TAP devices "
                  "(%s); use sudo, or --net slirp, which needs nothing",
                  strerror(errno));
        return false;
    }
    return true;
}

bool tapnet_make(const struct herdfile *herd, struct tapnet *net)
{
    static struct batch inside;
    static struct batch outside;

    if (!enter_namespace(net)) {
        return false;
    }
    (void)snprintf(net->host_device, sizeof net->host_device, "herd%ld", (long)getpid());
    add(&inside, "link set lo up\nlink add " TAPNET_BRIDGE " mtu %d type bridge\n", TAPNET_MTU);
    add(&inside, "link set " TAPNET_BRIDGE " up\n");
    for (size_t i = 0; i < herd->node_count; i++) {
        add(&inside, "tuntap add " TAPNET_DEVICE " mode tap\n", i);
        add(&inside, "link set " TAPNET_DEVICE " mtu %d master " TAPNET_BRIDGE " up\n", i,
            TAPNET_MTU);
    }
    add(&outside, "link add %s mtu %d type veth peer name " UPLINK " mtu %d netns %ld\n",
        net->host_device, TAPNET_MTU, TAPNET_MTU, (long)getpid());
    add(&outside, "addr add %s/%u dev %s\nlink set %s up\n", net->host_address,
        prefix_of(net->mask), net->host_device, net->host_device);
    if (!run(&inside, -1) || !run(&outside, net->host_namespace)) {
        return false;
    }
    inside.used = 0;
    add(&inside, "link set " UPLINK " master " TAPNET_BRIDGE " up\n");
    return run(&inside, -1);
}
