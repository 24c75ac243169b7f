#include <stdbool.h>

#include "memory_env.h"
#include "stack/hashtab.h"

#define NODES 1000u

struct item {
    struct hws_hashtab_node node;
    uint64_t hash;
    bool in;
};

static struct memory_env m;
static struct hws_hashtab tab;
static struct item items[NODES];

static int begin(void **state)
{
    (void)state;
    memory_env_init(&m, 7, true);
    hws_hashtab_init(&tab, &m.pool);
    return 0;
}

static int end(void **state)
{
    (void)state;
    hws_hashtab_fini(&tab);
    memory_env_fini(&m);
    return 0;
}

static bool is_found(const struct item *item)
{
    struct hws_hashtab_node *node = hws_hashtab_first(&tab, item->hash);
    for (; node != NULL; node = hws_hashtab_next(node)) {
        assert_true(node->hash == item->hash);
        if (node == &item->node)
            return true;
    }
    return false;
}

static void empty_table_finds_nothing(void **state)
{
    (void)state;
    assert_null(hws_hashtab_first(&tab, 0));
    assert_int_equal(m.live_objects, 0);
}

/** Few distinct hashes, so that chains hold equal and different ones. */
static void random_use_agrees_with_model(void **state)
{
    (void)state;
    uint32_t count = 0;
    for (size_t i = 0; i < NODES; i++)
        items[i] = (struct item){.hash = random_below(&m.seed, NODES / 2)};
    for (int round = 0; round < 50000; round++) {
        struct item *item = &items[random_below(&m.seed, NODES)];
        assert_true(is_found(item) == item->in);
        if (item->in)
            hws_hashtab_remove(&tab, &item->node);
        else
            assert_true(hws_hashtab_add(&tab, &item->node, item->hash));
        item->in = !item->in;
        count += item->in ? 1u : UINT32_MAX;
        assert_int_equal(tab.count, count);
    }
    for (size_t i = 0; i < NODES; i++)
        assert_true(is_found(&items[i]) == items[i].in);
}

static void no_memory_for_first_buckets(void **state)
{
    (void)state;
    m.fail_in = 1;
    assert_false(hws_hashtab_add(&tab, &items[0].node, 1));
    assert_int_equal(tab.count, 0);
    m.fail_in = 1;
    assert_false(hws_hashtab_reserve(&tab));
    assert_true(hws_hashtab_reserve(&tab));
    m.fail_in = 1;
    assert_true(hws_hashtab_add(&tab, &items[0].node, 1));
    m.fail_in = 0;
}

static void failing_to_grow_is_no_error(void **state)
{
    (void)state;
    assert_true(hws_hashtab_reserve(&tab));
    for (size_t i = 0; i < NODES; i++) {
        items[i].hash = i;
        m.fail_in = 1;
        assert_true(hws_hashtab_add(&tab, &items[i].node, i));
    }
    m.fail_in = 0;
    for (size_t i = 0; i < NODES; i++)
        assert_true(is_found(&items[i]));
}

static void take_out(void *ctx, struct hws_hashtab_node *node)
{
    struct item *item = (struct item *)(void *)node;
    assert_true(item->in);
    item->in = false;
    ++*(uint32_t *)ctx;
}

static void drain_hands_out_every_node(void **state)
{
    (void)state;
    for (size_t i = 0; i < NODES; i++) {
        items[i].in = true;
        assert_true(hws_hashtab_add(&tab, &items[i].node, random64(&m.seed)));
    }
    uint32_t drained = 0;
    hws_hashtab_drain(&tab, take_out, &drained);
    assert_int_equal(drained, NODES);
    assert_int_equal(tab.count, 0);
    assert_true(hws_hashtab_add(&tab, &items[0].node, 3));
    assert_ptr_equal(hws_hashtab_first(&tab, 3), &items[0].node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(empty_table_finds_nothing, begin, end),
        cmocka_unit_test_setup_teardown(random_use_agrees_with_model, begin, end),
        cmocka_unit_test_setup_teardown(no_memory_for_first_buckets, begin, end),
        cmocka_unit_test_setup_teardown(failing_to_grow_is_no_error, begin, end),
        cmocka_unit_test_setup_teardown(drain_hands_out_every_node, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
