/* SCTP over IP by an AF_XDP socket: packets to our ports leave the interface for memory shared with
 * the kernel before it has made anything of them, and the engine gets them where they lie. Packets
 * to neighbours go out of that memory. In copy mode, which every driver has; one interface and its
 * first receive queue. What the program leaves to the kernel comes by the raw link.
 *
 * Which addresses are the host's own, the kernel knows: one that the raw link receives a packet for
 * is, and from then on the program takes the packets to it. */
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_ether.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xdp/xsk.h>

#include "api/link/clock_linux.h"
#include "api/link/link_layer2_linux.h"
#include "api/link/socket_linux.h"
#include "api/link/xdp_frames.h"
#include "api/link/xdp_program_linux.h"
#include "proto/bytes.h"

#define RX_FRAMES 4096u
#define RX_RING 2048u   /* descriptors; as many frames are with the kernel */
#define RX_SPARE 512u   /* with fewer frames left, packets are copied out of theirs */
#define TX_FRAMES 1024u /* and descriptors */
#define SNDBUF_BYTES (4 << 20)
#define HEADROOM 256u /* that the kernel keeps in a frame it receives into */
#define FRAME_SMALL 2048u
#define FRAME_LARGE 4096u
#define MAC_LEN 6u
#define BUSY_TRIES 100u
#define BUSY_WAIT_US 20000u
#define LEARNED_MAX 64u
#define AUDIT_INTERVAL_US 100000u

struct xdp_link {
    struct hws_link_layer2 l2; /* first: what its operations take */
    char interface[IF_NAMESIZE];
    uint32_t index;
    uint8_t mac[MAC_LEN];
    uint32_t frame_size;
    struct hws_xdp_program program;
    struct hws_xdp_frames *frames;
    struct xsk_umem *umem;
    struct xsk_socket *socket;
    struct xsk_ring_prod fill, tx;
    struct xsk_ring_cons completion, rx;
    struct hws_addr learned[LEARNED_MAX]; /* addresses that the program takes packets to */
    uint32_t learned_count;
    uint64_t audited_us;
};

/* ---- Addresses ---- */

static bool is_learned(const struct xdp_link *xdp, const struct hws_addr *addr)
{
    for (uint32_t i = 0; i < xdp->learned_count; i++)
        if (memcmp(xdp->learned[i].ip, addr->ip, sizeof(addr->ip)) == 0)
            return true;
    return false;
}

static void learn(struct xdp_link *xdp, const struct hws_addr *addr)
{
    if (xdp->learned_count < LEARNED_MAX && !is_learned(xdp, addr) &&
        hws_xdp_program_set_addr(&xdp->program, addr, true) == 0)
        xdp->learned[xdp->learned_count++] = *addr;
}

/* What is no longer this host's has to reach the kernel again: it may be a router. */
static void audit(struct xdp_link *xdp)
{
    uint64_t now_us = hws_clock_coarse_us();
    if (now_us - xdp->audited_us < AUDIT_INTERVAL_US)
        return;
    xdp->audited_us = now_us;
    for (uint32_t i = 0; i < xdp->learned_count;) {
        if (hws_nexthops_is_local(xdp->l2.nexthops, &xdp->learned[i], now_us)) {
            i++;
        } else {
            hws_xdp_program_set_addr(&xdp->program, &xdp->learned[i], false);
            xdp->learned[i] = xdp->learned[--xdp->learned_count];
        }
    }
}

/* ---- Receiving ---- */

static void give_frames_to_kernel(struct xdp_link *xdp)
{
    uint32_t wanted = xsk_prod_nb_free(&xdp->fill, RX_RING), count = 0, at;
    uint64_t offset;
    if (wanted > RX_RING)
        wanted = RX_RING;
    if (wanted > hws_xdp_frames_free_rx(xdp->frames))
        wanted = hws_xdp_frames_free_rx(xdp->frames);
    if (wanted == 0 || xsk_ring_prod__reserve(&xdp->fill, wanted, &at) != wanted)
        return;
    for (; count < wanted && hws_xdp_frames_take_rx(xdp->frames, &offset); count++)
        *xsk_ring_prod__fill_addr(&xdp->fill, at + count) = offset;
    xsk_ring_prod__submit(&xdp->fill, count);
}

/* An application that leaves many messages unread holds the frames they came in, and the kernel
 * must not run out of them. */
static struct hws_buf *spare_frame(struct xdp_link *xdp, struct hws_buf *buf, uint32_t len)
{
    if (hws_xdp_frames_free_rx(xdp->frames) >= RX_SPARE)
        return buf;
    struct hws_buf *copy = hws_rxpool_get(xdp->l2.pool, hws_rxpool_fit(len));
    if (copy == NULL)
        return buf;
    memcpy(copy->data, buf->data, len);
    hws_buf_unref(buf);
    return copy;
}

static bool take(struct xdp_link *xdp, const struct xdp_desc *desc, struct hws_packet_in *packet)
{
    struct hws_buf *buf = hws_xdp_frames_buf(xdp->frames, desc->addr + ETH_HLEN);
    uint32_t len = desc->len - ETH_HLEN;
    return hws_link_layer2_accept(&xdp->l2, spare_frame(xdp, buf, len), len, xdp->index, packet);
}

static size_t receive_frames(struct xdp_link *xdp, struct hws_packet_in *packets, size_t max)
{
    uint32_t at;
    size_t count = 0;
    uint32_t received = xsk_ring_cons__peek(&xdp->rx, (uint32_t)max, &at);
    for (uint32_t i = 0; i < received; i++)
        count += take(xdp, xsk_ring_cons__rx_desc(&xdp->rx, at + i), &packets[count]);
    if (received > 0)
        xsk_ring_cons__release(&xdp->rx, received);
    give_frames_to_kernel(xdp);
    xdp->l2.stats.rx_calls += received > 0;
    xdp->l2.stats.rx_packets += count;
    return count;
}

static size_t receive_rest(struct xdp_link *xdp, struct hws_packet_in *packets, size_t max)
{
    struct hws_link *raw = xdp->l2.raw;
    raw->quiet_fds = (uint8_t)(xdp->l2.link.quiet_fds >> 1); /* the first is the AF_XDP socket's */
    size_t count = raw->ops->receive(raw, packets, max);
    for (size_t i = 0; i < count; i++)
        learn(xdp, &packets[i].dst);
    return count;
}

static size_t xdp_receive(struct hws_link *link, struct hws_packet_in *packets, size_t max)
{
    struct xdp_link *xdp = (struct xdp_link *)link;
    size_t count = 0, got;
    audit(xdp);
    do {
        got = receive_frames(xdp, packets + count, max - count);
        count += got;
    } while (got > 0 && count < max);
    return count < max ? count + receive_rest(xdp, packets + count, max - count) : count;
}

/* ---- Sending ---- */

static void take_back_sent(struct xdp_link *xdp)
{
    uint32_t at, count = xsk_ring_cons__peek(&xdp->completion, TX_FRAMES, &at);
    for (uint32_t i = 0; i < count; i++)
        hws_xdp_frames_give_tx(xdp->frames, *xsk_ring_cons__comp_addr(&xdp->completion, at + i));
    if (count > 0)
        xsk_ring_cons__release(&xdp->completion, count);
}

static uint32_t kernel_is_at(const struct xdp_link *xdp)
{
    return __atomic_load_n(xdp->tx.consumer, __ATOMIC_ACQUIRE);
}

enum kick { KICK_TAKEN, KICK_BLOCKED, KICK_DOWN };

/* Has the kernel send what is in the ring, of which a call takes a few dozen. BLOCKED: it takes no
 * more now. DOWN: nor will it while the interface is down. */
static enum kick kick(struct xdp_link *xdp)
{
    int fd = xsk_socket__fd(xdp->socket);
    uint32_t at;
    while ((at = kernel_is_at(xdp)) != *xdp->tx.producer) {
        ssize_t rc = sendto(fd, NULL, 0, MSG_DONTWAIT, NULL, 0);
        xdp->l2.stats.tx_calls++;
        if (rc < 0 && errno != EAGAIN && errno != EBUSY && errno != ENOBUFS && errno != EINTR) {
            hws_nexthops_forget(xdp->l2.nexthops);
            return KICK_DOWN;
        }
        if (rc < 0 && kernel_is_at(xdp) == at)
            return KICK_BLOCKED;
    }
    return KICK_TAKEN;
}

static uint32_t write_frame(const struct xdp_link *xdp, const struct hws_layer2_train *t,
                            uint8_t *frame)
{
    uint32_t payload_len = hws_layer2_packet_len(t, t->offset);
    bool ipv6 = t->ip.dst.family == HWS_FAMILY_IPV6;
    memcpy(frame, t->hop.link.sll_addr, MAC_LEN);
    memcpy(frame + MAC_LEN, xdp->mac, MAC_LEN);
    hws_put16(frame + 2 * MAC_LEN, ipv6 ? ETH_P_IPV6 : ETH_P_IP);
    uint32_t header_len = ETH_HLEN + hws_ip_write(&t->ip, payload_len, frame + ETH_HLEN);
    memcpy(frame + header_len, t->buffer + t->offset, payload_len);
    return header_len + payload_len;
}

/* Puts the packet at the head into the ring. */
static bool put(struct xdp_link *xdp)
{
    uint64_t offset;
    uint32_t at;
    if (!hws_xdp_frames_take_tx(xdp->frames, &offset))
        return false;
    if (xsk_ring_prod__reserve(&xdp->tx, 1, &at) != 1) {
        hws_xdp_frames_give_tx(xdp->frames, offset);
        return false;
    }
    uint8_t *frame = hws_xdp_frames_memory(xdp->frames) + offset;
    struct xdp_desc *desc = xsk_ring_prod__tx_desc(&xdp->tx, at);
    desc->addr = offset;
    desc->len = write_frame(xdp, hws_link_layer2_waiting(&xdp->l2, 0), frame);
    desc->options = 0;
    xsk_ring_prod__submit(&xdp->tx, 1);
    hws_link_layer2_sent(&xdp->l2);
    return true;
}

/* The interface's MTU may have grown since the frames were made. */
static bool fits_frame(const struct xdp_link *xdp, const struct hws_layer2_train *t)
{
    uint32_t header_len = ETH_HLEN + hws_ip_header_len(t->ip.dst.family);
    return t->train.segment_len + header_len <= xdp->frame_size;
}

static bool is_on_interface(const struct xdp_link *xdp, const struct hws_layer2_train *t)
{
    return t->fast && t->hop.link.sll_ifindex == (int)xdp->index &&
           t->hop.link.sll_halen == MAC_LEN && fits_frame(xdp, t);
}

/* The ring is full: what the kernel has sent makes room. Where it sends nothing, the train at the
 * head goes the slow way. */
static bool make_room(struct xdp_link *xdp)
{
    enum kick result = kick(xdp);
    take_back_sent(xdp);
    if (result == KICK_DOWN)
        hws_link_layer2_refused(&xdp->l2);
    if (result == KICK_BLOCKED)
        xdp->l2.stats.tx_blocked++;
    return result != KICK_BLOCKED;
}

static bool xdp_flush(struct hws_link *link)
{
    struct xdp_link *xdp = (struct xdp_link *)link;
    struct hws_link_layer2 *l2 = &xdp->l2;
    const struct hws_layer2_train *t;
    bool sent = true, taken = true;
    take_back_sent(xdp);
    while (sent && taken && (t = hws_link_layer2_waiting(l2, 0)) != NULL)
        if (is_on_interface(xdp, t))
            sent = put(xdp) || make_room(xdp);
        else
            taken = hws_link_layer2_send_slowly(l2);
    sent = kick(xdp) != KICK_BLOCKED && sent;
    return hws_link_layer2_flush_raw(l2, 1, sent, taken);
}

/* ---- Ports ---- */

static int xdp_set_port(struct hws_link_layer2 *l2, uint16_t port, bool on)
{
    return hws_xdp_program_set_port(&((struct xdp_link *)l2)->program, port, on);
}

/* ---- What it is polled by and counts ---- */

static size_t xdp_fds(struct hws_link *link, int fds[HWS_LINK_MAX_FDS])
{
    struct xdp_link *xdp = (struct xdp_link *)link;
    fds[0] = xsk_socket__fd(xdp->socket);
    return 1 + xdp->l2.raw->ops->fds(xdp->l2.raw, fds + 1);
}

static const struct hws_link_stats *xdp_stats(struct hws_link *link)
{
    struct xdp_link *xdp = (struct xdp_link *)link;
    struct xdp_statistics counted = {.rx_dropped = 0};
    socklen_t len = sizeof(counted);
    if (getsockopt(xsk_socket__fd(xdp->socket), SOL_XDP, XDP_STATISTICS, &counted, &len) == 0)
        xdp->l2.stats.rx_socket_drops =
            counted.rx_dropped + counted.rx_ring_full + counted.rx_fill_ring_empty_descs;
    xdp->l2.stats.rx_buffer_bytes =
        hws_xdp_frames_bytes(xdp->frames) / (RX_FRAMES + TX_FRAMES) * RX_FRAMES;
    return hws_link_layer2_sum(&xdp->l2);
}

/* ---- Opening and closing ---- */

static void xdp_close(struct hws_link *link)
{
    struct xdp_link *xdp = (struct xdp_link *)link;
    hws_xdp_program_close(&xdp->program);
    if (xdp->socket != NULL)
        xsk_socket__delete(xdp->socket);
    if (xdp->umem != NULL)
        xsk_umem__delete(xdp->umem);
    hws_xdp_frames_close(xdp->frames);
    hws_link_layer2_finish(&xdp->l2);
    free(xdp);
}

static const struct hws_link_ops xdp_ops = {
    .name = "xdp",
    .add_port = hws_link_layer2_add_port,
    .remove_port = hws_link_layer2_remove_port,
    .receive = xdp_receive,
    .net_event = hws_link_layer2_net_event,
    .train = hws_link_layer2_train,
    .submit = hws_link_layer2_submit,
    .flush = xdp_flush,
    .fds = xdp_fds,
    .route = hws_link_layer2_route,
    .encapsulation_port = hws_link_layer2_encapsulation_port,
    .stats = xdp_stats,
    .close = xdp_close,
};

static const char no_program[] = "the XDP program cannot be loaded and attached (it takes "
                                 "CAP_NET_ADMIN and CAP_BPF, and an interface that has none)";

static int fail(char error[HWS_LINK_ERROR_MAX], int result, const char *what)
{
    snprintf(error, HWS_LINK_ERROR_MAX, "AF_XDP: %s: %s; the packet link asks for less", what,
             strerror(-result));
    return result;
}

/* Without a name: the one interface beside lo that is up. */
static int choose_interface(struct xdp_link *xdp, const char *name, char error[HWS_LINK_ERROR_MAX])
{
    struct ifaddrs *all;
    uint32_t found = 0;
    if (name != NULL) {
        snprintf(xdp->interface, sizeof(xdp->interface), "%s", name);
        return 0;
    }
    if (getifaddrs(&all) != 0)
        return fail(error, -errno, "the interfaces cannot be listed");
    for (const struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
        bool usable = one->ifa_addr != NULL && one->ifa_addr->sa_family == AF_PACKET &&
                      (one->ifa_flags & IFF_UP) != 0 && (one->ifa_flags & IFF_LOOPBACK) == 0;
        if (usable && found++ == 0)
            snprintf(xdp->interface, sizeof(xdp->interface), "%s", one->ifa_name);
    }
    freeifaddrs(all);
    if (found == 1)
        return 0;
    snprintf(error, HWS_LINK_ERROR_MAX,
             "AF_XDP takes one interface, and %u are up beside lo: name it (--interface)", found);
    return -EINVAL;
}

static int ask_interface(struct xdp_link *xdp, uint32_t *mtu)
{
    struct ifreq ifr = {.ifr_mtu = 0};
    memcpy(ifr.ifr_name, xdp->interface, sizeof(ifr.ifr_name));
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int result = ioctl(fd, SIOCGIFMTU, &ifr) == 0 ? 0 : -errno;
    *mtu = (uint32_t)ifr.ifr_mtu;
    if (result == 0 && ioctl(fd, SIOCGIFHWADDR, &ifr) != 0)
        result = -errno;
    memcpy(xdp->mac, ifr.ifr_hwaddr.sa_data, MAC_LEN);
    close(fd);
    xdp->index = if_nametoindex(xdp->interface);
    return result;
}

/* The library's socket would outlive exec, and hold the interface's queue. */
static int open_memory(struct xdp_link *xdp, uint32_t frame_size)
{
    const struct xsk_umem_config config = {
        .fill_size = RX_RING, .comp_size = TX_FRAMES, .frame_size = frame_size};
    xdp->frame_size = frame_size;
    xdp->frames = hws_xdp_frames_new(RX_FRAMES, TX_FRAMES, frame_size);
    if (xdp->frames == NULL)
        return -ENOMEM;
    int result =
        xsk_umem__create(&xdp->umem, hws_xdp_frames_memory(xdp->frames),
                         hws_xdp_frames_bytes(xdp->frames), &xdp->fill, &xdp->completion, &config);
    if (result == 0 && fcntl(xsk_umem__fd(xdp->umem), F_SETFD, FD_CLOEXEC) != 0)
        return -errno;
    return result;
}

/* A queue is free again a moment after the socket that had it was closed. */
static int open_socket(struct xdp_link *xdp)
{
    const struct xsk_socket_config config = {.rx_size = RX_RING,
                                             .tx_size = TX_FRAMES,
                                             .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
                                             .bind_flags = XDP_COPY};
    int result = -EBUSY;
    for (uint32_t try = 0; try < BUSY_TRIES && result == -EBUSY; try++) {
        usleep(try == 0 ? 0 : BUSY_WAIT_US);
        result = xsk_socket__create(&xdp->socket, xdp->interface, 0, xdp->umem, &xdp->rx, &xdp->tx,
                                    &config);
    }
    if (result != 0)
        return result;
    hws_socket_set_buffers(xsk_socket__fd(xdp->socket), 0, SNDBUF_BYTES);
    give_frames_to_kernel(xdp);
    return 0;
}

static int open_program(struct xdp_link *xdp)
{
    struct hws_xdp_program *program = &xdp->program;
    int result = hws_xdp_program_open(program, xdp->mac, xdp->l2.protocol, xdp->l2.own_host);
    if (result == 0)
        result = hws_xdp_program_set_socket(program, 0, xsk_socket__fd(xdp->socket));
    return result == 0 ? hws_xdp_program_attach(program, xdp->index) : result;
}

int hws_link_xdp_usable(char error[HWS_LINK_ERROR_MAX])
{
    static const uint8_t no_mac[MAC_LEN];
    struct hws_xdp_program program;
    int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(error, -errno, "no socket can be made (it takes CAP_NET_RAW)");
    close(fd);
    hws_xdp_program_init(&program);
    int result = hws_xdp_program_open(&program, no_mac, 0, false);
    hws_xdp_program_close(&program);
    return result == 0 ? 0 : fail(error, result, no_program);
}

static int open_xdp(struct xdp_link *xdp, const char *interface, char error[HWS_LINK_ERROR_MAX])
{
    uint32_t mtu = 0;
    int result = choose_interface(xdp, interface, error);
    if (result != 0)
        return result;
    result = ask_interface(xdp, &mtu);
    if (result != 0)
        return fail(error, result, xdp->interface);
    if (mtu + ETH_HLEN + HEADROOM > FRAME_LARGE)
        return fail(error, -EMSGSIZE, "the interface's MTU is larger than a frame");
    result = open_memory(xdp, mtu + ETH_HLEN + HEADROOM > FRAME_SMALL ? FRAME_LARGE : FRAME_SMALL);
    if (result != 0)
        return fail(error, result,
                    "no memory can be shared with the kernel (CAP_NET_RAW, RLIMIT_MEMLOCK)");
    result = open_socket(xdp);
    if (result != 0)
        return fail(error, result, "no socket on the interface's first queue");
    result = open_program(xdp);
    return result == 0 ? 0 : fail(error, result, no_program);
}

int hws_link_xdp_open(const struct hws_link_raw_config *config, struct hws_link **out,
                      char error[HWS_LINK_ERROR_MAX])
{
    struct xdp_link *xdp = calloc(1, sizeof(*xdp));
    if (xdp == NULL)
        return fail(error, -ENOMEM, "no memory");
    hws_xdp_program_init(&xdp->program);
    int result = hws_link_layer2_start(&xdp->l2, &xdp_ops, xdp_set_port, config, error);
    if (result == 0)
        result = open_xdp(xdp, config->interface, error);
    if (result != 0) {
        xdp_close(&xdp->l2.link);
        return result;
    }
    *out = &xdp->l2.link;
    return 0;
}
