/* libFuzzer target: two engines with an association between them live through a sequence of
 * operations; packets are altered, made up, lost, sent twice; time passes. Whatever happens, both
 * engines must end without memory of it. */
#include <stdlib.h>
#include <string.h>

#include "proto/chunk.h"
#include "proto/param.h"
#include "sim/env.h"
#include "tests/fuzz/ops.h"
#include "tests/sim/erratic.h"
#include "tests/sim/unruly.h"

#include "stack/engine.h"

#define WIRE_MAX 256u
#define TRAIN_BYTES (2u * HWS_PACKET_MAX_LEN)
#define COOKIE_MAX 512u
/* An engine that has more to say than this at one instant will not stop. */
#define OUTPUT_MAX 20000u
#define SETTLE_MAX 2000u
#define LENT_MAX 64u
#define VIEWS_MAX 8u
/* The source port of packets in UDP. */
#define UDP_PORT 9899u

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

struct wire_packet {
    struct hws_addr src, dst;
    uint32_t len;
    uint8_t *data;
};

struct side {
    struct sim_env env;
    struct hws_engine *engine;
    struct hws_addr addrs[FUZZ_ADDRS];
    uint16_t port;
    hws_endpoint_id endpoint;
    hws_assoc_id assoc;
    struct wire_packet wire[WIRE_MAX];
    uint32_t wire_head, wire_count;
    uint32_t tsn; /* of the last DATA chunk it sent */
    uint8_t *lent[LENT_MAX];
    struct hws_recv_view views[VIEWS_MAX];
    uint32_t sums[VIEWS_MAX];
    uint32_t sum; /* of the bytes of messages that failed */
};

struct fuzz {
    struct side sides[2];
    uint64_t now_us;
    const uint8_t *in;
    size_t left;
    uint8_t cookie[COOKIE_MAX];
    uint32_t cookie_len;
};

static uint8_t take(struct fuzz *f)
{
    if (f->left == 0)
        return 0;
    f->left--;
    return *f->in++;
}

static struct side *other(struct fuzz *f, struct side *s)
{
    return s == &f->sides[0] ? &f->sides[1] : &f->sides[0];
}

/* ---- What goes over the wire ---- */

static void note_cookie(struct fuzz *f, const struct hws_tlv *chunk)
{
    struct hws_init init;
    if (!hws_init_decode(chunk, &init))
        return;
    struct hws_tlv_iter it = hws_tlv_begin(init.params, init.params_len);
    struct hws_tlv param;
    while (hws_tlv_next(&it, &param))
        if (param.type == HWS_PARAM_COOKIE && param.len - 4u <= COOKIE_MAX) {
            f->cookie_len = param.len - 4u;
            memcpy(f->cookie, param.bytes + 4, f->cookie_len);
        }
}

static void note_packet(struct fuzz *f, struct side *s, const uint8_t *data, uint32_t len)
{
    struct hws_tlv_iter it = hws_packet_chunks(data, len);
    struct hws_tlv chunk;
    while (hws_tlv_next(&it, &chunk)) {
        struct hws_data d;
        if (hws_chunk_type(&chunk) == HWS_CHUNK_DATA && hws_data_decode(&chunk, &d))
            s->tsn = d.tsn;
        else if (hws_chunk_type(&chunk) == HWS_CHUNK_INIT_ACK)
            note_cookie(f, &chunk);
    }
}

static void wire_put(struct fuzz *f, struct side *s, const struct hws_train *t, uint32_t at)
{
    uint32_t len = t->len - at < t->segment_len ? t->len - at : t->segment_len;
    MUST(len >= HWS_PACKET_HEADER_LEN && len % 4 == 0);
    note_packet(f, s, t->data + at, len);
    if (s->wire_count == WIRE_MAX)
        return;
    struct wire_packet *p = &s->wire[(s->wire_head + s->wire_count++) % WIRE_MAX];
    *p = (struct wire_packet){
        .src = t->src.family != HWS_FAMILY_NONE ? t->src : s->addrs[0],
        .dst = t->dst,
        .len = len,
        .data = malloc(len),
    };
    p->src.udp_port = t->dst.udp_port != 0 ? UDP_PORT : 0;
    MUST(p->data != NULL);
    memcpy(p->data, t->data + at, len);
}

static struct wire_packet wire_take(struct side *s)
{
    if (s->wire_count == 0)
        return (struct wire_packet){0};
    struct wire_packet p = s->wire[s->wire_head];
    s->wire_head = (s->wire_head + 1) % WIRE_MAX;
    s->wire_count--;
    return p;
}

static void side_events(struct fuzz *f, struct side *s)
{
    struct hws_event event;
    while (hws_engine_event(s->engine, &event)) {
        if (event.type == HWS_EVENT_UP)
            s->assoc = event.assoc;
        if (event.type != HWS_EVENT_PATH_NEW)
            continue;
        struct hws_net_event mtu = {
            .kind = HWS_NET_MTU, .local = event.local, .remote = event.remote, .mtu = 1500};
        hws_engine_net_event(s->engine, &mtu, f->now_us);
    }
}

static void side_output(struct fuzz *f, struct side *s)
{
    static uint8_t buffer[TRAIN_BYTES];
    struct hws_train t = {.data = buffer, .capacity = sizeof buffer, .max_packets = 8};
    for (uint32_t n = 0; hws_engine_output(s->engine, &t, f->now_us); n++) {
        MUST(n < OUTPUT_MAX && t.len > 0 && t.len <= t.capacity && t.segment_len > 0);
        for (uint32_t at = 0; at < t.len; at += t.segment_len)
            wire_put(f, s, &t, at);
    }
}

/* Frees what is given back: a checker sees what else touches it. */
static void side_take_back(struct side *s)
{
    void *handle;
    while (hws_engine_lent_done(s->engine, &handle)) {
        uint8_t **slot = handle;
        MUST(*slot != NULL);
        free(*slot);
        *slot = NULL;
    }
}

static void pull(struct fuzz *f)
{
    for (int i = 0; i < 2; i++) {
        side_take_back(&f->sides[i]);
        side_events(f, &f->sides[i]);
        side_output(f, &f->sides[i]);
    }
}

static void input(struct fuzz *f, struct side *to, const struct wire_packet *p)
{
    struct hws_packet_in in = {
        .data = p->data, .len = p->len, .truesize = p->len + 64, .src = p->src, .dst = p->dst};
    hws_engine_input(to->engine, &in, 1, f->now_us);
    pull(f);
}

static void arrive(struct fuzz *f, struct side *from, struct wire_packet p)
{
    if (p.data != NULL)
        input(f, other(f, from), &p);
    free(p.data);
}

static void settle(struct fuzz *f)
{
    for (uint32_t n = 0; n < SETTLE_MAX; n++) {
        if (f->sides[0].wire_count == 0 && f->sides[1].wire_count == 0)
            return;
        arrive(f, &f->sides[0], wire_take(&f->sides[0]));
        arrive(f, &f->sides[1], wire_take(&f->sides[1]));
    }
}

/* ---- Packets of the input's own ---- */

/* TSNs in the input are small differences to where the association stands. */
static void fix_tsn(const struct side *to, const struct side *from, uint8_t *chunk, uint32_t len)
{
    uint32_t at = 4;
    uint32_t base = chunk[0] == HWS_CHUNK_DATA ? from->tsn : to->tsn;
    bool has_tsn =
        chunk[0] == HWS_CHUNK_DATA || chunk[0] == HWS_CHUNK_SACK || chunk[0] == HWS_CHUNK_SHUTDOWN;
    if (!has_tsn || len < at + 4)
        return;
    int32_t difference = (int8_t)chunk[at + 3];
    hws_put32(chunk + at, base + (uint32_t)difference);
}

static void fix_chunks(struct fuzz *f, struct side *to, uint8_t *packet, uint32_t len)
{
    struct hws_tlv_iter it = hws_packet_chunks(packet, len);
    struct hws_tlv chunk;
    while (hws_tlv_next(&it, &chunk))
        fix_tsn(to, other(f, to), packet + (chunk.bytes - packet), chunk.len);
}

static uint32_t put_cookie(const struct fuzz *f, uint8_t *packet)
{
    uint8_t *chunk = packet + HWS_PACKET_HEADER_LEN;
    chunk[0] = HWS_CHUNK_COOKIE_ECHO;
    chunk[1] = 0;
    hws_put16(chunk + 2, (uint16_t)(4 + f->cookie_len));
    memcpy(chunk + 4, f->cookie, f->cookie_len);
    return HWS_PACKET_HEADER_LEN + hws_pad4(4 + f->cookie_len);
}

static void fix_header(struct fuzz *f, struct side *to, uint8_t *packet, uint8_t control)
{
    struct hws_assoc_status status = {0};
    (void)hws_assoc_status(to->engine, to->assoc, &status);
    if ((control & FUZZ_FIX_PORTS) != 0) {
        hws_put16(packet, other(f, to)->port);
        hws_put16(packet + 2, to->port);
    }
    if ((control & FUZZ_FIX_TAG) != 0)
        hws_put32(packet + 4, status.local_vtag);
    else if ((control & FUZZ_FIX_TAG_PEER) != 0)
        hws_put32(packet + 4, status.remote_vtag);
}

static void op_packet(struct fuzz *f, struct side *to)
{
    uint8_t packet[FUZZ_PACKET_MAX + COOKIE_MAX] = {0};
    uint8_t control = take(f);
    uint32_t len = (uint32_t)take(f) * 2;
    for (uint32_t i = 0; i < len; i++)
        packet[i] = take(f);
    if (len >= HWS_PACKET_HEADER_LEN) {
        fix_header(f, to, packet, control);
        if ((control & FUZZ_FIX_COOKIE) != 0)
            len = put_cookie(f, packet);
        if ((control & FUZZ_FIX_TSN) != 0)
            fix_chunks(f, to, packet, len);
    }
    struct wire_packet p = {
        .src = other(f, to)->addrs[0], .dst = to->addrs[0], .len = len, .data = packet};
    if ((control & FUZZ_STRANGER) != 0)
        p.src.ip[3] = 77;
    input(f, to, &p);
}

static void op_mutate(struct fuzz *f, struct side *from)
{
    struct wire_packet p = wire_take(from);
    uint32_t offset = (uint32_t)take(f) << 8 | take(f);
    uint8_t mask = take(f);
    if (p.data != NULL)
        p.data[offset % p.len] ^= mask;
    arrive(f, from, p);
}

static void op_repeat(struct fuzz *f, struct side *from)
{
    struct wire_packet p = wire_take(from);
    if (p.data != NULL)
        input(f, other(f, from), &p);
    arrive(f, from, p);
}

/* ---- The application and the network ---- */

static void lend(struct fuzz *f, struct side *s, const struct hws_sndinfo *info, size_t len)
{
    uint8_t **slot = s->lent;
    while (slot < s->lent + LENT_MAX && *slot != NULL)
        slot++;
    if (slot == s->lent + LENT_MAX)
        return;
    *slot = calloc(1, len);
    MUST(*slot != NULL);
    struct hws_iovec iov[] = {{*slot, len / 2}, {*slot + len / 2, len - len / 2}};
    if (hws_assoc_send_lent(s->engine, s->assoc, info, iov, 2, slot, f->now_us) == HWS_OK)
        return;
    free(*slot);
    *slot = NULL;
}

static void op_send(struct fuzz *f, struct side *s)
{
    static const uint8_t bytes[256 * 64];
    uint8_t sid = take(f), flags = take(f);
    struct hws_sndinfo info = {.sid = sid, .flags = flags & 3, .path = flags >> 4};
    struct hws_iovec iov = {bytes, (size_t)take(f) * 64 + 1};
    if ((flags & FUZZ_LENT) != 0)
        lend(f, s, &info, iov.len);
    else
        (void)hws_assoc_send(s->engine, s->assoc, &info, &iov, 1, f->now_us);
}

static void op_receive(struct fuzz *f, struct side *s)
{
    uint8_t bytes[256];
    size_t len = 0;
    struct hws_rcvinfo info;
    size_t capacity = take(f);
    int error = hws_assoc_recv(s->engine, s->assoc, bytes, capacity, &len, &info, f->now_us);
    MUST(error != HWS_OK || len <= capacity);
}

/* What next tells and peek shows is what recv gives. */
static void op_peek(struct fuzz *f, struct side *s)
{
    uint8_t peeked[256], bytes[256];
    size_t peeked_len = 0, len = 0;
    struct hws_rcvinfo peeked_info = {0}, info = {0};
    struct hws_next next;
    size_t capacity = take(f);
    int next_error = hws_assoc_next(s->engine, s->assoc, &next);
    MUST(next_error != HWS_OK || next.len > 0);
    int peek_error =
        hws_assoc_peek(s->engine, s->assoc, peeked, capacity, &peeked_len, &peeked_info, f->now_us);
    int error = hws_assoc_recv(s->engine, s->assoc, bytes, capacity, &len, &info, f->now_us);
    MUST(peek_error == error);
    MUST(error != HWS_OK ||
         (len <= capacity && len == peeked_len && memcmp(bytes, peeked, len) == 0 &&
          info.tsn == peeked_info.tsn && info.flags == peeked_info.flags));
}

static uint32_t sum_of(const struct hws_iovec *iov, size_t count)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at < iov[i].len; at++)
            sum = sum * 31 + ((const uint8_t *)iov[i].base)[at];
    return sum;
}

static void op_view(struct fuzz *f, struct side *s)
{
    uint32_t slot = take(f) % VIEWS_MAX;
    struct hws_recv_view *view = &s->views[slot];
    if (view->held != NULL) {
        MUST(sum_of(view->iov, view->iov_count) == s->sums[slot]);
        hws_recv_view_release(s->engine, view);
    } else if (hws_assoc_recv_view(s->engine, s->assoc, view) == HWS_OK) {
        MUST(view->held != NULL && view->len > 0 && view->iov_count <= HWS_RECV_VIEW_PARTS);
        s->sums[slot] = sum_of(view->iov, view->iov_count);
    } else {
        view->held = NULL;
    }
}

/* Reads what will not arrive. */
static void op_failed(struct fuzz *f, struct side *s)
{
    struct hws_failed failed;
    for (uint32_t left = take(f); left > 0; left--) {
        if (hws_assoc_failed(s->engine, s->assoc, &failed) != HWS_OK)
            return;
        s->sum += sum_of(failed.iov, failed.iov_count);
    }
}

static void op_time(struct fuzz *f)
{
    uint64_t until_us = f->now_us + (1000ull << take(f) % 18);
    for (uint32_t n = 0; n < 200; n++) {
        uint64_t a = hws_engine_deadline(f->sides[0].engine);
        uint64_t b = hws_engine_deadline(f->sides[1].engine);
        uint64_t next = a < b ? a : b;
        if (next > until_us)
            break;
        f->now_us = next > f->now_us ? next : f->now_us;
        hws_engine_expire(f->sides[0].engine, f->now_us);
        hws_engine_expire(f->sides[1].engine, f->now_us);
        pull(f);
    }
    f->now_us = until_us > f->now_us ? until_us : f->now_us;
}

static void begin(struct fuzz *f, struct side *s)
{
    struct side *peer = other(f, s);
    (void)hws_assoc_connect(s->engine, s->endpoint, peer->addrs, 1, peer->port, f->now_us,
                            &s->assoc);
}

static void op_network(struct fuzz *f, struct side *s)
{
    uint8_t kind = take(f), flags = take(f);
    struct wire_packet *p = s->wire_count != 0 ? &s->wire[s->wire_head] : NULL;
    struct hws_net_event event = {
        .kind = (enum hws_net_kind)(kind % 4),
        .remote = other(f, s)->addrs[0],
        .mtu = (uint32_t)take(f) << 8 | take(f),
        .reason = (enum hws_send_failure)(1 + flags % 4),
        .protocol_unreachable = (flags & 0x80) != 0,
        .quoted = p != NULL ? p->data : NULL,
        .quoted_len = p != NULL ? p->len : 0,
    };
    hws_engine_net_event(s->engine, &event, f->now_us);
}

/* ---- Addresses ---- */

/* Those of the side's that are named, and how many. */
static size_t choose_addrs(const struct side *s, uint8_t which, struct hws_addr out[FUZZ_ADDRS])
{
    size_t count = 0;
    for (uint32_t i = 0; i < FUZZ_ADDRS; i++)
        if ((which & 1u << i) != 0)
            out[count++] = s->addrs[i];
    return count;
}

static void op_locals(struct fuzz *f, struct side *s)
{
    struct hws_addr addrs[FUZZ_ADDRS];
    size_t count = choose_addrs(s, take(f), addrs);
    (void)hws_endpoint_set_locals(s->engine, s->endpoint, addrs, count);
}

static void op_host(struct fuzz *f, struct side *s)
{
    struct hws_addr addrs[FUZZ_ADDRS];
    size_t count = choose_addrs(s, take(f), addrs);
    hws_engine_set_host_addresses(s->engine, addrs, count);
}

static void op_encapsulation(struct fuzz *f, struct side *s)
{
    uint8_t index = take(f), port = take(f);
    (void)hws_path_set_encapsulation(s->engine, s->assoc, index & 7, port);
}

/* ---- An engine's life ---- */

static void params_of(const struct side *s, struct hws_params *params)
{
    bool first = s->port == 1000;
    hws_params_default(params);
    params->rcvbuf_bytes = 20000;
    params->sndbuf_bytes = 40000;
    params->keep_failed = first;
    params->sched = first ? "rr" : SIM_ERRATIC;
    params->pathsel = first ? SIM_ERRATIC : NULL;
    params->cc = first ? SIM_ERRATIC : NULL;
}

static void op_endpoint(struct fuzz *f, struct side *s)
{
    uint8_t flags = take(f);
    struct hws_addr addrs[FUZZ_ADDRS];
    struct hws_params params;
    params_of(s, &params);
    struct hws_endpoint_config config = {.port = s->port,
                                         .locals = addrs,
                                         .local_count = choose_addrs(s, take(f), addrs),
                                         .families = flags & 3,
                                         .host_addresses = (flags & FUZZ_HOST_ADDRESSES) != 0,
                                         .reuse = (flags & FUZZ_REUSE) != 0,
                                         .listening = (flags & FUZZ_DEAF) == 0,
                                         .params = &params};
    if ((flags & FUZZ_KEEP_OLD) == 0)
        (void)hws_endpoint_release(s->engine, s->endpoint);
    (void)hws_endpoint_new(s->engine, &config, &s->endpoint);
    begin(f, s);
}

static void side_init(struct side *s, uint8_t host, uint64_t seed)
{
    sim_env_init(&s->env, seed);
    s->addrs[0] = (struct hws_addr){.family = HWS_FAMILY_IPV4, .ip = {192, 0, 2, host}};
    s->addrs[1] = (struct hws_addr){.family = HWS_FAMILY_IPV6, .ip = {0x20, 1, 0x0d, 0xb8, host}};
    s->addrs[2] = (struct hws_addr){.family = HWS_FAMILY_IPV4, .ip = {198, 51, 100, host}};
    s->port = (uint16_t)(1000u * host);
    static const struct hws_extension *const extensions[] = {&hws_extension_fec, &sim_erratic,
                                                             &sim_unruly};
    struct hws_engine_config config = {.env = sim_env_make(&s->env),
                                       .direct_alloc = true,
                                       .ignore_checksum = true,
                                       .extensions = extensions,
                                       .extension_count = 3};
    s->engine = hws_engine_new(&config);
    MUST(s->engine != NULL);
    struct hws_params params;
    params_of(s, &params);
    struct hws_endpoint_config endpoint = {.port = s->port,
                                           .locals = s->addrs,
                                           .local_count = 1,
                                           .listening = true,
                                           .params = &params};
    MUST(hws_endpoint_new(s->engine, &endpoint, &s->endpoint) == HWS_OK);
}

static void side_fini(struct side *s)
{
    hws_engine_free(s->engine);
    memset(s->views, 0, sizeof s->views); /* it has given up their memory */
    for (uint32_t i = 0; i < LENT_MAX; i++) {
        free(s->lent[i]);
        s->lent[i] = NULL;
    }
    MUST(s->env.live_objects == 0 && s->env.wrong_frees == 0);
}

static void op_reboot(struct fuzz *f, struct side *s)
{
    side_fini(s);
    side_init(s, (uint8_t)(s == &f->sides[0] ? 1 : 2), f->now_us + f->left);
    s->assoc = 0;
    begin(f, s);
}

static void one_op(struct fuzz *f)
{
    uint8_t op = take(f);
    struct side *s = &f->sides[op >> 7];
    switch ((enum fuzz_op)((op & 0x1f) % FUZZ_OPS)) {
    case FUZZ_SEND:
        op_send(f, s);
        break;
    case FUZZ_DELIVER:
        arrive(f, s, wire_take(s));
        break;
    case FUZZ_MUTATE:
        op_mutate(f, s);
        break;
    case FUZZ_LOSE:
        free(wire_take(s).data);
        break;
    case FUZZ_REPEAT:
        op_repeat(f, s);
        break;
    case FUZZ_PACKET:
        op_packet(f, s);
        break;
    case FUZZ_TIME:
        op_time(f);
        break;
    case FUZZ_RECEIVE:
        op_receive(f, s);
        break;
    case FUZZ_SHUTDOWN:
        (void)hws_assoc_shutdown(s->engine, s->assoc, f->now_us);
        break;
    case FUZZ_ABORT:
        (void)hws_assoc_abort(s->engine, s->assoc, "fuzz", 4, f->now_us);
        break;
    case FUZZ_RELEASE:
        (void)hws_assoc_release(s->engine, s->assoc, f->now_us);
        begin(f, s);
        break;
    case FUZZ_NETWORK:
        op_network(f, s);
        break;
    case FUZZ_LISTEN:
        (void)hws_endpoint_listen(s->engine, s->endpoint, (take(f) & 1) != 0);
        break;
    case FUZZ_REBOOT:
        op_reboot(f, s);
        break;
    case FUZZ_PEEK:
        op_peek(f, s);
        break;
    case FUZZ_VIEW:
        op_view(f, s);
        break;
    case FUZZ_FAILED:
        op_failed(f, s);
        break;
    case FUZZ_LOCALS:
        op_locals(f, s);
        break;
    case FUZZ_HOST:
        op_host(f, s);
        break;
    case FUZZ_ENDPOINT:
        op_endpoint(f, s);
        break;
    case FUZZ_ENCAPSULATION:
        op_encapsulation(f, s);
        break;
    case FUZZ_SETTLE:
    case FUZZ_OPS:
        settle(f);
        break;
    }
    pull(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz f;
    memset(&f, 0, sizeof f);
    f.now_us = 1000000;
    f.in = data;
    f.left = size;
    side_init(&f.sides[0], 1, 1);
    side_init(&f.sides[1], 2, 2);
    begin(&f, &f.sides[0]);
    pull(&f);
    /* The first byte decides whether the handshake is part of what is fuzzed. */
    if ((take(&f) & 1) != 0)
        settle(&f);
    while (f.left != 0)
        one_op(&f);
    for (int i = 0; i < 2; i++) {
        while (f.sides[i].wire_count != 0)
            free(wire_take(&f.sides[i]).data);
        side_fini(&f.sides[i]);
    }
    return 0;
}
