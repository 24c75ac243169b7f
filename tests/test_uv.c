/* Handles and requests of <hawser/uv.h>: pairs of them on one loop, over UDP on the loopback
 * interface and over the memory link. */
#include "uv_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Associations ---- */

static void a_message_goes_and_comes(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    uv_pair_open(w, &pair);
    struct sctp_sndinfo info = {.snd_sid = 3, .snd_ppid = htonl(7), .snd_flags = SCTP_UNORDERED};
    uv_peer_write(&pair.client, "over there", 10, &info);
    uv_world_run_until(w, &pair.server.messages, 1);
    assert_int_equal(pair.server.len, 10);
    assert_memory_equal(pair.server.bytes, "over there", 10);
    assert_int_equal(pair.server.last.info.rcv_sid, 3);
    assert_int_equal(pair.server.last.info.rcv_ppid, htonl(7));
    assert_int_equal(pair.server.last.info.rcv_flags, SCTP_UNORDERED);
    assert_int_equal(pair.server.last.flags, MSG_EOR);
    uv_peer_write(&pair.server, "and back", 8, NULL);
    uv_world_run_until(w, &pair.client.messages, 1);
    assert_memory_equal(pair.client.bytes, "and back", 8);
    uv_pair_close(w, &pair);
}

static void nobody_listens(void **state)
{
    struct uv_world *w = *state;
    struct uv_peer peer;
    uv_peer_init(w->b, &peer);
    uv_peer_connect(w, &peer, PORT + 1);
    uv_world_run_until(w, &peer.connects, 1);
    assert_int_equal(peer.status, UV_ECONNREFUSED);
    assert_int_equal(uv_peer_try_write(&peer, "x", 1), UV_ECONNREFUSED);
    uv_peer_close(w, &peer);
}

static void a_graceful_end_is_told_to_both(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    uv_pair_open(w, &pair);
    uv_peer_write(&pair.client, "last words", 10, NULL);
    uv_peer_shutdown(&pair.client);
    assert_int_equal(uv_peer_try_write(&pair.client, "x", 1), UV_EPIPE);
    uv_world_run_until(w, &pair.client.shutdowns, 1);
    uv_world_run_until(w, &pair.client.ends, 1);
    uv_world_run_until(w, &pair.server.ends, 1);
    assert_int_equal(pair.client.status, 0);
    assert_int_equal(pair.client.end, UV_EOF);
    assert_int_equal(pair.server.end, UV_EOF);
    assert_memory_equal(pair.server.bytes, "last words", 10);
    assert_false(hws_uv_is_active(&pair.server.handle));
    uv_pair_close(w, &pair);
}

static void an_abort_is_told_to_both(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    hws_uv_shutdown_t late;
    uv_pair_open(w, &pair);
    assert_int_equal(hws_uv_abort(&pair.client.handle, "enough", 6), 0);
    uv_world_run_until(w, &pair.client.ends, 1);
    uv_world_run_until(w, &pair.server.ends, 1);
    assert_int_equal(pair.client.end, UV_ECONNABORTED);
    assert_int_equal(pair.server.end, UV_ECONNRESET);
    assert_int_equal(uv_peer_try_write(&pair.server, "x", 1), UV_ECONNRESET);
    assert_int_equal(hws_uv_shutdown(&late, &pair.server.handle, NULL), UV_ENOTCONN);
    assert_int_equal(hws_uv_abort(&pair.client.handle, NULL, 0), UV_ENOTCONN);
    uv_pair_close(w, &pair);
}

static void the_reader_that_starts_late_is_told_how_it_ended(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    uv_pair_open(w, &pair);
    hws_uv_read_stop(&pair.server.handle);
    uv_peer_write(&pair.client, "first", 5, NULL);
    uv_peer_shutdown(&pair.client);
    uv_world_run_until(w, &pair.client.shutdowns, 1);
    uv_world_turns(w, 3);
    assert_int_equal(pair.server.messages, 0);
    uv_peer_read(&pair.server);
    uv_world_run_until(w, &pair.server.ends, 1);
    assert_int_equal(pair.server.messages, 1);
    assert_int_equal(pair.server.end, UV_EOF);
    uv_peer_read(&pair.server);
    uv_world_run_until(w, &pair.server.ends, 2);
    uv_pair_close(w, &pair);
}

/* ---- What calls answer ---- */

static void bind_answers(void **state)
{
    struct uv_world *w = *state;
    struct uv_peer one, two;
    struct sockaddr_in any = uv_world_address("0.0.0.0", PORT + 7);
    struct sockaddr_in both[2] = {uv_world_address(w->address, 1), uv_world_address(w->address, 2)};
    uv_peer_init(w->a, &one);
    uv_peer_init(w->a, &two);
    assert_int_equal(hws_uv_bind(&one.handle, (struct sockaddr *)&any), 0);
    assert_int_equal(hws_uv_bind(&one.handle, (struct sockaddr *)&any), UV_EINVAL);
    assert_int_equal(hws_uv_bind(&two.handle, (struct sockaddr *)&any), UV_EADDRINUSE);
    any.sin_family = AF_UNIX;
    assert_int_equal(hws_uv_bind(&two.handle, (struct sockaddr *)&any), UV_EAFNOSUPPORT);
    assert_int_equal(hws_uv_bindx(&two.handle, (struct sockaddr *)both, 2, SCTP_BINDX_ADD_ADDR),
                     UV_EINVAL);
    assert_int_equal(hws_uv_bindx(&two.handle, (struct sockaddr *)both, 1, SCTP_BINDX_REM_ADDR),
                     UV_EBUSY);
    assert_int_equal(hws_uv_bindx(&two.handle, (struct sockaddr *)both, 1, 0), UV_EINVAL);
    both[1] = both[0];
    assert_int_equal(hws_uv_bindx(&two.handle, (struct sockaddr *)both, 1, SCTP_BINDX_ADD_ADDR), 0);
    uv_peer_close(w, &one);
    uv_peer_close(w, &two);
}

static void without_an_association(void **state)
{
    struct uv_world *w = *state;
    struct uv_peer peer;
    hws_uv_shutdown_t shutdown;
    hws_uv_write_t write;
    uv_buf_t buf = uv_buf_init("x", 1);
    struct sockaddr_storage name;
    struct sockaddr *names;
    int len = sizeof(name);
    uv_peer_init(w->b, &peer);
    assert_int_equal(hws_uv_write(&write, &peer.handle, &buf, 1, NULL, NULL), UV_ENOTCONN);
    assert_int_equal(uv_peer_try_write(&peer, "x", 1), UV_ENOTCONN);
    assert_int_equal(hws_uv_read_start(&peer.handle, uv_peer_alloc, uv_peer_on_read), UV_ENOTCONN);
    assert_int_equal(hws_uv_shutdown(&shutdown, &peer.handle, NULL), UV_ENOTCONN);
    assert_int_equal(hws_uv_abort(&peer.handle, NULL, 0), UV_ENOTCONN);
    assert_int_equal(hws_uv_accept(&peer.handle, &peer.handle), UV_EINVAL);
    assert_int_equal(hws_uv_getsockname(&peer.handle, (struct sockaddr *)&name, &len), UV_EINVAL);
    assert_int_equal(hws_uv_getpeername(&peer.handle, (struct sockaddr *)&name, &len), UV_ENOTCONN);
    assert_int_equal(hws_uv_getpaddrs(&peer.handle, 0, &names), 0);
    assert_null(names);
    assert_int_equal(hws_uv_getladdrs(&peer.handle, 0, &names), 0);
    assert_false(hws_uv_is_active(&peer.handle));
    uv_peer_close(w, &peer);
}

static void connect_answers(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    hws_uv_connect_t again;
    struct sockaddr_in to = uv_world_address(w->address, 0);
    struct sockaddr *addr = (struct sockaddr *)&to;
    uv_peer_init(w->b, &pair.client);
    assert_int_equal(hws_uv_connect(&again, &pair.client.handle, addr, NULL), UV_EINVAL);
    to.sin_port = htons(PORT);
    assert_int_equal(hws_uv_connect(&again, &w->listener, addr, NULL), UV_EISCONN);
    uv_pair_connect(w, &pair);
    assert_int_equal(hws_uv_connect(&again, &pair.client.handle, addr, NULL), UV_EISCONN);
    assert_int_equal(hws_uv_listen(&pair.client.handle, 1, uv_world_on_connection), UV_EINVAL);
    to.sin_family = AF_UNIX;
    assert_int_equal(hws_uv_connect(&again, &pair.client.handle, addr, NULL), UV_EAFNOSUPPORT);
    uv_pair_close(w, &pair);
}

static void connecting_twice_is_already(void **state)
{
    struct uv_world *w = *state;
    struct uv_peer peer;
    hws_uv_connect_t again;
    struct sockaddr_in to = uv_world_address(w->address, PORT);
    uv_peer_init(w->b, &peer);
    uv_peer_connect(w, &peer, PORT);
    assert_int_equal(hws_uv_connect(&again, &peer.handle, (struct sockaddr *)&to, NULL),
                     UV_EALREADY);
    uv_peer_close(w, &peer);
    assert_int_equal(peer.status, UV_ECANCELED);
}

static void write_answers(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    hws_uv_write_t request;
    struct sctp_sndinfo info = {.snd_sid = 60000};
    uv_buf_t bufs[65] = {{.base = "x", .len = 1}};
    uv_pair_open(w, &pair);
    hws_uv_t *handle = &pair.client.handle;
    assert_int_equal(hws_uv_write(&request, handle, bufs, 1, &info, NULL), UV_EINVAL);
    info = (struct sctp_sndinfo){.snd_flags = 0x4000};
    assert_int_equal(hws_uv_write(&request, handle, bufs, 1, &info, NULL), UV_EINVAL);
    assert_int_equal(hws_uv_write(&request, handle, bufs, 0, NULL, NULL), UV_EINVAL);
    assert_int_equal(hws_uv_write(&request, handle, bufs, 65, NULL, NULL), UV_EINVAL);
    bufs[0].len = 0;
    assert_int_equal(hws_uv_write(&request, handle, bufs, 1, NULL, NULL), UV_EINVAL);
    bufs[0].len = (64u << 20) + 1;
    assert_int_equal(hws_uv_try_write(handle, bufs, 1, NULL), UV_EMSGSIZE);
    assert_int_equal(hws_uv_get_write_queue_count(handle), 0);
    uv_pair_close(w, &pair);
}

static void everything_on_a_closing_handle_is_ebadf(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    hws_uv_connect_t connect;
    hws_uv_shutdown_t shutdown;
    struct sockaddr_in to = uv_world_address(w->address, PORT);
    struct sockaddr *addr = (struct sockaddr *)&to;
    int one = 1, len = sizeof(one);
    uv_pair_open(w, &pair);
    hws_uv_t *handle = &pair.client.handle;
    hws_uv_close(handle, uv_peer_on_close);
    hws_uv_close(handle, NULL);
    assert_true(hws_uv_is_closing(handle));
    assert_int_equal(hws_uv_bind(handle, addr), UV_EBADF);
    assert_int_equal(hws_uv_connect(&connect, handle, addr, NULL), UV_EBADF);
    assert_int_equal(hws_uv_listen(handle, 1, uv_world_on_connection), UV_EBADF);
    assert_int_equal(hws_uv_accept(&w->listener, handle), UV_EBADF);
    assert_int_equal(uv_peer_try_write(&pair.client, "x", 1), UV_EBADF);
    assert_int_equal(hws_uv_read_start(handle, uv_peer_alloc, uv_peer_on_read), UV_EBADF);
    assert_int_equal(hws_uv_read_stop(handle), 0);
    assert_int_equal(hws_uv_shutdown(&shutdown, handle, NULL), UV_EBADF);
    assert_int_equal(hws_uv_abort(handle, NULL, 0), UV_EBADF);
    assert_int_equal(hws_uv_setsockopt(handle, IPPROTO_SCTP, SCTP_NODELAY, &one, len), UV_EBADF);
    assert_int_equal(hws_uv_getsockopt(handle, IPPROTO_SCTP, SCTP_NODELAY, &one, &len), UV_EBADF);
    assert_int_equal(pair.client.closes, 0);
    uv_world_run_until(w, &pair.client.closes, 1);
    uv_peer_close(w, &pair.server);
}

static void names_and_options(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    struct sockaddr_in name = {0};
    struct sockaddr *names;
    struct sctp_status status = {0};
    int len = sizeof(name), one = 1, size = sizeof(one);
    uv_pair_open(w, &pair);
    assert_int_equal(hws_uv_getpeername(&pair.client.handle, (struct sockaddr *)&name, &len), 0);
    assert_int_equal(len, sizeof(name));
    assert_int_equal(ntohs(name.sin_port), PORT);
    len = sizeof(name);
    assert_int_equal(hws_uv_getsockname(&pair.server.handle, (struct sockaddr *)&name, &len), 0);
    assert_int_equal(ntohs(name.sin_port), PORT);
    assert_in_range(hws_uv_getpaddrs(&pair.client.handle, 0, &names), 1, 8);
    assert_int_equal(ntohs(((struct sockaddr_in *)(void *)names)->sin_port), PORT);
    hws_uv_freepaddrs(names);
    assert_int_equal(hws_uv_getladdrs(&pair.server.handle, 0, &names), 1);
    hws_uv_freeladdrs(names);
    hws_uv_t *handle = &pair.client.handle;
    assert_int_equal(hws_uv_setsockopt(handle, IPPROTO_SCTP, SCTP_NODELAY, &one, size), 0);
    one = 0;
    assert_int_equal(hws_uv_getsockopt(handle, IPPROTO_SCTP, SCTP_NODELAY, &one, &size), 0);
    assert_int_equal(one, 1);
    size = sizeof(status);
    assert_int_equal(hws_uv_getsockopt(handle, IPPROTO_SCTP, SCTP_STATUS, &status, &size), 0);
    assert_int_equal(status.sstat_state, SCTP_ESTABLISHED);
    size = -1;
    assert_int_equal(hws_uv_getsockopt(handle, IPPROTO_SCTP, SCTP_STATUS, &status, &size),
                     UV_EINVAL);
    assert_int_equal(hws_uv_setsockopt(handle, IPPROTO_SCTP, 9999, &one, sizeof(one)),
                     UV_ENOPROTOOPT);
    uv_pair_close(w, &pair);
}

/* ---- Paths ---- */

/* Two addresses on either side. */
static void connect_to_two(struct uv_world *w, struct uv_peer *client)
{
    struct sockaddr_in locals[] = {uv_world_address("127.0.0.1", 0),
                                   uv_world_address("127.0.0.2", 0)};
    struct sockaddr_in peers[] = {uv_world_address("127.0.0.1", PORT),
                                  uv_world_address("127.0.0.2", PORT)};
    uv_peer_init(w->b, client);
    client->connect.data = client;
    assert_int_equal(
        hws_uv_bindx(&client->handle, (struct sockaddr *)locals, 2, SCTP_BINDX_ADD_ADDR), 0);
    assert_int_equal(hws_uv_connectx(&client->connect, &client->handle, (struct sockaddr *)peers, 2,
                                     uv_peer_on_connect),
                     0);
    uv_world_run_until(w, &client->connects, 1);
    assert_int_equal(client->status, 0);
}

static bool has_address(const struct sockaddr_in *in, int count, uint32_t address)
{
    for (int i = 0; i < count; i++) {
        if (in[i].sin_addr.s_addr == htonl(address) && ntohs(in[i].sin_port) == PORT)
            return true;
    }
    return false;
}

/* The listener is bound to any address: it tells the host's others, too. */
static void addresses_of_both_ends(void **state)
{
    struct uv_world *w = *state;
    static struct uv_peer client;
    struct sockaddr *addrs;
    connect_to_two(w, &client);
    int count = hws_uv_getpaddrs(&client.handle, 0, &addrs);
    const struct sockaddr_in *in = (const void *)addrs;
    assert_true(has_address(in, count, 0x7f000001));
    assert_false(has_address(in, count, 0x7f000002)); /* named by us, not told by the peer */
    hws_uv_freepaddrs(addrs);
    assert_int_equal(hws_uv_getladdrs(&client.handle, 0, &addrs), 2);
    hws_uv_freeladdrs(addrs);
    assert_int_equal(hws_uv_getladdrs(&w->listener, 0, &addrs), 1);
    const struct sockaddr_in6 *any = (const void *)addrs;
    assert_int_equal(any->sin6_family, AF_INET6);
    assert_true(IN6_IS_ADDR_UNSPECIFIED(&any->sin6_addr));
    assert_int_equal(ntohs(any->sin6_port), PORT);
    hws_uv_freeladdrs(addrs);
    uv_peer_close(w, &client);
}

static void a_heartbeat_measures_its_path(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    hws_uv_path_t path;
    struct sctp_paddrparams params = {.spp_flags = SPP_HB_DEMAND};
    uv_pair_open(w, &pair);
    const hws_uv_t *handle = &pair.client.handle;
    assert_int_equal(hws_uv_get_path(&w->listener, 0, 0, &path), UV_ENOTCONN);
    assert_int_equal(hws_uv_get_path(handle, 0, 99, &path), UV_ENOENT);
    assert_int_equal(hws_uv_get_path(handle, 0, 0, &path), 0);
    assert_int_equal(path.state, SCTP_ACTIVE);
    assert_true(path.primary && path.cwnd_bytes > 0 && path.mtu_bytes > 0);
    uint64_t before = path.heartbeats_acked;
    params.spp_address = path.remote;
    assert_int_equal(hws_uv_setsockopt(&pair.client.handle, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS,
                                       &params, sizeof(params)),
                     0);
    do {
        uv_world_run_for(w, 10);
        assert_int_equal(hws_uv_get_path(handle, 0, 0, &path), 0);
    } while (path.heartbeats_acked == before);
    assert_true(path.heartbeat_rtt_us > 0);
    uv_pair_close(w, &pair);
}

/* The second address of the peer is known from its INIT alone: a HEARTBEAT confirms it. */
static void paths_tell_what_happens_to_them(void **state)
{
    struct uv_world *w = *state;
    static struct uv_peer client, server;
    const struct sctp_event wanted = {.se_type = SCTP_PEER_ADDR_CHANGE, .se_on = 1};
    hws_uv_path_t path;
    assert_int_equal(
        hws_uv_setsockopt(&w->listener, IPPROTO_SCTP, SCTP_EVENT, &wanted, sizeof(wanted)), 0);
    w->next = &server;
    connect_to_two(w, &client);
    uv_world_run_until(w, &w->connections, 1);
    uv_world_run_until(w, &server.notifications, 1);
    const struct sctp_paddr_change *change = (const void *)server.bytes;
    struct sockaddr_storage remote = change->spc_aaddr;
    assert_int_equal(change->spc_type, SCTP_PEER_ADDR_CHANGE);
    assert_int_equal(change->spc_state, SCTP_ADDR_CONFIRMED);
    assert_int_equal(hws_uv_get_path(&server.handle, 0, 1, &path), 0);
    assert_memory_equal(&path.remote, &remote, sizeof(struct sockaddr_in));
    assert_int_equal(path.state, SCTP_ACTIVE);
    uv_peer_close(w, &client);
    uv_peer_close(w, &server);
}

/* ---- Accepting ---- */

static void an_association_left_waiting_is_told_of_again(void **state)
{
    struct uv_world *w = *state;
    struct uv_peer first, second, client;
    uv_peer_init(w->b, &first);
    uv_peer_connect(w, &first, PORT);
    uv_world_run_until(w, &w->connections, 1);
    uv_world_turns(w, 3);
    assert_int_equal(w->connections, 1);
    uv_peer_init(w->b, &second);
    uv_peer_connect(w, &second, PORT);
    w->next = &client;
    uv_world_run_until(w, &w->connections, 3); /* for the first, and for the second */
    uv_world_run_until(w, &second.connects, 1);
    assert_null(w->next);
    uv_peer_close(w, &client);
    uv_peer_close(w, &first);
    uv_peer_close(w, &second);
}

static void accept_answers(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    struct uv_peer other;
    uv_pair_open(w, &pair);
    uv_peer_init(w->a, &other);
    assert_int_equal(hws_uv_accept(&w->listener, &other.handle), UV_EAGAIN);
    assert_int_equal(hws_uv_accept(&w->listener, &pair.server.handle), UV_EBUSY);
    assert_int_equal(hws_uv_accept(&w->listener, &pair.client.handle), UV_EINVAL);
    assert_int_equal(hws_uv_accept(&pair.server.handle, &other.handle), UV_EINVAL);
    uv_peer_close(w, &other);
    uv_pair_close(w, &pair);
}

/* ---- Back-pressure ---- */

static void write_copies(struct uv_peer *peer, hws_uv_write_t *requests, int count,
                         const uv_buf_t *bufs, unsigned buf_count)
{
    for (int i = 0; i < count; i++) {
        requests[i].data = peer;
        assert_int_equal(
            hws_uv_write(&requests[i], &peer->handle, bufs, buf_count, NULL, uv_peer_on_write), 0);
    }
}

static void requests_wait_for_the_send_buffer(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    enum { COUNT = 40, BYTES = 256 << 10 };
    static hws_uv_write_t requests[COUNT];
    char *message = calloc(1, BYTES);
    uv_buf_t buf = uv_buf_init(message, BYTES);
    uv_pair_open(w, &pair);
    hws_uv_read_stop(&pair.server.handle);
    write_copies(&pair.client, requests, COUNT, &buf, 1);
    size_t waiting = hws_uv_get_write_queue_count(&pair.client.handle);
    assert_in_range(waiting, 1, COUNT - 1);
    assert_int_equal(hws_uv_get_write_queue_size(&pair.client.handle), waiting * BYTES);
    assert_int_equal(hws_uv_try_write(&pair.client.handle, &buf, 1, NULL), UV_EAGAIN);
    assert_int_equal(pair.client.writes, 0); /* no callback from inside a call */
    uv_peer_shutdown(&pair.client);
    uv_peer_read(&pair.server);
    uv_world_run_until(w, &pair.client.shutdowns, 1);
    assert_int_equal(pair.client.writes, COUNT);
    assert_int_equal(pair.client.status, 0);
    assert_int_equal(hws_uv_get_write_queue_size(&pair.client.handle), 0);
    uv_world_run_until(w, &pair.server.ends, 1);
    assert_int_equal(pair.server.total, (uint64_t)COUNT * BYTES);
    uv_pair_close(w, &pair);
    free(message);
}

static void closing_cancels_what_waits(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    enum { COUNT = 40, BYTES = 256 << 10 };
    static hws_uv_write_t requests[COUNT];
    char *message = calloc(1, BYTES);
    uv_buf_t bufs[5];
    uv_pair_open(w, &pair);
    hws_uv_read_stop(&pair.server.handle);
    for (int i = 0; i < 5; i++)
        bufs[i] = uv_buf_init(message, BYTES / 5);
    write_copies(&pair.client, requests, COUNT, bufs, 5);
    size_t waiting = hws_uv_get_write_queue_count(&pair.client.handle);
    uv_peer_shutdown(&pair.client);
    hws_uv_close(&pair.client.handle, uv_peer_on_close);
    assert_int_equal(pair.client.writes, 0);
    uv_world_run_until(w, &pair.client.closes, 1);
    assert_int_equal(pair.client.writes, COUNT);
    assert_int_equal(pair.client.canceled, waiting + 1); /* and the shutdown */
    uv_peer_close(w, &pair.server);
    free(message);
}

static void an_abort_fails_what_waits(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    enum { COUNT = 40, BYTES = 256 << 10 };
    static hws_uv_write_t requests[COUNT];
    char *message = calloc(1, BYTES);
    uv_buf_t buf = uv_buf_init(message, BYTES);
    uv_pair_open(w, &pair);
    hws_uv_read_stop(&pair.server.handle);
    write_copies(&pair.client, requests, COUNT, &buf, 1);
    uv_peer_shutdown(&pair.client);
    hws_uv_abort(&pair.server.handle, NULL, 0);
    uv_world_run_until(w, &pair.client.shutdowns, 1);
    assert_int_equal(pair.client.writes, COUNT);
    assert_int_equal(pair.client.status, UV_ECONNRESET);
    uv_pair_close(w, &pair);
    free(message);
}

/* ---- Lent bytes ---- */

enum { LENT_COUNT = 40, LENT_BYTES = 256 << 10 };

static void write_lent(struct uv_peer *peer, hws_uv_write_t *requests, char *bytes)
{
    uv_buf_t buf = uv_buf_init(bytes, LENT_BYTES);
    for (int i = 0; i < LENT_COUNT; i++) {
        requests[i].data = peer;
        assert_int_equal(
            hws_uv_write_lent(&requests[i], &peer->handle, &buf, 1, NULL, uv_peer_on_write), 0);
    }
}

static void lent_bytes_come_back_when_acknowledged(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    static hws_uv_write_t requests[LENT_COUNT];
    char *bytes = calloc(1, LENT_BYTES);
    uv_pair_open(w, &pair);
    hws_uv_read_stop(&pair.server.handle);
    write_lent(&pair.client, requests, bytes);
    assert_true(hws_uv_is_active(&pair.client.handle));
    assert_in_range(hws_uv_get_write_queue_count(&pair.client.handle), 1, LENT_COUNT - 1);
    assert_int_equal(pair.client.writes, 0);
    uv_peer_read(&pair.server);
    uv_world_run_until(w, &pair.client.writes, LENT_COUNT);
    assert_int_equal(pair.client.status, 0);
    assert_int_equal(pair.server.total, (uint64_t)LENT_COUNT * LENT_BYTES);
    free(bytes);
    uv_pair_close(w, &pair);
}

static void closing_waits_for_lent_bytes(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    static hws_uv_write_t requests[LENT_COUNT];
    char *bytes = calloc(1, LENT_BYTES);
    uv_pair_open(w, &pair);
    hws_uv_read_stop(&pair.server.handle);
    const int more_than_the_peer_takes = 4 << 20;
    assert_int_equal(hws_uv_setsockopt(&pair.client.handle, SOL_SOCKET, SO_SNDBUF,
                                       &more_than_the_peer_takes, sizeof(int)),
                     0);
    write_lent(&pair.client, requests, bytes);
    size_t waiting = hws_uv_get_write_queue_count(&pair.client.handle);
    hws_uv_close(&pair.client.handle, uv_peer_on_close);
    uv_world_turns(w, 10);
    assert_int_equal(pair.client.closes, 0);
    uv_peer_read(&pair.server);
    uv_world_run_until(w, &pair.client.closes, 1);
    assert_int_equal(pair.client.canceled, LENT_COUNT);
    free(bytes);
    uv_world_run_until(w, &pair.server.ends, 1);
    assert_int_equal(pair.server.end, UV_EOF);
    assert_int_equal(pair.server.messages, LENT_COUNT - waiting);
    uv_peer_close(w, &pair.server);
}

static void an_abort_gives_lent_bytes_back(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    static hws_uv_write_t requests[LENT_COUNT];
    char *bytes = calloc(1, LENT_BYTES);
    uv_pair_open(w, &pair);
    hws_uv_read_stop(&pair.server.handle);
    write_lent(&pair.client, requests, bytes);
    hws_uv_abort(&pair.client.handle, NULL, 0);
    uv_world_run_until(w, &pair.client.writes, LENT_COUNT);
    assert_int_equal(pair.client.status, UV_ECONNABORTED);
    free(bytes);
    uv_pair_close(w, &pair);
}

static void freeing_the_runtime_gives_lent_bytes_back(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    static hws_uv_write_t requests[LENT_COUNT];
    char *bytes = calloc(1, LENT_BYTES);
    uv_pair_open(w, &pair);
    hws_uv_read_stop(&pair.server.handle);
    write_lent(&pair.client, requests, bytes);
    hws_uv_close(&pair.client.handle, uv_peer_on_close);
    hws_runtime_free(w->b);
    w->b = NULL;
    uv_world_run_until(w, &pair.client.closes, 1);
    assert_int_equal(pair.client.canceled, LENT_COUNT);
    free(bytes);
    uv_peer_close(w, &pair.server);
}

static void messages_larger_than_the_buffer_come_in_parts(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    enum { BYTES = 3 << 20 };
    char *message = malloc(BYTES);
    for (int i = 0; i < BYTES; i++)
        message[i] = (char)(i * 7 + i / 251);
    uv_pair_open(w, &pair);
    pair.server.keep = malloc(BYTES);
    uv_peer_write(&pair.client, message, BYTES, NULL);
    uv_world_run_until(w, &pair.server.messages, 1);
    assert_int_equal(pair.server.total, BYTES);
    assert_memory_equal(pair.server.keep, message, BYTES);
    free(pair.server.keep);
    uv_pair_close(w, &pair);
    free(message);
}

static void reading_stops_and_goes_on(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    uv_pair_open(w, &pair);
    pair.server.stop_after = 2; /* the callback stops reading */
    for (int i = 0; i < 5; i++)
        assert_int_equal(uv_peer_try_write(&pair.client, "abcde", 5), 5);
    uv_world_run_until(w, &pair.server.messages, 2);
    uv_world_turns(w, 5);
    assert_int_equal(pair.server.messages, 2);
    assert_false(hws_uv_is_active(&pair.server.handle));
    pair.server.stop_after = 0;
    uv_peer_read(&pair.server);
    uv_world_run_until(w, &pair.server.messages, 5);
    uv_pair_close(w, &pair);
}

/* The timestamp of a message that is sent now, in ns; `asked` for or not. */
static int64_t timestamp_ns(struct uv_world *w, struct uv_pair *pair, int asked)
{
    const struct timespec *stamp = &pair->server.last.timestamp;
    unsigned messages = pair->server.messages;
    assert_int_equal(
        hws_uv_setsockopt(&pair->server.handle, SOL_SOCKET, SO_TIMESTAMPNS, &asked, sizeof(asked)),
        0);
    assert_int_equal(uv_peer_try_write(&pair->client, "abc", 3), 3);
    uv_world_run_until(w, &pair->server.messages, messages + 1);
    return (int64_t)stamp->tv_sec * 1000000000 + stamp->tv_nsec;
}

static int64_t realtime_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void messages_have_timestamps_when_asked(void **state)
{
    struct uv_world *w = *state;
    const int64_t margin_ns = 200000; /* two clocks are read one after the other */
    struct uv_pair pair;
    uv_pair_open(w, &pair);
    assert_int_equal(timestamp_ns(w, &pair, 0), 0);
    int64_t before_ns = realtime_ns();
    int64_t stamp_ns = timestamp_ns(w, &pair, 1);
    assert_true(stamp_ns > before_ns - margin_ns && stamp_ns < realtime_ns() + margin_ns);
    assert_int_equal(timestamp_ns(w, &pair, 0), 0);
    uv_pair_close(w, &pair);
}

static void links_that_do_not_know_give_none(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    uv_pair_open(w, &pair);
    assert_int_equal(timestamp_ns(w, &pair, 1), 0);
    uv_pair_close(w, &pair);
}

static void without_a_buffer_reading_is_tried_again(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    uv_pair_open(w, &pair);
    pair.server.no_buffers = 2;
    assert_int_equal(uv_peer_try_write(&pair.client, "abcde", 5), 5);
    uv_world_run_until(w, &pair.server.messages, 1);
    assert_int_equal(pair.server.enobufs, 2);
    uv_pair_close(w, &pair);
}

/* ---- Closing in callbacks ---- */

static void closing_in_any_callback(void **state)
{
    struct uv_world *w = *state;
    for (enum uv_peer_callback where = UV_PEER_CONNECT; where <= UV_PEER_SHUTDOWN; where++) {
        struct uv_pair pair;
        uv_peer_init(w->b, &pair.client);
        pair.client.close_in = where;
        uv_pair_start(w, &pair);
        uv_world_run_until(w, &w->connections, 1);
        w->connections = 0;
        uv_world_run_until(w, &pair.client.connects, 1);
        if (where != UV_PEER_CONNECT) {
            uv_peer_read(&pair.client);
            uv_peer_write(&pair.client, "x", 1, NULL);
            uv_peer_write(&pair.client, "y", 1, NULL);
            uv_peer_write(&pair.server, "z", 1, NULL);
            if (where == UV_PEER_SHUTDOWN)
                uv_peer_shutdown(&pair.client);
        }
        uv_world_run_until(w, &pair.client.closes, 1);
        unsigned callbacks = pair.client.callbacks;
        uv_world_turns(w, 5);
        assert_int_equal(pair.client.callbacks, callbacks); /* nothing after it */
        uv_peer_close(w, &pair.server);
    }
}

static void on_listener_gone(hws_uv_t *server)
{
    free(server);
}

static void close_the_listener(hws_uv_t *server, int status)
{
    assert_int_equal(status, 0);
    ++*(unsigned *)server->data;
    uv_stop(server->loop);
    hws_uv_close(server, on_listener_gone);
}

static void the_listener_may_close_and_free_itself(void **state)
{
    struct uv_world *w = *state;
    hws_uv_t *server = malloc(sizeof(*server));
    unsigned told = 0;
    struct sockaddr_in any = uv_world_address("0.0.0.0", PORT + 3);
    struct uv_peer one, two;
    assert_int_equal(hws_uv_init(w->a, server), 0);
    server->data = &told;
    assert_int_equal(hws_uv_bind(server, (struct sockaddr *)&any), 0);
    assert_int_equal(hws_uv_listen(server, 5, close_the_listener), 0);
    uv_peer_init(w->b, &one);
    uv_peer_init(w->b, &two);
    uv_peer_connect(w, &one, PORT + 3);
    uv_peer_connect(w, &two, PORT + 3);
    uv_world_run_until(w, &told, 1);
    uv_world_turns(w, 5);
    assert_int_equal(told, 1);
    uv_peer_close(w, &one);
    uv_peer_close(w, &two);
}

/* ---- The loop ---- */

static void activity_and_references(void **state)
{
    struct uv_world *w = *state;
    struct uv_peer peer;
    assert_true(hws_uv_is_active(&w->listener));
    assert_true(hws_uv_has_ref(&w->listener));
    hws_uv_unref(&w->listener);
    hws_uv_unref(&w->listener);
    assert_false(hws_uv_has_ref(&w->listener));
    hws_uv_ref(&w->listener);
    assert_true(hws_uv_has_ref(&w->listener));
    uv_peer_init(w->b, &peer);
    assert_false(hws_uv_is_active(&peer.handle));
    uv_peer_connect(w, &peer, PORT);
    assert_true(hws_uv_is_active(&peer.handle));
    uv_peer_close(w, &peer);
    assert_false(hws_uv_is_active(&peer.handle));
}

static void a_runtime_with_a_loop_of_its_own_is_refused(void **state)
{
    (void)state;
    struct hws_runtime_config config;
    hws_uv_t handle;
    hws_runtime_config_init(&config);
    config.udp = true;
    struct hws_runtime *runtime = hws_runtime_new(&config, NULL);
    assert_non_null(runtime);
    assert_int_equal(hws_uv_init(runtime, &handle), UV_EINVAL);
    hws_runtime_free(runtime);
}

static void many_handles(void **state)
{
    struct uv_world *w = *state;
    enum { COUNT = 200 };
    static struct uv_pair pairs[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        uv_pair_open(w, &pairs[i]);
        uv_peer_write(&pairs[i].client, "hello", 5, NULL);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        uv_world_run_until(w, &pairs[i].server.messages, 1);
        hws_uv_close(&pairs[i].client.handle, uv_peer_on_close);
        hws_uv_close(&pairs[i].server.handle, uv_peer_on_close);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        uv_world_run_until(w, &pairs[i].client.closes, 1);
        uv_world_run_until(w, &pairs[i].server.closes, 1);
    }
}

/* ---- Associations of a one-to-many handle ---- */

/* A one-to-many handle that listens at PORT + 9 and reads. */
static void open_many(struct uv_world *w, struct uv_peer *many)
{
    struct sockaddr_in any = uv_world_address("0.0.0.0", PORT + 9);
    uv_peer_init_ex(w->a, many, SOCK_SEQPACKET);
    assert_int_equal(hws_uv_bind(&many->handle, (struct sockaddr *)&any), 0);
    assert_int_equal(hws_uv_listen(&many->handle, 1, NULL), 0);
    assert_false(hws_uv_is_active(&many->handle));
    uv_peer_read(many);
    assert_true(hws_uv_is_active(&many->handle));
}

static void want_association_changes(struct uv_peer *peer)
{
    const struct sctp_event event = {
        .se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_ASSOC_CHANGE, .se_on = 1};
    assert_int_equal(
        hws_uv_setsockopt(&peer->handle, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof(event)), 0);
}

static void one_handle_has_many_associations(void **state)
{
    struct uv_world *w = *state;
    static struct uv_peer many, clients[3];
    open_many(w, &many);
    for (unsigned i = 0; i < 3; i++) {
        uv_peer_init(w->b, &clients[i]);
        uv_peer_connect(w, &clients[i], PORT + 9);
        uv_world_run_until(w, &clients[i].connects, 1);
        uv_peer_read(&clients[i]);
        uv_peer_write(&clients[i], "ping", 4, NULL);
        uv_world_run_until(w, &many.messages, i + 1);
        assert_int_not_equal(many.last.info.rcv_assoc_id, 0);
        struct sctp_sndinfo back = {.snd_assoc_id = many.last.info.rcv_assoc_id};
        uv_peer_write(&many, "pong", 4, &back);
        uv_world_run_until(w, &clients[i].messages, 1);
    }
    struct sctp_sndinfo all = {.snd_assoc_id = SCTP_ALL_ASSOC, .snd_flags = SCTP_SENDALL};
    uv_peer_write(&many, "all", 3, &all);
    for (unsigned i = 0; i < 3; i++) {
        uv_world_run_until(w, &clients[i].messages, 2);
        assert_memory_equal(clients[i].bytes, "all", 3);
        uv_peer_close(w, &clients[i]);
    }
    uv_peer_close(w, &many);
}

static void a_message_to_an_address_begins_an_association(void **state)
{
    struct uv_world *w = *state;
    static struct uv_peer many, client;
    struct sctp_sndinfo info = {.snd_ppid = 5};
    open_many(w, &many);
    uv_peer_init_ex(w->b, &client, SOCK_SEQPACKET);
    want_association_changes(&client);
    uv_peer_read(&client);
    uv_peer_write_to(w, &client, PORT + 9, "hello", 5, &info);
    uv_world_run_until(w, &many.messages, 1);
    assert_int_equal(many.last.info.rcv_ppid, 5);
    uv_world_run_until(w, &client.notifications, 1);
    const struct sctp_assoc_change *change = (const void *)client.bytes;
    assert_int_equal(change->sac_type, SCTP_ASSOC_CHANGE);
    assert_int_equal(change->sac_state, SCTP_COMM_UP);
    struct sctp_sndinfo end = {.snd_assoc_id = change->sac_assoc_id, .snd_flags = SCTP_EOF};
    struct sockaddr *addrs;
    hws_uv_path_t path;
    assert_true(hws_uv_getpaddrs(&client.handle, end.snd_assoc_id, &addrs) >= 1);
    hws_uv_freepaddrs(addrs);
    assert_int_equal(hws_uv_getpaddrs(&client.handle, end.snd_assoc_id + 1, &addrs), 0);
    assert_int_equal(hws_uv_get_path(&client.handle, end.snd_assoc_id, 0, &path), 0);
    assert_int_equal(path.primary, 1);
    assert_int_equal(hws_uv_get_path(&client.handle, end.snd_assoc_id, 99, &path), UV_ENOENT);
    assert_int_equal(hws_uv_get_path(&client.handle, end.snd_assoc_id + 1, 0, &path), UV_ENOTCONN);
    hws_uv_write_t request;
    assert_int_equal(hws_uv_write(&request, &client.handle, NULL, 0, &end, NULL), 0);
    uv_world_run_until(w, &client.notifications, 2);
    assert_int_equal(change->sac_state, SCTP_SHUTDOWN_COMP);
    assert_int_equal(uv_peer_try_write(&client, "x", 1), UV_EPIPE);
    uv_peer_close(w, &client);
    uv_peer_close(w, &many);
}

static void a_one_to_many_handle_connects_to_many(void **state)
{
    struct uv_world *w = *state;
    static struct uv_peer many, client;
    hws_uv_connect_t wrong = {.data = &client};
    struct sockaddr_in nobody = uv_world_address(w->address, PORT + 8);
    open_many(w, &many);
    uv_peer_init_ex(w->b, &client, SOCK_SEQPACKET);
    assert_int_equal(
        hws_uv_connect(&wrong, &client.handle, (struct sockaddr *)&nobody, uv_peer_on_connect), 0);
    uv_peer_connect(w, &client, PORT + 9);
    assert_int_not_equal(client.connect.assoc_id, wrong.assoc_id);
    uv_world_run_until(w, &client.connects, 2);
    assert_int_equal(client.failures, 1);
    hws_uv_shutdown_t shutdown;
    assert_int_equal(hws_uv_shutdown(&shutdown, &client.handle, NULL), UV_ENOTCONN);
    assert_int_equal(hws_uv_abort(&client.handle, NULL, 0), UV_ENOTCONN);
    uv_peer_close(w, &client);
    uv_peer_close(w, &many);
}

/* A client of the one-to-many handle, connected, whose first message it has read: the association's
 * identifier there. */
static sctp_assoc_t greet(struct uv_world *w, struct uv_peer *many, struct uv_peer *client,
                          const char *text)
{
    unsigned messages = many->messages;
    uv_peer_init(w->b, client);
    uv_peer_connect(w, client, PORT + 9);
    uv_world_run_until(w, &client->connects, 1);
    uv_peer_write(client, text, strlen(text), NULL);
    uv_world_run_until(w, &many->messages, messages + 1);
    return many->last.info.rcv_assoc_id;
}

static void a_full_association_does_not_hold_up_another(void **state)
{
    struct uv_world *w = *state;
    static struct uv_peer many, slow, fast;
    enum { COUNT = 40, BYTES = 256 << 10 };
    static hws_uv_write_t requests[COUNT], last;
    char *message = calloc(1, BYTES);
    uv_buf_t buf = uv_buf_init(message, BYTES);
    struct sctp_sndinfo to_slow = {0}, to_fast = {0};
    open_many(w, &many);
    to_slow.snd_assoc_id = greet(w, &many, &slow, "s");
    to_fast.snd_assoc_id = greet(w, &many, &fast, "f");
    uv_peer_read(&fast);
    for (int i = 0; i < COUNT; i++) {
        requests[i].data = &many;
        assert_int_equal(
            hws_uv_write(&requests[i], &many.handle, &buf, 1, &to_slow, uv_peer_on_write), 0);
    }
    assert_true(hws_uv_get_write_queue_count(&many.handle) > 0);
    last.data = &many;
    buf.len = 3;
    assert_int_equal(hws_uv_write(&last, &many.handle, &buf, 1, &to_fast, uv_peer_on_write), 0);
    uv_world_run_until(w, &fast.messages, 1);
    assert_true(hws_uv_get_write_queue_count(&many.handle) > 0);
    uv_peer_read(&slow);
    uv_world_run_until(w, &many.writes, COUNT + 1);
    uv_world_run_until(w, &slow.messages, COUNT);
    uv_peer_close(w, &slow);
    uv_peer_close(w, &fast);
    uv_peer_close(w, &many);
    free(message);
}

static void an_association_is_peeled_off(void **state)
{
    struct uv_world *w = *state;
    static struct uv_peer many, client, branch;
    open_many(w, &many);
    sctp_assoc_t id = greet(w, &many, &client, "one");
    uv_peer_init(w->a, &branch);
    assert_int_equal(hws_uv_peeloff(&many.handle, id + 1, &branch.handle), UV_EINVAL);
    assert_int_equal(hws_uv_peeloff(&many.handle, id, &client.handle), UV_EINVAL);
    assert_int_equal(hws_uv_peeloff(&many.handle, id, &branch.handle), 0);
    assert_int_equal(hws_uv_peeloff(&many.handle, id, &branch.handle), UV_EBUSY);
    uv_peer_read(&branch);
    uv_peer_write(&client, "two", 3, NULL);
    uv_world_run_until(w, &branch.messages, 1);
    assert_int_equal(many.messages, 1);
    uv_peer_shutdown(&branch);
    uv_world_run_until(w, &branch.shutdowns, 1);
    assert_int_equal(branch.status, 0);
    uv_world_run_until(w, &branch.ends, 1);
    uv_peer_close(w, &branch);
    uv_peer_close(w, &client);
    uv_peer_close(w, &many);
}

/* At once: nothing has to come for that. */
static void peeling_off_ends_what_waits(void **state)
{
    struct uv_world *w = *state;
    static struct uv_peer many, slow, branch;
    enum { COUNT = 40, BYTES = 256 << 10 };
    static hws_uv_write_t requests[COUNT];
    char *message = calloc(1, BYTES);
    uv_buf_t buf = uv_buf_init(message, BYTES);
    struct sctp_sndinfo to_slow = {0};
    open_many(w, &many);
    to_slow.snd_assoc_id = greet(w, &many, &slow, "s");
    for (int i = 0; i < COUNT; i++) {
        requests[i].data = &many;
        assert_int_equal(
            hws_uv_write(&requests[i], &many.handle, &buf, 1, &to_slow, uv_peer_on_write), 0);
    }
    uv_world_turns(w, 10);
    assert_true(hws_uv_get_write_queue_count(&many.handle) > 0);
    uv_peer_init(w->a, &branch);
    assert_int_equal(hws_uv_peeloff(&many.handle, to_slow.snd_assoc_id, &branch.handle), 0);
    uv_world_turns(w, 2);
    assert_int_equal(many.writes, COUNT);
    assert_int_equal(many.status, UV_EPIPE);
    assert_int_equal(hws_uv_get_write_queue_count(&many.handle), 0);
    uv_peer_close(w, &branch);
    uv_peer_close(w, &slow);
    uv_peer_close(w, &many);
    free(message);
}

static void a_message_to_an_address_connects_a_one_to_one_handle(void **state)
{
    struct uv_world *w = *state;
    static struct uv_peer client, server;
    uv_peer_init(w->b, &client);
    w->next = &server;
    uv_peer_write_to(w, &client, PORT, "hello", 5, NULL);
    uv_world_run_until(w, &w->connections, 1);
    uv_world_run_until(w, &server.messages, 1);
    uv_world_run_until(w, &client.writes, 1);
    assert_int_equal(client.status, 0);
    uv_peer_read(&client);
    uv_peer_close(w, &server);
    uv_world_run_until(w, &client.ends, 1);
    uv_peer_close(w, &client);
}

static void what_handles_can_be_made(void **state)
{
    struct uv_world *w = *state;
    hws_uv_t handle;
    assert_int_equal(hws_uv_init_ex(w->a, &handle, AF_UNIX, SOCK_STREAM), UV_EAFNOSUPPORT);
    assert_int_equal(hws_uv_init_ex(w->a, &handle, AF_INET, SOCK_DGRAM), UV_EPROTONOSUPPORT);
    struct uv_peer peer = {.closes = 0};
    struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(7)};
    any6.sin6_addr.s6_addr[15] = 1;
    assert_int_equal(hws_uv_init_ex(w->a, &peer.handle, AF_INET, SOCK_STREAM), 0);
    peer.handle.data = &peer;
    assert_int_equal(hws_uv_bind(&peer.handle, (struct sockaddr *)&any6), UV_EINVAL);
    uv_peer_close(w, &peer);
}

#define UDP(test)                                                                                  \
    {                                                                                              \
#test " (UDP)", test, uv_world_open_udp, uv_world_close, NULL                              \
    }
#define MEMORY(test)                                                                               \
    {                                                                                              \
#test " (memory)", test, uv_world_open_memory, uv_world_close, NULL                        \
    }
#define BOTH(test) UDP(test), MEMORY(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_message_goes_and_comes),
        BOTH(nobody_listens),
        BOTH(a_graceful_end_is_told_to_both),
        BOTH(an_abort_is_told_to_both),
        BOTH(the_reader_that_starts_late_is_told_how_it_ended),
        BOTH(bind_answers),
        BOTH(without_an_association),
        BOTH(connect_answers),
        BOTH(connecting_twice_is_already),
        BOTH(write_answers),
        BOTH(everything_on_a_closing_handle_is_ebadf),
        BOTH(names_and_options),
        UDP(addresses_of_both_ends),
        BOTH(a_heartbeat_measures_its_path),
        UDP(paths_tell_what_happens_to_them),
        BOTH(an_association_left_waiting_is_told_of_again),
        BOTH(accept_answers),
        BOTH(requests_wait_for_the_send_buffer),
        BOTH(closing_cancels_what_waits),
        BOTH(an_abort_fails_what_waits),
        BOTH(lent_bytes_come_back_when_acknowledged),
        BOTH(closing_waits_for_lent_bytes),
        BOTH(an_abort_gives_lent_bytes_back),
        UDP(freeing_the_runtime_gives_lent_bytes_back),
        BOTH(messages_larger_than_the_buffer_come_in_parts),
        BOTH(reading_stops_and_goes_on),
        UDP(messages_have_timestamps_when_asked),
        MEMORY(links_that_do_not_know_give_none),
        BOTH(without_a_buffer_reading_is_tried_again),
        BOTH(closing_in_any_callback),
        BOTH(the_listener_may_close_and_free_itself),
        BOTH(activity_and_references),
        BOTH(many_handles),
        BOTH(one_handle_has_many_associations),
        BOTH(a_message_to_an_address_begins_an_association),
        BOTH(a_one_to_many_handle_connects_to_many),
        BOTH(a_full_association_does_not_hold_up_another),
        BOTH(an_association_is_peeled_off),
        UDP(peeling_off_ends_what_waits),
        BOTH(a_message_to_an_address_connects_a_one_to_one_handle),
        BOTH(what_handles_can_be_made),
        cmocka_unit_test(a_runtime_with_a_loop_of_its_own_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
