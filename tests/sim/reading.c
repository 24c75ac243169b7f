#include "tests/sim/reading.h"

#include <string.h>

#include "tests/sim/flow.h"

static struct sim_world *world_of(const struct sim_end *end)
{
    return end->node->world;
}

static int read_copy(struct sim_end *end, uint8_t *out, size_t *len, struct hws_rcvinfo *info)
{
    int error = hws_assoc_recv(end->host->engine, end->assoc, out, end->config.read_bytes, len,
                               info, world_of(end)->now_us);
    SIM_CHECK(world_of(end), error != HWS_OK || (*len != 0 && *len <= end->config.read_bytes),
              "recv gave %zu bytes", *len);
    return error;
}

/* What is to come next is told before, and again when it is peeked at. */
static void check_foreseen(struct sim_end *end, const struct hws_next *next, size_t len,
                           const struct hws_rcvinfo *info)
{
    bool same = next->info.tsn == info->tsn && next->info.ppid == info->ppid &&
                next->info.sid == info->sid && next->info.ssn == info->ssn;
    bool ends = (info->flags & HWS_RECV_EOR) != 0;
    SIM_CHECK(world_of(end), same, "message %u was next, %u came", next->info.ppid, info->ppid);
    SIM_CHECK(world_of(end), len <= next->len && (!ends || (next->whole && len == next->len)),
              "%u bytes were next, %zu came", next->len, len);
}

static bool same_info(const struct hws_rcvinfo *a, const struct hws_rcvinfo *b)
{
    return a->sid == b->sid && a->ssn == b->ssn && a->flags == b->flags && a->ppid == b->ppid &&
           a->tsn == b->tsn && a->rx_time_us == b->rx_time_us;
}

static int read_peek(struct sim_end *end, uint8_t *out, size_t *len, struct hws_rcvinfo *info)
{
    static uint8_t peeked[SIM_READ_MAX];
    struct hws_engine *engine = end->host->engine;
    struct hws_next next = {0};
    struct hws_rcvinfo peeked_info = {0};
    size_t peeked_len = 0;
    bool foreseen = hws_assoc_next(engine, end->assoc, &next) == HWS_OK && !end->reader.within;
    int peek_error = hws_assoc_peek(engine, end->assoc, peeked, end->config.read_bytes, &peeked_len,
                                    &peeked_info, world_of(end)->now_us);
    int error = read_copy(end, out, len, info);
    SIM_CHECK(world_of(end), peek_error == error, "peek: %s, recv: %s", hws_error_text(peek_error),
              hws_error_text(error));
    if (error != HWS_OK || world_of(end)->failed)
        return error;
    SIM_CHECK(world_of(end), peeked_len == *len && memcmp(peeked, out, *len) == 0,
              "peek gave other bytes than recv");
    SIM_CHECK(world_of(end), same_info(&peeked_info, info), "peek gave another message than recv");
    if (foreseen)
        check_foreseen(end, &next, *len, info);
    return error;
}

/* ---- Views ---- */

static uint64_t sum_of(const struct hws_recv_view *view)
{
    uint64_t sum = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < view->iov_count; i++)
        for (size_t k = 0; k < view->iov[i].len; k++)
            sum = (sum ^ ((const uint8_t *)view->iov[i].base)[k]) * 1099511628211u;
    return sum;
}

static void give_back_one(struct sim_end *end)
{
    struct sim_reader *r = &end->reader;
    uint32_t i = sim_rng_below(&end->host->rng, r->view_count);
    SIM_CHECK(world_of(end), sum_of(&r->views[i]) == r->sums[i], "lent bytes have changed");
    hws_recv_view_release(end->host->engine, &r->views[i]);
    r->view_count--;
    r->views[i] = r->views[r->view_count];
    r->sums[i] = r->sums[r->view_count];
    end->host->changed = true;
}

void sim_read_give_back(struct sim_end *end)
{
    while (end->reader.view_count > 0)
        give_back_one(end);
}

static int read_view(struct sim_end *end, uint8_t *out, size_t *len, struct hws_rcvinfo *info)
{
    struct sim_reader *r = &end->reader;
    if (r->view_count == SIM_VIEWS_MAX)
        give_back_one(end);
    struct hws_recv_view *view = &r->views[r->view_count];
    int error = hws_assoc_recv_view(end->host->engine, end->assoc, view);
    if (error != HWS_OK)
        return error;
    *len = 0;
    for (size_t i = 0; i < view->iov_count; i++) {
        memcpy(out + *len, view->iov[i].base, view->iov[i].len);
        *len += view->iov[i].len;
    }
    SIM_CHECK(world_of(end), *len == view->len && *len != 0, "a view of %zu bytes has %zu",
              view->len, *len);
    *info = view->info;
    r->sums[r->view_count++] = sum_of(view);
    return HWS_OK;
}

/* ---- All ways ---- */

/* Every message that became ready has been taken, but for the one that is being read. */
static void check_all_taken(struct sim_end *end)
{
    struct hws_assoc_status s = {0};
    (void)hws_assoc_status(end->host->engine, end->assoc, &s);
    SIM_CHECK(world_of(end), s.messages_ready - s.messages_taken <= end->reader.within,
              "nothing to read, but %llu messages taken of %llu",
              (unsigned long long)s.messages_taken, (unsigned long long)s.messages_ready);
}

int sim_read(struct sim_end *end, uint8_t *out, size_t *len, struct hws_rcvinfo *info)
{
    static int (*const ways[SIM_READINGS])(struct sim_end *, uint8_t *, size_t *,
                                           struct hws_rcvinfo *) = {
        [SIM_READ_COPY] = read_copy, [SIM_READ_PEEK] = read_peek, [SIM_READ_VIEW] = read_view};
    int error = ways[end->config.reading](end, out, len, info);
    if (error == HWS_OK)
        end->reader.within = (info->flags & HWS_RECV_EOR) == 0;
    else
        check_all_taken(end);
    return error;
}
