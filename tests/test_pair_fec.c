/* What fec (examples/extensions/fec.c) keeps of an association: nothing while it is idle, and no
 * more than the chunks that a PARITY chunk still to come may need. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/pair.h"

#define SECOND 1000000u
#define PARITY 0x9f
/* Beyond what the association costs without: the extension's part of it. */
#define IDLE_BYTES_MOST 400u
/* fec keeps 128 DATA chunks of 1500 bytes at most, each with its place in a list. */
#define BUSY_BYTES_MOST (128u * 1600u)

extern const struct hws_extension hws_extension_fec;

static const struct hws_extension *const fec[] = {&hws_extension_fec};

static struct pair *pair_with(size_t extension_count)
{
    struct pair *p =
        pair_new(&(struct pair_options){.extensions = fec, .extension_count = extension_count});
    pair_connect(p);
    return p;
}

/* The story's memory, both ends together. */
static size_t bytes_after(size_t extension_count, void (*story)(struct pair *p))
{
    struct pair *p = pair_with(extension_count);
    if (story != NULL)
        story(p);
    pair_run(p, SECOND);
    size_t bytes = p->a.env.live_bytes + p->b.env.live_bytes;
    pair_free(p);
    return bytes;
}

static void costs_little(void (*story)(struct pair *p))
{
    size_t without = bytes_after(0, story), with = bytes_after(1, story);
    print_message("bytes of both ends: %zu without, %zu with fec\n", without, with);
    assert_in_range(with, without, without + 2 * IDLE_BYTES_MOST);
}

static void an_idle_association(void **state)
{
    (void)state;
    costs_little(NULL);
}

static void message_each_way(struct pair *p)
{
    pair_send(&p->a, 0, 0, "hello", 5);
    pair_send(&p->b, 0, 0, "hello", 5);
    pair_run(p, SECOND);
    pair_recv(&p->b, 0, "hello", 5);
    pair_recv(&p->a, 0, "hello", 5);
}

static void one_that_has_talked(void **state)
{
    (void)state;
    costs_little(message_each_way);
}

static void many_messages(struct pair *p)
{
    for (uint8_t i = 0; i < 10; i++) {
        pair_send_pattern(&p->a, 0, 0, i, 50000);
        pair_run(p, SECOND);
        pair_recv_pattern(&p->b, 0, i, 50000);
    }
    pair_run(p, 60 * SECOND); /* until HEARTBEATs, so that queues are given back */
}

static void one_that_was_busy(void **state)
{
    (void)state;
    costs_little(many_messages);
}

static bool has_parity(const struct pair_packet *packet)
{
    return strstr(pair_text(packet), "PARITY") != NULL || packet->data[12] == PARITY;
}

/* Everything of a's arrives but for packets with PARITY chunks. */
static void without_parity(struct pair *p)
{
    while (!pair_wire_empty(p)) {
        struct pair_end *end = p->a.wire_head != NULL ? &p->a : &p->b;
        if (end == &p->a && has_parity(pair_first(end)))
            free(pair_take(end));
        else
            pair_arrives(end, pair_chunks(pair_first(end)));
    }
}

/* Nothing tells the receiver what it may forget: it keeps so much and no more. */
static void what_waits_for_parity_is_limited(void **state)
{
    (void)state;
    struct pair *p = pair_with(1);
    size_t before = p->b.env.live_bytes;
    for (uint32_t i = 0; i < 100; i++) {
        pair_send_pattern(&p->a, 0, 0, 1, 20000);
        for (uint32_t turn = 0; turn < 100; turn++) {
            without_parity(p);
            pair_wait(p, SECOND / 10);
        }
        pair_recv_pattern(&p->b, 0, 1, 20000);
    }
    size_t kept = p->b.env.live_bytes - before;
    print_message("%zu bytes kept\n", kept);
    assert_in_range(kept, 0, BUSY_BYTES_MOST);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_association),
        cmocka_unit_test(one_that_has_talked),
        cmocka_unit_test(one_that_was_busy),
        cmocka_unit_test(what_waits_for_parity_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
