#include "bench/bare_frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/ip.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKET_TTL 64
#define RESOLVE_TRIES 200
#define RESOLVE_WAIT_US 10000

static bool ask_addresses(int fd, const char *device, uint8_t mac[ETH_ALEN], struct in_addr *ip)
{
    struct ifreq request = {0};
    struct sockaddr_in address;
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    if (ioctl(fd, SIOCGIFHWADDR, &request) != 0)
        return false;
    memcpy(mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
    if (ioctl(fd, SIOCGIFADDR, &request) != 0)
        return false;
    memcpy(&address, &request.ifr_addr, sizeof address);
    *ip = address.sin_addr;
    return true;
}

bool bare_frame_own_addresses(const char *device, uint8_t mac[ETH_ALEN], struct in_addr *ip)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && ask_addresses(fd, device, mac, ip);
    if (fd >= 0)
        close(fd);
    return good;
}

/* A datagram has the kernel ask for the neighbour. */
static bool neighbour(int fd, const struct bare_options *options, uint8_t mac[ETH_ALEN])
{
    struct arpreq request = {0};
    memcpy(&request.arp_pa, &options->sink, sizeof options->sink);
    snprintf(request.arp_dev, sizeof request.arp_dev, "%s", options->interface);
    for (int i = 0; i < RESOLVE_TRIES; i++) {
        if (ioctl(fd, SIOCGARP, &request) == 0 && (request.arp_flags & ATF_COM) != 0) {
            memcpy(mac, request.arp_ha.sa_data, ETH_ALEN);
            return true;
        }
        sendto(fd, "", 0, 0, (const struct sockaddr *)&options->sink, sizeof options->sink);
        usleep(RESOLVE_WAIT_US);
    }
    errno = EHOSTUNREACH;
    return false;
}

static uint16_t header_checksum(const struct iphdr *ip)
{
    uint16_t words[sizeof *ip / 2];
    uint32_t sum = 0;
    memcpy(words, ip, sizeof *ip);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        sum += words[i];
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ~(sum + (sum >> 16));
}

bool bare_frame_make(const struct bare_options *options, uint8_t *frame)
{
    struct ethhdr ethernet = {.h_proto = htons(ETH_P_IP)};
    struct iphdr ip = {.version = 4,
                       .ihl = BARE_IPV4_HEADER / 4,
                       .tot_len = htons((uint16_t)options->packet_bytes),
                       .frag_off = htons(IP_DF),
                       .ttl = PACKET_TTL,
                       .protocol = IPPROTO_SCTP,
                       .daddr = options->sink.sin_addr.s_addr};
    struct in_addr source;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && options->interface != NULL &&
                bare_frame_own_addresses(options->interface, ethernet.h_source, &source) &&
                neighbour(fd, options, ethernet.h_dest);
    close(fd);
    if (!good)
        return false;
    ip.saddr = source.s_addr;
    ip.check = header_checksum(&ip);
    memcpy(frame, &ethernet, sizeof ethernet);
    memcpy(frame + sizeof ethernet, &ip, sizeof ip);
    return true;
}

bool bare_keep_silent(void)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct sock_fprog program = {.len = 1, .filter = &nothing};
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_SCTP);
    return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}
