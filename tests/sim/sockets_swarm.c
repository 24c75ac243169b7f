/* Sockets of two hosts over a bad network, with calls drawn from a seed: both styles, peeling off,
 * closing at any moment, small buffers, messages in parts. Checked: messages arrive once and in
 * order per stream, whole, and all of them when an association ends gracefully; notifications come
 * in a legal order; poll says what the next call will find; nothing is called after close; at the
 * end nothing is left.
 *
 * HWS_SIM_SEED=n      replays one seed and prints every packet and call
 * HWS_SIM_SEEDS=n     how many seeds to try
 * HWS_SIM_BASE=n      where they start */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sockworld.h"

#define SEEDS_DEFAULT 500u
#define APPS 8u
#define ASSOCS 2048u /* ids that are followed */
#define STREAMS 4u
#define CALLS 1000u
#define MAGIC 0x68777331u
#define MESSAGE_MAX 40000u
#define SILENCE_US 400000000u

/* What is told of a run: that each of these occurred. */
enum saw {
    SAW_MESSAGE,
    SAW_PART,
    SAW_UNORDERED,
    SAW_ACCEPT,
    SAW_PEELOFF,
    SAW_PEELOFF_IN_PARTS,
    SAW_ALL_DELIVERED,
    SAW_COMM_LOST,
    SAW_CANT_START,
    SAW_SEND_FAILED,
    SAW_PARTIAL_ABORTED,
    SAW_SENDALL,
    SAW_FULL,
    SAW_VIEW,
    SAW_EXPLICIT_EOR,
    SAW_LENT,
    SAW_RESTART,
    SAWS,
};
static const char *const saw_names[SAWS] = {"messages",           "messages in parts",
                                            "unordered messages", "accepted",
                                            "peeled off",         "peeled off in parts",
                                            "all delivered",      "lost",
                                            "could not start",    "send failed",
                                            "partial aborted",    "to all",
                                            "buffer full",        "views",
                                            "explicit EOR",       "lent bytes",
                                            "restarted"};

/* Every message says who sent it. */
struct header {
    uint32_t magic, sender; /* the sender's name of the association */
    uint16_t sid, unordered;
    uint32_t seq, len;
};

/* What one host knows of one of its associations. */
struct record {
    bool up, ended, deaf; /* COMM_UP and the end were told; what comes is not read */
    bool restarted;       /* by the peer: it does not get what was sent to it before */
    sctp_assoc_t from;    /* the peer's name of it, 0: not known */
    uint32_t sent[STREAMS][2], got[STREAMS][2];
    uint8_t unordered_got[STREAMS][256]; /* bits by seq */
    uint8_t *message;                    /* as far as it was received */
    uint32_t len;
};

struct app {
    struct run *run;
    uint32_t host;
    struct hws_sock *sock; /* NULL: closed */
    sctp_assoc_t partial;  /* at level 0: of whose message a part was received */
};

struct run {
    struct sockworld w;
    struct sim_rng rng;
    struct app apps[SOCKWORLD_HOSTS][APPS];
    struct record *records[SOCKWORLD_HOSTS][ASSOCS];
    uint64_t saws[SAWS];
    uint32_t lent, returned, calls;
};

#define CHECK(run, condition, ...) SIM_CHECK(&(run)->w.world, condition, __VA_ARGS__)

static uint64_t now(const struct run *run)
{
    return run->w.world.now_us;
}

static uint32_t below(struct run *run, uint32_t n)
{
    return sim_rng_below(&run->rng, n);
}

static void log_call(const struct app *app, const char *what, int rc)
{
    const struct sim_net *net = &app->run->w.net;
    if (net->trace != NULL)
        fprintf(net->trace, "%12.6f host %u socket %td: %s: %d\n", (double)now(app->run) / 1e6,
                app->host, app - app->run->apps[app->host], what, rc);
}

static struct record *record_of(struct run *run, uint32_t host, sctp_assoc_t id)
{
    if (id <= SCTP_ALL_ASSOC || id >= (sctp_assoc_t)ASSOCS) {
        CHECK(run, id > SCTP_ALL_ASSOC, "association id %d", id);
        return NULL;
    }
    struct record **record = &run->records[host][id];
    if (*record == NULL)
        *record = calloc(1, sizeof(**record));
    return *record;
}

/* ---- Sockets come and go ---- */

static void called(struct hws_sock *sock, unsigned ready, void *arg)
{
    struct app *app = arg;
    (void)ready;
    CHECK(app->run, app->sock == sock, "a callback after close");
}

static void adopt(struct run *run, uint32_t host, struct hws_sock *sock)
{
    for (uint32_t i = 0; i < APPS; i++) {
        struct app *app = &run->apps[host][i];
        if (app->sock != NULL)
            continue;
        *app = (struct app){.run = run, .host = host, .sock = sock};
        hws_sock_set_callback(sock, called, app);
        return;
    }
    hws_sock_close(sock, now(run));
}

static void small_buffers(struct run *run, struct hws_sock *sock)
{
    sock->params.sndbuf_bytes = sim_rng_scale(&run->rng, MESSAGE_MAX, 200000);
    sock->params.rcvbuf_bytes = sim_rng_scale(&run->rng, 30000, 400000);
    if (below(run, 2))
        sock->params.sndbuf_max_bytes = sock->params.rcvbuf_max_bytes = 0;
    sock->params.pd_point_bytes = below(run, 2) * sim_rng_scale(&run->rng, 1000, 30000);
    sock->params.ostreams = STREAMS;
    sock->options.fragment_interleave = below(run, 2) != 0;
    sock->options.explicit_eor = below(run, 4) == 0;
    sock->options.receive_nxtinfo = below(run, 2) != 0;
    /* The ones that the checks need, and any others. */
    sock->options.future.events = SOCK_EVENT(SCTP_ASSOC_CHANGE) |
                                  SOCK_EVENT(SCTP_PARTIAL_DELIVERY_EVENT) |
                                  (uint32_t)sim_rng_next(&run->rng);
    sock->options.future.events &= ~SOCK_EVENT(SCTP_DATA_IO_EVENT);
}

static void open_app(struct run *run, uint32_t host)
{
    static const enum hws_sock_style styles[] = {HWS_SOCK_ONE_TO_ONE, HWS_SOCK_ONE_TO_MANY};
    uint32_t many = below(run, 2);
    struct hws_sock *sock = hws_sock_open(&run->w.hosts[host].sockets, AF_INET6, styles[many]);
    small_buffers(run, sock);
    if (below(run, 2) != 0) {
        uint16_t port = (uint16_t)(5000 + below(run, 3) * 2 + many);
        if (hws_sock_bind(sock, NULL, 0, port) == 0)
            hws_sock_listen(sock, (int)below(run, 3) + 1);
    }
    adopt(run, host, sock);
}

static void close_app(struct app *app)
{
    struct hws_sock *sock = app->sock;
    if (below(app->run, 4) == 0)
        sock->linger.l_onoff = 1;
    log_call(app, "close", 0);
    app->sock = NULL;
    hws_sock_close(sock, now(app->run));
}

/* The peer does not hear of it, and meets a new association from the same port: its own restarts
 * (RFC 9260, 5.2.4). */
static void restart_app(struct app *app)
{
    struct run *run = app->run;
    const struct hws_member *member = hws_sock_first_member(app->sock);
    if (member == NULL || member->peer_count == 0)
        return;
    struct hws_addr remote = member->peers[0].remote;
    uint16_t remote_port = member->remote_port, port = hws_sock_port(app->sock);
    sockworld_cut(&run->w, true);
    app->sock->linger.l_onoff = 1;
    close_app(app);
    sockworld_run(&run->w, 1);
    sockworld_cut(&run->w, false);
    struct hws_sock *sock =
        hws_sock_open(&run->w.hosts[app->host].sockets, AF_INET6, HWS_SOCK_ONE_TO_ONE);
    small_buffers(run, sock);
    int rc = hws_sock_bind(sock, NULL, 0, port);
    if (rc == 0)
        rc = hws_sock_connect(sock, &remote, 1, remote_port, false, NULL, now(run));
    adopt(run, app->host, sock);
    log_call(app, "connect again", rc);
}

static struct hws_member *any_member(struct app *app)
{
    uint32_t n = below(app->run, 3);
    struct hws_member *member = hws_sock_first_member(app->sock);
    while (member != NULL && n-- > 0 && hws_sock_next_member(member) != NULL)
        member = hws_sock_next_member(member);
    return member;
}

static void accept_app(struct app *app)
{
    struct hws_sock *child;
    bool readable = (hws_sock_poll(app->sock) & POLLIN) != 0;
    int rc = hws_sock_accept(app->sock, &child);
    CHECK(app->run, app->sock->shutdown != 0 || (rc == 0) == readable,
          "poll of a listener says %d, accept %d", readable, rc);
    log_call(app, "accept", rc);
    if (rc < 0)
        return;
    app->run->saws[SAW_ACCEPT]++;
    adopt(app->run, app->host, child);
}

/* Parts already received stay in the association's record. */
static void peel_app(struct app *app)
{
    struct hws_sock *peeled;
    const struct hws_member *member = any_member(app);
    struct run *run = app->run;
    if (member == NULL || app->sock->style != HWS_SOCK_ONE_TO_MANY)
        return;
    sctp_assoc_t id = member->id;
    int rc = hws_sock_peeloff(app->sock, id, &peeled, now(run));
    CHECK(run, rc == 0, "peeling off answers %d", rc);
    log_call(app, "peeloff", id);
    run->saws[SAW_PEELOFF]++;
    run->saws[SAW_PEELOFF_IN_PARTS] += app->partial == id;
    if (app->partial == id)
        app->partial = 0;
    adopt(run, app->host, peeled);
}

static void connect_app(struct app *app)
{
    struct run *run = app->run;
    const struct sockhost *other = &run->w.hosts[1 - app->host];
    uint32_t i = below(run, other->host.node.addr_count);
    const struct app *peer = &run->apps[1 - app->host][below(run, APPS)];
    bool listens = peer->sock != NULL && peer->sock->state == HWS_SOCK_LISTENING;
    uint16_t port = listens ? hws_sock_port(peer->sock) : (uint16_t)(5000 + below(run, 6));
    if (!listens && below(run, 16) != 0)
        return;
    int rc = hws_sock_connect(app->sock, sockhost_addr(other, i), 1, port, false, NULL, now(run));
    log_call(app, "connect", rc);
}

/* ---- Sending ---- */

static uint8_t pattern(const struct header *header, uint32_t i)
{
    return (uint8_t)(header->seq * 31 + header->sid * 7 + i);
}

static uint32_t build(struct run *run, struct header *header, uint8_t *bytes)
{
    uint32_t most = below(run, 6) == 0 ? MESSAGE_MAX : 2000;
    header->len = sim_rng_between(&run->rng, sizeof(*header), most);
    memcpy(bytes, header, sizeof(*header));
    for (uint32_t i = sizeof(*header); i < header->len; i++)
        bytes[i] = pattern(header, i);
    return header->len;
}

struct lent {
    struct run *run;
    uint8_t *bytes;
};

static void give_back(void *arg)
{
    struct lent *lent = arg;
    lent->run->returned++;
    free(lent->bytes);
    free(lent);
}

static int send_bytes(struct app *app, sctp_assoc_t id, const struct header *header, uint8_t *bytes,
                      bool lend)
{
    struct run *run = app->run;
    const struct hws_iovec iov = {bytes, header->len};
    struct hws_sock_send msg = {.has_info = true,
                                .assoc_id = id,
                                .sid = header->sid,
                                .flags = header->unordered ? SCTP_UNORDERED : 0,
                                .iov = &iov,
                                .iov_count = 1};
    struct lent *lent = lend ? malloc(sizeof(*lent)) : NULL;
    if (lent != NULL) {
        *lent = (struct lent){run, bytes};
        msg.release = give_back;
        msg.release_arg = lent;
    }
    int rc = hws_sock_sendmsg(app->sock, &msg, now(run));
    if (lent == NULL || rc < 0) {
        free(lent);
        free(bytes);
    } else {
        run->lent++;
        run->saws[SAW_LENT]++;
    }
    return rc;
}

static void send_message(struct app *app)
{
    struct run *run = app->run;
    const struct hws_member *member = any_member(app);
    struct record *record = member != NULL ? record_of(run, app->host, member->id) : NULL;
    if (record == NULL)
        return;
    struct header header = {.magic = MAGIC,
                            .sender = (uint32_t)member->id,
                            .sid = (uint16_t)below(run, STREAMS),
                            .unordered = below(run, 4) == 0};
    header.seq = record->sent[header.sid][header.unordered];
    uint8_t *bytes = malloc(MESSAGE_MAX);
    build(run, &header, bytes);
    int rc = send_bytes(app, member->id, &header, bytes, below(run, 4) == 0);
    log_call(app, "send", rc);
    if (rc == 0)
        record->sent[header.sid][header.unordered]++;
    run->saws[SAW_FULL] += rc == -EAGAIN;
}

/* The first half, and some other time the second. */
static void send_part(struct app *app)
{
    struct run *run = app->run;
    const struct hws_member *member = any_member(app);
    struct record *record = member != NULL ? record_of(run, app->host, member->id) : NULL;
    if (record == NULL || !app->sock->options.explicit_eor || member->shut)
        return;
    struct header header = {.magic = MAGIC, .sender = (uint32_t)member->id};
    header.seq = record->sent[0][0];
    uint8_t *bytes = malloc(MESSAGE_MAX);
    uint32_t len = build(run, &header, bytes), half = len / 2;
    const struct hws_iovec parts[2] = {{bytes, half}, {bytes + half, len - half}};
    struct hws_sock_send msg = {
        .has_info = true, .assoc_id = member->id, .iov_count = 1, .more = true};
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++) {
        msg.iov = &parts[i];
        msg.more = i == 0;
        rc = hws_sock_sendmsg(app->sock, &msg, now(run));
    }
    if (rc == 0) {
        record->sent[0][0]++;
        run->saws[SAW_EXPLICIT_EOR]++;
    }
    for (int i = 0; i < 20 && rc == -EAGAIN && !run->w.world.failed; i++) {
        sockworld_run(&run->w, 50000);
        rc = hws_sock_sendmsg(app->sock, &msg, now(run));
        record->sent[0][0] += rc == 0;
    }
    free(bytes);
    if (rc == -EAGAIN) /* nobody reads, and the first part would become another message's */
        close_app(app);
}

/* A message to all cannot say whose it is: it is not followed, but for its effect on the others. */
static void send_all(struct app *app)
{
    static const struct header header = {.magic = 0, .len = sizeof(header)};
    const struct hws_iovec iov = {&header, sizeof(header)};
    const struct hws_sock_send msg = {
        .has_info = true, .flags = SCTP_SENDALL | SCTP_UNORDERED, .iov = &iov, .iov_count = 1};
    if (app->sock->style != HWS_SOCK_ONE_TO_MANY || app->sock->options.explicit_eor)
        return;
    int rc = hws_sock_sendmsg(app->sock, &msg, now(app->run));
    log_call(app, "send to all", rc);
    app->run->saws[SAW_SENDALL] += rc == 0;
}

static void end_one(struct app *app)
{
    struct run *run = app->run;
    const struct hws_member *member = any_member(app);
    if (member == NULL)
        return;
    uint16_t flags = below(run, 3) == 0 ? SCTP_ABORT : SCTP_EOF;
    const struct hws_sock_send msg = {.has_info = true, .assoc_id = member->id, .flags = flags};
    log_call(app, "EOF or ABORT", hws_sock_sendmsg(app->sock, &msg, now(run)));
}

/* ---- Receiving ---- */

static const struct record *sender_of(const struct app *app, const struct record *record)
{
    return app->run->records[1 - app->host][record->from];
}

static void check_order(struct app *app, struct record *record, const struct header *header)
{
    uint32_t *got = &record->got[header->sid][header->unordered];
    uint8_t *bits = record->unordered_got[header->sid];
    uint32_t bit = header->seq % (8 * sizeof(record->unordered_got[0]));
    if (header->unordered == 0) {
        bool first_lost = sender_of(app, record)->restarted;
        CHECK(app->run, header->seq == *got || (first_lost && header->seq > *got),
              "stream %u: message %u after %u", header->sid, header->seq, *got);
        *got = header->seq;
    } else if (header->seq < 8 * sizeof(record->unordered_got[0])) {
        CHECK(app->run, (bits[bit / 8] >> bit % 8 & 1) == 0, "unordered message %u came twice",
              header->seq);
        bits[bit / 8] |= (uint8_t)(1 << bit % 8);
    }
    ++*got;
}

static void check_message(struct app *app, struct record *record)
{
    struct run *run = app->run;
    struct header header;
    CHECK(run, record->len >= sizeof(header), "a message of %u bytes", record->len);
    memcpy(&header, record->message, sizeof(header));
    if (header.magic == 0)
        return;
    bool sane = header.magic == MAGIC && header.len == record->len && header.sid < STREAMS &&
                header.unordered < 2;
    CHECK(run, sane, "a message of %u bytes that nobody sent", record->len);
    if (run->w.world.failed)
        return;
    CHECK(run, record->from == 0 || record->from == (sctp_assoc_t)header.sender,
          "a message of association %u among those of %d", header.sender, record->from);
    record->from = (sctp_assoc_t)header.sender;
    for (uint32_t i = sizeof(header); i < header.len; i++)
        CHECK(run, record->message[i] == pattern(&header, i), "byte %u is wrong", i);
    check_order(app, record, &header);
    run->saws[SAW_MESSAGE]++;
    run->saws[SAW_UNORDERED] += header.unordered;
}

static void take_data(struct app *app, const struct hws_sock_recv *msg, const uint8_t *bytes)
{
    struct run *run = app->run;
    struct record *record = record_of(run, app->host, msg->id);
    if (record == NULL)
        return;
    CHECK(run, record->up && !record->ended, "data of association %d %s", msg->id,
          record->ended ? "after its end" : "before COMM_UP");
    CHECK(run,
          app->partial == 0 || app->partial == msg->id || app->sock->options.fragment_interleave,
          "data of association %d between the parts of a message of %d", msg->id, app->partial);
    if (record->message == NULL)
        record->message = malloc(MESSAGE_MAX);
    CHECK(run, record->len + msg->len <= MESSAGE_MAX, "a message without end");
    if (run->w.world.failed)
        return;
    memcpy(record->message + record->len, bytes, msg->len);
    record->len += (uint32_t)msg->len;
    bool whole = (msg->flags & MSG_EOR) != 0;
    app->partial = whole ? 0 : msg->id;
    run->saws[SAW_PART] += !whole;
    if (!whole)
        return;
    check_message(app, record);
    record->len = 0;
}

/* All that the peer's sends took has been received. */
static void check_all_arrived(struct app *app, const struct record *record)
{
    struct run *run = app->run;
    if (record->from == 0 || record->deaf || sender_of(app, record)->restarted)
        return;
    const struct record *sender = sender_of(app, record);
    for (uint32_t i = 0; i < STREAMS; i++) {
        for (uint32_t k = 0; k < 2; k++)
            CHECK(run, sender->sent[i][k] == record->got[i][k],
                  "a graceful end after %u of %u messages of stream %u", record->got[i][k],
                  sender->sent[i][k], i);
    }
    run->saws[SAW_ALL_DELIVERED]++;
}

/* The peer has begun anew: so do the numbers of its messages. */
static void take_restart(struct run *run, struct record *record)
{
    record->from = 0;
    record->len = 0;
    memset(record->got, 0, sizeof(record->got));
    memset(record->unordered_got, 0, sizeof(record->unordered_got));
    run->saws[SAW_RESTART]++;
}

static void take_change(struct app *app, const struct sctp_assoc_change *change)
{
    struct run *run = app->run;
    struct record *record = record_of(run, app->host, change->sac_assoc_id);
    if (record == NULL)
        return;
    bool begins = change->sac_state == SCTP_COMM_UP || change->sac_state == SCTP_CANT_STR_ASSOC;
    CHECK(run, record->up != begins && !record->ended, "change %u of association %d%s%s",
          change->sac_state, change->sac_assoc_id, record->up ? " that is up" : "",
          record->ended ? " that has ended" : "");
    record->up = record->up || begins;
    record->ended = change->sac_state != SCTP_COMM_UP && change->sac_state != SCTP_RESTART;
    if (change->sac_state == SCTP_RESTART)
        take_restart(run, record);
    run->saws[SAW_COMM_LOST] += change->sac_state == SCTP_COMM_LOST;
    run->saws[SAW_CANT_START] += change->sac_state == SCTP_CANT_STR_ASSOC;
    if (change->sac_state == SCTP_SHUTDOWN_COMP)
        check_all_arrived(app, record);
    if (record->ended && app->partial == change->sac_assoc_id)
        app->partial = 0;
}

/* What follows in its stream is received without it. */
static void take_partial_aborted(struct app *app, sctp_assoc_t id)
{
    struct run *run = app->run;
    struct record *record = record_of(run, app->host, id);
    struct header header;
    app->partial = 0;
    run->saws[SAW_PARTIAL_ABORTED]++;
    if (record == NULL || record->len < sizeof(header))
        return;
    memcpy(&header, record->message, sizeof(header));
    if (header.magic == MAGIC && header.sid < STREAMS)
        record->got[header.sid][header.unordered & 1]++;
    record->len = 0;
}

static void take_note(struct app *app, const union sctp_notification *note)
{
    struct run *run = app->run;
    switch (note->sn_header.sn_type) {
    case SCTP_ASSOC_CHANGE:
        take_change(app, &note->sn_assoc_change);
        break;
    case SCTP_PARTIAL_DELIVERY_EVENT:
        take_partial_aborted(app, note->sn_pdapi_event.pdapi_assoc_id);
        break;
    case SCTP_SEND_FAILED:
    case SCTP_SEND_FAILED_EVENT:
        run->saws[SAW_SEND_FAILED]++;
        break;
    default:
        break;
    }
}

static void log_received(const struct app *app, const struct hws_sock_recv *msg,
                         const uint8_t *bytes)
{
    const union sctp_notification *note = (const void *)bytes;
    char what[80];
    if ((msg->flags & MSG_NOTIFICATION) != 0)
        snprintf(what, sizeof(what), "notification %u of %d", note->sn_header.sn_type, msg->id);
    else
        snprintf(what, sizeof(what), "data of %d%s", msg->id,
                 msg->flags & MSG_EOR ? "" : ", a part");
    log_call(app, what, (int)msg->len);
}

static void take(struct app *app, const struct hws_sock_recv *msg, const uint8_t *bytes)
{
    log_received(app, msg, bytes);
    if ((msg->flags & MSG_NOTIFICATION) != 0)
        take_note(app, (const void *)bytes);
    else if (msg->len > 0)
        take_data(app, msg, bytes);
}

static _Alignas(8) uint8_t space[100000];

static int receive_view(struct app *app)
{
    struct hws_sock_recv msg = {0};
    struct hws_sock_view view;
    struct run *run = app->run;
    int rc = hws_sock_recv_view(app->sock, &msg, &view, now(run));
    if (rc < 0)
        return rc;
    size_t at = 0;
    for (size_t i = 0; i < view.data.iov_count; i++) {
        memcpy(space + at, view.data.iov[i].base, view.data.iov[i].len);
        at += view.data.iov[i].len;
    }
    take(app, &msg, space);
    hws_sock_view_release(&run->w.hosts[app->host].sockets, &view);
    run->saws[SAW_VIEW]++;
    return msg.len > 0 ? 0 : -ENOTCONN;
}

static void check_peek(struct app *app, const struct hws_sock_iovec *iov)
{
    static _Alignas(8) uint8_t before[sizeof(space)];
    struct hws_sock_recv peek = {.iov = iov, .iov_count = 1, .peek = true};
    struct hws_sock_recv msg = {.iov = iov, .iov_count = 1};
    struct run *run = app->run;
    int peeked = hws_sock_recvmsg(app->sock, &peek, now(run));
    if (peeked < 0 || peek.len == 0)
        return;
    memcpy(before, space, peek.len);
    int rc = hws_sock_recvmsg(app->sock, &msg, now(run));
    CHECK(run,
          rc == 0 && msg.len == peek.len && msg.flags == peek.flags &&
              memcmp(before, space, msg.len) == 0,
          "peek shows %zu bytes, the receive after it %zu", peek.len, msg.len);
    take(app, &msg, space);
}

static bool is_listener(const struct app *app)
{
    return app->sock->style == HWS_SOCK_ONE_TO_ONE && app->sock->state == HWS_SOCK_LISTENING;
}

static int receive_once(struct app *app)
{
    struct run *run = app->run;
    if (is_listener(app))
        return -ENOTCONN;
    /* Notifications are taken whole, so that they can be looked at. */
    uint32_t capacity = below(run, 3) == 0 ? sim_rng_between(&run->rng, 200, 3000) : sizeof(space);
    const struct hws_sock_iovec iov = {space, capacity};
    if (below(run, 8) == 0)
        return receive_view(app);
    if (below(run, 8) == 0)
        check_peek(app, &iov);
    struct hws_sock_recv msg = {.iov = &iov, .iov_count = 1};
    bool error = app->sock->error != 0;
    bool readable = (hws_sock_poll(app->sock) & (POLLIN | POLLERR)) != 0;
    int rc = hws_sock_recvmsg(app->sock, &msg, now(run));
    CHECK(run, readable == (rc != -EAGAIN), "poll says %s readable, receiving answers %d (%zu%s)",
          readable ? "" : "not", rc, msg.len, error ? ", error" : "");
    if (rc == 0)
        take(app, &msg, space);
    return rc < 0 ? rc : msg.len > 0 ? 0 : -ENOTCONN;
}

static void receive_some(struct app *app)
{
    uint32_t n = below(app->run, 20);
    while (n-- > 0 && receive_once(app) == 0 && !app->run->w.world.failed)
        ;
}

static void shut_down(struct app *app)
{
    struct run *run = app->run;
    int how = (int)below(run, 3);
    struct hws_member *member = hws_sock_first_member(app->sock);
    if (app->sock->style == HWS_SOCK_ONE_TO_MANY)
        return;
    if (member != NULL && how != SHUT_WR && member->id < (sctp_assoc_t)ASSOCS)
        record_of(run, app->host, member->id)->deaf = true;
    log_call(app, "shutdown", hws_sock_shutdown_how(app->sock, how, now(run)));
}

/* ---- A run ---- */

static void call_something(struct run *run, struct app *app)
{
    static void (*const calls[])(struct app * app) = {
        connect_app,  connect_app,  send_message, send_message, send_message, send_message,
        send_message, receive_some, receive_some, receive_some, accept_app,   peel_app,
        send_part,    send_all,     end_one,      shut_down,    close_app,    restart_app,
    };
    uint32_t which = below(run, sizeof(calls) / sizeof(calls[0]));
    static const uint32_t rare_from = 14; /* end_one and what follows it */
    if (which >= rare_from && below(run, 16) != 0)
        return;
    if (calls[which] == accept_app && !is_listener(app))
        return;
    calls[which](app);
}

static void step(struct run *run)
{
    uint32_t host = below(run, SOCKWORLD_HOSTS);
    struct app *app = &run->apps[host][below(run, APPS)];
    if (app->sock == NULL)
        open_app(run, host);
    else
        call_something(run, app);
    run->calls++;
    sockworld_run(&run->w, sim_rng_scale(&run->rng, 0, 60000));
}

/* What is sent from now on is all that the peer's new association gets. */
static void watch(void *arg, struct sockhost *h, const struct hws_event *event)
{
    struct run *run = arg;
    const struct hws_member *member = hws_member_by_assoc(&h->sockets, event->assoc);
    if (event->type != HWS_EVENT_RESTART || member == NULL)
        return;
    struct record *record = record_of(run, (uint32_t)(h - run->w.hosts), member->id);
    if (record != NULL)
        record->restarted = true;
}

static void spoil_network(struct run *run)
{
    struct sim_link *links = &run->w.net.links[0][0][0][0];
    uint32_t loss = below(run, 3) * 20000;
    for (size_t i = 0; i < sizeof(run->w.net.links) / sizeof(*links); i++) {
        struct sim_link_config *config = &links[i].config;
        config->delay_us = sim_rng_scale(&run->rng, 100, 40000);
        config->loss_ppm = loss;
        config->duplicate_ppm = loss / 4;
        config->reorder_ppm = loss;
        config->reorder_us = 20000;
    }
}

static void finish(struct run *run)
{
    sim_net_heal(&run->w.net);
    for (uint32_t host = 0; host < SOCKWORLD_HOSTS; host++) {
        for (uint32_t i = 0; i < APPS; i++) {
            struct app *app = &run->apps[host][i];
            while (app->sock != NULL && receive_once(app) == 0 && !run->w.world.failed)
                ;
            if (app->sock != NULL)
                close_app(app);
        }
    }
    sockworld_run(&run->w, SILENCE_US);
    for (uint32_t host = 0; host < SOCKWORLD_HOSTS; host++) {
        const struct sockhost *h = &run->w.hosts[host];
        CHECK(run, hws_sockets_orphans(&h->sockets) == 0, "%u closed sockets do not end",
              hws_sockets_orphans(&h->sockets));
        CHECK(run, hws_engine_assoc_count(h->host.engine) == 0, "%zu associations after the end",
              hws_engine_assoc_count(h->host.engine));
    }
}

static void free_records(struct run *run)
{
    for (uint32_t host = 0; host < SOCKWORLD_HOSTS; host++) {
        for (uint32_t i = 0; i < ASSOCS; i++) {
            if (run->records[host][i] != NULL)
                free(run->records[host][i]->message);
            free(run->records[host][i]);
        }
    }
}

static bool run_seed(uint64_t seed, FILE *trace, uint64_t totals[SAWS])
{
    static struct run run;
    memset(&run, 0, sizeof(run));
    run.rng = sim_rng_seeded(seed);
    sockworld_begin(&run.w, seed, sim_rng_between(&run.rng, 1, 3), false);
    run.w.net.trace = trace;
    for (uint32_t host = 0; host < SOCKWORLD_HOSTS; host++) {
        run.w.hosts[host].watch = watch;
        run.w.hosts[host].watch_arg = &run;
    }
    spoil_network(&run);
    while (run.calls < CALLS && !run.w.world.failed)
        step(&run);
    if (!run.w.world.failed)
        finish(&run);
    sockworld_end(&run.w);
    CHECK(&run, run.lent == run.returned, "%u of %u lent messages came back", run.returned,
          run.lent);
    free_records(&run);
    for (uint32_t i = 0; i < SAWS; i++)
        totals[i] += run.saws[i];
    if (run.w.world.failed)
        printf("FAIL seed %" PRIu64 " %s\n  replay: HWS_SIM_SEED=%" PRIu64 " ./sockets_swarm\n",
               seed, run.w.world.failure, seed);
    fflush(stdout);
    return !run.w.world.failed;
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

int main(void)
{
    uint64_t totals[SAWS] = {0}, failed = 0;
    if (getenv("HWS_SIM_SEED") != NULL)
        return run_seed(number_from("HWS_SIM_SEED", 0), stdout, totals) ? 0 : 1;
    uint64_t base = number_from("HWS_SIM_BASE", 1);
    uint64_t count = number_from("HWS_SIM_SEEDS", SEEDS_DEFAULT);
    for (uint64_t seed = base; seed < base + count; seed++)
        failed += !run_seed(seed, NULL, totals);
    bool complete = true;
    for (uint32_t i = 0; i < SAWS; i++) {
        printf("  %-22s %8" PRIu64 "\n", saw_names[i], totals[i]);
        complete = complete && totals[i] > 0;
    }
    printf("%" PRIu64 " seeds from %" PRIu64 ", %" PRIu64 " failed%s\n", count, base, failed,
           complete || count < SEEDS_DEFAULT ? "" : "; FAIL something never occurred");
    return failed == 0 && (complete || count < SEEDS_DEFAULT) ? 0 : 1;
}
