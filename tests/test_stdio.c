/* Standard input and output of the program: pipes and files, slow readers, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "cli/sink.h"
#include "cli/source.h"

#define CAPACITY 5000u
#define TOTAL 100000u

static uint8_t pattern(size_t at)
{
    return (uint8_t)(at * 7 + at / 256);
}

/* From a source to a sink, as cat does, checking the bytes on the way. */
struct pump {
    uv_loop_t loop;
    struct hws_cli_source source;
    struct hws_cli_sink sink;
    size_t passed;
};

static void pump(void *arg)
{
    struct pump *p = arg;
    size_t space;
    uint8_t *to;
    while (p->source.len > 0 && (to = hws_cli_sink_space(&p->sink, &space)) != NULL) {
        size_t len = p->source.len < space ? p->source.len : space;
        memcpy(to, p->source.buf + p->source.start, len);
        for (size_t i = 0; i < len; i++)
            assert_int_equal(to[i], pattern(p->passed + i));
        hws_cli_source_consume(&p->source, len);
        hws_cli_sink_commit(&p->sink, len);
        p->passed += len;
    }
    hws_cli_sink_flush(&p->sink);
    hws_cli_source_read(&p->source);
}

static void run_pump(struct pump *p, int in, int out)
{
    p->passed = 0;
    uv_loop_init(&p->loop);
    assert_int_equal(hws_cli_source_open(&p->source, &p->loop, in, CAPACITY, pump, p), 0);
    assert_int_equal(hws_cli_sink_open(&p->sink, &p->loop, out, CAPACITY, pump, p), 0);
    pump(p);
    while (!(p->source.eof && p->source.len == 0 && hws_cli_sink_idle(&p->sink)))
        uv_run(&p->loop, UV_RUN_ONCE);
    hws_cli_source_close(&p->source);
    hws_cli_sink_close(&p->sink);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&p->loop), 0);
}

static int temporary_file(void)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    int fd = dup(fileno(file));
    fclose(file);
    return fd;
}

static int patterned_file(void)
{
    int fd = temporary_file();
    uint8_t *bytes = malloc(TOTAL);
    assert_non_null(bytes);
    for (size_t i = 0; i < TOTAL; i++)
        bytes[i] = pattern(i);
    assert_int_equal(write(fd, bytes, TOTAL), TOTAL);
    free(bytes);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static void files(void **state)
{
    struct pump p;
    int in = patterned_file(), out = temporary_file();
    (void)state;
    run_pump(&p, in, out);
    assert_int_equal(p.passed, TOTAL);
    assert_int_equal(lseek(out, 0, SEEK_END), TOTAL);
    close(in);
    close(out);
}

/* A pipe holds 64 KB: the rest waits until somebody reads. */
static void pipes_with_a_slow_reader(void **state)
{
    struct pump to_pipe, from_pipe;
    int fds[2], in = patterned_file(), out = temporary_file();
    (void)state;
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(fds[0]);
        run_pump(&to_pipe, in, fds[1]);
        _exit(to_pipe.passed == TOTAL ? 0 : 1);
    }
    close(fds[1]);
    usleep(50000);
    run_pump(&from_pipe, fds[0], out);
    assert_int_equal(from_pipe.passed, TOTAL);
    close(in);
    close(out);
}

static void an_empty_and_a_closed_input(void **state)
{
    struct pump p;
    int null = open("/dev/null", O_RDWR);
    (void)state;
    run_pump(&p, null, null);
    assert_int_equal(p.passed, 0);
    assert_int_equal(p.source.error, 0);
    close(null);
    run_pump(&p, null, null); /* no descriptor of that number any more */
    assert_int_equal(p.passed, 0);
}

static void a_broken_pipe_is_an_error(void **state)
{
    struct pump p;
    int fds[2], in = patterned_file();
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(fds), 0);
    close(fds[0]);
    uv_loop_init(&p.loop);
    p.passed = 0;
    assert_int_equal(hws_cli_source_open(&p.source, &p.loop, in, CAPACITY, pump, &p), 0);
    assert_int_equal(hws_cli_sink_open(&p.sink, &p.loop, fds[1], CAPACITY, pump, &p), 0);
    pump(&p);
    while (p.sink.error == 0)
        uv_run(&p.loop, UV_RUN_ONCE);
    assert_int_equal(p.sink.error, UV_EPIPE);
    assert_true(hws_cli_sink_idle(&p.sink));
    hws_cli_source_close(&p.source);
    hws_cli_sink_close(&p.sink);
    uv_run(&p.loop, UV_RUN_DEFAULT);
    uv_loop_close(&p.loop);
    close(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files),
        cmocka_unit_test(pipes_with_a_slow_reader),
        cmocka_unit_test(an_empty_and_a_closed_input),
        cmocka_unit_test(a_broken_pipe_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
