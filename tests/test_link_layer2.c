/* What the links below IP have in common, over a raw link that is made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdint.h>

#include "api/link/link_layer2_linux.h"

#define OWN_FDS 2u

struct raw {
    struct hws_link link;
    bool full; /* has no buffer, and its socket takes nothing */
};

static bool raw_train(struct hws_link *link, struct hws_train *train)
{
    (void)train;
    return !((struct raw *)link)->full;
}

/* Full once: the socket takes everything a moment later. */
static bool raw_flush(struct hws_link *link)
{
    struct raw *raw = (struct raw *)link;
    bool was_full = raw->full;
    raw->full = false;
    return !was_full;
}

static const struct hws_link_ops raw_ops = {.train = raw_train, .flush = raw_flush};

/* Whoever waits has to wait for something that will come: the train that found no buffer in the raw
 * link is still there, though the raw link's socket took the others in the meantime. */
static void a_blocked_link_names_what_blocks(void **state)
{
    (void)state;
    struct raw raw = {.link.ops = &raw_ops, .full = true};
    struct hws_layer2_train train = {.train = {.len = 100, .segment_len = 100, .packets = 1}};
    struct hws_link_layer2 l2 = {.raw = &raw.link, .waiting = {&train}, .count = 1};
    bool taken = hws_link_layer2_send_slowly(&l2);
    assert_false(taken);
    assert_false(hws_link_layer2_flush_raw(&l2, OWN_FDS, true, taken));
    assert_int_equal(l2.link.not_blocking, (1u << OWN_FDS) - 1u);
}

static void what_is_sent_does_not_block(void **state)
{
    (void)state;
    struct raw raw = {.link.ops = &raw_ops};
    struct hws_link_layer2 l2 = {.raw = &raw.link};
    assert_true(hws_link_layer2_flush_raw(&l2, OWN_FDS, true, true));
    assert_int_equal(l2.link.not_blocking, UINT32_MAX);
    assert_false(hws_link_layer2_flush_raw(&l2, OWN_FDS, false, true));
    assert_int_equal(l2.link.not_blocking, ~((1u << OWN_FDS) - 1u));
    raw.full = true;
    assert_false(hws_link_layer2_flush_raw(&l2, OWN_FDS, true, true));
    assert_int_equal(l2.link.not_blocking, (1u << OWN_FDS) - 1u);
    raw.full = true;
    raw.link.not_blocking = 1u << 1;
    assert_false(hws_link_layer2_flush_raw(&l2, OWN_FDS, true, true));
    assert_int_equal(l2.link.not_blocking, ((1u << OWN_FDS) - 1u) | 1u << (OWN_FDS + 1u));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blocked_link_names_what_blocks),
        cmocka_unit_test(what_is_sent_does_not_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
