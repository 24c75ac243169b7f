#include <stdbool.h>
#include <string.h>

#include "memory_env.h"
#include "stack/idtab.h"

static struct memory_env m;
static struct hws_idtab tab;

static void begin(void)
{
    memory_env_init(&m, 1, true);
    hws_idtab_init(&tab, &m.pool);
}

static void end(void)
{
    hws_idtab_fini(&tab);
    memory_env_fini(&m);
}

static void an_empty_table_names_nothing(void **state)
{
    (void)state;
    begin();
    assert_null(hws_idtab_get(&tab, 0));
    assert_null(hws_idtab_get(&tab, 1));
    assert_null(hws_idtab_get(&tab, UINT64_MAX));
    assert_int_equal(m.live_objects, 0);
    end();
}

/* The place is used again at once; the id never is. */
static void an_id_dies_with_its_object(void **state)
{
    (void)state;
    int first = 1, second = 2;
    begin();
    uint64_t old = hws_idtab_add(&tab, &first);
    assert_int_not_equal(old, 0);
    assert_ptr_equal(hws_idtab_get(&tab, old), &first);
    hws_idtab_remove(&tab, old);
    assert_null(hws_idtab_get(&tab, old));
    uint64_t newer = hws_idtab_add(&tab, &second);
    assert_int_equal((uint32_t)newer, (uint32_t)old);
    assert_int_not_equal(newer, old);
    assert_null(hws_idtab_get(&tab, old));
    assert_ptr_equal(hws_idtab_get(&tab, newer), &second);
    end();
}

/* Ids come from the application: whatever they are, they reach at most a live object. */
static void made_up_ids_name_nothing(void **state)
{
    (void)state;
    int object = 0;
    begin();
    uint64_t id = hws_idtab_add(&tab, &object);
    assert_null(hws_idtab_get(&tab, 0));
    assert_null(hws_idtab_get(&tab, id + (UINT64_C(1) << 32)));
    assert_null(hws_idtab_get(&tab, id | UINT64_C(1) << 63));
    for (uint64_t number = 0; number <= tab.capacity + 2; number++)
        if (number != id)
            assert_null(hws_idtab_get(&tab, number));
    assert_null(hws_idtab_get(&tab, UINT32_MAX));
    end();
}

static void no_memory_no_id(void **state)
{
    (void)state;
    static int objects[1000];
    begin();
    m.fail_in = 1;
    assert_int_equal(hws_idtab_add(&tab, &objects[0]), 0);
    assert_int_equal(tab.used, 0);
    uint32_t refused = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        m.fail_in = 1; /* of the table's own allocations there is one in each growth */
        uint64_t id = hws_idtab_add(&tab, &objects[i]);
        m.fail_in = 0;
        refused += id == 0;
        if (id == 0)
            id = hws_idtab_add(&tab, &objects[i]);
        assert_ptr_equal(hws_idtab_get(&tab, id), &objects[i]);
        assert_int_equal(tab.used, i + 1);
    }
    assert_true(refused > 1 && refused < 20);
    end();
}

/* ---- Against a plain array ---- */

#define OBJECTS 300u
#define STEPS 20000u

static struct {
    int objects[OBJECTS];
    uint64_t ids[OBJECTS]; /* 0: not in the table */
    uint64_t dead[STEPS];
    uint32_t dead_count, live_count;
} model;

static void add(uint32_t i)
{
    model.ids[i] = hws_idtab_add(&tab, &model.objects[i]);
    assert_int_not_equal(model.ids[i], 0);
    model.live_count++;
}

static void take_away(uint32_t i)
{
    hws_idtab_remove(&tab, model.ids[i]);
    model.dead[model.dead_count++] = model.ids[i];
    model.ids[i] = 0;
    model.live_count--;
}

static void check_walk(void)
{
    uint32_t seen = 0;
    for (uint32_t i = 0; i < tab.capacity; i++)
        seen += hws_idtab_at(&tab, i) != NULL;
    assert_int_equal(seen, model.live_count);
}

static void check(uint64_t *seed)
{
    assert_int_equal(tab.used, model.live_count);
    for (uint32_t i = 0; i < OBJECTS; i++)
        if (model.ids[i] != 0)
            assert_ptr_equal(hws_idtab_get(&tab, model.ids[i]), &model.objects[i]);
    for (uint32_t i = 0; model.dead_count > 0 && i < 50; i++)
        assert_null(hws_idtab_get(&tab, model.dead[random_below(seed, model.dead_count)]));
    check_walk();
}

static void random_use_agrees_with_model(void **state)
{
    (void)state;
    uint64_t seed = 7;
    begin();
    memset(&model, 0, sizeof model);
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t i = random_below(&seed, OBJECTS);
        if (model.ids[i] == 0)
            add(i);
        else
            take_away(i);
        if (step % 50 == 0)
            check(&seed);
    }
    for (uint32_t i = 0; i < model.dead_count; i++)
        assert_null(hws_idtab_get(&tab, model.dead[i]));
    assert_true(tab.capacity <= 2 * OBJECTS);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table_names_nothing),
        cmocka_unit_test(an_id_dies_with_its_object),
        cmocka_unit_test(made_up_ids_name_nothing),
        cmocka_unit_test(no_memory_no_id),
        cmocka_unit_test(random_use_agrees_with_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
