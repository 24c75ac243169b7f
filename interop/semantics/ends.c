#include "ends.h"

#include "say.h"

enum { PATIENCE_MS = 2000, STEP_MS = 5 };

struct address address_of(const char *host, int port)
{
    struct address a = {.size = sizeof(struct sockaddr_in)};
    struct sockaddr_in *in = (struct sockaddr_in *)&a.storage;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a.storage;
    if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)port);
        return a;
    }
    if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
        abort();
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons((uint16_t)port);
    a.size = sizeof(*in6);
    return a;
}

int bind_to(int fd, const char *host, int port)
{
    struct address a = address_of(host, port);
    return bind(fd, (struct sockaddr *)&a.storage, a.size);
}

int connect_to(int fd, const char *host, int port)
{
    struct address a = address_of(host, port);
    return connect(fd, (struct sockaddr *)&a.storage, a.size);
}

static int pack(char *to, int port, const char *const hosts[])
{
    int count = 0;
    for (; hosts[count]; count++) {
        struct address a = address_of(hosts[count], port);
        memcpy(to, &a.storage, a.size);
        to += a.size;
    }
    return count;
}

int bindx_to(int fd, int flags, int port, const char *const hosts[])
{
    _Alignas(struct sockaddr_in6) char packed[512];
    int count = pack(packed, port, hosts);
    return sctp_bindx(fd, (struct sockaddr *)packed, count, flags);
}

int connectx_to(int fd, int port, const char *const hosts[], sctp_assoc_t *id)
{
    _Alignas(struct sockaddr_in6) char packed[512];
    int count = pack(packed, port, hosts);
    return sctp_connectx(fd, (struct sockaddr *)packed, count, id);
}

int one_to_one(void)
{
    return (int)ready("socket", socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP));
}

int one_to_many(void)
{
    return (int)ready("socket", socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP));
}

static int listening(int fd, int port)
{
    ready("bind", bind_to(fd, HERE, port));
    ready("listen", listen(fd, 8));
    return fd;
}

int listener(int port)
{
    return listening(one_to_one(), port);
}

int many_listener(int port)
{
    return listening(one_to_many(), port);
}

static struct ends connect_ends(int listening_at)
{
    struct ends e = {.listener = listening_at, .client = one_to_one()};
    ready("connect", connect_to(e.client, HERE, PORT));
    e.server = (int)ready("accept", accept(e.listener, NULL, NULL));
    return e;
}

struct ends connected(void)
{
    return connect_ends(listener(PORT));
}

struct ends connected_narrow(void)
{
    int fd = listener(PORT);
    option_int(fd, SOL_SOCKET, SO_RCVBUF, 8192);
    return connect_ends(fd);
}

void fill(int fd, size_t message_size)
{
    static char block[65536];
    int refused = 0;
    memset(block, 'w', sizeof(block));
    while (refused < 5) {
        if (send(fd, block, message_size, MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
            refused = 0;
        } else {
            refused++;
            poll(NULL, 0, 20);
        }
    }
}

void non_blocking(int fd)
{
    ready("O_NONBLOCK", fcntl(fd, F_SETFL, O_NONBLOCK));
}

void subscribe(int fd)
{
    static const uint16_t types[] = {SCTP_ASSOC_CHANGE,          SCTP_PEER_ADDR_CHANGE,
                                     SCTP_SEND_FAILED_EVENT,     SCTP_REMOTE_ERROR,
                                     SCTP_SHUTDOWN_EVENT,        SCTP_PARTIAL_DELIVERY_EVENT,
                                     SCTP_ADAPTATION_INDICATION, SCTP_SENDER_DRY_EVENT};
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        struct sctp_event event = {.se_assoc_id = SCTP_ALL_ASSOC, .se_type = types[i], .se_on = 1};
        ready("subscribe", setsockopt(fd, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof(event)));
    }
}

void option_int(int fd, int level, int name, int value)
{
    ready("option", setsockopt(fd, level, name, &value, sizeof(value)));
}

void impatient(int fd)
{
    struct sctp_initmsg init = {.sinit_max_attempts = 3, .sinit_max_init_timeo = 200};
    struct sctp_rtoinfo rto = {.srto_initial = 200, .srto_max = 200, .srto_min = 100};
    ready("RTOINFO", setsockopt(fd, IPPROTO_SCTP, SCTP_RTOINFO, &rto, sizeof(rto)));
    ready("INITMSG", setsockopt(fd, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof(init)));
}

static int status(int fd, struct sctp_status *s)
{
    socklen_t size = sizeof(*s);
    *s = (struct sctp_status){.sstat_assoc_id = 0};
    return getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, s, &size);
}

void delivered(int fd)
{
    struct sctp_status s;
    for (int waited = 0; waited <= PATIENCE_MS; waited += STEP_MS) {
        if (status(fd, &s) < 0 || s.sstat_unackdata + s.sstat_penddata == 0)
            return;
        poll(NULL, 0, STEP_MS);
    }
    say("waiting for acknowledgements", "in vain");
}

void ended(int fd)
{
    struct sctp_status s;
    for (int waited = 0; waited <= PATIENCE_MS; waited += STEP_MS) {
        if (status(fd, &s) < 0)
            return;
        poll(NULL, 0, STEP_MS);
    }
    say("waiting for the end", "in vain");
}

static int poll_until(int fd, int events)
{
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP};
    for (int waited = 0; waited <= PATIENCE_MS; waited += STEP_MS) {
        p.revents = 0;
        poll(&p, 1, 0);
        if ((p.revents & events) == events)
            break;
        poll(NULL, 0, STEP_MS);
    }
    return p.revents;
}

void polled(const char *step, int fd, int events)
{
    say_poll(step, poll_until(fd, events));
}

void await(int fd, int events)
{
    poll_until(fd, events);
}
