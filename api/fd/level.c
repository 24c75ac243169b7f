#include "api/fd/level.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A unix socket is writable while what lies in its send buffer, with the kernel's overhead, is a
 * quarter of it at most, and the smallest buffer is about 4.5 KB: one message of this size makes it
 * unwritable, and it is the only one, so that little is allocated. */
#define FILL_BYTES 1536
/* Edges that are given before the bytes behind them are taken out. */
#define MAX_BYTES 64u

static const char zeros[FILL_BYTES];

static int remember(struct hws_level *level)
{
    struct stat status;
    if (fstat(level->fd, &status) < 0)
        return -errno;
    level->dev = status.st_dev;
    level->ino = status.st_ino;
    return 0;
}

int hws_level_open(struct hws_level *level)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return -errno;
    *level = (struct hws_level){.fd = ends[0], .own = ends[1], .unknown = true};
    return remember(level);
}

void hws_level_close_own(struct hws_level *level)
{
    if (level->own >= 0)
        close(level->own);
    level->own = -1;
}

bool hws_level_is_ours(const struct hws_level *level)
{
    struct stat status;
    if (level->unknown)
        return true;
    return fstat(level->fd, &status) == 0 && status.st_ino == level->ino &&
           status.st_dev == level->dev;
}

static void take_bytes(struct hws_level *level)
{
    char scrap[MAX_BYTES];
    if (!hws_level_is_ours(level))
        return;
    while (recv(level->fd, scrap, sizeof(scrap), MSG_DONTWAIT) == (ssize_t)sizeof(scrap))
        ;
    level->bytes = 0;
}

void hws_level_readable(struct hws_level *level, bool readable, bool again)
{
    if (level->own < 0 || level->rdhup)
        return; /* readable for good */
    if (level->bytes > 0 && (!readable || level->bytes == MAX_BYTES))
        take_bytes(level);
    if (readable && (level->bytes == 0 || again) &&
        send(level->own, zeros, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
        level->bytes++;
}

static void fill(struct hws_level *level)
{
    const int smallest = 1;
    if (!hws_level_is_ours(level))
        return;
    if (!level->small)
        setsockopt(level->fd, SOL_SOCKET, SO_SNDBUF, &smallest, sizeof(smallest));
    level->small = true;
    send(level->fd, zeros, sizeof(zeros), MSG_DONTWAIT | MSG_NOSIGNAL);
    level->full = true;
}

static void drain(struct hws_level *level)
{
    char scrap[FILL_BYTES + 1]; /* all of it, and it came short */
    while (recv(level->own, scrap, sizeof(scrap), MSG_DONTWAIT) == (ssize_t)sizeof(scrap))
        ;
    level->full = false;
}

void hws_level_writable(struct hws_level *level, bool writable)
{
    if (level->own < 0 || level->hup || writable != level->full)
        return;
    if (writable)
        drain(level);
    else
        fill(level);
}

void hws_level_rdhup(struct hws_level *level)
{
    if (level->rdhup || level->own < 0)
        return;
    level->rdhup = true;
    shutdown(level->own, SHUT_WR);
}

void hws_level_hup(struct hws_level *level)
{
    if (level->hup || level->own < 0)
        return;
    level->rdhup = level->hup = true;
    shutdown(level->own, SHUT_RDWR);
}

/* Reading the error of the application's end takes it away. */
static void clear_error(struct hws_level *level)
{
    int error;
    socklen_t len = sizeof(error);
    level->error = false;
    if (hws_level_is_ours(level))
        getsockopt(level->fd, SOL_SOCKET, SO_ERROR, &error, &len);
}

void hws_level_error(struct hws_level *level, bool error)
{
    if (!error && level->error)
        clear_error(level);
    if (!error || level->error || level->own < 0 || !hws_level_is_ours(level))
        return;
    if (!level->full)
        send(level->fd, zeros, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    hws_level_close_own(level);
    level->rdhup = level->hup = level->error = true;
}

int hws_level_renew(struct hws_level *level)
{
    struct hws_level fresh;
    int rc = hws_level_is_ours(level) ? hws_level_open(&fresh) : -EBADF;
    if (rc < 0)
        return rc;
    int flags = fcntl(level->fd, F_GETFD);
    rc = dup3(fresh.fd, level->fd, (flags & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0) < 0 ? -errno : 0;
    close(fresh.fd);
    if (rc < 0) {
        hws_level_close_own(&fresh);
        return rc;
    }
    hws_level_close_own(level);
    fresh.fd = level->fd;
    fresh.unknown = false;
    *level = fresh;
    return 0;
}
