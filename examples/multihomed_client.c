/* A client with several addresses on either side, each pair of which becomes a path: when one
 * fails, data goes over another. Sends a line a second, shows what comes back and what happens to
 * paths.
 *
 * Usage: multihomed_client LOCAL[,LOCAL...] PEER[,PEER...] [PORT [LINES]]     IPv4 addresses */
#include <arpa/inet.h>
#include <hawser/socket.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ADDRESSES_MAX 8

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* Reads "A,B,C" into addresses packed back to back; answers how many. */
static int read_addresses(char *text, uint16_t port, struct sockaddr_in *addrs)
{
    int count = 0;
    for (char *word = strtok(text, ","); word != NULL; word = strtok(NULL, ",")) {
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
        if (count == ADDRESSES_MAX || inet_pton(AF_INET, word, &addr.sin_addr) != 1) {
            fprintf(stderr, "multihomed_client: no IPv4 address, or too many: %s\n", word);
            exit(2);
        }
        addrs[count++] = addr;
    }
    return count;
}

static const char *address_text(const void *addr)
{
    static char text[INET_ADDRSTRLEN];
    return inet_ntop(AF_INET, &((const struct sockaddr_in *)addr)->sin_addr, text, sizeof text);
}

static void set_option(int fd, int option, const void *value, socklen_t len, const char *what)
{
    if (hws_setsockopt(fd, IPPROTO_SCTP, option, value, len) != 0)
        die(what);
}

static void show_change(const struct sctp_paddr_change *change)
{
    static const char *const words[] = {[SCTP_ADDR_AVAILABLE] = "available",
                                        [SCTP_ADDR_UNREACHABLE] = "unreachable",
                                        [SCTP_ADDR_MADE_PRIM] = "primary",
                                        [SCTP_ADDR_CONFIRMED] = "confirmed",
                                        [SCTP_ADDR_POTENTIALLY_FAILED] = "potentially failed"};
    int state = change->spc_state;
    const char *word =
        state >= 0 && state < (int)(sizeof words / sizeof words[0]) ? words[state] : 0;
    printf("path to %s: %s\n", address_text(&change->spc_aaddr), word != NULL ? word : "changed");
}

/* Shows the next message, and the notifications before it. */
static void receive_line(int fd)
{
    union {
        char text[256];
        union sctp_notification event;
    } buf;
    for (;;) {
        struct iovec room = {&buf, sizeof buf};
        struct msghdr msg = {.msg_iov = &room, .msg_iovlen = 1};
        ssize_t len = hws_recvmsg(fd, &msg, 0);
        if (len < 0)
            die("hws_recvmsg");
        if (len == 0)
            exit((fprintf(stderr, "the peer has ended the association\n"), 1));
        if ((msg.msg_flags & MSG_NOTIFICATION) == 0) {
            printf("%.*s\n", (int)len, buf.text);
            return;
        }
        if (buf.event.sn_header.sn_type == SCTP_PEER_ADDR_CHANGE)
            show_change(&buf.event.sn_paddr_change);
    }
}

static void show_paths(int fd)
{
    struct sockaddr *addrs;
    int count = hws_getpaddrs(fd, 0, &addrs);
    if (count < 0)
        die("hws_getpaddrs");
    for (int i = 0; i < count; i++) {
        struct sctp_paddrinfo info = {0};
        socklen_t len = sizeof info;
        memcpy(&info.spinfo_address, (struct sockaddr_in *)addrs + i, sizeof(struct sockaddr_in));
        if (hws_getsockopt(fd, IPPROTO_SCTP, SCTP_GET_PEER_ADDR_INFO, &info, &len) != 0)
            die("SCTP_GET_PEER_ADDR_INFO");
        printf("%s: %s, round trip %u ms, RTO %u ms, MTU %u\n", address_text(&info.spinfo_address),
               info.spinfo_state == SCTP_ACTIVE ? "active" : "not active", info.spinfo_srtt,
               info.spinfo_rto, info.spinfo_mtu);
    }
    hws_freepaddrs(addrs);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return fprintf(stderr, "usage: multihomed_client LOCAL,... PEER,... [PORT [LINES]]\n"), 2;
    struct sockaddr_in local[ADDRESSES_MAX], peer[ADDRESSES_MAX];
    int locals = read_addresses(argv[1], 0, local);
    int peers = read_addresses(argv[2], (uint16_t)(argc > 3 ? atoi(argv[3]) : 5000), peer);
    int fd = hws_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    if (fd < 0)
        die("hws_socket");
    if (hws_bindx(fd, (struct sockaddr *)local, locals, SCTP_BINDX_ADD_ADDR) != 0)
        die("hws_bindx");
    /* Notice a dead path after a few hundred milliseconds, not after seconds. */
    struct sctp_rtoinfo rto = {.srto_initial = 500, .srto_min = 200, .srto_max = 2000};
    struct sctp_paddrparams path = {
        .spp_hbinterval = 1000, .spp_pathmaxrxt = 2, .spp_flags = SPP_HB_ENABLE};
    struct sctp_event event = {.se_type = SCTP_PEER_ADDR_CHANGE, .se_on = 1};
    set_option(fd, SCTP_RTOINFO, &rto, sizeof rto, "SCTP_RTOINFO");
    set_option(fd, SCTP_PEER_ADDR_PARAMS, &path, sizeof path, "SCTP_PEER_ADDR_PARAMS");
    set_option(fd, SCTP_EVENT, &event, sizeof event, "SCTP_EVENT");
    if (hws_connectx(fd, (struct sockaddr *)peer, peers, NULL) != 0)
        die("hws_connectx");
    setvbuf(stdout, NULL, _IOLBF, 0);
    int lines = argc > 4 ? atoi(argv[4]) : 10;
    for (int i = 1; i <= lines; i++) {
        char line[32];
        int len = snprintf(line, sizeof line, "line %d", i);
        if (hws_send(fd, line, (size_t)len, 0) < 0)
            die("hws_send");
        receive_line(fd);
        if (i < lines)
            sleep(1);
    }
    show_paths(fd);
    hws_close(fd);
    return 0;
}
