/* Sends a file without copying it: the file is mapped, and its pages are lent to the library until
 * the peer has acknowledged them. file_receive is the other side.
 *
 * Usage: file_send ADDRESS PORT FILE */
#include <arpa/inet.h>
#include <fcntl.h>
#include <hawser/socket.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MESSAGE_BYTES (256u << 10)

static sem_t given_back; /* counts messages whose bytes the library does not need any more */

/* Called by whichever thread finds that out. */
static void release(void *arg)
{
    (void)arg;
    sem_post(&given_back);
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void *map_file(const char *name, size_t *size)
{
    struct stat status;
    int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) != 0)
        die(name);
    *size = (size_t)status.st_size;
    void *bytes = *size > 0 ? mmap(NULL, *size, PROT_READ, MAP_PRIVATE, file, 0) : NULL;
    if (bytes == MAP_FAILED)
        die(name);
    close(file);
    return bytes;
}

static int connect_to(const char *address, const char *port)
{
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int fd = hws_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    if (fd < 0)
        die("hws_socket");
    if (inet_pton(AF_INET, address, &peer.sin_addr) != 1) {
        fprintf(stderr, "file_send: %s is no IPv4 address\n", address);
        exit(2);
    }
    if (hws_connect(fd, (const struct sockaddr *)&peer, sizeof peer) != 0)
        die("hws_connect");
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return fprintf(stderr, "usage: file_send ADDRESS PORT FILE\n"), 2;
    size_t size;
    char *bytes = map_file(argv[3], &size);
    int fd = connect_to(argv[1], argv[2]);
    unsigned messages = 0;
    sem_init(&given_back, 0, 0);
    for (size_t sent = 0, len; sent < size; sent += len, messages++) {
        len = size - sent < MESSAGE_BYTES ? size - sent : MESSAGE_BYTES;
        struct iovec piece = {bytes + sent, len};
        if (hws_send_lent(fd, &piece, 1, NULL, 0, release, NULL) < 0)
            die("hws_send_lent");
    }
    /* The association is over when the peer has acknowledged everything. */
    char end;
    if (hws_shutdown(fd, SHUT_WR) != 0 || hws_recv(fd, &end, 1, 0) != 0)
        die("the end was not graceful");
    hws_close(fd);
    for (unsigned i = 0; i < messages; i++)
        sem_wait(&given_back);
    printf("%zu bytes sent in %u messages, all given back\n", size, messages);
    if (size > 0)
        munmap(bytes, size);
    return 0;
}
