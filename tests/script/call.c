/* Calls of the application, and what the network says. */
#include <stdlib.h>
#include <string.h>

#include "proto/bytes.h"
#include "proto/packet.h"
#include "tests/script/names.h"
#include "tests/script/statement.h"

/* The most that one recv takes. */
#define RECV_MAX (1u << 20)

/* The rest of the line may say "-> ERROR"; without it the call has to succeed. */
static void check_result(struct scan *c, int code)
{
    int expected = scan_accept(c, "->") ? names_scan_error(c) : HWS_OK;
    scan_expect_end(c);
    if (code != expected)
        script_fail(c->s, "the call answered %s, not %s", hws_error_name(code),
                    hws_error_name(expected));
    world_pump(c->s);
}

static bool result_follows(struct scan *c)
{
    scan_peek(c);
    return strncmp(c->at, "->", 2) == 0;
}

static bool arguments_end(struct scan *c)
{
    return scan_at_end(c) || result_follows(c);
}

/* ---- Associations ---- */

static void call_connect(struct scan *c)
{
    struct world *w = &c->s->world;
    struct hws_addr remotes[WORLD_ADDRS_MAX];
    uint32_t count = 0;
    while (!arguments_end(c) && count < WORLD_ADDRS_MAX)
        remotes[count++] = scan_addr(c);
    bool all = count == 0;
    hws_assoc_id id = 0;
    int code = hws_assoc_connect(w->engine, w->endpoint, all ? w->peers : remotes,
                                 all ? w->peer_count : count, w->peer_port, w->now_us, &id);
    if (code == HWS_OK)
        w->assoc = id;
    check_result(c, code);
}

static void call_listen(struct scan *c)
{
    struct world *w = &c->s->world;
    bool on = !scan_accept_word(c, "off");
    check_result(c, hws_endpoint_listen(w->engine, w->endpoint, on));
}

static void call_release_endpoint(struct scan *c)
{
    struct world *w = &c->s->world;
    check_result(c, hws_endpoint_release(w->engine, w->endpoint));
}

static void call_shutdown(struct scan *c)
{
    struct world *w = &c->s->world;
    check_result(c, hws_assoc_shutdown(w->engine, w->assoc, w->now_us));
}

static void call_release(struct scan *c)
{
    struct world *w = &c->s->world;
    check_result(c, hws_assoc_release(w->engine, w->assoc, w->now_us));
}

static void call_abort(struct scan *c)
{
    struct world *w = &c->s->world;
    struct value reason = {0};
    if (!arguments_end(c))
        reason = value_scan_bytes(c);
    check_result(c, hws_assoc_abort(w->engine, w->assoc, reason.bytes, reason.len, w->now_us));
}

/* ---- Parameters and paths ---- */

static int set_endpoint(struct scan *c)
{
    struct world *w = &c->s->world;
    struct hws_params params;
    int code = hws_endpoint_params(w->engine, w->endpoint, &params);
    names_scan_members(c, names_params, "parameter", &params);
    return code != HWS_OK ? code : hws_endpoint_set_params(w->engine, w->endpoint, &params);
}

static int set_assoc(struct scan *c)
{
    struct world *w = &c->s->world;
    struct hws_params params;
    int code = hws_assoc_params(w->engine, w->assoc, &params);
    names_scan_members(c, names_params, "parameter", &params);
    return code != HWS_OK ? code : hws_assoc_set_params(w->engine, w->assoc, &params, w->now_us);
}

static int set_path(struct scan *c)
{
    struct world *w = &c->s->world;
    struct hws_path_params params;
    struct hws_path_status path;
    struct hws_addr remote = scan_addr(c);
    uint32_t index = world_path(c->s, &remote, &path);
    int code = hws_path_params(w->engine, w->assoc, index, &params);
    names_scan_members(c, names_path_params, "parameter of a path", &params);
    return code != HWS_OK ? code
                          : hws_path_set_params(w->engine, w->assoc, index, &params, w->now_us);
}

static void call_set(struct scan *c)
{
    int code;
    if (scan_accept_word(c, "endpoint"))
        code = set_endpoint(c);
    else if (scan_accept_word(c, "assoc"))
        code = set_assoc(c);
    else if (scan_accept_word(c, "path"))
        code = set_path(c);
    else
        script_fail(c->s, "endpoint, assoc or path expected");
    check_result(c, code);
}

static void call_primary(struct scan *c)
{
    struct world *w = &c->s->world;
    struct hws_path_status path;
    struct hws_addr remote = scan_addr(c);
    uint32_t index = world_path(c->s, &remote, &path);
    check_result(c, hws_assoc_set_primary(w->engine, w->assoc, index, w->now_us));
}

static void call_heartbeat(struct scan *c)
{
    struct world *w = &c->s->world;
    struct hws_path_status path;
    struct hws_addr remote = scan_addr(c);
    uint32_t index = world_path(c->s, &remote, &path);
    check_result(c, hws_assoc_heartbeat(w->engine, w->assoc, index, w->now_us));
}

/* ---- Messages ---- */

struct send_arguments {
    struct hws_sndinfo info;
    struct value data;
    uint64_t len;
};

static void scan_send_argument(struct scan *c, struct send_arguments *a)
{
    bool negated;
    if (scan_accept_word(c, "unordered")) {
        a->info.flags |= HWS_SEND_UNORDERED;
    } else if (scan_accept_word(c, "sack_immediately")) {
        a->info.flags |= HWS_SEND_SACK_IMMEDIATELY;
    } else {
        const char *key = scan_key(c, &negated);
        if (key == NULL)
            a->data = value_scan_bytes(c);
        else if (strcmp(key, "sid") == 0)
            a->info.sid = (uint16_t)scan_number_upto(c, 65535);
        else if (strcmp(key, "ppid") == 0)
            a->info.ppid = (uint32_t)scan_number_upto(c, UINT32_MAX);
        else if (strcmp(key, "len") == 0)
            a->len = scan_number_upto(c, (64u << 20) + 1);
        else
            script_fail(c->s, "send has no %s=", key);
    }
}

static void call_send(struct scan *c)
{
    struct world *w = &c->s->world;
    struct send_arguments a = {0};
    while (!arguments_end(c))
        scan_send_argument(c, &a);
    if (a.data.bytes == NULL) {
        uint8_t *bytes = script_alloc(c->s, a.len + 1);
        for (uint64_t i = 0; i < a.len; i++)
            bytes[i] = (uint8_t)i;
        a.data = (struct value){.bytes = bytes, .len = (uint32_t)a.len};
    }
    struct hws_iovec iov = {a.data.bytes, a.data.len};
    check_result(c, hws_assoc_send(w->engine, w->assoc, &a.info, &iov, 1, w->now_us));
}

struct recv_arguments {
    struct condition data, len, sid, ssn, ppid, tsn, unordered, eor;
    uint64_t capacity;
};

static void scan_recv_argument(struct scan *c, struct recv_arguments *a)
{
    const struct {
        const char *key;
        struct condition *condition;
    } keys[] = {{"len", &a->len},   {"sid", &a->sid}, {"ssn", &a->ssn},
                {"ppid", &a->ppid}, {"tsn", &a->tsn}, {"unordered", &a->unordered},
                {"eor", &a->eor}};
    bool negated;
    const char *key = scan_key(c, &negated);
    if (key == NULL) {
        a->data = value_scan_condition(c, false, true);
        return;
    }
    if (strcmp(key, "capacity") == 0) {
        a->capacity = scan_number_upto(c, RECV_MAX);
        return;
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(keys[i].key, key) == 0) {
            *keys[i].condition = value_scan_condition(c, negated, true);
            return;
        }
    script_fail(c->s, "recv has no %s=", key);
}

static void check_received(struct script *s, const struct recv_arguments *a, const uint8_t *data,
                           size_t len, const struct hws_rcvinfo *info)
{
    bool unordered = info->flags & HWS_RECV_UNORDERED, eor = info->flags & HWS_RECV_EOR;
    if (!value_meets(s, &a->len, "len", len, 8) || !value_meets(s, &a->sid, "sid", info->sid, 2) ||
        !value_meets(s, &a->ssn, "ssn", info->ssn, 2) ||
        !value_meets(s, &a->ppid, "ppid", info->ppid, 4) ||
        !value_meets(s, &a->tsn, "tsn", info->tsn, 4) ||
        !value_meets(s, &a->unordered, "unordered", unordered, 1) ||
        !value_meets(s, &a->eor, "eor", eor, 1) ||
        !value_meets_bytes(s, &a->data, "the message", data, (uint32_t)len))
        script_fail(s, "%s", s->reason);
}

static void call_recv(struct scan *c)
{
    static uint8_t bytes[RECV_MAX];
    struct world *w = &c->s->world;
    struct recv_arguments a = {.capacity = sizeof bytes};
    struct hws_rcvinfo info;
    size_t len = 0;
    while (!arguments_end(c))
        scan_recv_argument(c, &a);
    int code = hws_assoc_recv(w->engine, w->assoc, bytes, a.capacity, &len, &info, w->now_us);
    if (code == HWS_OK && !result_follows(c))
        check_received(c->s, &a, bytes, len, &info);
    check_result(c, code);
    c->s->checks++;
}

/* ---- The network ---- */

static void call_mtu(struct scan *c)
{
    struct world *w = &c->s->world;
    struct hws_net_event event = {.kind = HWS_NET_MTU, .assoc = w->assoc};
    event.remote = scan_addr(c);
    event.mtu = (uint32_t)scan_number_upto(c, 65535);
    scan_expect_end(c);
    hws_engine_net_event(w->engine, &event, w->now_us);
    world_pump(c->s);
}

static void call_link(struct scan *c)
{
    static const struct {
        const char *word;
        enum hws_send_failure reason;
    } words[] = {{"too-big", HWS_SEND_TOO_BIG},
                 {"unreachable", HWS_SEND_UNREACHABLE},
                 {"filtered", HWS_SEND_FILTERED},
                 {"busy", HWS_SEND_BUSY}};
    struct world *w = &c->s->world;
    struct hws_net_event event = {.kind = HWS_NET_SEND_FAILED};
    event.remote = scan_addr(c);
    event.local = w->locals[0];
    event.local_port = w->local_port;
    event.remote_port = w->peer_port;
    const char *word = scan_word(c, "why it failed");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].word, word) == 0)
            event.reason = words[i].reason;
    if (event.reason == 0)
        script_fail(c->s, "a link does not fail with %s", word);
    scan_expect_end(c);
    hws_engine_net_event(w->engine, &event, w->now_us);
    world_pump(c->s);
}

/* What an ICMP message quotes: the last packet that went there, changed as the line says. */
struct quote {
    uint8_t *bytes;
    uint32_t len;
};

static struct quote quote_last(struct scan *c, const struct hws_addr *remote)
{
    const struct world *w = &c->s->world;
    for (uint32_t i = 0; i < w->peer_count; i++) {
        const struct world_packet *last = w->last_to[i];
        if (!hws_addr_same(&w->peers[i], remote) || last == NULL)
            continue;
        struct quote q = {script_alloc(c->s, last->len), last->len};
        memcpy(q.bytes, last->data, last->len);
        return q;
    }
    script_fail(c->s, "no packet was sent there that could be quoted");
}

static void forge(struct scan *c, struct quote *q, struct hws_net_event *event, const char *key)
{
    uint64_t number = value_scan_number(c);
    if (strcmp(key, "mtu") == 0)
        event->mtu = (uint32_t)number;
    else if (strcmp(key, "quote") == 0)
        q->len = number < q->len ? (uint32_t)number : q->len;
    else if (strcmp(key, "sport") == 0)
        hws_put16(q->bytes, (uint16_t)number);
    else if (strcmp(key, "dport") == 0)
        hws_put16(q->bytes + 2, (uint16_t)number);
    else if (strcmp(key, "vtag") == 0)
        hws_put32(q->bytes + 4, (uint32_t)number);
    else if (strcmp(key, "tag") == 0 && q->len >= 20)
        hws_put32(q->bytes + 16, (uint32_t)number);
    else
        script_fail(c->s, "icmp has no %s=", key);
}

static void call_icmp(struct scan *c)
{
    struct world *w = &c->s->world;
    struct hws_net_event event = {.kind = HWS_NET_UNREACHABLE};
    if (scan_accept_word(c, "protocol-unreachable"))
        event.protocol_unreachable = true;
    else if (scan_accept_word(c, "too-big"))
        event.kind = HWS_NET_TOO_BIG;
    else if (!scan_accept_word(c, "unreachable"))
        script_fail(c->s, "unreachable, protocol-unreachable or too-big expected");
    event.remote = scan_addr(c);
    event.local = w->locals[0];
    struct quote q = quote_last(c, &event.remote);
    bool negated;
    for (const char *key; (key = scan_key(c, &negated)) != NULL;)
        forge(c, &q, &event, key);
    scan_expect_end(c);
    event.quoted = q.bytes;
    event.quoted_len = q.len;
    world_log(c->s, "< %s", c->s->source);
    hws_engine_net_event(w->engine, &event, w->now_us);
    world_pump(c->s);
}

const struct statement statements_call[] = {
    {"connect", STATEMENT_ACT, call_connect},
    {"listen", STATEMENT_ACT, call_listen},
    {"send", STATEMENT_ACT, call_send},
    {"recv", STATEMENT_ACT, call_recv},
    {"shutdown", STATEMENT_ACT, call_shutdown},
    {"abort", STATEMENT_ACT, call_abort},
    {"release", STATEMENT_ACT, call_release},
    {"release_endpoint", STATEMENT_ACT, call_release_endpoint},
    {"set", STATEMENT_ACT, call_set},
    {"primary", STATEMENT_ACT, call_primary},
    {"heartbeat", STATEMENT_ACT, call_heartbeat},
    {"mtu", STATEMENT_ACT, call_mtu},
    {"link", STATEMENT_ACT, call_link},
    {"icmp", STATEMENT_ACT, call_icmp},
    {"answer-heartbeats", STATEMENT_CHECK, wire_answer_heartbeats},
    {0}};
