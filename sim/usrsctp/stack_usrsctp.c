#include "sim/usrsctp/stack_usrsctp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/time.h>
#include <usrsctp.h>

#include "proto/bytes.h"
#include "proto/chunk.h"
#include "proto/packet.h"
#include "proto/serial.h"
#include "sim/memory.h"

#define TICK_NS UINT64_C(10000000)
#define READ_BYTES 65536u

/* An end of an association. usrsctp knows it as the address of both ends: AF_CONN has one path. */
struct usr_end {
    struct socket *listener, *socket;
    bool sent;    /* DATA */
    uint32_t tsn; /* the largest sent */
    uint64_t retransmits;
};

struct usr_host {
    struct sim_stack base;
    uint64_t tick_ns; /* the next one; only the first host ticks */
    struct sim_end **ends;
    uint32_t end_count;
};

static struct {
    struct sim_run *run;
    struct usr_host *ticker;
    struct sim_rng rng;
    uint8_t *message; /* HWS_LIMIT_MESSAGE_BYTES of zeros behind its id */
    uint8_t read[READ_BYTES];
} usr;

static struct usr_host *of(struct sim_stack *stack)
{
    return (struct usr_host *)stack;
}

static struct usr_end *end_of(const struct sim_end *end)
{
    return end->handle;
}

/* ---- What usrsctp takes from the system: the linker puts these in the place of it ---- */

int __wrap_gettimeofday(struct timeval *tv, void *zone);
void __wrap_read_random(void *out, size_t len);
void __wrap_init_random(void);
void __wrap_finish_random(void);

int __wrap_gettimeofday(struct timeval *tv, void *zone)
{
    uint64_t now_us = SIM_EPOCH_US + (usr.run != NULL ? usr.run->clock.now_ns / 1000 : 0);
    (void)zone;
    tv->tv_sec = (time_t)(now_us / 1000000);
    tv->tv_usec = (suseconds_t)(now_us % 1000000);
    return 0;
}

void __wrap_read_random(void *out, size_t len)
{
    sim_rng_fill(&usr.rng, out, len);
}

void __wrap_init_random(void)
{
}

void __wrap_finish_random(void)
{
}

/* ---- Packets ---- */

/* usrsctp counts what it sends again for all associations together: here for each. */
static void count_retransmits(struct usr_end *end, const uint8_t *data, uint32_t len)
{
    struct hws_tlv_iter it = hws_packet_chunks(data, len);
    struct hws_tlv chunk;
    while (hws_tlv_next(&it, &chunk)) {
        if (hws_chunk_type(&chunk) != HWS_CHUNK_DATA || chunk.len < 8)
            continue;
        uint32_t tsn = hws_get32(chunk.bytes + 4);
        if (end->sent && hws_tsn_le(tsn, end->tsn))
            end->retransmits++;
        else
            end->tsn = tsn;
        end->sent = true;
    }
}

static int on_output(void *addr, void *data, size_t len, uint8_t tos, uint8_t set_df)
{
    struct sim_end *end = addr;
    struct hws_buf *buf;
    (void)set_df;
    const struct sim_route *route = sim_route_find(end->node, &end->peer->node->interfaces[0].addr);
    if (route == NULL)
        return EHOSTUNREACH;
    uint8_t *copy = sim_arena_room(&usr.run->arena, (uint32_t)len, &buf);
    memcpy(copy, data, len);
    sim_arena_used(&usr.run->arena, (uint32_t)len);
    count_retransmits(end_of(end), copy, (uint32_t)len);
    sim_stack_send(end->node->stack, route, hws_buf_ref(buf), copy, (uint32_t)len, tos);
    return 0;
}

static void usr_input(struct sim_stack *stack, const struct sim_packet *packets, uint32_t count)
{
    (void)stack;
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_packet *p = &packets[i];
        struct sim_end *end = p->len >= HWS_PACKET_HEADER_LEN
                                  ? sim_end_of_port(usr.run, hws_get16(p->data + 2))
                                  : NULL;
        if (end != NULL)
            usrsctp_conninput(end, p->data, p->len, p->tos & SIM_ECN_MASK);
    }
}

/* ---- Sockets ---- */

static struct sockaddr_conn address(struct sim_end *end, const struct sim_end *port_of)
{
    return (struct sockaddr_conn){
        .sconn_family = AF_CONN, .sconn_port = htons(sim_end_port(port_of)), .sconn_addr = end};
}

static bool set(struct socket *so, int level, int option, const void *value, size_t len)
{
    return usrsctp_setsockopt(so, level, option, value, (socklen_t)len) == 0;
}

/* As much as usrsctp allows. */
static void set_buffer(struct socket *so, int option, uint64_t bytes)
{
    for (int size = bytes > INT32_MAX ? INT32_MAX : (int)bytes;
         size > 0 && !set(so, SOL_SOCKET, option, &size, sizeof size);)
        size /= 2;
}

static int number_of(const char *name, const char *const *names)
{
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

/* Congestion control and scheduler by usrsctp's names: its sockets begin with what these say. */
static bool set_modules(const struct sim_end *end)
{
    static const char *const ccs[] = {"rfc2581", "hstcp", "htcp", "rtcc", NULL};
    static const char *const scheds[] = {"default", "rr", "rrp", "prio", "fb", "fcfs", NULL};
    const struct hws_params *p = &end->association->params[end->side];
    int cc = p->cc != NULL ? number_of(p->cc, ccs) : 0;
    int sched = p->sched != NULL ? number_of(p->sched, scheds) : 0;
    if (cc < 0 || sched < 0) {
        sim_run_fail(usr.run,
                     "association %s: usrsctp has cc rfc2581, hstcp, htcp or rtcc, and sched "
                     "default, rr, rrp, prio, fb or fcfs",
                     end->association->name);
        return false;
    }
    usrsctp_sysctl_set_sctp_default_cc_module((uint32_t)cc);
    usrsctp_sysctl_set_sctp_default_ss_module((uint32_t)sched);
    return true;
}

static bool set_path(struct sim_end *end, struct socket *so, const struct hws_params *p)
{
    const struct sim_route *route = sim_route_find(end->node, &end->peer->node->interfaces[0].addr);
    struct sctp_paddrparams path = {
        .spp_flags = SPP_PMTUD_DISABLE |
                     (p->no_heartbeats || p->hb_interval_us == 0 ? SPP_HB_DISABLE : SPP_HB_ENABLE),
        /* That of AF_CONN has no room for the common header. */
        .spp_pathmtu =
            (route != NULL ? route->mtu : 1500) - SIM_IP_HEADER_BYTES - HWS_PACKET_HEADER_LEN,
        .spp_hbinterval = p->hb_interval_us / 1000,
        .spp_pathmaxrxt = p->path_max_retrans,
    };
    path.spp_address.ss_family = AF_CONN;
    return set(so, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &path, sizeof path);
}

static bool set_options(struct sim_end *end, struct socket *so)
{
    const struct hws_params *p = &end->association->params[end->side];
    const int on = 1, nodelay = p->nodelay;
    const struct sctp_initmsg init = {.sinit_num_ostreams = p->ostreams,
                                      .sinit_max_instreams = p->max_instreams,
                                      .sinit_max_attempts = p->max_init_retrans};
    const struct sctp_rtoinfo rto = {.srto_initial = p->rto_initial_us / 1000,
                                     .srto_min = p->rto_min_us / 1000,
                                     .srto_max = p->rto_max_us / 1000};
    const struct sctp_sack_info sack = {.sack_delay = p->sack_delay_us / 1000,
                                        .sack_freq = p->sack_packets};
    const struct sctp_assocparams assoc = {.sasoc_asocmaxrxt = p->assoc_max_retrans};
    const struct sctp_assoc_value burst = {.assoc_value = p->max_burst_packets};
    set_buffer(so, SO_SNDBUF,
               p->sndbuf_max_bytes > p->sndbuf_bytes ? p->sndbuf_max_bytes : p->sndbuf_bytes);
    set_buffer(so, SO_RCVBUF,
               p->rcvbuf_max_bytes > p->rcvbuf_bytes ? p->rcvbuf_max_bytes : p->rcvbuf_bytes);
    return usrsctp_set_non_blocking(so, 1) == 0 &&
           set(so, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof on) &&
           set(so, IPPROTO_SCTP, SCTP_NODELAY, &nodelay, sizeof nodelay) &&
           set(so, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof init) &&
           set(so, IPPROTO_SCTP, SCTP_RTOINFO, &rto, sizeof rto) &&
           set(so, IPPROTO_SCTP, SCTP_DELAYED_SACK, &sack, sizeof sack) &&
           set(so, IPPROTO_SCTP, SCTP_ASSOCINFO, &assoc, sizeof assoc) &&
           (p->max_burst_packets == 0 ||
            set(so, IPPROTO_SCTP, SCTP_MAX_BURST, &burst, sizeof burst)) &&
           set_path(end, so, p);
}

static bool usr_bind(struct sim_stack *stack, struct sim_end *end)
{
    struct usr_host *host = of(stack);
    struct usr_end *u = end->handle = sim_new(1, sizeof *u);
    struct sockaddr_conn own = address(end, end);
    host->ends = sim_grow(host->ends, host->end_count + 1, sizeof(struct sim_end *));
    host->ends[host->end_count++] = end;
    usrsctp_register_address(end);
    if (!set_modules(end))
        return false;
    struct socket *so = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
    bool good = so != NULL && set_options(end, so) &&
                usrsctp_bind(so, (struct sockaddr *)&own, sizeof own) == 0 &&
                (end->side == 0 || usrsctp_listen(so, 1) == 0);
    if (!good)
        sim_run_fail(usr.run, "association %s: usrsctp refuses its parameters: %s",
                     end->association->name, strerror(errno));
    *(end->side == 0 ? &u->socket : &u->listener) = so;
    return good;
}

static bool usr_connect(struct sim_stack *stack, struct sim_end *end)
{
    struct sockaddr_conn peer = address(end, end->peer);
    if (usrsctp_connect(end_of(end)->socket, (struct sockaddr *)&peer, sizeof peer) == 0 ||
        errno == EINPROGRESS)
        return true;
    sim_run_fail(stack->node->run, "association %s cannot connect: %s", end->association->name,
                 strerror(errno));
    return false;
}

static void usr_shutdown(struct sim_stack *stack, struct sim_end *end)
{
    (void)stack;
    usrsctp_shutdown(end_of(end)->socket, SHUT_WR);
}

/* ---- What changed ---- */

static bool is_up(struct socket *so)
{
    struct sctp_status status = {0};
    socklen_t len = sizeof status;
    return usrsctp_getsockopt(so, IPPROTO_SCTP, SCTP_STATUS, &status, &len) == 0 &&
           status.sstat_state == SCTP_ESTABLISHED;
}

static void read_all(struct sim_end *end)
{
    for (;;) {
        struct sctp_rcvinfo info = {0};
        socklen_t info_len = sizeof info, from_len = 0;
        unsigned info_type = 0;
        int flags = 0;
        ssize_t len = usrsctp_recvv(end_of(end)->socket, usr.read, sizeof usr.read, NULL, &from_len,
                                    &info, &info_len, &info_type, &flags);
        if (len < 0 && (errno == EAGAIN || errno == EINPROGRESS))
            return;
        if (len <= 0) {
            sim_app_down(end);
            return;
        }
        sim_app_received(end, info.rcv_sid, usr.read, (size_t)len, (flags & MSG_EOR) != 0);
    }
}

static void look_at(struct sim_end *end)
{
    struct usr_end *u = end_of(end);
    if (u->socket == NULL && u->listener != NULL) {
        u->socket = usrsctp_accept(u->listener, NULL, NULL);
        if (u->socket != NULL)
            usrsctp_set_non_blocking(u->socket, 1);
    }
    if (u->socket == NULL || end->over)
        return;
    if (!end->up && is_up(u->socket))
        sim_app_up(end);
    if (!end->up)
        return;
    read_all(end);
    if (!end->writable && !end->over)
        sim_app_writable(end);
}

static void tick(struct usr_host *host)
{
    while (host->tick_ns <= usr.run->clock.now_ns) {
        host->tick_ns += TICK_NS;
        usrsctp_handle_timers(TICK_NS / 1000000);
    }
    for (uint32_t i = 0; i < usr.run->scenario->node_count; i++) {
        struct sim_stack *stack = usr.run->nodes[i].stack;
        if (stack != NULL && stack->ops == &sim_stack_usrsctp && stack != &host->base)
            sim_stack_wake(stack);
    }
}

static void usr_run(struct sim_stack *stack)
{
    struct usr_host *host = of(stack);
    if (host == usr.ticker && host->tick_ns <= usr.run->clock.now_ns)
        tick(host);
    for (uint32_t i = 0; i < host->end_count; i++)
        look_at(host->ends[i]);
}

static uint64_t usr_deadline_ns(struct sim_stack *stack)
{
    return of(stack) == usr.ticker ? of(stack)->tick_ns : SIM_NEVER;
}

static enum sim_send usr_send(struct sim_stack *stack, struct sim_end *end, struct sim_message *m)
{
    const struct sim_scenario_workload *config = m->workload->config;
    struct sctp_sndinfo info = {.snd_sid = m->stream,
                                .snd_flags = config->unordered ? SCTP_UNORDERED : 0,
                                .snd_ppid = htonl((uint32_t)config->ppid)};
    memcpy(usr.message, &m->id, sizeof m->id);
    ssize_t len = usrsctp_sendv(end_of(end)->socket, usr.message, m->size_bytes, NULL, 0, &info,
                                sizeof info, SCTP_SENDV_SNDINFO, 0);
    if (len == (ssize_t)m->size_bytes) {
        sim_app_sent(m, stack->node->run);
        return SIM_SEND_TAKEN;
    }
    if (len < 0 && errno != EAGAIN && errno != EPIPE && errno != ECONNRESET && errno != ENOTCONN)
        sim_run_fail(usr.run, "association %s: usrsctp does not send %u bytes: %s",
                     end->association->name, m->size_bytes, strerror(errno));
    return len < 0 && errno == EAGAIN ? SIM_SEND_LATER : SIM_SEND_NEVER;
}

static bool usr_sample(struct sim_stack *stack, struct sim_end *end, uint32_t path,
                       struct sim_path_sample *out)
{
    struct sctp_paddrinfo info = {0};
    struct sockaddr_conn peer = address(end, end->peer);
    socklen_t len = sizeof info;
    (void)stack;
    memcpy(&info.spinfo_address, &peer, sizeof peer);
    if (path != 0 || end_of(end)->socket == NULL ||
        usrsctp_getsockopt(end_of(end)->socket, IPPROTO_SCTP, SCTP_GET_PEER_ADDR_INFO, &info,
                           &len) != 0)
        return false;
    *out = (struct sim_path_sample){.cwnd_bytes = info.spinfo_cwnd,
                                    .srtt_us = UINT64_C(1000) * info.spinfo_srtt,
                                    .rto_us = UINT64_C(1000) * info.spinfo_rto,
                                    .mtu_bytes = info.spinfo_mtu,
                                    .active = info.spinfo_state == SCTP_ACTIVE};
    return true;
}

static uint64_t usr_retransmits(struct sim_stack *stack, struct sim_end *end)
{
    (void)stack;
    return end_of(end)->retransmits;
}

/* ---- The beginning and the end ---- */

static void start(struct sim_run *run, uint64_t seed)
{
    usr.run = run;
    usr.rng = sim_rng_seeded(seed);
    usr.message = sim_new(1, HWS_LIMIT_MESSAGE_BYTES);
    usrsctp_init_nothreads(0, on_output, NULL);
    usrsctp_sysctl_set_sctp_blackhole(2);
    usrsctp_sysctl_set_sctp_max_chunks_on_queue(1u << 20);
}

static struct sim_stack *usr_open(struct sim_node *node, uint64_t seed)
{
    struct usr_host *host = sim_new(1, sizeof *host);
    if (usr.run == NULL)
        start(node->run, seed);
    sim_stack_init(&host->base, &sim_stack_usrsctp, node);
    if (usr.ticker == NULL) {
        usr.ticker = host;
        host->tick_ns = TICK_NS;
        sim_clock_set(&node->run->clock, &host->base.source, TICK_NS);
    }
    return &host->base;
}

/* usrsctp itself ends with the process. */
static void usr_close(struct sim_stack *stack)
{
    struct usr_host *host = of(stack);
    sim_stack_fini(stack);
    for (uint32_t i = 0; i < host->end_count; i++)
        free(host->ends[i]->handle);
    free(host->ends);
    free(host);
}

const struct sim_stack_ops sim_stack_usrsctp = {
    .name = "usrsctp",
    .open = usr_open,
    .close = usr_close,
    .bind = usr_bind,
    .connect = usr_connect,
    .shutdown = usr_shutdown,
    .input = usr_input,
    .run = usr_run,
    .deadline_ns = usr_deadline_ns,
    .send = usr_send,
    .sample = usr_sample,
    .retransmits = usr_retransmits,
};
