#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "api/link/rxpool.h"

static void test_classes(void **state)
{
    (void)state;
    assert_true(hws_rxpool_capacity(HWS_RX_SMALL) >= 1520);
    assert_true(hws_rxpool_capacity(HWS_RX_MEDIUM) >= 9216);
    assert_true(hws_rxpool_capacity(HWS_RX_LARGE) >= 65536);
    for (unsigned size = 0; size < HWS_RX_CLASSES; size++) {
        uint32_t capacity = hws_rxpool_capacity((enum hws_rxclass)size);
        assert_int_equal(hws_rxpool_fit(capacity), size);
        assert_int_equal(hws_rxpool_fit(capacity + 1), size + 1);
    }
    assert_int_equal(hws_rxpool_fit(0), HWS_RX_SMALL);
}

static void test_reuse(void **state)
{
    (void)state;
    struct hws_rxpool *pool = hws_rxpool_new();
    struct hws_buf *first = hws_rxpool_get(pool, HWS_RX_SMALL);
    assert_int_equal(first->refs, 1);
    assert_int_equal(first->size, 2048);
    memset(first->data, 1, hws_rxpool_capacity(HWS_RX_SMALL));
    hws_buf_ref(first);
    hws_buf_unref(first);
    struct hws_buf *second = hws_rxpool_get(pool, HWS_RX_SMALL);
    assert_ptr_not_equal(first, second);
    hws_buf_unref(first);
    struct hws_buf *large = hws_rxpool_get(pool, HWS_RX_LARGE);
    assert_ptr_not_equal(large, first);
    struct hws_buf *again = hws_rxpool_get(pool, HWS_RX_SMALL);
    assert_ptr_equal(again, first);
    assert_int_equal(again->refs, 1);
    hws_buf_unref(again);
    hws_buf_unref(second);
    hws_buf_unref(large);
    hws_rxpool_close(pool);
}

/* An engine may hold received data longer than the link lives. */
static void test_buffers_outlive_the_pool(void **state)
{
    (void)state;
    struct hws_rxpool *pool = hws_rxpool_new();
    struct hws_buf *bufs[3];
    for (unsigned i = 0; i < 3; i++)
        bufs[i] = hws_rxpool_get(pool, (enum hws_rxclass)i);
    hws_rxpool_close(pool);
    for (unsigned i = 0; i < 3; i++) {
        memset(bufs[i]->data, 0x5a, hws_rxpool_capacity((enum hws_rxclass)i));
        hws_buf_unref(bufs[i]);
    }
}

/* More than is kept for reuse: the rest goes back to the system. */
static void test_many(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    static struct hws_buf *bufs[MANY];
    struct hws_rxpool *pool = hws_rxpool_new();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++)
            assert_non_null(bufs[i] = hws_rxpool_get(pool, HWS_RX_SMALL));
        for (int i = 0; i < MANY; i++)
            hws_buf_unref(bufs[i]);
    }
    hws_rxpool_close(pool);
}

static void fill(struct hws_buf *buf, int byte)
{
    memset(buf->data, byte, hws_rxpool_capacity(HWS_RX_LARGE));
}

/* Large ones, of which several lie in one piece of memory: none overlaps another, also while some
 * are given back and others not, and when the pool goes first. */
static void test_many_large(void **state)
{
    (void)state;
    enum { MANY = 400 };
    static struct hws_buf *bufs[MANY];
    struct hws_rxpool *pool = hws_rxpool_new();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++) {
            if (bufs[i] == NULL)
                assert_non_null(bufs[i] = hws_rxpool_get(pool, HWS_RX_LARGE));
            fill(bufs[i], i);
        }
        for (int i = 0; i < MANY; i++) {
            assert_int_equal(bufs[i]->data[0], (uint8_t)i);
            assert_int_equal(bufs[i]->data[hws_rxpool_capacity(HWS_RX_LARGE) - 1], (uint8_t)i);
            if (i % 50 == round)
                continue;
            hws_buf_unref(bufs[i]);
            bufs[i] = NULL;
        }
    }
    hws_rxpool_close(pool);
    for (int i = 0; i < MANY; i++) {
        if (bufs[i] != NULL) {
            fill(bufs[i], 1);
            hws_buf_unref(bufs[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_buffers_outlive_the_pool),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_many_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
