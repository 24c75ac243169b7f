#include "tests/stranger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/param.h"

struct hws_addr stranger_addr(uint8_t d)
{
    return (struct hws_addr){.family = HWS_FAMILY_IPV4, .ip = {198, 51, 100, d}};
}

struct stranger stranger_new(struct pair_end *to)
{
    return (struct stranger){
        .to = to, .addr = stranger_addr(1), .port = 4444, .tag = 0x5eed, .tsn = 1};
}

void stranger_inits(struct stranger *s, const struct hws_addr *listed, uint32_t count)
{
    uint8_t buf[400];
    struct hws_builder b;
    hws_builder_init(&b, buf, sizeof buf, s->port, s->to->port, 0);
    const struct hws_init init = {
        .tag = s->tag, .a_rwnd = 100000, .ostreams = 5, .max_instreams = 5, .tsn = s->tsn};
    assert_true(hws_init_open(&b, HWS_CHUNK_INIT, &init));
    for (uint32_t i = 0; i < count; i++)
        assert_true(hws_param_put_addr(&b, &listed[i]));
    assert_true(hws_builder_close(&b));
    stranger_sends(s, &s->addr, &b);
}

void stranger_takes_init_ack(struct stranger *s)
{
    struct pair_packet *ack = pair_take(s->to);
    struct hws_tlv chunk = pair_chunk(ack, 0), param = {0};
    struct hws_init init;
    assert_int_equal(hws_chunk_type(&chunk), HWS_CHUNK_INIT_ACK);
    assert_true(hws_init_decode(&chunk, &init));
    struct hws_tlv_iter it = hws_tlv_begin(init.params, init.params_len);
    do
        assert_true(hws_tlv_next(&it, &param));
    while (param.type != HWS_PARAM_COOKIE);
    s->peer_tag = init.tag;
    s->peer_tsn = init.tsn;
    s->cookie_len = hws_param_value_len(&param);
    assert_in_range(s->cookie_len, 1, sizeof s->cookie);
    memcpy(s->cookie, hws_param_value(&param), s->cookie_len);
    free(ack);
}

void stranger_echoes(const struct stranger *s)
{
    uint8_t buf[1100];
    struct hws_builder b;
    stranger_begins(s, &b, buf, sizeof buf);
    assert_true(hws_chunk_put(&b, HWS_CHUNK_COOKIE_ECHO, 0, s->cookie, s->cookie_len));
    stranger_sends(s, &s->addr, &b);
}

void stranger_connects(struct stranger *s, const struct hws_addr *listed, uint32_t count)
{
    stranger_inits(s, listed, count);
    stranger_takes_init_ack(s);
    stranger_echoes(s);
    assert_true(pair_saw(s->to, HWS_EVENT_UP));
}

void stranger_begins(const struct stranger *s, struct hws_builder *b, uint8_t *buf, uint32_t cap)
{
    hws_builder_init(b, buf, cap, s->port, s->to->port, s->peer_tag);
}

void stranger_sends(const struct stranger *s, const struct hws_addr *src, struct hws_builder *b)
{
    uint8_t *packet = b->start;
    pair_inject_from(s->to, src, packet, hws_builder_finish(b));
}

void stranger_sacks(const struct stranger *s, uint32_t cum_tsn)
{
    uint8_t buf[100];
    struct hws_builder b;
    stranger_begins(s, &b, buf, sizeof buf);
    assert_true(hws_sack_encode(&b, cum_tsn, 100000, NULL, 0, NULL, 0));
    stranger_sends(s, &s->addr, &b);
}

void stranger_speaks(struct stranger *s, const struct hws_addr *src)
{
    uint8_t buf[100];
    struct hws_builder b;
    stranger_begins(s, &b, buf, sizeof buf);
    const struct hws_data data = {.tsn = s->tsn++,
                                  .flags = HWS_DATA_B | HWS_DATA_E | HWS_DATA_U | HWS_DATA_I,
                                  .payload_len = 1};
    uint8_t *payload = hws_data_encode(&b, &data);
    assert_non_null(payload);
    *payload = 'x';
    stranger_sends(s, src, &b);
}
