/* The XDP program of a link on AF_XDP: takes out of an interface what came whole, for an address
 * of this host, to a port of ours, and passes everything else on to the kernel. It is put together
 * here, so that building takes no compiler for BPF. The kernel takes it off the interface when the
 * process ends, however that happens. */
#ifndef HWS_API_XDP_PROGRAM_LINUX_H
#define HWS_API_XDP_PROGRAM_LINUX_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/addr.h"

struct hws_xdp_program {
    int ports, addrs, sockets; /* maps: what it takes, and who gets it; negative: not open */
    int program, link;
};

/** Before open; then close is allowed at any time. */
void hws_xdp_program_init(struct hws_xdp_program *program);

/** Loads it for an interface with this MAC address. It takes nothing yet. With `all_ports` it asks
 * for no ports. 0 or a negative errno. */
int hws_xdp_program_open(struct hws_xdp_program *program, const uint8_t mac[6], uint8_t protocol,
                         bool all_ports);

/** Attaches it to the interface with this index. 0 or a negative errno (-EBUSY: the interface has
 * an XDP program). */
int hws_xdp_program_attach(struct hws_xdp_program *program, uint32_t interface);

void hws_xdp_program_close(struct hws_xdp_program *program);

/** Gives what it takes of the receive queue to the AF_XDP socket. 0 or a negative errno. */
int hws_xdp_program_set_socket(struct hws_xdp_program *program, uint32_t queue, int fd);

/** Takes packets to the port, or no longer. 0 or a negative errno. */
int hws_xdp_program_set_port(struct hws_xdp_program *program, uint16_t port, bool ours);

/** Takes packets to the address, or no longer. 0 or a negative errno. */
int hws_xdp_program_set_addr(struct hws_xdp_program *program, const struct hws_addr *addr,
                             bool ours);

#endif
