#include "tests/sim/flow.h"

#include <stdlib.h>
#include <string.h>

/* Message bytes are a window on one long pattern, so that a message costs no memory of its own. */
#define PATTERN_OFFSETS (1u << 16)
#define PATTERN_BYTES (SIM_MESSAGE_MAX + PATTERN_OFFSETS)
#define EARLY_BYTES_MAX 10000u
#define RECONNECT_MAX_US 5000000u
/* What a ledger notes of messages that failed. */
#define FAILED_UNSENT 1u
#define FAILED_SENT 2u

static const uint8_t *pattern(void)
{
    static uint8_t *bytes;
    if (bytes != NULL)
        return bytes;
    bytes = malloc(PATTERN_BYTES);
    if (bytes == NULL)
        abort();
    struct sim_rng rng = {42};
    for (size_t i = 0; i + 8 <= PATTERN_BYTES; i += 8) {
        uint64_t word = sim_rng_next(&rng);
        memcpy(bytes + i, &word, 8);
    }
    return bytes;
}

const uint8_t *sim_message_bytes(const struct sim_message *message)
{
    return pattern() + message->pattern % PATTERN_OFFSETS;
}

static void *zeroed(size_t count, size_t size)
{
    void *p = calloc(count == 0 ? 1 : count, size);
    if (p == NULL)
        abort();
    return p;
}

void sim_ledger_init(struct sim_ledger *ledger, uint32_t count, uint32_t streams)
{
    *ledger = (struct sim_ledger){.count = count, .streams = streams};
    ledger->incarnations = zeroed(count, sizeof *ledger->incarnations);
    ledger->messages = zeroed(count, sizeof *ledger->messages);
    ledger->seen = zeroed(count, 1);
    ledger->failed = zeroed(count, 1);
    ledger->lent = zeroed(count, sizeof *ledger->lent);
    ledger->last = zeroed(streams, sizeof *ledger->last);
    ledger->ssn = zeroed(streams, sizeof *ledger->ssn);
}

/* The engine that borrowed them is gone. */
static void take_back_lent(struct sim_ledger *ledger)
{
    for (uint32_t i = 0; i < ledger->count; i++) {
        free(ledger->lent[i]);
        ledger->lent[i] = NULL;
    }
}

void sim_ledger_fini(struct sim_ledger *ledger)
{
    take_back_lent(ledger);
    free(ledger->lent);
    free(ledger->failed);
    free(ledger->messages);
    free(ledger->seen);
    free(ledger->last);
    free(ledger->ssn);
    free(ledger->incarnations);
}

bool sim_ledger_arrived(const struct sim_ledger *ledger)
{
    return ledger->sent == ledger->count && ledger->fresh == ledger->count - ledger->first;
}

void sim_ledger_renew(struct sim_ledger *ledger)
{
    ledger->incarnation++;
    ledger->first = ledger->sent;
    ledger->fresh = 0;
    ledger->bytes_outstanding = 0;
}

/* The first message of an incarnation: what was being read is cut off, all streams begin anew. */
static void incarnation_begins(struct sim_ledger *ledger, uint16_t incarnation)
{
    ledger->incarnation_read = incarnation;
    ledger->open = 0;
    memset(ledger->ssn, 0, ledger->streams * sizeof *ledger->ssn);
}

static void message_begins(struct sim_world *world, struct sim_ledger *ledger,
                           const struct hws_rcvinfo *info)
{
    const struct sim_message *m = &ledger->messages[info->ppid];
    SIM_CHECK(world, !ledger->seen[info->ppid], "message %u is delivered twice", info->ppid);
    SIM_CHECK(world, ledger->failed[info->ppid] != FAILED_UNSENT,
              "message %u is delivered though it was never sent", info->ppid);
    SIM_CHECK(world, info->sid == m->sid, "message %u of stream %u comes on stream %u", info->ppid,
              m->sid, info->sid);
    bool unordered = (m->flags & HWS_SEND_UNORDERED) != 0;
    SIM_CHECK(world, unordered == ((info->flags & HWS_RECV_UNORDERED) != 0),
              "message %u has the wrong U bit", info->ppid);
    ledger->breaks = false;
    ledger->open = info->ppid + 1;
    ledger->open_bytes = 0;
    if (unordered || world->failed)
        return;
    SIM_CHECK(world, ledger->last[m->sid] < info->ppid + 1, "message %u comes out of order",
              info->ppid);
    SIM_CHECK(world, info->ssn == ledger->ssn[m->sid], "message %u has SSN %u instead of %u",
              info->ppid, info->ssn, ledger->ssn[m->sid]);
    ledger->last[m->sid] = info->ppid + 1;
    ledger->ssn[m->sid]++;
}

/* Another message comes before the end of the one that was being read. */
static void message_is_cut(struct sim_world *world, struct sim_ledger *ledger)
{
    uint16_t sid = ledger->messages[ledger->open - 1].sid;
    if (!ledger->breaks && ledger->cuts == 0)
        return;
    SIM_CHECK(world, ledger->cuts == 0 || ledger->cuts > 1 || sid == ledger->cut_sid,
              "message %u is cut off, of stream %u instead of %u", ledger->open - 1, sid,
              ledger->cut_sid);
    ledger->cuts -= ledger->cuts > 0;
    ledger->cuts_seen++;
    ledger->open = 0;
}

void sim_ledger_receive(struct sim_world *world, struct sim_ledger *ledger, const uint8_t *data,
                        size_t len, const struct hws_rcvinfo *info)
{
    SIM_CHECK(world, info->ppid < ledger->sent, "message %u was never sent", info->ppid);
    if (world->failed)
        return;
    uint16_t incarnation = ledger->incarnations[info->ppid];
    SIM_CHECK(world, incarnation >= ledger->incarnation_read,
              "message %u is of an earlier incarnation", info->ppid);
    if (incarnation > ledger->incarnation_read)
        incarnation_begins(ledger, incarnation);
    if (ledger->open != 0 && info->ppid != ledger->open - 1)
        message_is_cut(world, ledger);
    if (ledger->open == 0)
        message_begins(world, ledger, info);
    if (world->failed)
        return;
    const struct sim_message *m = &ledger->messages[ledger->open - 1];
    SIM_CHECK(world, info->ppid == ledger->open - 1, "a part of message %u within message %u",
              info->ppid, ledger->open - 1);
    SIM_CHECK(world, len <= m->len - ledger->open_bytes, "message %u is too long", info->ppid);
    if (world->failed)
        return;
    SIM_CHECK(world, memcmp(data, sim_message_bytes(m) + ledger->open_bytes, len) == 0,
              "message %u is altered", info->ppid);
    ledger->open_bytes += (uint32_t)len;
    ledger->bytes_delivered += len;
    bool fresh = info->ppid >= ledger->first;
    ledger->bytes_outstanding -= fresh ? len : 0;
    if ((info->flags & HWS_RECV_EOR) == 0)
        return;
    SIM_CHECK(world, ledger->open_bytes == m->len, "message %u ends after %u of %u bytes",
              info->ppid, ledger->open_bytes, m->len);
    ledger->seen[info->ppid] = 1;
    ledger->delivered++;
    ledger->fresh += fresh;
    ledger->open = 0;
}

uint32_t sim_ledger_fail(struct sim_world *world, struct sim_ledger *ledger,
                         const struct hws_failed *failed)
{
    uint32_t i = failed->ppid, len = 0;
    SIM_CHECK(world, i < ledger->sent, "message %u fails and was never sent", i);
    if (world->failed)
        return 0;
    const struct sim_message *m = &ledger->messages[i];
    SIM_CHECK(world, ledger->failed[i] == 0, "message %u fails twice", i);
    SIM_CHECK(world, failed->sent || !ledger->seen[i], "message %u came, but was not sent", i);
    SIM_CHECK(world,
              failed->sid == m->sid && failed->flags == m->flags && failed->context == m->context,
              "message %u fails with another's name", i);
    for (size_t k = 0; k < failed->iov_count && len + failed->iov[k].len <= m->len; k++) {
        SIM_CHECK(world,
                  memcmp(failed->iov[k].base, sim_message_bytes(m) + len, failed->iov[k].len) == 0,
                  "message %u fails with other bytes", i);
        len += (uint32_t)failed->iov[k].len;
    }
    SIM_CHECK(world, len == m->len && failed->len == len, "message %u fails with %u of %u bytes", i,
              failed->len, m->len);
    ledger->failed[i] = failed->sent ? FAILED_SENT : FAILED_UNSENT;
    ledger->failures++;
    return len;
}

bool sim_uses_family(unsigned families, const struct hws_addr *addr)
{
    unsigned bit = addr->family == HWS_FAMILY_IPV6 ? HWS_ENDPOINT_IPV6 : HWS_ENDPOINT_IPV4;
    return families == 0 || (families & bit) != 0;
}

static struct sim_world *world_of(const struct sim_end *end)
{
    return end->node->world;
}

static struct sim_end *other(const struct sim_end *end)
{
    return &end->flow->ends[end == &end->flow->ends[0] ? 1 : 0];
}

static void wake_sender(struct sim_world *world, void *ctx, uint32_t arg)
{
    (void)world, (void)arg;
    ((struct sim_end *)ctx)->send_waiting = false;
}

static void wake_reader(struct sim_world *world, void *ctx, uint32_t arg)
{
    (void)world, (void)arg;
    ((struct sim_end *)ctx)->read_waiting = false;
}

static void wake_nothing(struct sim_world *world, void *ctx, uint32_t arg)
{
    (void)world, (void)ctx, (void)arg;
}

static void end_wait(struct sim_end *end, uint32_t delay_us, sim_call *wake)
{
    sim_world_call(world_of(end), delay_us, end->node, wake, end, 0);
}

static bool in_trouble(const struct sim_end *end)
{
    uint64_t now_us = world_of(end)->now_us;
    return now_us >= end->flow->trouble_from_us && now_us < end->flow->trouble_until_us;
}

/* Whether the flow is coming to its end, so that nobody begins anew. */
static bool ending(const struct sim_flow *flow)
{
    for (uint32_t i = 0; i < 2; i++)
        if (flow->ends[i].shutdown_called || flow->ends[i].released)
            return true;
    return flow->aborted;
}

/* A late packet to an end that is gone already is answered with ABORT (8.4, 8), which may come
 * before the SHUTDOWN COMPLETE does. Nothing is lost by it. */
static bool expected_reason(const struct sim_end *end, int reason)
{
    bool cut_off = reason == HWS_E_RESET || reason == HWS_E_TIMEDOUT || reason == HWS_E_REFUSED ||
                   reason == HWS_E_UNREACH;
    return end->flow->aborted || reason == HWS_E_EOF || (cut_off && in_trouble(end)) ||
           (reason == HWS_E_RESET && other(end)->released);
}

/* Names no association, but is not free for a new one. */
#define NO_MORE_ASSOCS UINT64_MAX

/* The end is as it was before its first association. */
static void end_renew(struct sim_end *end)
{
    sim_ledger_renew(&end->ledger);
    end->assoc = 0;
    end->up = end->down = end->may_send = end->may_read = false;
    end->adaptation_told = end->reader.within = false;
}

/* The end has no association and will not get one. */
static void end_give_up(struct sim_end *end)
{
    end->flow->cut_short = true;
    end->released = true;
    end->assoc = NO_MORE_ASSOCS;
}

static void end_connect(struct sim_world *world, void *ctx, uint32_t arg)
{
    (void)arg;
    struct sim_end *end = ctx, *peer = other(end);
    if (end->assoc != 0 || end->endpoint == 0) /* the host is down: it connects when it is up */
        return;
    if (other(end)->released) { /* there is nobody to connect to any more */
        end_give_up(end);
        return;
    }
    bool all = end->config.remote_count == 0;
    int error = hws_assoc_connect(end->host->engine, end->endpoint,
                                  all ? peer->node->addrs : end->config.remotes,
                                  all ? peer->node->addr_count : end->config.remote_count,
                                  peer->config.port, world->now_us, &end->assoc);
    /* When both connect, the other's association may be there before. */
    SIM_CHECK(world, error == HWS_OK || (error == HWS_E_INUSE && peer->config.connects),
              "connect: %s", hws_error_text(error));
    end->host->changed = true;
    if (error != HWS_OK)
        return;
    end->connects++;
    end->may_send = true;
    sim_host_watch(end->host, end->assoc);
}

/* What an end of a flow does that has lost its association in time of trouble. */
static void end_go_on(struct sim_end *end, uint32_t connect_us)
{
    if (!ending(end->flow)) {
        end_renew(end);
        if (end->config.connects)
            sim_world_call(world_of(end), connect_us, end->node, end_connect, end, 0);
        return;
    }
    end_give_up(end);
    if (other(end)->assoc == 0)
        end_give_up(other(end));
}

/* What the application ended itself, it was told of to the byte: all that was not acknowledged, in
 * whole messages, of which the first may have been acknowledged in part. */
static void check_abandoned(struct sim_end *end, uint64_t bytes, uint32_t first)
{
    if (!end->abandoned.known)
        return;
    end->abandoned.known = false;
    uint32_t unacked = end->abandoned.unacked_bytes;
    SIM_CHECK(world_of(end), bytes >= unacked && bytes - unacked < first + (first == 0),
              "%llu bytes failed of %u not acknowledged", (unsigned long long)bytes, unacked);
}

static void end_take_failed(struct sim_end *end, int reason)
{
    struct hws_failed failed;
    uint32_t last = 0, first = 0, before = end->ledger.failures;
    uint64_t bytes = 0;
    bool in_order =
        end->config.params.sched == NULL || strcmp(end->config.params.sched, "fcfs") == 0;
    while (!world_of(end)->failed &&
           hws_assoc_failed(end->host->engine, end->assoc, &failed) == HWS_OK) {
        uint32_t len = sim_ledger_fail(world_of(end), &end->ledger, &failed);
        SIM_CHECK(world_of(end), failed.reason == reason, "message %u failed: %s", failed.ppid,
                  hws_error_text(failed.reason));
        SIM_CHECK(world_of(end), !in_order || bytes == 0 || failed.ppid > last,
                  "message %u fails after message %u", failed.ppid, last);
        first = bytes == 0 ? len : first;
        last = failed.ppid;
        bytes += len;
    }
    SIM_CHECK(world_of(end), reason != HWS_E_EOF || end->ledger.failures == before,
              "messages fail at a graceful end");
    if (end->config.params.keep_failed)
        check_abandoned(end, bytes, first);
}

static void end_over(struct sim_end *end, int reason)
{
    end_take_failed(end, reason);
    SIM_CHECK(world_of(end), expected_reason(end, reason), "the association ended: %s",
              hws_error_text(reason));
    sim_host_unwatch(end->host, end->assoc);
    int error = hws_assoc_release(end->host->engine, end->assoc, world_of(end)->now_us);
    SIM_CHECK(world_of(end), error == HWS_OK, "release: %s", hws_error_text(error));
    end->host->changed = true;
    sim_read_give_back(end); /* it outlives the association */
    if (!in_trouble(end) || reason == HWS_E_EOF) {
        end->released = true;
        return;
    }
    struct sim_app *app = end->host->app;
    bool aborted = reason == HWS_E_RESET || reason == HWS_E_REFUSED;
    app->lost_by_abort += aborted;
    app->lost_by_silence += !aborted;
    end_go_on(end, sim_rng_scale(&end->host->rng, 0, RECONNECT_MAX_US));
}

/* Reads until there is no more, or the quota is used up. */
static void end_read(struct sim_end *end)
{
    static uint8_t buffer[SIM_READ_MAX];
    bool slow = end->config.read_period_us != 0 && !end->down;
    uint64_t quota = slow ? end->config.read_quota : UINT64_MAX;
    for (uint64_t bytes = 0; bytes < quota && !world_of(end)->failed;) {
        size_t len = 0;
        struct hws_rcvinfo info = {0};
        int error = sim_read(end, buffer, &len, &info);
        if (error == HWS_E_AGAIN) {
            end->may_read = false;
            sim_read_give_back(end); /* or nothing more would come */
            return;
        }
        if (error != HWS_OK) {
            SIM_CHECK(world_of(end), end->down, "recv before DOWN: %s", hws_error_text(error));
            end_over(end, error);
            return;
        }
        end->host->changed = true;
        sim_ledger_receive(world_of(end), &other(end)->ledger, buffer, len, &info);
        bytes += len;
    }
}

static uint8_t draw_path(struct sim_end *end)
{
    struct hws_assoc_status s;
    if (hws_assoc_status(end->host->engine, end->assoc, &s) != HWS_OK)
        return 0;
    return (uint8_t)(1 + sim_rng_below(&end->host->rng, s.path_count));
}

/* In two pieces, so that gathering is tried as well. */
static void in_pieces(const struct sim_message *m, const uint8_t *bytes, struct hws_iovec iov[2])
{
    size_t first = m->len / 3;
    iov[0] = (struct hws_iovec){bytes, first};
    iov[1] = (struct hws_iovec){bytes + first, m->len - first};
}

static int give(struct sim_end *end, const struct hws_sndinfo *info)
{
    const struct sim_message *m = &end->ledger.messages[info->ppid];
    struct hws_iovec iov[2];
    in_pieces(m, sim_message_bytes(m), iov);
    return hws_assoc_send(end->host->engine, end->assoc, info, iov, 2, world_of(end)->now_us);
}

/* Lends a copy of its own, so that a memory checker sees who reads it after it was given back. */
static int lend(struct sim_end *end, const struct hws_sndinfo *info)
{
    const struct sim_message *m = &end->ledger.messages[info->ppid];
    uint8_t **slot = &end->ledger.lent[info->ppid];
    struct hws_iovec iov[2];
    *slot = zeroed(m->len, 1);
    memcpy(*slot, sim_message_bytes(m), m->len);
    in_pieces(m, *slot, iov);
    int error = hws_assoc_send_lent(end->host->engine, end->assoc, info, iov, 2, slot,
                                    world_of(end)->now_us);
    if (error != HWS_OK) {
        free(*slot);
        *slot = NULL;
    }
    return error;
}

static void take_lent(struct sim_host *host)
{
    void *handle;
    while (hws_engine_lent_done(host->engine, &handle)) {
        uint8_t **slot = handle;
        SIM_CHECK(host->node.world, *slot != NULL, "lent bytes come back twice");
        free(*slot);
        *slot = NULL;
    }
}

/* Either way packets arrive, and the peer answers in kind. */
static void switch_encapsulation(struct sim_end *end)
{
    uint32_t index = draw_path(end) - 1u;
    bool udp = sim_rng_below(&end->host->rng, 2) == 0;
    if (hws_path_set_encapsulation(end->host->engine, end->assoc, index, udp ? SIM_UDP_PORT : 0) ==
        HWS_OK)
        end->host->changed = true;
}

static bool send_one(struct sim_end *end)
{
    if (sim_rng_chance(&end->host->rng, end->config.switch_ppm))
        switch_encapsulation(end);
    struct sim_ledger *l = &end->ledger;
    const struct sim_message *m = &l->messages[l->sent];
    struct hws_sndinfo info = {.sid = m->sid,
                               .flags = m->flags,
                               .ppid = l->sent,
                               .context = m->context,
                               .path = m->overrides ? draw_path(end) : 0};
    int error = m->lent ? lend(end, &info) : give(end, &info);
    if (error == HWS_E_AGAIN) {
        end->may_send = false;
        return false;
    }
    if (error != HWS_OK) {
        /* Data that nothing could carry for so long: what is left cannot be sent any more. */
        end->flow->cut_short |= end->flow->ending == SIM_END_IDLE && error == HWS_E_SHUTDOWN;
        SIM_CHECK(world_of(end), end->flow->aborted || end->flow->cut_short, "send: %s",
                  hws_error_text(error));
        l->sent = l->count;
        return false;
    }
    l->incarnations[l->sent++] = l->incarnation;
    l->bytes_outstanding += m->len;
    end->host->changed = true;
    return true;
}

static void end_send(struct sim_end *end)
{
    struct sim_ledger *l = &end->ledger;
    while (l->sent < l->count && !end->send_waiting && send_one(end)) {
        if (end->config.send_gap_us == 0)
            continue;
        end->send_waiting = true;
        end_wait(end, end->config.send_gap_us, wake_sender);
    }
}

/* An early SHUTDOWN finds data under way in both directions; but not more than T5-shutdown-guard
 * (9.2) leaves time for. */
bool sim_end_may_shut_down(const struct sim_end *end)
{
    const struct sim_ledger *own = &end->ledger, *theirs = &other(end)->ledger;
    if (own->sent != own->count || theirs->sent != theirs->count)
        return false;
    if (end->flow->ending == SIM_END_EARLY)
        return theirs->bytes_outstanding <= EARLY_BYTES_MAX;
    return sim_ledger_arrived(own) && sim_ledger_arrived(theirs);
}

static void end_shutdown(struct sim_end *end)
{
    if (!end->up || end->shutdown_called || !end->config.shuts_down || !sim_end_may_shut_down(end))
        return;
    int error = hws_assoc_shutdown(end->host->engine, end->assoc, world_of(end)->now_us);
    bool expected = error == HWS_OK || error == HWS_E_SHUTDOWN || end->flow->aborted;
    SIM_CHECK(world_of(end), expected, "shutdown: %s", hws_error_text(error));
    end->shutdown_called = true;
    end->host->changed = true;
}

/* What one end does may allow the other one to shut down. */
static void tell_other(struct sim_end *end)
{
    struct sim_end *peer = other(end);
    bool waits = peer->up && !peer->down && peer->config.shuts_down && !peer->shutdown_called;
    if (waits && sim_end_may_shut_down(peer))
        end_wait(peer, 0, wake_nothing);
}

static void end_read_turn(struct sim_end *end)
{
    if (!end->down && (!end->may_read || end->read_waiting))
        return;
    end_read(end);
    if (end->released || !end->may_read || end->config.read_period_us == 0)
        return;
    end->read_waiting = true;
    end_wait(end, end->config.read_period_us, wake_reader);
}

static void end_turn(struct sim_end *end)
{
    if (end->assoc == 0 || end->released)
        return;
    end_read_turn(end);
    if (end->released)
        return;
    if (!end->down) {
        if (end->may_send)
            end_send(end);
        end_shutdown(end);
    }
    tell_other(end);
}

static void app_turn(struct sim_host *host)
{
    struct sim_app *app = host->app;
    for (uint32_t i = 0; i < app->end_count && !host->node.world->failed; i++)
        end_turn(app->ends[i]);
    take_lent(host);
}

static struct sim_end *find_end(struct sim_host *host, hws_assoc_id id)
{
    struct sim_app *app = host->app;
    for (uint32_t i = 0; i < app->end_count; i++)
        if (app->ends[i]->assoc == id)
            return app->ends[i];
    return NULL;
}

/* The end that waits for an association between these ports. */
static struct sim_end *find_waiting(struct sim_host *host, hws_assoc_id id)
{
    struct sim_app *app = host->app;
    struct hws_assoc_status s;
    if (hws_assoc_status(host->engine, id, &s) != HWS_OK)
        return NULL;
    for (uint32_t i = 0; i < app->end_count; i++) {
        struct sim_end *end = app->ends[i];
        if (end->assoc == 0 && end->config.port == s.local_port &&
            other(end)->config.port == s.remote_port)
            return end;
    }
    return NULL;
}

/* A COOKIE ECHO that comes again after the association is over makes a new one while the cookie
 * lives (5.1.5): nobody here wants it. */
static void refuse(struct sim_host *host, hws_assoc_id id)
{
    struct sim_app *app = host->app;
    app->strangers++;
    host->changed = true;
    hws_assoc_abort(host->engine, id, NULL, 0, host->node.world->now_us);
    hws_assoc_release(host->engine, id, host->node.world->now_us);
}

static void app_up(struct sim_host *host, const struct hws_event *event)
{
    struct sim_end *end = find_end(host, event->assoc);
    if (end == NULL)
        end = find_waiting(host, event->assoc);
    if (end == NULL) {
        refuse(host, event->assoc);
        return;
    }
    SIM_CHECK(host->node.world, !end->up, "UP twice");
    if (end->assoc == 0)
        sim_host_watch(host, event->assoc);
    end->assoc = event->assoc;
    end->up = end->may_send = true;
}

/* The peer has restarted (5.2.4 A): what was sent to it may be lost. */
static void app_restart(struct sim_end *end)
{
    SIM_CHECK(world_of(end), in_trouble(end), "nobody restarted");
    SIM_CHECK(world_of(end), end->restarts_told < other(end)->connects,
              "more restarts than the other end has connected");
    end->restarts_told++;
    other(end)->ledger.breaks = true;
    end_take_failed(end, HWS_E_RESET);
    sim_ledger_renew(&end->ledger);
    end->may_send = true;
}

/* RFC 5061, 4.2.6: what the peer's endpoint says is told, before anything else of it. */
static void check_adaptation(struct sim_end *end, const struct hws_event *event)
{
    const struct hws_params *peer = &other(end)->config.params;
    if (event->type == HWS_EVENT_ADAPTATION) {
        SIM_CHECK(world_of(end),
                  peer->adaptation && event->indication == peer->adaptation_indication,
                  "adaptation layer indication %u", event->indication);
        end->adaptation_told = true;
    }
    SIM_CHECK(world_of(end),
              event->type != HWS_EVENT_READABLE || end->adaptation_told == peer->adaptation,
              "data before the adaptation layer indication");
}

/* A message in parts will not be completed. */
static void app_cut(struct sim_end *end, const struct hws_event *event)
{
    struct sim_ledger *l = &other(end)->ledger;
    SIM_CHECK(world_of(end), event->sid < l->streams, "a message in parts of stream %u",
              event->sid);
    l->cuts++;
    l->cut_sid = event->sid;
}

static void app_event(struct sim_host *host, const struct hws_event *event)
{
    ((struct sim_app *)host->app)->events[event->type]++;
    if (event->type == HWS_EVENT_UP) {
        app_up(host, event);
        return;
    }
    struct sim_end *end = find_end(host, event->assoc);
    if (end == NULL || event->type == HWS_EVENT_PATH_NEW)
        return;
    bool own_abort = end->flow->aborted && event->type >= HWS_EVENT_READABLE;
    SIM_CHECK(host->node.world, !end->released && (!end->down || own_abort),
              "event %d after the end", (int)event->type);
    check_adaptation(end, event);
    if (event->type == HWS_EVENT_RESTART)
        app_restart(end);
    if (event->type == HWS_EVENT_PARTIAL_ABORTED)
        app_cut(end, event);
    if (event->type == HWS_EVENT_READABLE)
        end->may_read = true;
    else if (event->type == HWS_EVENT_WRITABLE)
        end->may_send = true;
    else if (event->type == HWS_EVENT_DOWN)
        end->down = true;
}

void sim_app_attach(struct sim_app *app, struct sim_host *host)
{
    *app = (struct sim_app){0};
    host->app = app;
    host->on_event = app_event;
    host->on_turn = app_turn;
}

static uint32_t take_used(const struct hws_addr *addrs, uint32_t count, unsigned families,
                          struct hws_addr out[])
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++)
        if (sim_uses_family(families, &addrs[i]))
            out[used++] = addrs[i];
    return used;
}

/* All addresses that the node says are its own, of the families that the end uses. */
static uint32_t named_addrs(const struct sim_node *node, unsigned families, struct hws_addr out[])
{
    uint32_t count = take_used(node->addrs, node->addr_count, families, out);
    return count + take_used(node->false_addrs, node->false_addr_count, families, out + count);
}

/* Those its endpoint has now. */
static uint32_t local_addrs(const struct sim_end *end, struct hws_addr out[])
{
    uint32_t count = named_addrs(end->node, end->config.families, out);
    bool few = end->config.few_locals > 0 && world_of(end)->now_us < end->config.all_locals_us;
    return few && end->config.few_locals < count ? end->config.few_locals : count;
}

static void end_set_locals(struct sim_world *world, void *ctx, uint32_t arg)
{
    (void)arg;
    struct sim_end *end = ctx;
    struct hws_addr locals[2 * SIM_NODE_ADDRS_MAX];
    if (end->endpoint == 0) /* the host is down: they are what it comes up with */
        return;
    int error =
        hws_endpoint_set_locals(end->host->engine, end->endpoint, locals, local_addrs(end, locals));
    SIM_CHECK(world, error == HWS_OK, "addresses of the endpoint: %s", hws_error_text(error));
}

/* Ends on one host may share a port, and then an endpoint. */
static hws_endpoint_id endpoint_of(struct sim_host *host, const struct sim_end *end)
{
    struct sim_app *app = host->app;
    for (uint32_t i = 0; i < app->end_count; i++)
        if (app->ends[i]->config.port == end->config.port && app->ends[i]->endpoint != 0)
            return app->ends[i]->endpoint;
    struct hws_addr locals[2 * SIM_NODE_ADDRS_MAX];
    uint32_t count = local_addrs(end, locals);
    if (host->config.any_local)
        hws_engine_set_host_addresses(host->engine, locals, count);
    struct hws_endpoint_config config = {.port = end->config.port,
                                         .locals = locals,
                                         .local_count = host->config.any_local ? 0 : count,
                                         .host_addresses = host->config.any_local,
                                         .families = end->config.families,
                                         .listening = end->config.listens,
                                         .reuse = end->config.shared,
                                         .params = &end->config.params};
    hws_endpoint_id id = 0;
    for (uint32_t i = 0; i < (end->config.shared ? 3u : 1u); i++) {
        int error = hws_endpoint_new(host->engine, &config, &id);
        SIM_CHECK(host->node.world, error == HWS_OK, "endpoint: %s", hws_error_text(error));
    }
    return id;
}

void sim_app_add(struct sim_host *host, struct sim_end *end)
{
    struct sim_app *app = host->app;
    end->host = host;
    end->node = &host->node;
    end->endpoint = endpoint_of(host, end);
    app->ends[app->end_count++] = end;
}

/* Those of ends that are over, too: a port without an endpoint would not answer strays (8.4). */
static void app_open(struct sim_world *world, void *ctx, uint32_t arg)
{
    (void)world, (void)arg;
    struct sim_host *host = ctx;
    struct sim_app *app = host->app;
    for (uint32_t i = 0; i < app->end_count; i++)
        app->ends[i]->endpoint = endpoint_of(host, app->ends[i]);
}

void sim_app_restart(struct sim_host *host, uint32_t down_us, uint32_t connect_us)
{
    struct sim_app *app = host->app;
    sim_host_restart(host);
    sim_world_call(host->node.world, down_us, &host->node, app_open, host, 0);
    for (uint32_t i = 0; i < app->end_count; i++) {
        struct sim_end *end = app->ends[i];
        end->endpoint = 0;
        end->abandoned.known = false;
        take_back_lent(&end->ledger);
        end->reader = (struct sim_reader){0};
        if (end->released)
            end->assoc = NO_MORE_ASSOCS;
        else
            end_go_on(end, down_us + connect_us);
    }
}

static void flow_abort(struct sim_world *world, void *ctx, uint32_t arg)
{
    struct sim_flow *flow = ctx;
    struct sim_end *end = &flow->ends[flow->abort_end];
    if (end->down || other(end)->down)
        return;
    if (!end->up || !other(end)->up) {
        sim_world_call(world, 1000000, NULL, flow_abort, flow, arg);
        return;
    }
    struct hws_assoc_status status = {0};
    (void)hws_assoc_status(end->host->engine, end->assoc, &status);
    int error = hws_assoc_abort(end->host->engine, end->assoc, "enough", 6, world->now_us);
    if (error == HWS_E_NOENT && in_trouble(end)) { /* it has ended, and DOWN is on its way */
        sim_world_call(world, 1000000, NULL, flow_abort, flow, arg);
        return;
    }
    flow->aborted = true;
    end->abandoned = (struct sim_abandoned){.known = true, .unacked_bytes = status.unacked_bytes};
    SIM_CHECK(world, error == HWS_OK, "abort: %s", hws_error_text(error));
    end->down = true;
    end->host->changed = true;
    sim_world_call(world, 0, &end->host->node, wake_nothing, NULL, 0);
}

void sim_flow_start(struct sim_flow *flow)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct sim_end *end = &flow->ends[i];
        if (end->config.connects && end->host != NULL)
            sim_world_call(world_of(end), end->config.connect_at_us, end->node, end_connect, end,
                           0);
        if (end->config.few_locals > 0)
            sim_world_call(world_of(end), end->config.all_locals_us - world_of(end)->now_us,
                           end->node, end_set_locals, end, 0);
    }
    if (flow->ending == SIM_END_ABORT)
        sim_world_call(world_of(&flow->ends[0]), flow->abort_at_us, NULL, flow_abort, flow, 0);
}

bool sim_flow_done(const struct sim_flow *flow)
{
    return flow->ends[0].released && flow->ends[1].released;
}
