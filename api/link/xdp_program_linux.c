#include "api/link/xdp_program_linux.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define PORT_WORDS 1024u /* of 64 ports */
#define ADDRS_MAX 256u
#define QUEUES_MAX 64u
#define KEY_LEN 16u /* of an address; IPv4's is followed by zeros */

#define INSNS_MAX 96u
#define PASSES_MAX 24u

/* Offsets from the frame's beginning. */
#define ETHERTYPE_AT 12
#define IP_AT 14
#define IPV4_FRAGMENT_AT (IP_AT + 6)
#define IPV4_PROTOCOL_AT (IP_AT + 9)
#define IPV4_DST_AT (IP_AT + 16)
#define IPV4_END (IP_AT + 20)
#define IPV6_PROTOCOL_AT (IP_AT + 6)
#define IPV6_DST_AT (IP_AT + 24)
#define IPV6_END (IP_AT + 40)
#define DST_PORT_IN 2 /* of the common header (RFC 9260, 3.1) */
#define PORTS_LEN 4
#define PLAIN_IPV4 0x45 /* version 4, no options */
#define FRAGMENT_MASK 0x3fff

/* What registers hold: those from R6 on survive calls. */
#define CONTEXT BPF_REG_6
#define DATA BPF_REG_7
#define PORT BPF_REG_8
#define END BPF_REG_3
#define SCRATCH BPF_REG_4
#define FRAME BPF_REG_10 /* the stack's top */
#define KEY_AT (-(int)KEY_LEN)
#define WORD_AT (KEY_AT - 4)

struct assembly {
    struct bpf_insn insns[INSNS_MAX];
    uint32_t count;
    uint32_t passes[PASSES_MAX]; /* jumps to the end, which passes the packet on */
    uint32_t pass_count;
};

static void emit(struct assembly *a, uint8_t code, uint8_t dst, uint8_t src, int off, int32_t imm)
{
    a->insns[a->count++] = (struct bpf_insn){
        .code = code, .dst_reg = dst & 15u, .src_reg = src & 15u, .off = (int16_t)off, .imm = imm};
}

static void move(struct assembly *a, uint8_t dst, uint8_t src)
{
    emit(a, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void set(struct assembly *a, uint8_t dst, int32_t value)
{
    emit(a, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value);
}

static void load(struct assembly *a, uint8_t size, uint8_t dst, uint8_t src, int off)
{
    emit(a, BPF_LDX | BPF_MEM | size, dst, src, off, 0);
}

static void store(struct assembly *a, uint8_t size, int off, uint8_t src)
{
    emit(a, BPF_STX | BPF_MEM | size, FRAME, src, off, 0);
}

static void load_map(struct assembly *a, uint8_t dst, int fd)
{
    emit(a, BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_FD, 0, fd);
    emit(a, 0, 0, 0, 0, 0);
}

static void call(struct assembly *a, int32_t function)
{
    emit(a, BPF_JMP | BPF_CALL, 0, 0, 0, function);
}

/* Passes the packet on when the 32-bit comparison holds. */
static void pass_if(struct assembly *a, uint8_t op, uint8_t reg, int32_t value)
{
    a->passes[a->pass_count++] = a->count;
    emit(a, (uint8_t)(BPF_JMP32 | op | BPF_K), reg, 0, 0, value);
}

/* ... when the frame has fewer bytes. */
static void pass_if_shorter(struct assembly *a, int len)
{
    move(a, SCRATCH, DATA);
    emit(a, BPF_ALU64 | BPF_ADD | BPF_K, SCRATCH, 0, 0, len);
    a->passes[a->pass_count++] = a->count;
    emit(a, BPF_JMP | BPF_JGT | BPF_X, SCRATCH, END, 0, 0);
}

static void pass_if_null(struct assembly *a)
{
    a->passes[a->pass_count++] = a->count;
    emit(a, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, 0);
}

static void begin(struct assembly *a, const uint8_t mac[6])
{
    int32_t first;
    uint16_t rest;
    memcpy(&first, mac, sizeof(first));
    memcpy(&rest, mac + sizeof(first), sizeof(rest));
    move(a, CONTEXT, BPF_REG_1);
    load(a, BPF_W, DATA, CONTEXT, offsetof(struct xdp_md, data));
    load(a, BPF_W, END, CONTEXT, offsetof(struct xdp_md, data_end));
    pass_if_shorter(a, IPV4_END + PORTS_LEN);
    load(a, BPF_W, SCRATCH, DATA, 0);
    pass_if(a, BPF_JNE, SCRATCH, first);
    load(a, BPF_H, SCRATCH, DATA, sizeof(first));
    pass_if(a, BPF_JNE, SCRATCH, rest);
}

/* Of an IPv4 packet the destination becomes the key. */
static void match_ipv4(struct assembly *a, uint8_t protocol)
{
    load(a, BPF_B, SCRATCH, DATA, IP_AT);
    pass_if(a, BPF_JNE, SCRATCH, PLAIN_IPV4);
    load(a, BPF_B, SCRATCH, DATA, IPV4_PROTOCOL_AT);
    pass_if(a, BPF_JNE, SCRATCH, protocol);
    load(a, BPF_H, SCRATCH, DATA, IPV4_FRAGMENT_AT);
    pass_if(a, BPF_JSET, SCRATCH, htons(FRAGMENT_MASK));
    load(a, BPF_W, SCRATCH, DATA, IPV4_DST_AT);
    store(a, BPF_W, KEY_AT, SCRATCH);
    set(a, SCRATCH, 0);
    for (int off = 4; off < (int)KEY_LEN; off += 4)
        store(a, BPF_W, KEY_AT + off, SCRATCH);
    load(a, BPF_H, PORT, DATA, IPV4_END + DST_PORT_IN);
}

static void match_ipv6(struct assembly *a, uint8_t protocol)
{
    pass_if_shorter(a, IPV6_END + PORTS_LEN);
    load(a, BPF_B, SCRATCH, DATA, IPV6_PROTOCOL_AT);
    pass_if(a, BPF_JNE, SCRATCH, protocol);
    for (int off = 0; off < (int)KEY_LEN; off += 4) {
        load(a, BPF_W, SCRATCH, DATA, IPV6_DST_AT + off);
        store(a, BPF_W, KEY_AT + off, SCRATCH);
    }
    load(a, BPF_H, PORT, DATA, IPV6_END + DST_PORT_IN);
}

static void match_ip(struct assembly *a, uint8_t protocol)
{
    load(a, BPF_H, SCRATCH, DATA, ETHERTYPE_AT);
    uint32_t to_ipv4 = a->count;
    emit(a, BPF_JMP32 | BPF_JEQ | BPF_K, SCRATCH, 0, 0, htons(ETH_P_IP));
    pass_if(a, BPF_JNE, SCRATCH, htons(ETH_P_IPV6));
    match_ipv6(a, protocol);
    uint32_t to_both = a->count;
    emit(a, BPF_JMP | BPF_JA, 0, 0, 0, 0);
    a->insns[to_ipv4].off = (int16_t)(a->count - to_ipv4 - 1);
    match_ipv4(a, protocol);
    a->insns[to_both].off = (int16_t)(a->count - to_both - 1);
}

static void match_addr(struct assembly *a, int map)
{
    load_map(a, BPF_REG_1, map);
    move(a, BPF_REG_2, FRAME);
    emit(a, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, KEY_AT);
    call(a, BPF_FUNC_map_lookup_elem);
    pass_if_null(a);
}

static void match_port(struct assembly *a, int map)
{
    emit(a, BPF_ALU | BPF_END | BPF_TO_BE, PORT, 0, 0, 16);
    move(a, BPF_REG_1, PORT);
    emit(a, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_1, 0, 0, 6);
    store(a, BPF_W, WORD_AT, BPF_REG_1);
    emit(a, BPF_ALU64 | BPF_AND | BPF_K, PORT, 0, 0, 63);
    load_map(a, BPF_REG_1, map);
    move(a, BPF_REG_2, FRAME);
    emit(a, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, WORD_AT);
    call(a, BPF_FUNC_map_lookup_elem);
    pass_if_null(a);
    load(a, BPF_DW, BPF_REG_0, BPF_REG_0, 0);
    emit(a, BPF_ALU64 | BPF_RSH | BPF_X, BPF_REG_0, PORT, 0, 0);
    emit(a, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_0, 0, 0, 1);
    pass_if_null(a);
}

/* A queue without a socket passes its packets on. */
static void take(struct assembly *a, int map)
{
    load_map(a, BPF_REG_1, map);
    load(a, BPF_W, BPF_REG_2, CONTEXT, offsetof(struct xdp_md, rx_queue_index));
    set(a, BPF_REG_3, XDP_PASS);
    call(a, BPF_FUNC_redirect_map);
    emit(a, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void pass(struct assembly *a)
{
    for (uint32_t i = 0; i < a->pass_count; i++)
        a->insns[a->passes[i]].off = (int16_t)(a->count - a->passes[i] - 1);
    set(a, BPF_REG_0, XDP_PASS);
    emit(a, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static int load_program(const struct hws_xdp_program *program, const uint8_t mac[6],
                        uint8_t protocol, bool all_ports)
{
    struct assembly a = {.count = 0};
    begin(&a, mac);
    match_ip(&a, protocol);
    match_addr(&a, program->addrs);
    if (!all_ports)
        match_port(&a, program->ports);
    take(&a, program->sockets);
    pass(&a);
    return bpf_prog_load(BPF_PROG_TYPE_XDP, "hawser", "Dual MIT/GPL", a.insns, a.count, NULL);
}

void hws_xdp_program_init(struct hws_xdp_program *program)
{
    *program = (struct hws_xdp_program){-1, -1, -1, -1, -1};
}

/* libbpf answers a negative errno. */
int hws_xdp_program_open(struct hws_xdp_program *program, const uint8_t mac[6], uint8_t protocol,
                         bool all_ports)
{
    program->ports = bpf_map_create(BPF_MAP_TYPE_ARRAY, "hawser_ports", sizeof(uint32_t),
                                    sizeof(uint64_t), PORT_WORDS, NULL);
    if (program->ports < 0)
        return program->ports;
    program->addrs = bpf_map_create(BPF_MAP_TYPE_HASH, "hawser_addrs", KEY_LEN, 1, ADDRS_MAX, NULL);
    if (program->addrs < 0)
        return program->addrs;
    program->sockets = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "hawser_sockets", sizeof(uint32_t),
                                      sizeof(int), QUEUES_MAX, NULL);
    if (program->sockets < 0)
        return program->sockets;
    program->program = load_program(program, mac, protocol, all_ports);
    return program->program < 0 ? program->program : 0;
}

int hws_xdp_program_attach(struct hws_xdp_program *program, uint32_t interface)
{
    program->link = bpf_link_create(program->program, (int)interface, BPF_XDP, NULL);
    return program->link < 0 ? program->link : 0;
}

void hws_xdp_program_close(struct hws_xdp_program *program)
{
    const int fds[] = {program->link, program->program, program->sockets, program->addrs,
                       program->ports};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    hws_xdp_program_init(program);
}

int hws_xdp_program_set_socket(struct hws_xdp_program *program, uint32_t queue, int fd)
{
    return bpf_map_update_elem(program->sockets, &queue, &fd, BPF_ANY);
}

int hws_xdp_program_set_port(struct hws_xdp_program *program, uint16_t port, bool ours)
{
    uint32_t word = port / 64u;
    uint64_t bits = 0;
    int rc = bpf_map_lookup_elem(program->ports, &word, &bits);
    bits = ours ? bits | (uint64_t)1 << port % 64 : bits & ~((uint64_t)1 << port % 64);
    return rc != 0 ? rc : bpf_map_update_elem(program->ports, &word, &bits, BPF_ANY);
}

int hws_xdp_program_set_addr(struct hws_xdp_program *program, const struct hws_addr *addr,
                             bool ours)
{
    const uint8_t yes = 1;
    return ours ? bpf_map_update_elem(program->addrs, addr->ip, &yes, BPF_ANY)
                : bpf_map_delete_elem(program->addrs, addr->ip);
}
