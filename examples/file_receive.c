/* Receives a file without copying it: what has come is written to the file from where the network
 * put it. file_send is the other side.
 *
 * Usage: file_receive PORT FILE     takes one file and ends */
#include <fcntl.h>
#include <hawser/socket.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int accept_one(const char *port)
{
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int listener = hws_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    if (listener < 0)
        die("hws_socket");
    if (hws_bind(listener, (const struct sockaddr *)&local, sizeof local) != 0)
        die("hws_bind");
    if (hws_listen(listener, 1) != 0)
        die("hws_listen");
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("listening at port %s\n", port);
    int fd = hws_accept(listener, NULL, NULL);
    if (fd < 0)
        die("hws_accept");
    hws_close(listener);
    return fd;
}

/* A view is a few pieces of memory, and a file may take less at once than they hold. */
static void write_view(int file, const struct hws_view *view)
{
    for (int i = 0; i < view->iovcnt; i++) {
        const char *at = view->iov[i].iov_base;
        size_t left = view->iov[i].iov_len;
        while (left > 0) {
            ssize_t written = write(file, at, left);
            if (written < 0)
                die("write");
            at += written;
            left -= (size_t)written;
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return fprintf(stderr, "usage: file_receive PORT FILE\n"), 2;
    int file = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0)
        die(argv[2]);
    int fd = accept_one(argv[1]);
    struct hws_view view;
    uint64_t bytes = 0, messages = 0;
    ssize_t len;
    while ((len = hws_recv_view(fd, &view, 0)) > 0) {
        write_view(file, &view);
        bytes += view.len;
        messages += (view.flags & MSG_EOR) != 0;
        hws_view_release(&view); /* makes room: what is not given back closes the window */
    }
    if (len < 0)
        die("hws_recv_view");
    if (close(file) != 0)
        die(argv[2]);
    hws_close(fd);
    printf("%llu bytes received in %llu messages\n", (unsigned long long)bytes,
           (unsigned long long)messages);
    return 0;
}
