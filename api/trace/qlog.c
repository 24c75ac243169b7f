#include "api/trace/qlog.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/trace/qlog_chunk.h"
#include "proto/chunk.h"

/* What was written last is looked up here; another association in the same place costs only that
 * its next event is longer. */
#define SLOTS 4096u
/* So long may records wait when others follow. */
#define FLUSH_US 1000000u
#define TAG_TEXT_BYTES 9u

/* What was last written of a path. */
struct path_slot {
    bool used;
    uint32_t local_vtag, path;
    struct hws_observed_metrics metrics;
};

/* Whose packets carry this tag of a peer. */
struct tag_slot {
    uint32_t remote_vtag, local_vtag;
    uint16_t local_port, remote_port;
};

struct hws_qlog {
    struct hws_json json;
    uint64_t unix_offset_us;
    uint64_t flushed_us;
    uint64_t time_us; /* of the last event */
    struct path_slot paths[SLOTS];
    struct tag_slot tags[SLOTS];
};

/* ---- Records ---- */

/* RFC 7464: each begins with RS and ends with LF. */
static void begin_record(struct hws_json *json)
{
    json->comma = false;
    hws_json_raw(json, "\x1e");
    hws_json_object(json, NULL);
}

static void end_record(struct hws_json *json)
{
    hws_json_object_end(json);
    hws_json_raw(json, "\n");
}

/* Opens an event with its data; `local_vtag` names the association, 0: none. */
static void begin_event(struct hws_qlog *qlog, uint64_t time_us, const char *name,
                        uint32_t local_vtag)
{
    char group[TAG_TEXT_BYTES];
    /* A driver looks at the clock before it calls the application, which looks again. */
    if (time_us < qlog->time_us)
        time_us = qlog->time_us;
    qlog->time_us = time_us;
    if (time_us - qlog->flushed_us >= FLUSH_US) {
        qlog->flushed_us = time_us;
        hws_json_flush(&qlog->json);
    }
    begin_record(&qlog->json);
    hws_json_ms(&qlog->json, "time", time_us);
    hws_json_text(&qlog->json, "name", name);
    if (local_vtag != 0) {
        snprintf(group, sizeof(group), "%08" PRIx32, local_vtag);
        hws_json_text(&qlog->json, "group_id", group);
    }
    hws_json_object(&qlog->json, "data");
}

static void end_event(struct hws_qlog *qlog)
{
    hws_json_object_end(&qlog->json);
    end_record(&qlog->json);
}

static void write_addr(struct hws_json *json, const char *key, const struct hws_addr *addr)
{
    char text[HWS_ADDR_TEXT_MAX];
    if (addr != NULL && addr->family != HWS_FAMILY_NONE)
        hws_json_text(json, key, hws_addr_text(addr, text));
}

/* ---- Whose packet it is ---- */

static uint32_t slot_of(uint32_t tag, uint32_t more)
{
    return (tag ^ tag >> 16 ^ more * 0x9e3779b1u) % SLOTS;
}

static void learn_tags(struct hws_qlog *qlog, const struct hws_observation *o)
{
    if (o->remote_vtag == 0)
        return;
    qlog->tags[slot_of(o->remote_vtag, 0)] = (struct tag_slot){
        .remote_vtag = o->remote_vtag,
        .local_vtag = o->local_vtag,
        .local_port = o->local_port,
        .remote_port = o->remote_port,
    };
}

/* An INIT of ours carries no tag yet, but tells the one that the peer shall use. */
static uint32_t tag_of_init(const struct hws_capture_packet *packet)
{
    struct hws_tlv_iter it = hws_packet_chunks(packet->data, packet->len);
    struct hws_tlv first;
    struct hws_init init;
    bool is_init = hws_tlv_next(&it, &first) && hws_chunk_type(&first) == HWS_CHUNK_INIT &&
                   hws_init_decode(&first, &init);
    return is_init ? init.tag : 0;
}

/* The tag of ours that names the packet's association, 0: not known. */
static uint32_t group_of(const struct hws_qlog *qlog, const struct hws_capture_packet *packet)
{
    struct hws_header header;
    if (!hws_header_read(packet->data, packet->len, &header))
        return 0;
    if (packet->way == HWS_CAPTURE_IN)
        return header.vtag;
    if (header.vtag == 0)
        return tag_of_init(packet);
    const struct tag_slot *slot = &qlog->tags[slot_of(header.vtag, 0)];
    bool same = slot->remote_vtag == header.vtag && slot->local_port == header.src_port &&
                slot->remote_port == header.dst_port;
    return same ? slot->local_vtag : 0;
}

/* ---- Packets ---- */

void hws_qlog_packet(struct hws_qlog *qlog, const struct hws_capture_packet *packet)
{
    struct hws_json *json = &qlog->json;
    bool in = packet->way == HWS_CAPTURE_IN;
    bool udp = packet->src->udp_port != 0 || packet->dst->udp_port != 0;
    begin_event(qlog, packet->unix_us, in ? "sctp:packet_received" : "sctp:packet_sent",
                group_of(qlog, packet));
    write_addr(json, "source", packet->src);
    write_addr(json, "destination", packet->dst);
    if (udp)
        hws_json_text(json, "protocol", "udp");
    else
        hws_json_uint(json, "protocol", packet->protocol);
    if (packet->profile != NULL)
        hws_json_text(json, "profile", packet->profile);
    hws_json_object(json, "raw");
    hws_json_uint(json, "length", packet->len);
    hws_json_object_end(json);
    hws_qlog_write_chunks(json, packet->data, packet->len, packet->names);
    end_event(qlog);
}

/* ---- What the observer is told ---- */

static void write_drop(struct hws_json *json, const struct hws_observed_drop *drop)
{
    hws_json_text(json, "trigger", drop->reason);
    if (drop->packet == NULL)
        return;
    write_addr(json, "source", &drop->packet->src);
    write_addr(json, "destination", &drop->packet->dst);
    hws_json_object(json, "raw");
    hws_json_uint(json, "length", drop->packet->len);
    hws_json_object_end(json);
    hws_qlog_write_header(json, drop->packet->data, drop->packet->len);
}

static void write_assoc_state(struct hws_json *json, const struct hws_observation *o)
{
    const struct hws_observed_assoc_state *s = &o->u.assoc_state;
    hws_json_text(json, "old", hws_assoc_state_name(s->before));
    hws_json_text(json, "new", hws_assoc_state_name(s->now));
    hws_json_uint(json, "local_port", o->local_port);
    hws_json_uint(json, "remote_port", o->remote_port);
    hws_json_uint(json, "local_tag", o->local_vtag);
    hws_json_uint(json, "remote_tag", o->remote_vtag);
    if (s->now == HWS_STATE_ESTABLISHED) {
        hws_json_uint(json, "inbound_streams", s->instreams);
        hws_json_uint(json, "outbound_streams", s->ostreams);
    }
    if (s->reason != 0)
        hws_json_text(json, "reason", hws_error_text(s->reason));
    if (s->cause != 0)
        hws_json_uint(json, "cause", s->cause);
}

static void write_path_state(struct hws_json *json, const struct hws_observation *o)
{
    const struct hws_observed_path_state *s = &o->u.path_state;
    hws_json_uint(json, "path", o->path);
    write_addr(json, "local", o->local);
    write_addr(json, "remote", o->remote);
    if (!s->is_new)
        hws_json_text(json, "old", hws_path_state_name(s->before));
    hws_json_text(json, "new", hws_path_state_name(s->now));
}

static void write_chunk(struct hws_json *json, const struct hws_observation *o, bool lost)
{
    const struct hws_observed_chunk *c = &o->u.chunk;
    hws_json_uint(json, "tsn", c->tsn);
    hws_json_uint(json, "stream_id", c->sid);
    hws_json_uint(json, "length", c->len);
    hws_json_uint(json, "path", o->path);
    if (lost)
        hws_json_text(json, "trigger", hws_lost_reason_name(c->reason));
}

/* Unlike any: of a path that nothing was written of. */
static const struct hws_observed_metrics nothing = {
    .cwnd_bytes = UINT32_MAX,
    .ssthresh_bytes = UINT32_MAX,
    .flight_bytes = UINT32_MAX,
    .rto_us = UINT32_MAX,
    .peer_rwnd_bytes = UINT32_MAX,
    .mtu = UINT32_MAX,
};

/* Only what changed; ssthresh and round trips once there are any. */
static void write_metrics(struct hws_json *json, const struct hws_observed_metrics *was,
                          const struct hws_observed_metrics *now)
{
    if (now->cwnd_bytes != was->cwnd_bytes)
        hws_json_uint(json, "congestion_window", now->cwnd_bytes);
    if (now->ssthresh_bytes != was->ssthresh_bytes && now->ssthresh_bytes != UINT32_MAX)
        hws_json_uint(json, "ssthresh", now->ssthresh_bytes);
    if (now->flight_bytes != was->flight_bytes)
        hws_json_uint(json, "bytes_in_flight", now->flight_bytes);
    if (now->srtt_us != was->srtt_us)
        hws_json_ms(json, "smoothed_rtt", now->srtt_us);
    if (now->rttvar_us != was->rttvar_us)
        hws_json_ms(json, "rtt_variance", now->rttvar_us);
    if (now->rto_us != was->rto_us)
        hws_json_ms(json, "rto", now->rto_us);
    if (now->peer_rwnd_bytes != was->peer_rwnd_bytes)
        hws_json_uint(json, "peer_rwnd", now->peer_rwnd_bytes);
    if (now->mtu != was->mtu)
        hws_json_uint(json, "mtu", now->mtu);
}

static void metrics(struct hws_qlog *qlog, uint64_t time_us, const struct hws_observation *o)
{
    struct path_slot *slot = &qlog->paths[slot_of(o->local_vtag, o->path)];
    bool known = slot->used && slot->local_vtag == o->local_vtag && slot->path == o->path;
    const struct hws_observed_metrics *now = &o->u.metrics;
    if (known && memcmp(&slot->metrics, now, sizeof(*now)) == 0)
        return;
    begin_event(qlog, time_us, "sctp:metrics_updated", o->local_vtag);
    hws_json_uint(&qlog->json, "path", o->path);
    write_metrics(&qlog->json, known ? &slot->metrics : &nothing, now);
    end_event(qlog);
    *slot = (struct path_slot){
        .used = true, .local_vtag = o->local_vtag, .path = o->path, .metrics = *now};
}

static void write_stream_queue(struct hws_json *json, const struct hws_observed_stream_queue *q)
{
    hws_json_uint(json, "stream_id", q->sid);
    hws_json_uint(json, "queued_bytes", q->queued_bytes);
}

static const char *const event_names[] = {
    [HWS_OBSERVED_ASSOC_STATE] = "sctp:association_state_updated",
    [HWS_OBSERVED_PATH_STATE] = "sctp:path_state_updated",
    [HWS_OBSERVED_METRICS] = "sctp:metrics_updated",
    [HWS_OBSERVED_LOST] = "sctp:packet_lost",
    [HWS_OBSERVED_RETRANSMITTED] = "sctp:packet_retransmitted",
    [HWS_OBSERVED_STREAM_QUEUE] = "sctp:stream_queue_updated",
    [HWS_OBSERVED_DROPPED] = "sctp:packet_dropped",
};

static void write_data(struct hws_json *json, const struct hws_observation *o)
{
    switch (o->kind) {
    case HWS_OBSERVED_ASSOC_STATE:
        write_assoc_state(json, o);
        break;
    case HWS_OBSERVED_PATH_STATE:
        write_path_state(json, o);
        break;
    case HWS_OBSERVED_LOST:
    case HWS_OBSERVED_RETRANSMITTED:
        write_chunk(json, o, o->kind == HWS_OBSERVED_LOST);
        break;
    case HWS_OBSERVED_STREAM_QUEUE:
        write_stream_queue(json, &o->u.stream_queue);
        break;
    case HWS_OBSERVED_DROPPED:
        write_drop(json, &o->u.drop);
        break;
    case HWS_OBSERVED_METRICS: /* see metrics() */
        break;
    }
}

void hws_qlog_tell(void *ctx, const struct hws_observation *o)
{
    struct hws_qlog *qlog = ctx;
    uint64_t time_us = o->now_us + qlog->unix_offset_us;
    if (o->kind == HWS_OBSERVED_METRICS) {
        metrics(qlog, time_us, o);
        return;
    }
    if (o->kind == HWS_OBSERVED_ASSOC_STATE)
        learn_tags(qlog, o);
    begin_event(qlog, time_us, event_names[o->kind], o->local_vtag);
    write_data(&qlog->json, o);
    end_event(qlog);
}

/* ---- The file ---- */

static void write_vantage_point(struct hws_json *json, const struct hws_qlog_config *config)
{
    static const char *const types[] = {"unknown", "client", "server"};
    hws_json_object(json, "vantage_point");
    hws_json_text(json, "name", config->name);
    hws_json_text(json, "type", types[config->vantage]);
    hws_json_object_end(json);
}

/* A clock that is monotonic has no epoch that can be named. */
static void write_common_fields(struct hws_json *json, bool virtual_time)
{
    hws_json_object(json, "common_fields");
    hws_json_text(json, "time_format", "relative_to_epoch");
    hws_json_object(json, "reference_time");
    hws_json_text(json, "clock_type", virtual_time ? "monotonic" : "system");
    hws_json_text(json, "epoch", virtual_time ? "unknown" : "1970-01-01T00:00:00.000Z");
    hws_json_object_end(json);
    hws_json_object_end(json);
}

static void write_head(struct hws_json *json, const struct hws_qlog_config *config)
{
    begin_record(json);
    hws_json_text(json, "file_schema", "urn:ietf:params:qlog:file:sequential");
    hws_json_text(json, "serialization_format", "application/qlog+json-seq");
    hws_json_text(json, "title", config->title);
    hws_json_object(json, "trace");
    write_vantage_point(json, config);
    write_common_fields(json, config->virtual_time);
    hws_json_array(json, "event_schemas");
    hws_json_text(json, NULL, HWS_QLOG_EVENT_SCHEMA);
    hws_json_array_end(json);
    hws_json_object_end(json);
    end_record(json);
}

int hws_qlog_open(const char *path, const struct hws_qlog_config *config, struct hws_qlog **out)
{
    struct hws_qlog *qlog = calloc(1, sizeof(*qlog));
    if (qlog == NULL)
        return -ENOMEM;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        int error = errno;
        free(qlog);
        return -error;
    }
    hws_json_init(&qlog->json, fd);
    qlog->unix_offset_us = config->unix_offset_us;
    write_head(&qlog->json, config);
    *out = qlog;
    return 0;
}

int hws_qlog_close(struct hws_qlog *qlog)
{
    int result = hws_json_flush(&qlog->json);
    if (close(qlog->json.fd) != 0 && result == 0)
        result = -errno;
    free(qlog);
    return result;
}
