/* hawser in memory: two engines with default parameters, each driven as a runtime drives it (batch
 * of input, events, output) over the memory link, whose trains arrive as packets of one buffer.
 * Either the clock runs, or time is virtual and random numbers come from a seed: then every run
 * does exactly the same. */
#include "api/runtime/driver.h"
#include "api/runtime/env.h"
#include "bench/mem.h"

#define PORT 5001u
/* What a turn takes of virtual time: about as long as it does on the machines we measure on. */
#define VIRTUAL_TURN_US 20u

struct end {
    struct hws_env env;
    struct hws_driver driver;
    hws_assoc_id assoc;
    bool ready; /* source: room to send; sink: something to read */
    bool up;
    bool failed;
    const struct bench_row *row;
    struct bench_mem_text *text;
    size_t part_bytes; /* received of the message that has not ended */
    uint64_t now_us;
};

struct pair {
    struct end source, sink;
    bool repeatable; /* time is virtual, random numbers are seeded */
};

static uint64_t seed; /* of a repeatable run */

static void seeded_random(void *ctx, void *out, size_t len)
{
    (void)ctx;
    for (uint8_t *at = out; len > 0; at++, len--) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        *at = (uint8_t)(seed >> 56);
    }
}

static void on_event(void *arg, const struct hws_event *event, uint64_t now_us)
{
    struct end *end = arg;
    (void)now_us;
    if (event->type == HWS_EVENT_UP) {
        end->assoc = event->assoc;
        end->up = end->ready = true;
    } else if (event->type == HWS_EVENT_READABLE || event->type == HWS_EVENT_WRITABLE) {
        end->ready = true;
    } else if (event->type == HWS_EVENT_DOWN) {
        end->failed = true;
    }
}

static bool send_all(void *arg)
{
    struct end *end = arg;
    const struct hws_sndinfo info = {.sid = 0};
    bool any = false;
    while (end->ready) {
        struct hws_iovec iov = {bench_mem_next(end->text), end->row->message_bytes};
        int rc = hws_assoc_send(end->driver.engine, end->assoc, &info, &iov, 1, end->now_us);
        end->ready = rc == HWS_OK;
        end->text->sent += rc == HWS_OK;
        end->failed |= rc != HWS_OK && rc != HWS_E_AGAIN;
        any |= rc == HWS_OK;
    }
    return any;
}

/* A message may come in parts: they are put together. */
static bool receive_part(struct end *end)
{
    static uint8_t buffer[BENCH_MEM_MESSAGE_MAX];
    struct hws_rcvinfo info;
    size_t len;
    int rc = hws_assoc_recv(end->driver.engine, end->assoc, buffer + end->part_bytes,
                            sizeof buffer - end->part_bytes, &len, &info, end->now_us);
    end->failed |= rc != HWS_OK && rc != HWS_E_AGAIN;
    if (rc != HWS_OK)
        return false;
    end->part_bytes += len;
    if ((info.flags & HWS_RECV_EOR) != 0) {
        end->failed |= !bench_mem_check(end->text, end->row, buffer, end->part_bytes);
        end->part_bytes = 0;
    }
    return true;
}

static bool receive_all(void *arg)
{
    struct end *end = arg;
    bool any = false;
    while (end->ready) {
        end->ready = receive_part(end);
        any |= end->ready;
    }
    return any;
}

static bool turn_end(struct end *end, bool repeatable)
{
    end->now_us = repeatable ? end->now_us + VIRTUAL_TURN_US : hws_env_now_us();
    hws_driver_input(&end->driver, end->now_us);
    hws_driver_run(&end->driver, end->now_us);
    return !end->failed;
}

static bool turn(void *arg)
{
    struct pair *pair = arg;
    return turn_end(&pair->source, pair->repeatable) && turn_end(&pair->sink, pair->repeatable);
}

static void counters(void *arg, struct bench_round *sum)
{
    struct pair *pair = arg;
    const struct hws_stats *out = hws_engine_stats(pair->source.driver.engine);
    const struct hws_link *link = pair->source.driver.link;
    sum->messages = pair->sink.text->received;
    sum->packets = out->packets_out;
    sum->trains = link->ops->stats(pair->source.driver.link)->tx_calls;
    sum->sacks = hws_engine_stats(pair->sink.driver.engine)->sacks_out;
    sum->retransmits = out->retransmits;
    sum->timeouts = out->timeouts_t3;
}

static bool open_end(struct end *end, struct hws_link *link, bool (*dispatch)(void *arg),
                     bool repeatable)
{
    if (hws_env_init(&end->env) != 0)
        return false;
    if (repeatable)
        end->env.random = seeded_random;
    const struct hws_engine_config config = {.env = end->env};
    end->driver = (struct hws_driver){
        .engine = hws_engine_new(&config),
        .link = link,
        .host = {.arg = end, .event = on_event, .dispatch = dispatch},
    };
    end->now_us = repeatable ? VIRTUAL_TURN_US : hws_env_now_us();
    return end->driver.engine != NULL;
}

static bool connect_ends(struct pair *pair)
{
    const struct hws_endpoint_config listening = {.port = PORT, .listening = true};
    const struct hws_endpoint_config connecting = {.port = 0};
    const struct hws_addr sink_addr = {.family = HWS_FAMILY_IPV4, .ip = {192, 0, 2, 2}};
    struct hws_engine *source = pair->source.driver.engine;
    hws_endpoint_id endpoint;
    if (hws_endpoint_new(pair->sink.driver.engine, &listening, &endpoint) != HWS_OK ||
        hws_endpoint_new(source, &connecting, &endpoint) != HWS_OK ||
        hws_assoc_connect(source, endpoint, &sink_addr, 1, PORT, pair->source.now_us,
                          &pair->source.assoc) != HWS_OK)
        return false;
    while (!pair->source.up || !pair->sink.up) {
        if (!turn(pair))
            return false;
    }
    return true;
}

static void close_end(struct end *end)
{
    hws_engine_free(end->driver.engine);
    end->driver.link->ops->close(end->driver.link);
    hws_env_fini(&end->env);
}

static bool open_pair(struct pair *pair, const struct bench_row *row, bool repeatable)
{
    static struct bench_mem_text text;
    struct hws_link *a, *b;
    *pair = (struct pair){.source = {.row = row, .text = &text},
                          .sink = {.row = row, .text = &text},
                          .repeatable = repeatable};
    return hws_link_memory_pair(BENCH_MEM_MTU, &a, &b) == 0 &&
           open_end(&pair->source, a, send_all, repeatable) &&
           open_end(&pair->sink, b, receive_all, repeatable) && connect_ends(pair);
}

static void close_pair(struct pair *pair)
{
    close_end(&pair->source);
    close_end(&pair->sink);
}

bool bench_mem_hawser(const struct bench_row *row, double seconds, struct bench_round *round)
{
    struct pair pair;
    if (!open_pair(&pair, row, false))
        return false;
    bool good = bench_mem_clock(row, seconds, round, turn, counters, &pair);
    close_pair(&pair);
    return good;
}

static bool receive_up_to(struct pair *pair, uint64_t messages)
{
    while (pair->sink.text->received < messages) {
        if (!turn(pair))
            return false;
    }
    return true;
}

/* A function of its own, for the profiler to find. */
__attribute__((noinline)) static bool bench_mem_counted(struct pair *pair, uint64_t messages)
{
    return receive_up_to(pair, messages);
}

bool bench_mem_repeatable(const struct bench_row *row, uint64_t warmup, uint64_t messages,
                          uint64_t *counted)
{
    struct pair pair;
    if (!open_pair(&pair, row, true) || !receive_up_to(&pair, warmup))
        return false;
    uint64_t before = pair.sink.text->received;
    bool good = bench_mem_counted(&pair, before + messages);
    *counted = pair.sink.text->received - before;
    close_pair(&pair);
    return good;
}
