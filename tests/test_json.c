/* What is written is JSON: values, their separators, what strings may not contain, and texts that
 * are longer than the buffer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/trace/json.h"

static struct hws_json json;
static char path[] = "/tmp/test_json_XXXXXX";

static int setup(void **state)
{
    (void)state;
    strcpy(path + strlen(path) - 6, "XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    hws_json_init(&json, fd);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return close(json.fd) | unlink(path);
}

/* What the file has, as text of the caller's. */
static char *written(void)
{
    assert_int_equal(hws_json_flush(&json), 0);
    off_t len = lseek(json.fd, 0, SEEK_END);
    char *text = malloc((size_t)len + 1);
    assert_non_null(text);
    assert_int_equal(pread(json.fd, text, (size_t)len, 0), len);
    text[len] = '\0';
    return text;
}

static void check(const char *expected)
{
    char *text = written();
    assert_string_equal(text, expected);
    free(text);
}

static void values_and_commas(void **state)
{
    (void)state;
    hws_json_object(&json, NULL);
    hws_json_uint(&json, "none", 0);
    hws_json_uint(&json, "most", UINT64_MAX);
    hws_json_array(&json, "list");
    hws_json_array_end(&json);
    hws_json_array(&json, "pairs");
    hws_json_array(&json, NULL);
    hws_json_uint(&json, NULL, 1);
    hws_json_uint(&json, NULL, 20);
    hws_json_array_end(&json);
    hws_json_object(&json, NULL);
    hws_json_object_end(&json);
    hws_json_array_end(&json);
    hws_json_bool(&json, "yes", true);
    hws_json_bool(&json, "no", false);
    hws_json_object_end(&json);
    check("{\"none\":0,\"most\":18446744073709551615,\"list\":[],\"pairs\":[[1,20],{}],"
          "\"yes\":true,\"no\":false}");
}

static void milliseconds(void **state)
{
    (void)state;
    hws_json_array(&json, NULL);
    hws_json_ms(&json, NULL, 0);
    hws_json_ms(&json, NULL, 7);
    hws_json_ms(&json, NULL, 1000);
    hws_json_ms(&json, NULL, 1795299763214557);
    hws_json_array_end(&json);
    check("[0.000,0.007,1.000,1795299763214.557]");
}

static void strings(void **state)
{
    (void)state;
    hws_json_array(&json, NULL);
    hws_json_text(&json, NULL, "");
    hws_json_text(&json, NULL, "a\"b\\c/d");
    hws_json_text(&json, NULL, "\x01\n\x1e\x7f");
    hws_json_text(&json, NULL, "\xc3\xa4");
    hws_json_array_end(&json);
    check("[\"\",\"a\\\"b\\\\c/d\",\"\\u0001\\u000a\\u001e\\u007f\",\"\xc3\xa4\"]");
}

/* Several buffers full, with every length before the last value. */
static void longer_than_the_buffer(void **state)
{
    (void)state;
    enum { COUNT = 40000 };
    hws_json_array(&json, NULL);
    for (uint64_t i = 0; i < COUNT; i++)
        hws_json_uint(&json, NULL, i);
    hws_json_array_end(&json);
    char *text = written(), *at = text;
    assert_true(strlen(text) > 3 * HWS_JSON_BUFFER_BYTES);
    for (unsigned long i = 0; i < COUNT; i++) {
        assert_int_equal(*at++, i == 0 ? '[' : ',');
        assert_int_equal(strtoul(at, &at, 10), i);
    }
    assert_string_equal(at, "]");
    free(text);
}

/* The first error stays, and nothing more is tried. */
static void a_full_disk(void **state)
{
    (void)state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct hws_json *to_full = malloc(sizeof(*to_full));
    assert_true(full >= 0);
    assert_non_null(to_full);
    hws_json_init(to_full, full);
    hws_json_text(to_full, NULL, "lost");
    assert_int_equal(hws_json_flush(to_full), -ENOSPC);
    assert_int_equal(hws_json_flush(to_full), -ENOSPC);
    free(to_full);
    close(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_and_commas, setup, teardown),
        cmocka_unit_test_setup_teardown(milliseconds, setup, teardown),
        cmocka_unit_test_setup_teardown(strings, setup, teardown),
        cmocka_unit_test_setup_teardown(longer_than_the_buffer, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
