#include "api/link/shard_filter_linux.h"

#include <errno.h>
#include <sys/socket.h>

#include "proto/chunk.h"
#include "proto/shard.h"

#define TYPE_AND_FLAGS_OFFSET 12u /* of the first chunk */
#define TAG_OFFSET 4u
#define REFLECTS(type) ((uint32_t)(type) << 8 | HWS_FLAG_T)

/* The ports' sum goes through X, where an IPv4 header's length was: it is the last to be looked at.
 */
uint32_t hws_shard_filter_write(struct sock_filter insns[HWS_SHARD_FILTER_INSNS], bool ipv4_header,
                                uint32_t offset, uint32_t count)
{
    uint16_t mode = ipv4_header ? BPF_IND : BPF_ABS;
    const struct sock_filter program[HWS_SHARD_FILTER_INSNS] = {
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
        BPF_STMT(BPF_LD | BPF_H | mode, offset + TYPE_AND_FLAGS_OFFSET),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff00u | HWS_FLAG_T),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, REFLECTS(HWS_CHUNK_ABORT), 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, REFLECTS(HWS_CHUNK_SHUTDOWN_COMPLETE), 4, 0),
        BPF_STMT(BPF_LD | BPF_W | mode, offset + TAG_OFFSET),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, count),
        BPF_STMT(BPF_JMP | BPF_JA, 8),
        BPF_STMT(BPF_LD | BPF_W | mode, offset), /* both ports */
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
        BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffff),
        BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, HWS_SHARD_SPREAD),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, count),
    };
    uint32_t skip = ipv4_header ? 0 : 1; /* the first one loads an IPv4 header's length */
    for (uint32_t i = skip; i < HWS_SHARD_FILTER_INSNS; i++)
        insns[i - skip] = program[i];
    return HWS_SHARD_FILTER_INSNS - skip;
}

int hws_shard_filter_attach_reuseport(int fd, uint32_t count)
{
    struct sock_filter insns[HWS_SHARD_FILTER_INSNS + 1];
    uint32_t len = hws_shard_filter_write(insns, false, 0, count);
    insns[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
    struct sock_fprog program = {.len = (unsigned short)len, .filter = insns};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)) != 0)
        return -errno;
    return 0;
}
