#include "fake_engine.h"

#include <string.h>

struct fake_engine fake_engine;

void fake_engine_reset(void)
{
    fake_engine = (struct fake_engine){.next_id = 100, .recv_rc = HWS_E_AGAIN};
    hws_params_default(&fake_engine.assoc_params);
}

void hws_params_default(struct hws_params *params)
{
    *params = (struct hws_params){.ostreams = 10,
                                  .max_instreams = 65535,
                                  .sack_packets = 2,
                                  .rto_initial_us = 1000000,
                                  .rto_min_us = 1000000,
                                  .rto_max_us = 60000000,
                                  .hb_interval_us = 30000000,
                                  .sndbuf_bytes = 4u << 20,
                                  .rcvbuf_bytes = 4u << 20};
}

int hws_endpoint_new(struct hws_engine *engine, const struct hws_endpoint_config *config,
                     hws_endpoint_id *out)
{
    (void)engine;
    if (fake_engine.endpoint_new_rc < 0)
        return fake_engine.endpoint_new_rc;
    fake_engine.last_port = config->port;
    fake_engine.last_params = *config->params;
    fake_engine.endpoints++;
    *out = fake_engine.next_id++;
    return HWS_OK;
}

int hws_endpoint_listen(struct hws_engine *engine, hws_endpoint_id id, bool listening)
{
    (void)engine;
    (void)id;
    fake_engine.listens += listening;
    return HWS_OK;
}

int hws_endpoint_release(struct hws_engine *engine, hws_endpoint_id id)
{
    (void)engine;
    (void)id;
    fake_engine.endpoints--;
    return HWS_OK;
}

int hws_assoc_connect(struct hws_engine *engine, hws_endpoint_id endpoint,
                      const struct hws_addr *remotes, size_t remote_count, uint16_t remote_port,
                      uint64_t now_us, hws_assoc_id *out)
{
    (void)engine;
    (void)endpoint;
    (void)remotes;
    (void)remote_count;
    (void)remote_port;
    (void)now_us;
    fake_engine.connects++;
    *out = fake_engine.last_assoc = fake_engine.next_id++;
    return fake_engine.connect_rc;
}

int hws_assoc_send(struct hws_engine *engine, hws_assoc_id id, const struct hws_sndinfo *info,
                   const struct hws_iovec *iov, size_t iov_count, uint64_t now_us)
{
    (void)engine;
    (void)id;
    (void)info;
    (void)iov;
    (void)iov_count;
    (void)now_us;
    return fake_engine.send_rc;
}

int hws_assoc_recv(struct hws_engine *engine, hws_assoc_id id, void *buf, size_t capacity,
                   size_t *len, struct hws_rcvinfo *info, uint64_t now_us)
{
    (void)engine;
    (void)id;
    (void)now_us;
    if (fake_engine.message == NULL)
        return fake_engine.recv_rc;
    size_t left = strlen(fake_engine.message);
    *len = left < capacity ? left : capacity;
    memcpy(buf, fake_engine.message, *len);
    *info = (struct hws_rcvinfo){.flags = *len == left ? HWS_RECV_EOR : 0};
    fake_engine.message = *len == left ? NULL : fake_engine.message + *len;
    return HWS_OK;
}

int hws_assoc_peek(struct hws_engine *engine, hws_assoc_id id, void *buf, size_t capacity,
                   size_t *len, struct hws_rcvinfo *info, uint64_t now_us)
{
    const char *message = fake_engine.message;
    int rc = hws_assoc_recv(engine, id, buf, capacity, len, info, now_us);
    fake_engine.message = message;
    return rc;
}

bool hws_assoc_readable(const struct hws_engine *engine, hws_assoc_id id)
{
    (void)engine;
    (void)id;
    return fake_engine.message != NULL;
}

int hws_assoc_next(const struct hws_engine *engine, hws_assoc_id id, struct hws_next *out)
{
    (void)engine;
    (void)id;
    if (fake_engine.message == NULL)
        return HWS_E_AGAIN;
    *out = (struct hws_next){.len = (uint32_t)strlen(fake_engine.message), .whole = true};
    return HWS_OK;
}

int hws_assoc_recv_view(struct hws_engine *engine, hws_assoc_id id, struct hws_recv_view *out)
{
    (void)engine;
    (void)id;
    (void)out;
    return HWS_E_AGAIN;
}

void hws_recv_view_release(struct hws_engine *engine, struct hws_recv_view *view)
{
    (void)engine;
    (void)view;
}

int hws_assoc_send_lent(struct hws_engine *engine, hws_assoc_id id, const struct hws_sndinfo *info,
                        const struct hws_iovec *iov, size_t iov_count, void *lent, uint64_t now_us)
{
    (void)lent;
    return hws_assoc_send(engine, id, info, iov, iov_count, now_us);
}

bool hws_engine_lent_done(struct hws_engine *engine, void **lent)
{
    (void)engine;
    (void)lent;
    return false;
}

int hws_assoc_failed(struct hws_engine *engine, hws_assoc_id id, struct hws_failed *out)
{
    (void)engine;
    (void)id;
    (void)out;
    return HWS_E_AGAIN;
}

int hws_assoc_locals(const struct hws_engine *engine, hws_assoc_id id, struct hws_addr *out,
                     size_t capacity, size_t *count)
{
    (void)engine;
    (void)id;
    (void)out;
    (void)capacity;
    *count = 0;
    return HWS_OK;
}

int hws_endpoint_set_locals(struct hws_engine *engine, hws_endpoint_id id,
                            const struct hws_addr *locals, size_t count)
{
    (void)engine;
    (void)id;
    (void)locals;
    (void)count;
    return HWS_OK;
}

int hws_assoc_shutdown(struct hws_engine *engine, hws_assoc_id id, uint64_t now_us)
{
    (void)engine;
    (void)id;
    (void)now_us;
    fake_engine.shutdowns++;
    return fake_engine.shutdown_rc;
}

int hws_assoc_abort(struct hws_engine *engine, hws_assoc_id id, const void *reason,
                    size_t reason_len, uint64_t now_us)
{
    (void)engine;
    (void)id;
    (void)reason;
    (void)reason_len;
    (void)now_us;
    fake_engine.aborts++;
    return HWS_OK;
}

int hws_assoc_release(struct hws_engine *engine, hws_assoc_id id, uint64_t now_us)
{
    (void)engine;
    (void)id;
    (void)now_us;
    fake_engine.releases++;
    return HWS_OK;
}

int hws_assoc_status(const struct hws_engine *engine, hws_assoc_id id, struct hws_assoc_status *out)
{
    (void)engine;
    (void)id;
    *out = (struct hws_assoc_status){.state = HWS_STATE_ESTABLISHED,
                                     .ostreams = 7,
                                     .remote_port = FAKE_ENGINE_REMOTE_PORT,
                                     .path_count = FAKE_ENGINE_PATHS,
                                     .primary = fake_engine.primary};
    return HWS_OK;
}

int hws_assoc_path_status(const struct hws_engine *engine, hws_assoc_id id, uint32_t index,
                          struct hws_path_status *out)
{
    (void)engine;
    (void)id;
    *out = (struct hws_path_status){
        .remote = {.family = HWS_FAMILY_IPV4, .ip = {192, 0, 2, (uint8_t)(9 + index)}},
        .state = index == 0 ? HWS_PATH_ACTIVE : HWS_PATH_POTENTIALLY_FAILED,
        .confirmed = true,
        .active = true,
        .primary = index == fake_engine.primary,
        .srtt_us = 5000,
        .rto_us = 1500000,
        .cwnd = 4380,
        .mtu = 1500 + index};
    return HWS_OK;
}

int hws_endpoint_set_params(struct hws_engine *engine, hws_endpoint_id id,
                            const struct hws_params *params)
{
    (void)engine;
    (void)id;
    fake_engine.last_params = *params;
    return HWS_OK;
}

int hws_assoc_params(const struct hws_engine *engine, hws_assoc_id id, struct hws_params *out)
{
    (void)engine;
    (void)id;
    *out = fake_engine.assoc_params;
    return HWS_OK;
}

int hws_assoc_set_params(struct hws_engine *engine, hws_assoc_id id,
                         const struct hws_params *params, uint64_t now_us)
{
    (void)engine;
    (void)id;
    (void)now_us;
    fake_engine.params_set++;
    fake_engine.assoc_params = *params;
    return HWS_OK;
}

int hws_path_params(const struct hws_engine *engine, hws_assoc_id id, uint32_t index,
                    struct hws_path_params *out)
{
    (void)engine;
    (void)id;
    *out = fake_engine.path_params[index];
    return HWS_OK;
}

int hws_path_set_params(struct hws_engine *engine, hws_assoc_id id, uint32_t index,
                        const struct hws_path_params *params, uint64_t now_us)
{
    (void)engine;
    (void)id;
    (void)now_us;
    fake_engine.path_params_set++;
    fake_engine.path_params[index] = *params;
    return HWS_OK;
}

int hws_assoc_set_primary(struct hws_engine *engine, hws_assoc_id id, uint32_t index,
                          uint64_t now_us)
{
    (void)engine;
    (void)id;
    (void)now_us;
    fake_engine.primary = index;
    return HWS_OK;
}

int hws_assoc_heartbeat(struct hws_engine *engine, hws_assoc_id id, uint32_t index, uint64_t now_us)
{
    (void)engine;
    (void)id;
    (void)now_us;
    fake_engine.heartbeats[index]++;
    return HWS_OK;
}

int hws_assoc_counts(struct hws_engine *engine, hws_assoc_id id, struct hws_assoc_counts *out)
{
    (void)engine;
    (void)id;
    *out = (struct hws_assoc_counts){.packets_in = 3};
    return HWS_OK;
}

int hws_path_set_encapsulation(struct hws_engine *engine, hws_assoc_id id, uint32_t index,
                               uint16_t udp_port)
{
    (void)engine;
    (void)id;
    (void)index;
    (void)udp_port;
    return HWS_OK;
}
