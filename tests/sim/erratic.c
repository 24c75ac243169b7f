#include "tests/sim/erratic.h"

/* What is drawn follows from what an object has been told, so that runs repeat. */
static uint64_t draw(uint64_t *random, uint64_t told)
{
    *random = (*random ^ told) * 0x9e3779b97f4a7c15u + 1;
    *random ^= *random >> 29;
    return *random >> 16;
}

/* ---- Congestion control ---- */

struct cc {
    uint64_t random;
    uint64_t rate;
    uint32_t cwnd_bytes, pmdcs_bytes;
};

static void cc_draw(struct cc *s, uint64_t told)
{
    uint64_t r = draw(&s->random, told);
    const uint32_t windows[] = {0, 1, s->pmdcs_bytes, 10 * s->pmdcs_bytes, 1u << 18, UINT32_MAX};
    const uint64_t rates[] = {0, 0, 0, 100000, 10000000, UINT64_MAX};
    s->cwnd_bytes = windows[r % 6];
    s->rate = rates[r / 6 % 6];
    if (r / 36 % 64 == 0 && s->pmdcs_bytes < 2000)
        s->rate = 1;
}

static void cc_init(void *state, const struct hws_cc_config *config)
{
    struct cc *s = state;
    s->pmdcs_bytes = config->pmdcs_bytes;
    cc_draw(s, config->pmdcs_bytes);
}

static void cc_ack(void *state, const struct hws_cc_ack *ack)
{
    cc_draw(state, ack->now_us);
}

static void cc_lost(void *state, uint64_t now_us, uint32_t flight_bytes)
{
    cc_draw(state, now_us + flight_bytes);
}

static uint32_t cc_cwnd(const void *state)
{
    return ((const struct cc *)state)->cwnd_bytes;
}

static uint64_t cc_rate(const void *state)
{
    return ((const struct cc *)state)->rate;
}

static const struct hws_cc_ops cc_ops = {
    .name = SIM_ERRATIC,
    .state_size = sizeof(struct cc),
    .init = cc_init,
    .ack = cc_ack,
    .loss = cc_lost,
    .timeout = cc_lost,
    .cwnd = cc_cwnd,
    .pacing = cc_rate,
};

/* ---- Stream scheduler ---- */

#define LATEST 16u

struct sched {
    uint64_t random;
    uint16_t latest[LATEST]; /* streams that became ready, some of which still are */
};

static void sched_ready(void *state, void *stream, const struct hws_sched_message *head)
{
    struct sched *s = state;
    uint64_t r = draw(&s->random, head->order_us + head->len);
    s->latest[r % LATEST] = head->sid;
    *(uint64_t *)stream = r;
}

static uint32_t sched_next(void *state)
{
    struct sched *s = state;
    uint64_t r = draw(&s->random, 0);
    return r % 8 == 0 ? (uint32_t)(r / 8) : s->latest[r / 8 % LATEST];
}

static void sched_sent(void *state, void *stream, uint32_t bytes)
{
    struct sched *s = state;
    (void)draw(&s->random, *(uint64_t *)stream + bytes);
}

static const struct hws_sched_ops sched_ops = {
    .name = SIM_ERRATIC,
    .state_size = sizeof(struct sched),
    .stream_size = sizeof(uint64_t),
    .ready = sched_ready,
    .next = sched_next,
    .sent = sched_sent,
};

/* ---- Path selector ---- */

static bool pathsel_pick(void *state, const struct hws_pathsel_args *args,
                         struct hws_pathsel_choice *choice)
{
    uint64_t r = draw(state, args->now_us + args->chunk.age_us);
    choice->path = (uint8_t)(r % 16 == 0 ? r / 16 : r / 16 % args->path_count);
    if (r / 256 % 3 == 0)
        choice->copies = (uint8_t)(r / 1024);
    return r / (1u << 20) % 8 != 0;
}

static const struct hws_pathsel_ops pathsel_ops = {
    .name = SIM_ERRATIC,
    .state_size = sizeof(uint64_t),
    .pick = pathsel_pick,
};

static const struct hws_cc_ops *const ccs[] = {&cc_ops, NULL};
static const struct hws_sched_ops *const scheds[] = {&sched_ops, NULL};
static const struct hws_pathsel_ops *const pathsels[] = {&pathsel_ops, NULL};

const struct hws_extension sim_erratic = {
    .api = HWS_EXTEND_API,
    .name = SIM_ERRATIC,
    .ccs = ccs,
    .scheds = scheds,
    .pathsels = pathsels,
};
