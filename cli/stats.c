#include "cli/stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>

#include "cli/address.h"

/* ---- Counters ---- */

static void print_counters(const struct hws_runtime *runtime)
{
    struct hws_counter counter;
    const char *group = "";
    for (size_t i = 0; hws_runtime_counter(runtime, i, &counter) == 0; i++) {
        if (strcmp(counter.group, group) != 0)
            fprintf(stderr, "%s\"%s\":{", i == 0 ? "" : "},", counter.group);
        else
            fputc(',', stderr);
        fprintf(stderr, "\"%s\":%" PRIu64, counter.name, counter.value);
        group = counter.group;
    }
    fputc('}', stderr);
}

/* ---- Associations ---- */

/* As RFC 9260 and RFC 7829 name them. */
static const char *path_state(int state)
{
    switch (state) {
    case SCTP_ACTIVE:
        return "active";
    case SCTP_PF:
        return "potentially failed";
    case SCTP_INACTIVE:
        return "inactive";
    default:
        return "unconfirmed";
    }
}

static const char *association_state(int state)
{
    static const char *const names[] = {
        [SCTP_EMPTY] = "CLOSED",
        [SCTP_CLOSED] = "CLOSED",
        [SCTP_COOKIE_WAIT] = "COOKIE-WAIT",
        [SCTP_COOKIE_ECHOED] = "COOKIE-ECHOED",
        [SCTP_ESTABLISHED] = "ESTABLISHED",
        [SCTP_SHUTDOWN_PENDING] = "SHUTDOWN-PENDING",
        [SCTP_SHUTDOWN_SENT] = "SHUTDOWN-SENT",
        [SCTP_SHUTDOWN_RECEIVED] = "SHUTDOWN-RECEIVED",
        [SCTP_SHUTDOWN_ACK_SENT] = "SHUTDOWN-ACK-SENT",
    };
    return names[state];
}

static void print_path(const hws_uv_path_t *path)
{
    char remote[HWS_CLI_ADDRESS_MAX], local[HWS_CLI_ADDRESS_MAX];
    fprintf(stderr,
            "{\"remote\":\"%s\",\"local\":\"%s\",\"state\":\"%s\",\"primary\":%s,"
            "\"rto_us\":%" PRIu32 ",\"srtt_us\":%" PRIu32 ",\"rttvar_us\":%" PRIu32
            ",\"cwnd_bytes\":%" PRIu32 ",\"ssthresh_bytes\":%" PRIu32 ",\"flight_bytes\":%" PRIu32
            ",\"mtu_bytes\":%" PRIu32 ",\"errors\":%" PRIu32 ",\"heartbeats_acked\":%" PRIu64
            ",\"heartbeat_rtt_us\":%" PRIu32 "}",
            hws_cli_address(&path->remote, remote), hws_cli_address(&path->local, local),
            path_state(path->state), path->primary ? "true" : "false", path->rto_us, path->srtt_us,
            path->rttvar_us, path->cwnd_bytes, path->ssthresh_bytes, path->flight_bytes,
            path->mtu_bytes, path->errors, path->heartbeats_acked, path->heartbeat_rtt_us);
}

/* An association that is over has no status any more. */
static int state_of(hws_uv_t *handle)
{
    struct sctp_status status;
    int len = sizeof(status);
    bool up = hws_uv_getsockopt(handle, IPPROTO_SCTP, SCTP_STATUS, &status, &len) == 0;
    return up ? status.sstat_state : SCTP_CLOSED;
}

static bool print_association(hws_uv_t *handle, struct hws_cli_stats *stats)
{
    hws_uv_path_t path;
    if (hws_uv_get_path(handle, 0, 0, &path) < 0)
        return false;
    fprintf(stderr, "%s{\"local_port\":%u,\"remote_port\":%u,\"state\":\"%s\"",
            stats->associations++ > 0 ? "," : "", hws_cli_port(&path.local),
            hws_cli_port(&path.remote), association_state(state_of(handle)));
    return true;
}

void hws_cli_stats_add(struct hws_cli_stats *stats, hws_uv_t *handle)
{
    hws_uv_path_t path;
    if (!print_association(handle, stats))
        return;
    for (unsigned i = 0; hws_uv_get_path(handle, 0, i, &path) == 0; i++) {
        fputs(i == 0 ? ",\"paths\":[" : ",", stderr);
        print_path(&path);
    }
    fputs("]}", stderr);
}

void hws_cli_stats_print(const struct hws_runtime *runtime,
                         void (*add)(void *arg, struct hws_cli_stats *stats), void *arg)
{
    struct hws_cli_stats stats = {0};
    fputc('{', stderr);
    print_counters(runtime);
    fputs(",\"associations\":[", stderr);
    add(arg, &stats);
    fputs("]}\n", stderr);
}

void hws_cli_stats_print_one(hws_uv_t *handle)
{
    struct hws_cli_stats stats = {0};
    fputs("{\"associations\":[", stderr);
    hws_cli_stats_add(&stats, handle);
    fputs("]}\n", stderr);
}
