/* Stories of what an application may ask of its messages: where they go, how they are cut, whose
 * bytes they are, and what becomes of those that do not arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/observer.h"
#include "tests/pair.h"

#define SECOND 1000000u

static int lent[8]; /* their addresses are handles */
static uint8_t bytes[200000];

/* Nothing is held back: a message, a packet. */
static void prompt(struct hws_params *a, struct hws_params *b)
{
    a->nodelay = b->nodelay = true;
}

static struct pair *prompt_pair(void)
{
    struct pair *p = pair_new(&(struct pair_options){.params = prompt});
    pair_connect_and_talk(p);
    return p;
}

static int try_lend(struct pair_end *end, int index, size_t len)
{
    struct hws_sndinfo info = {.ppid = 7, .context = (uint32_t)index};
    struct hws_iovec iov[] = {{bytes, len / 3}, {bytes + len / 3, len - len / 3}};
    int error = hws_assoc_send_lent(end->engine, end->assoc, &info, iov, 2, &lent[index],
                                    end->pair->now_us);
    pair_pull(end->pair);
    return error;
}

static void lend(struct pair_end *end, int index, size_t len)
{
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(5 + i + (i >> 8));
    assert_int_equal(try_lend(end, index, len), HWS_OK);
}

static void comes_back(struct pair_end *end, int index)
{
    void *handle = NULL;
    assert_true(hws_engine_lent_done(end->engine, &handle));
    assert_ptr_equal(handle, &lent[index]);
}

static void nothing_comes_back(struct pair_end *end)
{
    void *handle;
    assert_false(hws_engine_lent_done(end->engine, &handle));
}

static int send_with(struct pair_end *end, const struct hws_sndinfo *info, size_t len)
{
    static uint8_t zeros[100000];
    struct hws_iovec iov = {zeros, len};
    int error = hws_assoc_send(end->engine, end->assoc, info, &iov, 1, end->pair->now_us);
    pair_pull(end->pair);
    return error;
}

/* ---- Lent bytes ---- */

static void lent_bytes_come_back_when_acknowledged(void **state)
{
    (void)state;
    struct pair *p = prompt_pair();
    lend(&p->a, 0, 100);
    lend(&p->a, 1, 60000);
    nothing_comes_back(&p->a);
    pair_run(p, SECOND);
    pair_recv_pattern(&p->b, 0, 5, 100);
    pair_recv_pattern(&p->b, 0, 5, 60000);
    comes_back(&p->a, 0);
    comes_back(&p->a, 1);
    nothing_comes_back(&p->a);
    pair_free(p);
}

static void lent_bytes_are_sent_again_from_where_they_lie(void **state)
{
    (void)state;
    struct pair *p = prompt_pair();
    lend(&p->a, 0, 5000);
    pair_arrives(&p->a, "DATA");
    pair_lost(&p->a, "DATA");
    pair_arrives(&p->a, "DATA");
    pair_settle(p);
    nothing_comes_back(&p->a);
    pair_run(p, 5ull * SECOND);
    pair_recv_pattern(&p->b, 0, 5, 5000);
    comes_back(&p->a, 0);
    pair_free(p);
}

/* Dropped, by whatever end of the association. */
static void lent_bytes_come_back_at_the_end(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        struct pair *p = pair_new(NULL);
        pair_connect(p);
        lend(&p->a, 0, 100000);
        lend(&p->a, 1, 10);
        if (way == 0)
            assert_int_equal(hws_assoc_abort(p->a.engine, p->a.assoc, NULL, 0, p->now_us), HWS_OK);
        else if (way == 1)
            assert_int_equal(hws_assoc_release(p->a.engine, p->a.assoc, p->now_us), HWS_OK);
        else
            hws_engine_abort_all(p->a.engine, p->now_us);
        comes_back(&p->a, 0);
        comes_back(&p->a, 1);
        nothing_comes_back(&p->a);
        pair_free(p);
    }
}

static void lent_bytes_come_back_when_the_peer_restarts(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.both_listen = true});
    pair_connect(p);
    lend(&p->a, 0, 100000);
    pair_reboot(&p->b, true);
    while (!pair_wire_empty(p))
        free(pair_take(&p->a));
    pair_begin(&p->b);
    pair_settle(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_RESTART));
    assert_true(pair_saw(&p->a, HWS_EVENT_SEND_FAILED));
    comes_back(&p->a, 0);
    pair_free(p);
}

/* What was refused was never lent; what the engine still has when it is freed is forgotten. */
static void lent_bytes_and_refusals(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    assert_int_equal(try_lend(&p->a, 0, 0), HWS_E_INVAL);
    p->a.env.fail_from = p->a.env.allocs;
    p->a.env.fail_until = p->a.env.allocs + 1;
    assert_int_equal(try_lend(&p->a, 0, 10), HWS_E_NOMEM);
    nothing_comes_back(&p->a);
    lend(&p->a, 1, 10);
    lend(&p->a, 2, 10);
    assert_int_equal(hws_assoc_abort(p->a.engine, p->a.assoc, NULL, 0, p->now_us), HWS_OK);
    comes_back(&p->a, 1);
    pair_free(p);
}

/* ---- Messages that will not arrive ---- */

static void keep_failed(struct hws_params *a, struct hws_params *b)
{
    prompt(a, b);
    a->keep_failed = b->keep_failed = true;
}

static struct hws_failed fails(struct pair_end *end, uint32_t context, bool sent, int reason)
{
    struct hws_failed f;
    assert_int_equal(hws_assoc_failed(end->engine, end->assoc, &f), HWS_OK);
    assert_int_equal(f.context, context);
    assert_int_equal(f.sent, sent);
    assert_int_equal(f.reason, reason);
    size_t len = 0;
    for (size_t i = 0; i < f.iov_count; i++)
        len += f.iov[i].len;
    assert_int_equal(len, f.len);
    return f;
}

static void none_fails(struct pair_end *end, int error)
{
    struct hws_failed f;
    assert_int_equal(hws_assoc_failed(end->engine, end->assoc, &f), error);
}

static void what_was_not_acknowledged_is_told_in_order(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = keep_failed});
    pair_connect_and_talk(p);
    for (uint32_t i = 1; i <= 4; i++) {
        struct hws_sndinfo info = {.sid = (uint16_t)i, .context = i, .flags = HWS_SEND_UNORDERED};
        assert_int_equal(send_with(&p->a, &info, 1400), HWS_OK);
    }
    pair_settle(p); /* all of them are acknowledged */
    for (uint32_t i = 5; i <= 7; i++)
        assert_int_equal(send_with(&p->a, &(struct hws_sndinfo){.context = i}, 50000), HWS_OK);
    none_fails(&p->a, HWS_E_AGAIN);
    hws_assoc_abort(p->a.engine, p->a.assoc, NULL, 0, p->now_us);
    fails(&p->a, 5, true, HWS_E_ABORTED);
    fails(&p->a, 6, false, HWS_E_ABORTED);
    struct hws_failed f = fails(&p->a, 7, false, HWS_E_ABORTED);
    assert_int_equal(f.len, 50000);
    none_fails(&p->a, HWS_E_AGAIN);
    none_fails(&p->a, HWS_E_AGAIN);
    pair_free(p);
}

static void a_failed_message_is_as_it_was_sent(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = keep_failed});
    pair_connect_and_talk(p);
    struct hws_sndinfo info = {.sid = 3, .ppid = 4, .context = 5, .flags = HWS_SEND_UNORDERED};
    struct hws_iovec iov = {"whole", 5};
    assert_int_equal(hws_assoc_send(p->a.engine, p->a.assoc, &info, &iov, 1, p->now_us), HWS_OK);
    pair_pull(p);
    hws_assoc_abort(p->a.engine, p->a.assoc, NULL, 0, p->now_us);
    struct hws_failed f = fails(&p->a, 5, true, HWS_E_ABORTED);
    assert_int_equal(f.sid, 3);
    assert_int_equal(f.ppid, 4);
    assert_int_equal(f.flags, HWS_SEND_UNORDERED);
    assert_int_equal(f.iov_count, 1);
    assert_memory_equal(f.iov[0].base, "whole", 5);
    pair_free(p);
}

/* A message begun and cut off is one message, though it has many chunks and is queued as well. */
static void lent_messages_fail_once_and_then_come_back(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = keep_failed});
    pair_connect_and_talk(p);
    lend(&p->a, 0, 100000);
    lend(&p->a, 1, 10);
    hws_assoc_abort(p->a.engine, p->a.assoc, NULL, 0, p->now_us);
    nothing_comes_back(&p->a);
    struct hws_failed f = fails(&p->a, 0, true, HWS_E_ABORTED);
    assert_ptr_equal(f.iov[0].base, bytes);
    nothing_comes_back(&p->a);
    fails(&p->a, 1, false, HWS_E_ABORTED);
    comes_back(&p->a, 0);
    nothing_comes_back(&p->a);
    assert_int_equal(hws_assoc_release(p->a.engine, p->a.assoc, p->now_us), HWS_OK);
    none_fails(&p->a, HWS_E_NOENT);
    comes_back(&p->a, 1);
    pair_free(p);
}

static void one_stream(struct hws_params *a, struct hws_params *b)
{
    keep_failed(a, b);
    b->max_instreams = 2;
}

static void streams_that_the_peer_does_not_take(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = one_stream});
    pair_begin(&p->a);
    for (uint16_t sid = 0; sid < 4; sid++)
        assert_int_equal(
            send_with(&p->a, &(struct hws_sndinfo){.sid = (uint16_t)(3 - sid), .context = sid}, 10),
            HWS_OK);
    pair_settle(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_SEND_FAILED));
    fails(&p->a, 0, false, HWS_E_INVAL);
    fails(&p->a, 1, false, HWS_E_INVAL);
    none_fails(&p->a, HWS_E_AGAIN);
    assert_int_equal(pair_drain(&p->b), 20);
    pair_free(p);
}

static void small_sndbuf(struct hws_params *a, struct hws_params *b)
{
    keep_failed(a, b);
    a->sndbuf_bytes = a->sndbuf_max_bytes = 1000;
    b->max_instreams = 1;
}

/* Messages that nobody asks for fill the buffer as those queued do. */
static void failed_messages_count_against_the_buffer(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = small_sndbuf});
    pair_begin(&p->a);
    const struct hws_sndinfo dropped = {.sid = 1, .context = 8}, sent = {0};
    assert_int_equal(send_with(&p->a, &dropped, 2000), HWS_OK);
    pair_settle(p);
    assert_true(pair_status(&p->a).send_blocked);
    assert_int_equal(send_with(&p->a, &sent, 10), HWS_E_AGAIN);
    pair_run(p, 5ull * SECOND);
    assert_false(pair_saw(&p->a, HWS_EVENT_WRITABLE));
    fails(&p->a, 8, false, HWS_E_INVAL);
    none_fails(&p->a, HWS_E_AGAIN);
    pair_pull(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_WRITABLE));
    assert_false(pair_status(&p->a).send_blocked);
    assert_int_equal(send_with(&p->a, &sent, 10), HWS_OK);
    pair_free(p);
}

static void what_a_restart_loses_is_told(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = keep_failed, .both_listen = true});
    pair_connect_and_talk(p);
    assert_int_equal(send_with(&p->a, &(struct hws_sndinfo){.context = 1}, 100), HWS_OK);
    pair_reboot(&p->b, true);
    free(pair_take(&p->a));
    pair_begin(&p->b);
    pair_settle(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_RESTART));
    assert_true(pair_saw(&p->a, HWS_EVENT_SEND_FAILED));
    assert_int_equal(send_with(&p->a, &(struct hws_sndinfo){.context = 2}, 100), HWS_OK);
    fails(&p->a, 1, true, HWS_E_RESET);
    none_fails(&p->a, HWS_E_AGAIN);
    pair_free(p);
}

/* Who watches is told that the queues are empty, whatever becomes of the messages. */
static void see_queue(void *queued_bytes, const struct hws_observation *o)
{
    if (o->kind == HWS_OBSERVED_STREAM_QUEUE)
        *(uint64_t *)queued_bytes = o->u.stream_queue.queued_bytes;
}

static struct pair *with_a_queue(uint64_t *queued_bytes)
{
    struct pair *p = pair_new(&(struct pair_options){.params = keep_failed, .both_listen = true});
    pair_connect_and_talk(p);
    hws_engine_set_observer(p->a.engine,
                            &(struct hws_observer){.ctx = queued_bytes, .tell = see_queue});
    assert_int_equal(send_with(&p->a, &(struct hws_sndinfo){.sid = 0}, 50000), HWS_OK);
    assert_true(*queued_bytes > 0);
    return p;
}

static void queues_are_told_to_be_empty(void **state)
{
    (void)state;
    uint64_t queued_bytes = 0;
    struct pair *p = with_a_queue(&queued_bytes);
    hws_assoc_abort(p->a.engine, p->a.assoc, NULL, 0, p->now_us);
    assert_int_equal(queued_bytes, 0);
    pair_free(p);
    p = with_a_queue(&queued_bytes);
    pair_reboot(&p->b, true);
    while (!pair_wire_empty(p))
        free(pair_take(&p->a));
    pair_begin(&p->b);
    pair_settle(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_RESTART));
    assert_int_equal(queued_bytes, 0);
    pair_free(p);
}

/* Lets everything of `end` arrive; how many packets that were. */
static uint32_t all_arrive(struct pair_end *end)
{
    uint32_t count = 0;
    for (; end->wire_head != NULL; count++) {
        char chunks[64];
        snprintf(chunks, sizeof chunks, "%s", pair_chunks(end->wire_head));
        pair_arrives(end, chunks);
    }
    return count;
}

/* ---- A path of the message's own ---- */

static bool wire_has_data_to(struct pair_end *end, const struct hws_addr *addr)
{
    for (struct pair_packet *packet = end->wire_head; packet != NULL; packet = packet->next)
        if (hws_addr_same(&packet->dst, addr) && strstr(pair_chunks(packet), "DATA") != NULL)
            return true;
    return false;
}

static struct pair *two_paths(void)
{
    struct pair *p = pair_new(&(struct pair_options){.addrs = 2});
    pair_connect_and_talk(p);
    pair_run(p, 5ull * SECOND); /* both addresses are confirmed */
    assert_true(pair_path_to(&p->a, &p->b.addrs[1]).confirmed);
    return p;
}

static uint8_t path_number(const struct pair_end *end, const struct hws_addr *remote)
{
    struct hws_path_status s;
    for (uint8_t i = 0; hws_assoc_path_status(end->engine, end->assoc, i, &s) == HWS_OK; i++)
        if (hws_addr_same(&s.remote, remote))
            return (uint8_t)(i + 1);
    fail();
    return 0;
}

static void a_message_goes_where_it_says(void **state)
{
    (void)state;
    struct pair *p = two_paths();
    const struct hws_sndinfo there = {.path = path_number(&p->a, &p->b.addrs[1])}, here = {0};
    assert_int_equal(send_with(&p->a, &there, 3000), HWS_OK);
    assert_true(wire_has_data_to(&p->a, &p->b.addrs[1]));
    assert_false(wire_has_data_to(&p->a, &p->b.addrs[0]));
    pair_settle(p);
    assert_int_equal(send_with(&p->a, &here, 3000), HWS_OK);
    assert_false(wire_has_data_to(&p->a, &p->b.addrs[1]));
    assert_true(wire_has_data_to(&p->a, &p->b.addrs[0]));
    pair_run(p, 5ull * SECOND);
    assert_int_equal(pair_drain(&p->b), 6000);
    assert_int_equal(send_with(&p->a, &(struct hws_sndinfo){.path = 3}, 10), HWS_E_INVAL);
    pair_free(p);
}

/* Every DATA chunk of the packet was to go where the packet goes. */
static void check_destination(const struct pair *p, const struct pair_packet *packet)
{
    uint32_t ppid = hws_addr_same(&packet->dst, &p->b.addrs[1]);
    struct hws_tlv_iter it = hws_packet_chunks(packet->data, packet->len);
    struct hws_tlv chunk;
    struct hws_data d;
    while (hws_tlv_next(&it, &chunk))
        if (hws_chunk_type(&chunk) == HWS_CHUNK_DATA && hws_data_decode(&chunk, &d))
            assert_int_equal(d.ppid, ppid);
}

/* Small messages for different addresses are never in one packet. */
static void messages_for_two_addresses_take_turns(void **state)
{
    (void)state;
    struct pair *p = two_paths();
    const struct hws_sndinfo there = {.ppid = 1, .path = path_number(&p->a, &p->b.addrs[1])};
    const struct hws_sndinfo here = {.ppid = 0};
    assert_int_equal(send_with(&p->a, &here, 1400), HWS_OK);
    for (int i = 0; i < 20; i++)
        assert_int_equal(send_with(&p->a, i % 4 < 2 ? &there : &here, 20), HWS_OK);
    while (pair_status(&p->a).unacked_bytes > 0) {
        for (const struct pair_packet *q = p->a.wire_head; q != NULL; q = q->next)
            check_destination(p, q);
        if (all_arrive(&p->a) + all_arrive(&p->b) == 0)
            pair_next_timer(&p->b);
    }
    assert_int_equal(pair_drain(&p->b), 1400 + 20 * 20);
    pair_free(p);
}

/* 6.4: what was lost there is sent again elsewhere, and later messages go where data goes. */
static void a_path_that_fails_is_not_insisted_on(void **state)
{
    (void)state;
    struct pair *p = two_paths();
    const struct hws_sndinfo there = {.path = path_number(&p->a, &p->b.addrs[1])};
    p->cut[1] = true;
    assert_int_equal(send_with(&p->a, &there, 3000), HWS_OK);
    pair_run(p, 3ull * SECOND);
    assert_int_equal(pair_drain(&p->b), 3000);
    assert_int_not_equal(pair_path_to(&p->a, &p->b.addrs[1]).state, HWS_PATH_ACTIVE);
    assert_int_equal(send_with(&p->a, &there, 3000), HWS_OK);
    assert_true(wire_has_data_to(&p->a, &p->b.addrs[0]));
    assert_false(wire_has_data_to(&p->a, &p->b.addrs[1]));
    pair_free(p);
}

/* ---- How messages are cut ---- */

static void fragments_of_200(struct hws_params *a, struct hws_params *b)
{
    prompt(a, b);
    a->max_fragment_bytes = 201;
}

static void fragments_have_a_limit(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = fragments_of_200});
    pair_connect_and_talk(p);
    assert_int_equal(pair_status(&p->a).fragmentation_point, 201);
    pair_send_pattern(&p->a, 0, 0, 9, 201); /* it fits: one chunk */
    pair_arrives(&p->a, "DATA");
    pair_settle(p);
    pair_send_pattern(&p->a, 0, 0, 9, 650); /* packets carry several */
    pair_arrives(&p->a, "DATA+DATA+DATA+DATA");
    pair_run(p, SECOND);
    pair_recv_pattern(&p->b, 0, 9, 201);
    pair_recv_pattern(&p->b, 0, 9, 650);
    pair_free(p);
}

static void the_fragmentation_point_follows_the_path(void **state)
{
    (void)state;
    struct pair *p = prompt_pair();
    const uint32_t headers = 20 + 12 + 16;
    assert_int_equal(pair_status(&p->a).fragmentation_point, 1500 - headers);
    pair_send_pattern(&p->a, 0, 0, 9, 1500 - headers);
    pair_settle(p);
    pair_send_pattern(&p->a, 0, 0, 9, 1500 - headers + 1);
    pair_run(p, SECOND);
    assert_int_equal(pair_stats(&p->a)->data_out, 4); /* one before, one, and two */
    pair_free(p);
}

/* ---- Bursts ---- */

static void bursts_of_3(struct hws_params *a, struct hws_params *b)
{
    prompt(a, b);
    a->max_burst_packets = 3;
}

/* 6.1 D, as the RFC has it: in packets, however small they are. */
static void a_burst_has_so_many_packets(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = bursts_of_3});
    pair_connect_and_talk(p);
    for (unsigned i = 0; i < 40; i++) /* one to a packet */
        assert_int_equal(send_with(&p->a, &(struct hws_sndinfo){0}, 800), HWS_OK);
    uint32_t most = 0;
    while (pair_status(&p->a).unacked_bytes > 0) {
        uint64_t before = p->a.packets;
        if (p->b.wire_head != NULL)
            pair_arrives(&p->b, "SACK");
        else if (all_arrive(&p->a) == 0)
            pair_next_timer(&p->b);
        uint32_t burst = (uint32_t)(p->a.packets - before);
        most = burst > most ? burst : most;
    }
    assert_int_equal(most, 3);
    assert_int_equal(pair_drain(&p->b), 40 * 800);
    pair_free(p);
}

/* ---- IP's header ---- */

static void marked(struct hws_params *a, struct hws_params *b)
{
    prompt(a, b);
    a->tos = 0x28;
    a->ttl = 3;
}

static void expect_ip(const struct pair_packet *packet, uint8_t tos, uint8_t ttl)
{
    assert_int_equal(packet->tos, tos);
    assert_int_equal(packet->ttl, ttl);
}

/* From INIT on; a path may be given its own, and then does not lose it to what changes elsewhere.
 */
static void tos_and_ttl_are_the_path_s(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = marked, .addrs = 2});
    pair_begin(&p->a);
    expect_ip(pair_first(&p->a), 0x28, 3);
    pair_settle(p);
    pair_run(p, 5ull * SECOND);
    uint8_t there = path_number(&p->a, &p->b.addrs[1]);
    struct hws_path_params own;
    assert_int_equal(hws_path_params(p->a.engine, p->a.assoc, there - 1u, &own), HWS_OK);
    own.tos = 0xb8;
    assert_int_equal(hws_path_set_params(p->a.engine, p->a.assoc, there - 1u, &own, p->now_us),
                     HWS_OK);
    struct hws_params params;
    assert_int_equal(hws_assoc_params(p->a.engine, p->a.assoc, &params), HWS_OK);
    params.ttl = 0;
    assert_int_equal(hws_assoc_set_params(p->a.engine, p->a.assoc, &params, p->now_us), HWS_OK);
    assert_int_equal(send_with(&p->a, &(struct hws_sndinfo){0}, 100), HWS_OK);
    expect_ip(pair_first(&p->a), 0x28, 0);
    pair_settle(p);
    assert_int_equal(send_with(&p->a, &(struct hws_sndinfo){.path = there}, 100), HWS_OK);
    expect_ip(pair_first(&p->a), 0xb8, 0);
    pair_free(p);
}

/* ---- What is counted ---- */

static struct hws_assoc_counts counts(struct pair_end *end)
{
    struct hws_assoc_counts c;
    assert_int_equal(hws_assoc_counts(end->engine, end->assoc, &c), HWS_OK);
    return c;
}

static void an_association_is_counted(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = prompt});
    pair_connect(p); /* INIT, COOKIE ECHO; INIT ACK, COOKIE ACK */
    assert_int_equal(counts(&p->a).control_out, 2);
    assert_int_equal(counts(&p->a).control_in, 2);
    assert_int_equal(counts(&p->b).control_in, 1); /* the listener kept nothing of INIT */
    assert_int_equal(counts(&p->b).control_out, 1);
    pair_send_pattern(&p->a, 0, 0, 1, 1400);
    pair_settle(p);
    for (unsigned i = 0; i < 4; i++)
        pair_send_pattern(&p->a, 0, i % 2 ? HWS_SEND_UNORDERED : 0, 1, 1400);
    pair_lost(&p->a, "DATA");
    pair_run(p, 5ull * SECOND);
    struct hws_assoc_counts a = counts(&p->a), b = counts(&p->b);
    assert_int_equal(a.data_out_ordered, 4); /* the lost one was sent again */
    assert_int_equal(a.data_out_unordered, 2);
    assert_int_equal(a.retransmits, 1);
    assert_int_equal(b.data_in_ordered, 3);
    assert_int_equal(b.data_in_unordered, 2);
    assert_int_equal(b.out_of_sequence_in, 3);
    assert_int_equal(b.duplicates_in, 0);
    assert_int_equal(a.sacks_in, b.sacks_out);
    assert_true(a.gap_blocks_in > 0);
    assert_int_equal(a.packets_in, b.packets_out + 1); /* INIT ACK was nobody's */
    assert_int_equal(b.packets_in, a.packets_out - 2); /* nor was INIT, and one is lost */
    assert_int_equal(counts(&p->a).packets_in, a.packets_in);
    pair_free(p);
}

static void the_largest_rto_is_observed_anew(void **state)
{
    (void)state;
    struct pair *p = prompt_pair();
    assert_true(counts(&p->a).rto_max_us > 0);
    assert_int_equal(counts(&p->a).rto_max_us, 0);
    pair_send_pattern(&p->a, 0, 0, 1, 100);
    pair_lost(&p->a, "DATA");
    pair_next_timer(&p->a);
    struct hws_assoc_counts c = counts(&p->a);
    assert_int_equal(c.rto_max_us, 2 * SECOND);
    assert_true(hws_addr_same(&c.rto_max_remote, &p->b.addr));
    pair_free(p);
}

static void chunks_and_messages_that_wait(void **state)
{
    (void)state;
    struct pair *p = prompt_pair();
    for (int i = 0; i < 3; i++)
        pair_send_pattern(&p->a, 0, 0, 1, 1400);
    pair_lost(&p->a, "DATA");
    assert_int_equal(pair_status(&p->a).unacked_chunks, 3);
    pair_arrives(&p->a, "DATA");
    pair_settle(p);
    assert_int_equal(pair_status(&p->a).unacked_chunks, 1); /* two by gap blocks */
    pair_send_pattern(&p->a, 0, 0, 1, 100000);
    pair_send_pattern(&p->a, 0, 0, 1, 10);
    assert_int_equal(pair_status(&p->a).unsent_messages, 2);
    pair_run(p, 10ull * SECOND);
    assert_int_equal(pair_status(&p->a).unacked_chunks, 0);
    assert_int_equal(pair_status(&p->a).unsent_messages, 0);
    pair_free(p);
}

static void names_can_be_listed(void **state)
{
    (void)state;
    assert_string_equal(hws_cc_name(NULL, 0), "rfc9260");
    assert_string_equal(hws_sched_name(NULL, 0), "fcfs");
    assert_string_equal(hws_sched_name(NULL, 1), "rr");
    assert_string_equal(hws_pathsel_name(NULL, 0), "primary");
    assert_null(hws_cc_name(NULL, 100));
    assert_null(hws_sched_name(NULL, 100));
    assert_null(hws_pathsel_name(NULL, 100));
    struct pair *p = pair_new(NULL);
    struct hws_params params;
    hws_params_default(&params);
    for (size_t i = 0; hws_pathsel_name(NULL, i) != NULL; i++) {
        params.pathsel = hws_pathsel_name(NULL, i);
        assert_int_equal(hws_endpoint_set_params(p->a.engine, p->a.endpoint, &params), HWS_OK);
    }
    params.pathsel = "none such";
    assert_int_equal(hws_endpoint_set_params(p->a.engine, p->a.endpoint, &params), HWS_E_INVAL);
    pair_free(p);
}

/* ---- Trains ---- */

static void plain(struct hws_params *a, struct hws_params *b)
{
    (void)a;
    (void)b;
}

/* a has sent 100,000 bytes over a path with round trips of `rtt_us`, and nothing has arrived. */
static struct pair *pair_in_flight(void (*params)(struct hws_params *a, struct hws_params *b),
                                   uint64_t rtt_us)
{
    struct pair *p = pair_new(&(struct pair_options){.params = params});
    pair_connect_and_talk(p);
    for (int i = 0; i < 10; i++) { /* so that cwnd grows */
        pair_send_pattern(&p->a, 0, 0, 1, 200000);
        pair_wait(p, rtt_us);
        pair_run(p, 300000);
        pair_recv_pattern(&p->b, 0, 1, 200000);
    }
    pair_send_pattern(&p->a, 0, 0, 2, 100000);
    assert_in_range(pair_status(&p->a).flight_bytes, 65536, 100000);
    return p;
}

static uint64_t sends_at_once(struct pair *p, size_t len)
{
    uint64_t before = p->a.packets;
    pair_send_pattern(&p->a, 0, 0, 3, len);
    return p->a.packets - before;
}

/* Where a train and two packets are in flight, a message waits for the next SACK, or for others
 * that fill a train with it. */
static void new_messages_fill_a_train(void **state)
{
    (void)state;
    struct pair *p = pair_in_flight(plain, 100);
    uint64_t waits = pair_stats(&p->a)->train_waits;
    assert_int_equal(sends_at_once(p, 8000), 0);
    assert_int_equal(pair_stats(&p->a)->train_waits, waits + 1);
    pair_arrives(&p->a, "DATA");
    pair_arrives(&p->a, "DATA");
    pair_wait(p, 100);
    uint64_t before = p->a.packets;
    pair_arrives(&p->b, "SACK");
    assert_in_range(p->a.packets - before, 6, 12);
    pair_wait(p, 1);
    for (int i = 0; i < 7; i++)
        assert_int_equal(sends_at_once(p, 8000), 0);
    assert_in_range(sends_at_once(p, 8000), 40, 50);
    pair_run(p, SECOND);
    pair_recv_pattern(&p->b, 0, 2, 100000);
    for (int i = 0; i < 9; i++)
        pair_recv_pattern(&p->b, 0, 3, 8000);
    pair_free(p);
}

/* Messages that come one by one, with whatever is in flight: none is left behind until a timer. */
static void what_waits_goes_without_a_timer(void **state)
{
    (void)state;
    for (unsigned step_us = 10; step_us <= 90; step_us += 20) {
        struct pair *p = pair_in_flight(plain, 100);
        unsigned waited = 0;
        for (int i = 0; i < 300; i++) {
            waited += sends_at_once(p, 3000 + (size_t)(i * 7919 % 9000)) == 0;
            pair_wait(p, step_us);
            if (i % 11 == 10)
                pair_settle(p);
            if (i % 50 == 49)
                pair_drain(&p->b);
        }
        assert_in_range(waited, 50, 299);
        pair_settle(p); /* no time passes */
        assert_int_equal(pair_status(&p->a).unsent_bytes, 0);
        pair_run(p, SECOND);
        assert_int_equal(pair_status(&p->a).unacked_bytes, 0);
        assert_int_equal(pair_stats(&p->a)->timeouts_t3, 0);
        pair_drain(&p->b);
        pair_free(p);
    }
}

static void new_messages_do_not_wait(void **state)
{
    (void)state;
    struct pair *p = pair_in_flight(prompt, 100); /* SCTP_NODELAY */
    assert_in_range(sends_at_once(p, 8000), 6, 7);
    pair_run(p, SECOND);
    pair_free(p);
    p = pair_in_flight(plain, 50000); /* far away */
    assert_in_range(sends_at_once(p, 8000), 6, 7);
    pair_run(p, SECOND);
    pair_free(p);
    p = pair_in_flight(plain, 100); /* at the end */
    assert_int_equal(sends_at_once(p, 8000), 0);
    uint64_t before = p->a.packets;
    pair_shutdown(&p->a);
    assert_in_range(p->a.packets - before, 6, 7);
    pair_run(p, SECOND);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_messages_fill_a_train),
        cmocka_unit_test(what_waits_goes_without_a_timer),
        cmocka_unit_test(new_messages_do_not_wait),
        cmocka_unit_test(lent_bytes_come_back_when_acknowledged),
        cmocka_unit_test(lent_bytes_are_sent_again_from_where_they_lie),
        cmocka_unit_test(lent_bytes_come_back_at_the_end),
        cmocka_unit_test(lent_bytes_come_back_when_the_peer_restarts),
        cmocka_unit_test(lent_bytes_and_refusals),
        cmocka_unit_test(what_was_not_acknowledged_is_told_in_order),
        cmocka_unit_test(a_failed_message_is_as_it_was_sent),
        cmocka_unit_test(lent_messages_fail_once_and_then_come_back),
        cmocka_unit_test(streams_that_the_peer_does_not_take),
        cmocka_unit_test(failed_messages_count_against_the_buffer),
        cmocka_unit_test(what_a_restart_loses_is_told),
        cmocka_unit_test(queues_are_told_to_be_empty),
        cmocka_unit_test(a_message_goes_where_it_says),
        cmocka_unit_test(messages_for_two_addresses_take_turns),
        cmocka_unit_test(a_path_that_fails_is_not_insisted_on),
        cmocka_unit_test(fragments_have_a_limit),
        cmocka_unit_test(the_fragmentation_point_follows_the_path),
        cmocka_unit_test(a_burst_has_so_many_packets),
        cmocka_unit_test(tos_and_ttl_are_the_path_s),
        cmocka_unit_test(an_association_is_counted),
        cmocka_unit_test(the_largest_rto_is_observed_anew),
        cmocka_unit_test(chunks_and_messages_that_wait),
        cmocka_unit_test(names_can_be_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
