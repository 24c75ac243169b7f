/* AF_XDP in copy mode, as hawser's xdp link uses it, with the same program that takes packets out
 * of the interface: frames from memory shared with the kernel into such memory. */
#include <errno.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xdp/xsk.h>

#include "api/link/xdp_program_linux.h"
#include "bench/bare_frame.h"

#define RING 8192u /* frames, and descriptors of each ring */
#define FRAME_BYTES 4096u
#define HEADROOM_BYTES 256u /* that the kernel keeps in a frame it receives into */
#define BATCH 64u
#define PAUSE_US 1000u
/* A queue is free again a moment after the socket that had it was closed. */
#define BUSY_TRIES 100u
#define BUSY_WAIT_US 20000u

static uint8_t *memory;
static struct xsk_umem *umem;
static struct xsk_socket *sock;
static struct xsk_ring_prod fill, tx;
static struct xsk_ring_cons completion, rx;
static uint32_t frame_bytes, in_flight, next_frame;

/* libxdp and libbpf answer a negative errno. */
static bool good(int result)
{
    errno = result < 0 ? -result : errno;
    return result >= 0;
}

static bool fits(const struct bare_options *options)
{
    frame_bytes = BARE_ETHERNET_HEADER + (uint32_t)options->packet_bytes;
    errno = EINVAL;
    return options->interface != NULL && frame_bytes + HEADROOM_BYTES <= FRAME_BYTES;
}

static bool open_memory(void)
{
    const struct xsk_umem_config config = {
        .fill_size = RING, .comp_size = RING, .frame_size = FRAME_BYTES};
    size_t len = (size_t)RING * FRAME_BYTES;
    memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED &&
           good(xsk_umem__create(&umem, memory, len, &fill, &completion, &config));
}

static bool open_socket(const struct bare_options *options)
{
    const struct xsk_socket_config config = {.rx_size = RING,
                                             .tx_size = RING,
                                             .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
                                             .bind_flags = XDP_COPY};
    int result = -EBUSY;
    for (unsigned i = 0; i < BUSY_TRIES && result == -EBUSY; i++) {
        usleep(i == 0 ? 0 : BUSY_WAIT_US);
        result = xsk_socket__create(&sock, options->interface, 0, umem, &rx, &tx, &config);
    }
    if (!good(result))
        return false;
    bare_set_buffers(xsk_socket__fd(sock));
    return true;
}

/* ---- The source ---- */

int bare_open_source(const struct bare_options *options)
{
    if (!fits(options) || !open_memory() || !open_socket(options) ||
        !bare_frame_make(options, memory))
        return -1;
    for (uint32_t i = 1; i < RING; i++)
        memcpy(memory + (size_t)i * FRAME_BYTES, memory, frame_bytes);
    return xsk_socket__fd(sock);
}

static void take_back_sent(void)
{
    uint32_t at, count = xsk_ring_cons__peek(&completion, RING, &at);
    if (count > 0)
        xsk_ring_cons__release(&completion, count);
    in_flight -= count;
}

/* The kernel sends a few dozen packets in a call. */
static bool kick(void)
{
    while (__atomic_load_n(tx.consumer, __ATOMIC_ACQUIRE) != *tx.producer) {
        if (sendto(xsk_socket__fd(sock), NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0)
            continue;
        return errno == EAGAIN || errno == EBUSY || errno == ENOBUFS;
    }
    return true;
}

ssize_t bare_send(void)
{
    uint32_t at, count = RING - in_flight < BATCH ? RING - in_flight : BATCH;
    count = xsk_ring_prod__reserve(&tx, count, &at);
    for (uint32_t i = 0; i < count; i++)
        *xsk_ring_prod__tx_desc(&tx, at + i) = (struct xdp_desc){
            .addr = (uint64_t)(next_frame++ % RING) * FRAME_BYTES, .len = frame_bytes};
    xsk_ring_prod__submit(&tx, count);
    in_flight += count;
    if (!kick())
        return -1;
    take_back_sent();
    return (ssize_t)count * (ssize_t)(frame_bytes - BARE_ETHERNET_HEADER - BARE_IPV4_HEADER);
}

/* ---- The sink ---- */

static uint64_t spare[RING]; /* frames that the kernel does not have */
static uint32_t spare_count;

/* The kernel tells late that it has taken frames: what finds no room goes another time. */
static void give_frames(void)
{
    uint32_t at, count = xsk_prod_nb_free(&fill, spare_count);
    count = count < spare_count ? count : spare_count;
    if (count == 0 || xsk_ring_prod__reserve(&fill, count, &at) != count)
        return;
    for (uint32_t i = 0; i < count; i++)
        *xsk_ring_prod__fill_addr(&fill, at + i) = spare[--spare_count];
    xsk_ring_prod__submit(&fill, count);
}

static bool open_program(const struct bare_options *options)
{
    static struct hws_xdp_program program; /* goes with the process */
    struct hws_addr address = {.family = HWS_FAMILY_IPV4};
    uint8_t mac[6];
    struct in_addr ip;
    if (!bare_frame_own_addresses(options->interface, mac, &ip))
        return false;
    memcpy(address.ip, &options->sink.sin_addr, sizeof options->sink.sin_addr);
    hws_xdp_program_init(&program);
    return good(hws_xdp_program_open(&program, mac, IPPROTO_SCTP, true)) &&
           good(hws_xdp_program_set_addr(&program, &address, true)) &&
           good(hws_xdp_program_set_socket(&program, 0, xsk_socket__fd(sock))) &&
           good(hws_xdp_program_attach(&program, if_nametoindex(options->interface)));
}

int bare_open_sink(const struct bare_options *options)
{
    if (!fits(options) || !bare_keep_silent() || !open_memory() || !open_socket(options))
        return -1;
    while (spare_count < RING) {
        spare[spare_count] = (uint64_t)spare_count * FRAME_BYTES;
        spare_count++;
    }
    give_frames();
    return open_program(options) ? xsk_socket__fd(sock) : -1;
}

static ssize_t take(uint32_t at, uint32_t count)
{
    ssize_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&rx, at + i);
        bytes += (ssize_t)(desc->len - BARE_ETHERNET_HEADER - BARE_IPV4_HEADER);
        spare[spare_count++] = desc->addr / FRAME_BYTES * FRAME_BYTES;
    }
    xsk_ring_cons__release(&rx, count);
    return bytes;
}

/* Each packet wakes a sink that sleeps for it, which costs the source more than the packet itself.
 * So it looks once in a millisecond, as often as the kernel hands over a ring of AF_PACKET. */
ssize_t bare_receive(void)
{
    uint32_t at, count, taken = 0;
    ssize_t bytes = 0;
    while (taken < RING && (count = xsk_ring_cons__peek(&rx, BATCH, &at)) > 0) {
        bytes += take(at, count);
        taken += count;
        give_frames();
    }
    if (taken > 0)
        usleep(PAUSE_US);
    return bytes;
}
