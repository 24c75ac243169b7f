#include "api/link/raw_filter_linux.h"

#include <errno.h>
#include <sys/socket.h>

#define DST_PORT_OFFSET 2u /* in the common header (RFC 9260, 3.1) */
#define PASS UINT32_MAX    /* bytes of the packet to keep */
#define DROP 0u

static void add(struct hws_raw_filter *f, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
    f->insns[f->count++] = (struct sock_filter){.code = code, .jt = jt, .jf = jf, .k = k};
}

/* IPv4 raw sockets see the IP header first, IPv6 ones begin with the common header. A load beyond
 * the packet's end drops it. */
static void load_dst_port(struct hws_raw_filter *f, enum hws_family family)
{
    if (family == HWS_FAMILY_IPV4) {
        add(f, BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0);
        add(f, BPF_LD | BPF_H | BPF_IND, 0, 0, DST_PORT_OFFSET);
    } else {
        add(f, BPF_LD | BPF_H | BPF_ABS, 0, 0, DST_PORT_OFFSET);
    }
}

static void match_range(struct hws_raw_filter *f, struct hws_port_range range)
{
    if (range.first == range.last) {
        add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, range.first);
    } else {
        add(f, BPF_JMP | BPF_JGE | BPF_K, 0, 2, range.first);
        add(f, BPF_JMP | BPF_JGT | BPF_K, 1, 0, range.last);
    }
    add(f, BPF_RET | BPF_K, 0, 0, PASS);
    add(f, BPF_RET | BPF_K, 0, 0, DROP);
}

/* Binary search: upper half right behind the branch, lower half after it. Conditional jumps reach
 * 255 instructions only, hence the unconditional one, whose distance is set once it is known. */
static void match_ranges(struct hws_raw_filter *f, const struct hws_port_range *ranges,
                         size_t count)
{
    if (count == 1) {
        match_range(f, ranges[0]);
        return;
    }
    size_t middle = count / 2;
    add(f, BPF_JMP | BPF_JGE | BPF_K, 1, 0, ranges[middle].first);
    uint32_t branch = f->count;
    add(f, BPF_JMP | BPF_JA, 0, 0, 0);
    match_ranges(f, ranges + middle, count - middle);
    f->insns[branch].k = f->count - branch - 1;
    match_ranges(f, ranges, middle);
}

static void match_shard(struct hws_raw_filter *f, enum hws_family family,
                        const struct hws_shard *shard)
{
    if (shard->count <= 1)
        return;
    f->count +=
        hws_shard_filter_write(f->insns + f->count, family == HWS_FAMILY_IPV4, shard->count);
    add(f, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, shard->index);
    add(f, BPF_RET | BPF_K, 0, 0, DROP);
}

static void match_ports(struct hws_raw_filter *f, enum hws_family family,
                        const struct hws_port_set *ports)
{
    size_t max = hws_port_set_fits(ports, HWS_RAW_FILTER_MAX_RANGES) ? HWS_RAW_FILTER_MAX_RANGES
                                                                     : HWS_RAW_FILTER_FEW_RANGES;
    f->range_count = hws_port_set_ranges(ports, f->ranges, max);
    if (f->range_count == 0) {
        add(f, BPF_RET | BPF_K, 0, 0, DROP);
        return;
    }
    load_dst_port(f, family);
    match_ranges(f, f->ranges, f->range_count);
}

void hws_raw_filter_compile(struct hws_raw_filter *f, enum hws_family family,
                            const struct hws_shard *shard, const struct hws_port_set *ports)
{
    f->count = 0;
    f->range_count = 0;
    match_shard(f, family, shard);
    if (ports != NULL)
        match_ports(f, family, ports);
    else
        add(f, BPF_RET | BPF_K, 0, 0, PASS);
}

bool hws_raw_filter_passes(const struct hws_raw_filter *f, uint16_t port)
{
    for (size_t i = 0; i < f->range_count; i++) {
        if (port >= f->ranges[i].first && port <= f->ranges[i].last)
            return true;
    }
    return false;
}

int hws_raw_filter_attach(const struct hws_raw_filter *filter, int fd)
{
    /* The kernel copies the program; its interface merely lacks the const. */
    struct sock_fprog program = {.len = (unsigned short)filter->count,
                                 .filter = (struct sock_filter *)(uintptr_t)filter->insns};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0)
        return -errno;
    return 0;
}
