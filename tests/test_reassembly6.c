#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "api/link/reassembly6.h"
#include "proto/bytes.h"

#define SCTP 132
#define MOST 65528u
#define MINUTE_US 60000000u

static uint8_t whole[MOST + 8]; /* and what a piece has beyond the end */

struct world {
    struct hws_rxpool *pool;
    struct hws_reassembly6 *r;
    uint64_t now_us;
};

static int setup(void **state)
{
    static struct world world;
    world = (struct world){.pool = hws_rxpool_new(), .now_us = 1};
    world.r = hws_reassembly6_new(world.pool);
    for (uint32_t i = 0; i < MOST; i++)
        whole[i] = (uint8_t)(i * 40503u >> 8);
    *state = &world;
    return world.r == NULL;
}

static int teardown(void **state)
{
    struct world *w = *state;
    hws_reassembly6_free(w->r);
    hws_rxpool_close(w->pool);
    return 0;
}

struct piece {
    uint32_t id, offset, len;
    bool more;
};

/* The length of the packet that the piece completes, whose bytes are right; 0: none. */
static uint32_t add_of(struct world *w, struct piece p, uint8_t protocol)
{
    static uint8_t bytes[8 + MOST];
    const struct hws_ip_packet ip = {.src = {.family = HWS_FAMILY_IPV6, .ip = {1}},
                                     .dst = {.family = HWS_FAMILY_IPV6, .ip = {2}},
                                     .payload = bytes,
                                     .payload_len = 8 + p.len,
                                     .protocol = HWS_IPV6_FRAGMENT};
    uint32_t len = 0;
    bytes[0] = protocol;
    hws_put16(bytes + 2, (uint16_t)(p.offset | p.more));
    hws_put32(bytes + 4, p.id);
    memcpy(bytes + 8, whole + (p.offset < MOST ? p.offset : 0), p.len);
    struct hws_buf *buf = hws_reassembly6_add(w->r, &ip, SCTP, w->now_us, &len);
    if (buf == NULL)
        return 0;
    assert_memory_equal(buf->data, whole, len);
    hws_buf_unref(buf);
    return len;
}

static uint32_t add(struct world *w, uint32_t id, uint32_t offset, uint32_t len, bool more)
{
    return add_of(w, (struct piece){id, offset, len, more}, SCTP);
}

static void any_order(void **state)
{
    struct world *w = *state;
    assert_int_equal(add(w, 1, 0, 800, true), 0);
    assert_int_equal(add(w, 2, 1600, 7, false), 0); /* another packet, meanwhile */
    assert_int_equal(add(w, 1, 800, 800, true), 0);
    assert_int_equal(add(w, 1, 1600, 7, false), 1607);
    assert_int_equal(add(w, 2, 800, 800, true), 0);
    assert_int_equal(add(w, 2, 0, 800, true), 1607);
    assert_int_equal(add(w, 3, 0, 5, false), 5); /* alone (RFC 6946) */
}

static void the_largest(void **state)
{
    struct world *w = *state;
    for (uint32_t offset = 0; offset + 1024 < MOST; offset += 1024)
        assert_int_equal(add(w, 1, offset, 1024, true), 0);
    assert_int_equal(add(w, 1, 64512, 1016, false), MOST);
    assert_int_equal(add(w, 2, 65520, 16, false), 0); /* beyond it */
    assert_int_equal(add(w, 2, 0, 65520, true), 0);
}

/* RFC 8200, 4.5: fragments that overlap make the packet void, those before them, too. */
static void overlaps(void **state)
{
    struct world *w = *state;
    assert_int_equal(add(w, 1, 0, 800, true), 0);
    assert_int_equal(add(w, 1, 792, 800, true), 0);
    assert_int_equal(add(w, 1, 800, 100, false), 0);
    assert_int_equal(add(w, 1, 0, 800, true), 900);
    assert_int_equal(add(w, 2, 800, 100, false), 0);
    assert_int_equal(add(w, 2, 800, 200, true), 0); /* there was an end before that */
    assert_int_equal(add(w, 2, 0, 800, true), 0);
    assert_int_equal(add(w, 3, 1600, 8, true), 0);
    assert_int_equal(add(w, 3, 0, 800, false), 0); /* an end before what is there */
    assert_int_equal(add(w, 3, 0, 800, true), 0);
}

static void wrong_fragments(void **state)
{
    struct world *w = *state;
    assert_int_equal(add(w, 1, 0, 801, true), 0); /* no whole units */
    assert_int_equal(add(w, 1, 800, 8, false), 0);
    assert_int_equal(add_of(w, (struct piece){2, 0, 8, false}, 6), 0); /* TCP */
    assert_int_equal(add(w, 2, 0, 0, false), 0);                       /* nothing */
}

static void time_and_room_are_limited(void **state)
{
    struct world *w = *state;
    assert_int_equal(add(w, 1, 0, 800, true), 0);
    w->now_us += MINUTE_US;
    assert_int_equal(add(w, 1, 800, 8, false), 0); /* begins anew */
    assert_int_equal(add(w, 1, 0, 800, true), 808);
    for (uint32_t id = 0; id < 9; id++, w->now_us++)
        assert_int_equal(add(w, id, 0, 800, true), 0);
    for (uint32_t id = 8; id > 0; id--)
        assert_int_equal(add(w, id, 800, 8, false), 808);
    assert_int_equal(add(w, 0, 800, 8, false), 0); /* the oldest had to go */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(any_order),
        TEST(the_largest),
        TEST(overlaps),
        TEST(wrong_fragments),
        TEST(time_and_room_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
