/* How a runtime is made from its configuration, and its counters. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/link/link_kind.h"
#include "api/runtime/profile.h"
#include "api/runtime/runtime.h"

_Static_assert(HWS_SHARDS_MAX == HWS_LIMIT_SHARDS, "what is promised is what there is");
_Static_assert(HWS_ERROR_MAX >= HWS_LINK_ERROR_MAX, "a link's text fits");
_Static_assert(HWS_ERROR_MAX >= HWS_EXTENSION_ERROR_MAX, "and what is said of extensions");

const char *hws_version(void)
{
    return HWS_VERSION;
}

unsigned hws_shard_of(unsigned shard_count, uint16_t local_port, uint16_t remote_port)
{
    return shard_count > 1 ? hws_shard_of_ports(shard_count, local_port, remote_port) : 0;
}

/* 0 and above as it is, a negative errno as -1 and errno. */
static int posix(int rc)
{
    if (rc >= 0)
        return rc;
    errno = -rc;
    return -1;
}

void hws_runtime_config_init(struct hws_runtime_config *config)
{
    *config = (struct hws_runtime_config){
        .protocol = HWS_PROTO_SCTP, .peer_udp_port = HWS_UDP_PORT, .ipv4 = true, .ipv6 = true};
}

/* Who has a UDP port alone shares nothing. */
static struct hws_shard shard_of(const struct hws_runtime_config *config)
{
    bool alone = config->udp && config->udp_port == 0;
    return alone ? (struct hws_shard){0}
                 : (struct hws_shard){.count = config->shard_count, .index = config->shard};
}

static int check_config(const struct hws_runtime_config *config, char *error)
{
    if (config->spin_us > HWS_SPIN_MAX_US) {
        snprintf(error, HWS_ERROR_MAX, "spin_us may be %d at most", HWS_SPIN_MAX_US);
        return -EINVAL;
    }
    if (!config->ipv4 && !config->ipv6) {
        snprintf(error, HWS_ERROR_MAX, "neither IPv4 nor IPv6 is wanted: allow one of them");
        return -EINVAL;
    }
    bool alone = config->shard_count <= 1 && config->shard == 0;
    if (alone || (config->shard < config->shard_count && config->shard_count <= HWS_SHARDS_MAX))
        return 0;
    snprintf(error, HWS_ERROR_MAX,
             "shard %u of %u: there may be up to %u shards, which are counted from 0",
             config->shard, config->shard_count, HWS_SHARDS_MAX);
    return -EINVAL;
}

static int open_link(const struct hws_runtime_config *config, struct hws_link **link, char *error)
{
    if (config->udp) {
        const struct hws_link_udp_config udp = {.port = config->udp_port,
                                                .ipv4 = config->ipv4,
                                                .ipv6 = config->ipv6,
                                                .shard = shard_of(config)};
        return hws_link_udp_open(&udp, link, error);
    }
    const struct hws_link_raw_config raw = {.protocol = config->protocol,
                                            .ipv4 = config->ipv4,
                                            .ipv6 = config->ipv6,
                                            .interface = config->interface,
                                            .own_host = config->own_host,
                                            .shard = shard_of(config)};
    return hws_link_kind_open(config->link, &raw, link, error);
}

static void describe_link(const struct hws_runtime_config *config, struct hws_sockets_link *link)
{
    link->encapsulates = config->udp;
    link->peer_udp_port = config->udp ? config->peer_udp_port : 0;
    if (!config->udp && config->interface != NULL)
        snprintf(link->interface, sizeof(link->interface), "%s", config->interface);
}

static void set_driving(struct hws_runtime *runtime, const struct hws_runtime_config *config)
{
    runtime->caller_drives = config->drive == HWS_DRIVE_CALLER;
    hws_driving_spin(&runtime->driving, config->spin_us);
}

static const struct hws_profile *profile_of(const struct hws_runtime_config *config)
{
    return config->udp || config->no_profile ? NULL : hws_profile_of(config->protocol);
}

static int runtime_new(const struct hws_runtime_config *config, char *error,
                       struct hws_runtime **out)
{
    struct hws_link *link;
    const struct hws_profile *profile = profile_of(config);
    struct hws_profile_extensions extensions;
    int rc = check_config(config, error);
    if (rc == 0 && hws_profile_extend(profile, config->extensions, config->extension_count,
                                      &extensions, error) != HWS_OK)
        rc = -EINVAL;
    if (rc == 0)
        rc = open_link(config, &link, error);
    if (rc < 0)
        return rc;
    const struct hws_runtime_part part = {.own_host = config->own_host,
                                          .shard = shard_of(config),
                                          .extensions = extensions.list,
                                          .extension_count = extensions.count};
    rc = hws_runtime_open(config->loop, link, &part, out);
    if (rc < 0) {
        snprintf(error, HWS_ERROR_MAX, "cannot set up the event loop: %s", strerror(-rc));
        return rc;
    }
    describe_link(config, &(*out)->sockets.link);
    set_driving(*out, config);
    if (profile != NULL)
        (*out)->sockets.profile_params = profile->params;
    return 0;
}

struct hws_runtime *hws_runtime_new(const struct hws_runtime_config *config, char *error)
{
    struct hws_runtime_config defaults;
    char scrap[HWS_ERROR_MAX];
    struct hws_runtime *runtime;
    hws_runtime_config_init(&defaults);
    int rc =
        runtime_new(config != NULL ? config : &defaults, error != NULL ? error : scrap, &runtime);
    return posix(rc) < 0 ? NULL : runtime;
}

#define ROW(name, what) {#name, what},
static const struct {
    const char *name, *what;
} engine_counters[] = {HWS_STATS(ROW)}, link_counters[] = {HWS_LINK_STATS(ROW)};
#undef ROW

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int read_counter(const struct hws_runtime *runtime, size_t index,
                        struct hws_counter *counter)
{
    struct hws_link *link = runtime->driver.link;
    if (index < COUNT(engine_counters)) {
        const uint64_t *values = (const uint64_t *)(const void *)hws_engine_stats(runtime->engine);
        *counter = (struct hws_counter){"engine", engine_counters[index].name,
                                        engine_counters[index].what, values[index]};
        return 0;
    }
    index -= COUNT(engine_counters);
    if (index >= COUNT(link_counters))
        return -ENOENT;
    const uint64_t *values = (const uint64_t *)(const void *)link->ops->stats(link);
    *counter = (struct hws_counter){"link", link_counters[index].name, link_counters[index].what,
                                    values[index]};
    return 0;
}

int hws_runtime_counter(const struct hws_runtime *runtime, size_t index,
                        struct hws_counter *counter)
{
    struct hws_driving *driving = &((struct hws_runtime *)(uintptr_t)runtime)->driving;
    if (runtime->process != hws_process_id())
        return posix(-ESTALE);
    hws_driving_lock(driving);
    int rc = read_counter(runtime, index, counter);
    hws_driving_unlock(driving);
    return posix(rc);
}
