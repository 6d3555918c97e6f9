#include "net_ops.h"

#include <string.h>

const struct net_ops *net_ops = &net_slirp_ops;

static const char *device = "";

bool net_ops_choose(const char *net)
{
    static const char tap[] = "tap=";
    if (strcmp(net, "slirp") == 0) {
        net_ops = &net_slirp_ops;
        device = "";
        return true;
    }
    if (strncmp(net, tap, sizeof tap - 1) == 0 && net[sizeof tap - 1] != '\0') {
        net_ops = &net_tap_ops;
        device = net + sizeof tap - 1;
        return true;
    }
    return false;
}

const char *net_ops_device(void)
{
    return device;
}
