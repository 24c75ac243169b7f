/*
 * The ends of a paced transfer. `flow source` writes a file to the standard output at a steady rate
 * until it is told to hurry; `flow sink` passes on what it reads and notes how much came when, and
 * the longest time between two reads: the receiver's time without progress, measured in the same
 * way for every stack.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PIECE_BYTES 8192u
#define READ_BYTES (256u * 1024)
/* How often the sink writes a line at most. */
#define NOTE_US 10000

static const char usage_text[] =
    "usage: flow source FILE BYTES_PER_SECOND DIR   FILE to stdout; goes on once DIR/go exists, "
    "at\n"
    "                                               full speed once DIR/hurry does\n"
    "       flow sink LOG                           stdin to stdout; LOG gets lines\n"
    "         BYTES                      so many have come by now\n"
    "         end BYTES US LONGEST_US    all of them, the time from behind the first piece to the\n"
    "                                    end, and the longest time between two reads in it\n";

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0)
            die("write");
        data += n;
        size -= (size_t)n;
    }
}

static void sleep_until(int64_t due_us)
{
    int64_t wait_us = due_us - now_us();
    if (wait_us <= 0)
        return;
    struct timespec t = {.tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

static void wait_for(const char *path)
{
    while (access(path, F_OK) != 0)
        sleep_until(now_us() + NOTE_US);
}

static int source(const char *path, int64_t bytes_per_second, const char *dir)
{
    static char piece[PIECE_BYTES];
    char go[4096], hurry[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    if (fd < 0)
        die(path);
    snprintf(go, sizeof(go), "%s/go", dir);
    snprintf(hurry, sizeof(hurry), "%s/hurry", dir);
    int64_t piece_us = (int64_t)PIECE_BYTES * 1000000 / bytes_per_second;
    int64_t due_us = now_us();
    while ((n = read(fd, piece, sizeof(piece))) > 0) {
        if (access(hurry, F_OK) != 0) {
            sleep_until(due_us);
            /* A time in which nothing could be written is not made up for. */
            due_us = (due_us > now_us() - piece_us ? due_us : now_us()) + piece_us;
        }
        write_all(STDOUT_FILENO, piece, (size_t)n);
        wait_for(go);
    }
    if (n < 0)
        die(path);
    return 0;
}

static int sink(const char *path)
{
    char *buffer = malloc(READ_BYTES);
    FILE *log = fopen(path, "we");
    uint64_t bytes = 0;
    int64_t first_us = 0;
    int64_t last_us = 0;
    int64_t noted_us = 0;
    int64_t longest_us = 0;
    ssize_t n;

    if (!buffer || !log)
        die(path);
    setvbuf(log, NULL, _IOLBF, 0);
    while ((n = read(STDIN_FILENO, buffer, READ_BYTES)) > 0) {
        int64_t now = now_us();
        /* Before the first piece is over, the source waits to be told to go. */
        if (bytes <= PIECE_BYTES)
            first_us = now;
        else if (now - last_us > longest_us)
            longest_us = now - last_us;
        last_us = now;
        bytes += (uint64_t)n;
        write_all(STDOUT_FILENO, buffer, (size_t)n);
        if (now - noted_us >= NOTE_US) {
            fprintf(log, "%llu\n", (unsigned long long)bytes);
            noted_us = now;
        }
    }
    fprintf(log, "end %llu %lld %lld\n", (unsigned long long)bytes, (long long)(last_us - first_us),
            (long long)longest_us);
    if (n < 0 || fclose(log) != 0)
        die(path);
    free(buffer);
    return 0;
}

int main(int argc, char *argv[])
{
    if (argc == 5 && strcmp(argv[1], "source") == 0 && atoll(argv[3]) > 0)
        return source(argv[2], atoll(argv[3]), argv[4]);
    if (argc == 3 && strcmp(argv[1], "sink") == 0)
        return sink(argv[2]);
    fputs(usage_text, stderr);
    return 2;
}
