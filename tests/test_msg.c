#include <stdbool.h>
#include <string.h>

#include "memory_env.h"
#include "stack/msg.h"

#define LEN 1000u

static struct memory_env m;
static struct hws_msg_list done;
static uint8_t bytes[LEN];
static int lent; /* its address is the handle */

static void begin(void)
{
    memory_env_init(&m, 1, true);
    done = (struct hws_msg_list){0};
    for (uint32_t i = 0; i < LEN; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 8));
}

static void end(void)
{
    memory_env_fini(&m);
}

/* The bytes in pieces, empty ones among them. */
static size_t cut_up(struct hws_iovec *iov, size_t max, uint64_t *seed)
{
    uint32_t at = 0;
    size_t count = 0;
    while (count < max - 1) {
        uint32_t len = random_below(seed, 3) == 0 ? 0 : random_below(seed, LEN - at + 1);
        iov[count++] = (struct hws_iovec){len > 0 ? bytes + at : NULL, len};
        at += len;
    }
    iov[count++] = (struct hws_iovec){bytes + at, LEN - at};
    return count;
}

static struct hws_msg *lend(const struct hws_iovec *iov, size_t count)
{
    const struct hws_sndinfo info = {
        .sid = 3, .flags = HWS_SEND_UNORDERED, .ppid = 4, .context = 5, .path = 6};
    const struct hws_lender lender = {.handle = &lent, .done = &done};
    struct hws_msg *msg = hws_msg_new(&m.pool, &info, iov, count, LEN, &lender);
    assert_non_null(msg);
    return msg;
}

static void give_back(struct hws_msg *msg)
{
    hws_msg_unref(&m.pool, msg);
    assert_ptr_equal(hws_msg_list_pop(&done), msg);
    assert_ptr_equal(hws_msg_give_back(&m.pool, msg), &lent);
}

static void a_message_knows_what_it_was_sent_with(void **state)
{
    (void)state;
    begin();
    struct hws_iovec iov = {bytes, LEN};
    struct hws_msg *msg = lend(&iov, 1);
    assert_int_equal(msg->sid, 3);
    assert_int_equal(msg->flags, HWS_SEND_UNORDERED);
    assert_int_equal(msg->ppid, 4);
    assert_int_equal(msg->context, 5);
    assert_int_equal(msg->path, 6);
    assert_int_equal(msg->len, LEN);
    give_back(msg);
    end();
}

static void lent_bytes_come_back_with_the_last_reference(void **state)
{
    (void)state;
    begin();
    struct hws_iovec iov = {bytes, LEN};
    struct hws_msg *msg = lend(&iov, 1);
    msg->refs++;
    hws_msg_unref(&m.pool, msg);
    assert_null(hws_msg_list_pop(&done));
    give_back(msg);
    assert_int_equal(m.live_objects, 0);
    end();
}

static void copied_bytes_are_the_message_s_own(void **state)
{
    (void)state;
    begin();
    struct hws_iovec iov[] = {{bytes, 400}, {NULL, 0}, {bytes + 400, LEN - 400}};
    struct hws_iovec own;
    const struct hws_iovec *out;
    struct hws_msg *msg = hws_msg_new(&m.pool, &(struct hws_sndinfo){.sid = 1}, iov, 3, LEN, NULL);
    assert_non_null(msg);
    assert_int_equal(hws_msg_iovecs(msg, &own, &out), 1);
    assert_int_equal(out->len, LEN);
    assert_memory_equal(out->base, bytes, LEN);
    assert_ptr_not_equal(out->base, bytes);
    hws_msg_unref(&m.pool, msg);
    assert_null(done.head);
    end();
}

static void the_iovecs_of_lent_bytes_are_the_caller_s(void **state)
{
    (void)state;
    begin();
    struct hws_iovec iov[] = {{bytes, 400}, {bytes + 400, LEN - 400}};
    struct hws_iovec own;
    const struct hws_iovec *out;
    struct hws_msg *msg = lend(iov, 2);
    iov[1].len = 1; /* the array itself is copied */
    assert_int_equal(hws_msg_iovecs(msg, &own, &out), 2);
    assert_ptr_equal(out[0].base, bytes);
    assert_int_equal(out[1].len, LEN - 400);
    give_back(msg);
    end();
}

/* From front to back, and from anywhere when something is sent again. */
static void lent_bytes_are_read_in_any_order(void **state)
{
    (void)state;
    begin();
    uint64_t seed = 11;
    for (int round = 0; round < 300; round++) {
        struct hws_iovec iov[9];
        struct hws_msg *msg = lend(iov, cut_up(iov, 1 + random_below(&seed, 9), &seed));
        for (int i = 0; i < 40; i++) {
            uint8_t out[LEN + 1];
            uint32_t from = random_below(&seed, LEN), len = random_below(&seed, LEN - from + 1);
            out[len] = 0xa5;
            hws_msg_read(msg, from, out, len);
            assert_memory_equal(out, bytes + from, len);
            assert_int_equal(out[len], 0xa5);
        }
        give_back(msg);
    }
    end();
}

static void lists_keep_their_order(void **state)
{
    (void)state;
    struct hws_msg_list list = {0};
    struct hws_msg a = {0}, b = {0}, c = {0};
    assert_null(hws_msg_list_pop(&list));
    hws_msg_list_push(&list, &a);
    hws_msg_list_push(&list, &b);
    assert_ptr_equal(hws_msg_list_pop(&list), &a);
    hws_msg_list_push(&list, &c);
    assert_ptr_equal(hws_msg_list_pop(&list), &b);
    assert_ptr_equal(hws_msg_list_pop(&list), &c);
    assert_null(hws_msg_list_pop(&list));
    hws_msg_list_push(&list, &a);
    assert_ptr_equal(hws_msg_list_pop(&list), &a);
    assert_null(hws_msg_list_pop(&list));
}

static void no_memory_no_message(void **state)
{
    (void)state;
    begin();
    struct hws_iovec iov = {bytes, LEN};
    const struct hws_sndinfo info = {0};
    const struct hws_lender lender = {.handle = &lent, .done = &done};
    m.fail_in = 1;
    assert_null(hws_msg_new(&m.pool, &info, &iov, 1, LEN, &lender));
    assert_null(done.head);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_knows_what_it_was_sent_with),
        cmocka_unit_test(lent_bytes_come_back_with_the_last_reference),
        cmocka_unit_test(copied_bytes_are_the_message_s_own),
        cmocka_unit_test(the_iovecs_of_lent_bytes_are_the_caller_s),
        cmocka_unit_test(lent_bytes_are_read_in_any_order),
        cmocka_unit_test(lists_keep_their_order),
        cmocka_unit_test(no_memory_no_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
