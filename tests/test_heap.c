#include "memory_env.h"
#include "stack/heap.h"

#define NODES 300u

static struct memory_env m;
static struct hws_heap heap;
static struct hws_heap_node nodes[NODES];

static int begin(void **state)
{
    (void)state;
    memory_env_init(&m, 11, true);
    hws_heap_init(&heap, &m.pool);
    for (size_t i = 0; i < NODES; i++)
        nodes[i].index = HWS_HEAP_NONE;
    return 0;
}

static int end(void **state)
{
    (void)state;
    hws_heap_fini(&heap);
    memory_env_fini(&m);
    return 0;
}

/** The node that has to be on top, by looking at all of them. */
static struct hws_heap_node *naive_top(void)
{
    struct hws_heap_node *top = NULL;
    for (size_t i = 0; i < NODES; i++) {
        struct hws_heap_node *n = &nodes[i];
        if (n->index == HWS_HEAP_NONE)
            continue;
        if (top == NULL || n->deadline_us < top->deadline_us ||
            (n->deadline_us == top->deadline_us && n->order < top->order))
            top = n;
    }
    return top;
}

static void random_use_agrees_with_model(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct hws_heap_node *node = &nodes[random_below(&m.seed, NODES)];
        uint64_t deadline_us = random_below(&m.seed, 100);
        if (node->index == HWS_HEAP_NONE)
            assert_true(hws_heap_push(&heap, node, deadline_us));
        else if (random_below(&m.seed, 3) == 0)
            hws_heap_remove(&heap, node);
        else
            hws_heap_move(&heap, node, deadline_us);
        assert_ptr_equal(hws_heap_top(&heap), naive_top());
    }
}

static void leaves_sorted_and_ties_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < NODES; i++)
        assert_true(hws_heap_push(&heap, &nodes[i], i % 3));
    for (size_t remainder = 0; remainder < 3; remainder++) {
        for (size_t i = remainder; i < NODES; i += 3) {
            assert_ptr_equal(hws_heap_top(&heap), &nodes[i]);
            hws_heap_remove(&heap, &nodes[i]);
            assert_int_equal(nodes[i].index, HWS_HEAP_NONE);
        }
    }
    assert_null(hws_heap_top(&heap));
}

static void removing_what_is_out_does_nothing(void **state)
{
    (void)state;
    assert_true(hws_heap_push(&heap, &nodes[0], 5));
    hws_heap_remove(&heap, &nodes[1]);
    assert_int_equal(heap.count, 1);
}

static void reserved_room_cannot_fail(void **state)
{
    (void)state;
    assert_true(hws_heap_reserve(&heap, NODES));
    for (size_t i = 0; i < NODES; i++) {
        m.fail_in = 1;
        assert_true(hws_heap_push(&heap, &nodes[i], NODES - i));
        assert_ptr_equal(hws_heap_top(&heap), &nodes[i]);
    }
    m.fail_in = 0;
}

static void no_memory(void **state)
{
    (void)state;
    m.fail_in = 1;
    assert_false(hws_heap_push(&heap, &nodes[0], 1));
    assert_int_equal(nodes[0].index, HWS_HEAP_NONE);
    m.fail_in = 1;
    assert_false(hws_heap_reserve(&heap, 1));
    assert_false(hws_heap_reserve(&heap, UINT32_MAX));
    assert_null(hws_heap_top(&heap));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_use_agrees_with_model, begin, end),
        cmocka_unit_test_setup_teardown(leaves_sorted_and_ties_in_order, begin, end),
        cmocka_unit_test_setup_teardown(removing_what_is_out_does_nothing, begin, end),
        cmocka_unit_test_setup_teardown(reserved_room_cannot_fail, begin, end),
        cmocka_unit_test_setup_teardown(no_memory, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
