/* Looks at the node's memory: nothing here makes it do anything. */
#include <string.h>

#include "lwip/memp.h"
#include "lwip/stats.h"

#include "clients.h"
#include "conn.h"
#include "links.h"
#include "log.h"
#include "tls_link.h"

#include "sim_node.h"

static const char *const pool_names[] = {
#define LWIP_MEMPOOL(name, count, bytes, words) #name,
#include "lwip/priv/memp_std.h"
};

static void probe_pools(struct world_probe *out)
{
    const unsigned count = sizeof pool_names / sizeof pool_names[0];
    for (unsigned i = 0; i < count && i < MEMP_MAX && i < WORLD_POOLS_MAX; i++) {
        const struct stats_mem *stats = lwip_stats.memp[i];
        out->pool[out->pools++] = (struct world_pool){.name = pool_names[i],
                                                      .size = memp_pools[i]->num,
                                                      .used = (uint32_t)stats->used,
                                                      .max = (uint32_t)stats->max,
                                                      .errors = (uint32_t)stats->err};
    }
}

void sim_probe(struct world_probe *out)
{
    memset(out, 0, sizeof *out);
    probe_pools(out);
    struct conn_stats conns = conn_stats();
    _Static_assert(CONN_CLASS_COUNT <= WORLD_CLASSES_MAX, "every class has its place");
    for (unsigned i = 0; i < CONN_CLASS_COUNT; i++) {
        out->open[out->classes] = conns.open[i];
        out->high[out->classes++] = conns.high_water[i];
    }
    out->devices = clients_stats().count;
    for (unsigned i = 0; i < sim_config.neighbour_count; i++) {
        out->links_up += links_state(i) == LINKS_UP || links_state(i) == LINKS_SUSPECT;
    }
    struct tls_link_stats tls = tls_link_stats();
    struct links_stats links = links_stats();
    out->tls_contexts = TLS_LINK_CONTEXTS - tls_link_free();
    out->arena_bytes = tls.memory_used;
    out->arena_max = tls.memory_peak;
    out->scratch_bytes = tls.scratch_used;
    out->scratch_max = tls.scratch_peak;
    out->links_made = links.up;
    out->links_broken = links.down;
    out->links_protocol = links.protocol;
    out->links_skipped = links.skipped;
    out->links_bad_reports = links.bad_report;
    out->auth_failed = links.auth_failed;
    out->auth_unknown = links.auth_unknown;
    out->auth_old_key = links.auth_old_key;
    out->frames_in = lwip_stats.link.recv;
    out->frames_out = lwip_stats.link.xmit;
    out->frames_dropped = lwip_stats.link.drop;
    out->ip_sum_errors = lwip_stats.ip.chkerr;
    out->tcp_sum_errors = lwip_stats.tcp.chkerr;
    out->udp_sum_errors = lwip_stats.udp.chkerr;
    out->log_dropped = log_dropped();
}
