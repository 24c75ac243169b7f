#include "tests/differential/usr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/time.h>
#include <usrsctp.h>

#define TICK_US 10000u
#define BUFFER_BYTES (1 << 20)
/* The clock starts somewhere: usrsctp takes 0 for "never". */
#define EPOCH_S 1000000

static struct sim_usr *the_usr;

/* What usrsctp takes for the time is the world's. */
__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict tv,
                                                        void *restrict zone)
{
    (void)zone;
    uint64_t now_us = the_usr != NULL ? the_usr->node.world->now_us : 0;
    tv->tv_sec = (time_t)(EPOCH_S + now_us / 1000000);
    tv->tv_usec = (suseconds_t)(now_us % 1000000);
    return 0;
}

static struct sim_end *peer_of(const struct sim_usr *usr)
{
    struct sim_flow *flow = usr->end->flow;
    return &flow->ends[usr->end == &flow->ends[0] ? 1 : 0];
}

/* usrsctp cuts for its own MTU, which the links here all have. */
static int usr_output(void *addr, void *buffer, size_t len, uint8_t tos, uint8_t set_df)
{
    (void)tos, (void)set_df;
    struct sim_usr *usr = addr;
    sim_net_send_packet(usr->net, &usr->node, &usr->node.addrs[0], &peer_of(usr)->node->addrs[0],
                        buffer, (uint32_t)len, false);
    return 0;
}

static void usr_input(struct sim_node *node, const struct hws_packet_in *packets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        usrsctp_conninput(node, packets[i].data, packets[i].len, 0);
}

static void usr_net_event(struct sim_node *node, const struct hws_net_event *event)
{
    (void)node, (void)event;
}

static void usr_tick(struct sim_usr *usr)
{
    while (usr->next_tick_us <= usr->node.world->now_us) {
        usr->next_tick_us += TICK_US;
        usrsctp_handle_timers(TICK_US / 1000);
    }
}

static void usr_accept(struct sim_usr *usr)
{
    if (usr->listener == NULL || usr->socket != NULL)
        return;
    usr->socket = usrsctp_accept(usr->listener, NULL, NULL);
    if (usr->socket != NULL)
        usrsctp_set_non_blocking(usr->socket, 1);
}

static bool usr_is_up(const struct sim_usr *usr)
{
    struct sctp_status status = {0};
    socklen_t len = sizeof status;
    return usrsctp_getsockopt(usr->socket, IPPROTO_SCTP, SCTP_STATUS, &status, &len) == 0 &&
           status.sstat_state == SCTP_ESTABLISHED;
}

/* The association is over: `reason` as the other end would say it. */
static void usr_over(struct sim_usr *usr, int error)
{
    struct sim_world *world = usr->node.world;
    bool late = error == ECONNRESET && peer_of(usr)->released;
    SIM_CHECK(world, error == 0 || late, "usrsctp's association ended: %s", strerror(error));
    usrsctp_close(usr->socket);
    usr->socket = NULL;
    usr->end->released = true;
}

static void usr_take(struct sim_usr *usr, const uint8_t *data, size_t len,
                     const struct sctp_rcvinfo *in, bool ends)
{
    bool unordered = (in->rcv_flags & SCTP_UNORDERED) != 0;
    struct hws_rcvinfo info = {
        .sid = in->rcv_sid,
        .ssn = in->rcv_ssn,
        .flags = (uint16_t)((unordered ? HWS_RECV_UNORDERED : 0u) | (ends ? HWS_RECV_EOR : 0u)),
        .ppid = ntohl(in->rcv_ppid),
    };
    sim_ledger_receive(usr->node.world, &peer_of(usr)->ledger, data, len, &info);
}

static void usr_read(struct sim_usr *usr)
{
    static uint8_t buffer[65536];
    while (!usr->node.world->failed) {
        struct sctp_rcvinfo info = {0};
        socklen_t info_len = sizeof info, from_len = 0;
        unsigned info_type = 0;
        int flags = 0;
        ssize_t len = usrsctp_recvv(usr->socket, buffer, sizeof buffer, NULL, &from_len, &info,
                                    &info_len, &info_type, &flags);
        if (len < 0 && (errno == EAGAIN || errno == EINPROGRESS))
            return;
        if (len <= 0) {
            usr_over(usr, len < 0 ? errno : 0);
            return;
        }
        usr_take(usr, buffer, (size_t)len, &info, (flags & MSG_EOR) != 0);
    }
}

static bool usr_send_one(struct sim_usr *usr)
{
    struct sim_ledger *l = &usr->end->ledger;
    const struct sim_message *m = &l->messages[l->sent];
    bool unordered = (m->flags & HWS_SEND_UNORDERED) != 0;
    struct sctp_sndinfo info = {
        .snd_sid = m->sid, .snd_flags = unordered ? SCTP_UNORDERED : 0, .snd_ppid = htonl(l->sent)};
    /* The ledger must know of the message before it can arrive. */
    l->sent++;
    ssize_t len = usrsctp_sendv(usr->socket, sim_message_bytes(m), m->len, NULL, 0, &info,
                                sizeof info, SCTP_SENDV_SNDINFO, 0);
    if (len == (ssize_t)m->len) {
        l->bytes_outstanding += m->len;
        return true;
    }
    l->sent--;
    SIM_CHECK(usr->node.world, len < 0 && errno == EAGAIN, "usrsctp's send: %s", strerror(errno));
    return false;
}

static void usr_shutdown(struct sim_usr *usr)
{
    struct sim_end *end = usr->end;
    if (!end->config.shuts_down || end->shutdown_called || !sim_end_may_shut_down(end))
        return;
    end->shutdown_called = true;
    SIM_CHECK(usr->node.world, usrsctp_shutdown(usr->socket, SHUT_WR) == 0,
              "usrsctp's shutdown: %s", strerror(errno));
}

static void usr_run(struct sim_node *node)
{
    struct sim_usr *usr = (struct sim_usr *)node;
    usr_tick(usr);
    usr_accept(usr);
    if (usr->socket == NULL)
        return;
    struct sim_end *end = usr->end;
    if (!end->up)
        end->up = usr_is_up(usr);
    if (!end->up)
        return;
    while (end->ledger.sent < end->ledger.count && usr_send_one(usr))
        continue;
    usr_shutdown(usr);
    usr_read(usr);
}

static uint64_t usr_deadline(struct sim_node *node)
{
    return ((struct sim_usr *)node)->next_tick_us;
}

static const struct sim_node_ops usr_ops = {
    .input = usr_input, .net_event = usr_net_event, .run = usr_run, .deadline = usr_deadline};

void sim_usr_init(struct sim_usr *usr, struct sim_net *net, struct sim_end *end, uint32_t streams)
{
    memset(usr, 0, sizeof *usr);
    usr->node.ops = &usr_ops;
    usr->net = net;
    usr->end = end;
    usr->streams = streams;
    usr->next_tick_us = net->world->now_us + TICK_US;
    end->node = &usr->node;
    sim_world_add(net->world, &usr->node);
    the_usr = usr;
    usrsctp_init_nothreads(0, usr_output, NULL);
    usrsctp_sysctl_set_sctp_blackhole(0);
    usrsctp_register_address(usr);
}

static struct sockaddr_conn usr_addr(struct sim_usr *usr, uint16_t port)
{
    return (struct sockaddr_conn){
        .sconn_family = AF_CONN, .sconn_port = htons(port), .sconn_addr = usr};
}

static struct socket *usr_socket(struct sim_usr *usr)
{
    struct sim_world *world = usr->node.world;
    struct socket *so = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
    const int on = 1, bytes = BUFFER_BYTES;
    struct sctp_initmsg init = {.sinit_num_ostreams = (uint16_t)usr->streams,
                                .sinit_max_instreams = (uint16_t)usr->streams,
                                .sinit_max_attempts = 100};
    struct sctp_assocparams assoc = {.sasoc_asocmaxrxt = 100};
    struct sockaddr_conn local = usr_addr(usr, usr->end->config.port);
    bool ok = so != NULL && usrsctp_set_non_blocking(so, 1) == 0 &&
              usrsctp_setsockopt(so, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof on) == 0 &&
              usrsctp_setsockopt(so, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof init) == 0 &&
              usrsctp_setsockopt(so, IPPROTO_SCTP, SCTP_ASSOCINFO, &assoc, sizeof assoc) == 0 &&
              usrsctp_setsockopt(so, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0 &&
              usrsctp_setsockopt(so, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0 &&
              usrsctp_bind(so, (struct sockaddr *)&local, sizeof local) == 0;
    SIM_CHECK(world, ok, "usrsctp's socket: %s", strerror(errno));
    return so;
}

void sim_usr_start(struct sim_usr *usr)
{
    struct sim_world *world = usr->node.world;
    struct socket *so = usr_socket(usr);
    if (world->failed)
        return;
    if (!usr->end->config.connects) {
        usr->listener = so;
        SIM_CHECK(world, usrsctp_listen(so, 1) == 0, "usrsctp's listen: %s", strerror(errno));
        return;
    }
    usr->socket = so;
    struct sockaddr_conn remote = usr_addr(usr, peer_of(usr)->config.port);
    int result = usrsctp_connect(so, (struct sockaddr *)&remote, sizeof remote);
    SIM_CHECK(world, result == 0 || errno == EINPROGRESS, "usrsctp's connect: %s", strerror(errno));
}
