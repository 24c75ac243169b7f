#include "sim/result.h"

#include "sim/memory.h"
#include "sim/root.h"
#include "sim/stack.h"

typedef unsigned __int128 wide;

#define NS_PER_S UINT64_C(1000000000)

/* ---- Rows ---- */

static struct sim_row *add(struct sim_result *result, const struct sim_row *row)
{
    if (result->count == result->capacity) {
        result->capacity = result->capacity != 0 ? 2 * result->capacity : 64;
        result->rows = sim_grow(result->rows, result->capacity, sizeof(*result->rows));
    }
    result->rows[result->count] = *row;
    return &result->rows[result->count++];
}

static void put(struct sim_result *result, struct sim_row row, const char *metric, const char *unit,
                uint32_t decimals, uint64_t value)
{
    row.metric = metric;
    row.unit = unit;
    row.decimals = decimals;
    row.value = value;
    add(result, &row);
}

static uint64_t rate_bit_s(uint64_t bytes, uint64_t time_ns)
{
    return time_ns != 0 ? (uint64_t)((wide)bytes * 8 * NS_PER_S / time_ns) : 0;
}

static uint64_t mean(const struct sim_gauge *g)
{
    return g->count != 0 ? g->sum / g->count : 0;
}

/* ---- Associations ---- */

/* Whether the messages of all workloads of the end were delivered. */
static bool finished(const struct sim_end *end)
{
    for (uint32_t i = 0; i < end->workload_count; i++) {
        const struct sim_workload *w = end->workloads[i];
        uint64_t delivered = w->delivered[w->end == end ? 0 : 1];
        if (w->config->messages == 0 || delivered < w->config->messages)
            return false;
    }
    return true;
}

/* How long the end's data took: until the end of the run, or of its data. */
static uint64_t measured_ns(const struct sim_run *run, const struct sim_end *end)
{
    uint64_t from_ns =
        end->first_ns > run->scenario->warmup_ns ? end->first_ns : run->scenario->warmup_ns;
    uint64_t until_ns = finished(end) ? end->last_ns : run->scenario->duration_ns;
    return until_ns > from_ns ? until_ns - from_ns : 0;
}

static void put_latency(struct sim_result *result, const struct sim_row *row,
                        const struct sim_histogram *latency_us)
{
    put(result, *row, "latency_mean", "us", 0, sim_histogram_mean(latency_us));
    put(result, *row, "latency_p50", "us", 0, sim_histogram_quantile(latency_us, 500));
    put(result, *row, "latency_p99", "us", 0, sim_histogram_quantile(latency_us, 990));
    put(result, *row, "latency_max", "us", 0, latency_us->max);
}

static void read_streams(struct sim_result *result, const struct sim_run *run,
                         const struct sim_end *end)
{
    for (uint32_t i = 0; i < end->stream_count; i++) {
        const struct sim_stream *s = &end->streams[i];
        if (!s->used)
            continue;
        const struct sim_row row = {.item = "stream",
                                    .name = end->association->name,
                                    .way = sim_way_name(end->side),
                                    .stream = (int32_t)i};
        put(result, row, "goodput", "bit/s", 0, rate_bit_s(s->bytes, measured_ns(run, end)));
        put(result, row, "messages", "", 0, s->messages);
        put_latency(result, &row, &s->latency_us);
    }
}

static void read_transport(struct sim_result *result, const struct sim_row *row,
                           struct sim_end *end)
{
    struct sim_stack *stack = end->node->stack;
    uint64_t lost = 0;
    for (uint32_t why = 0; why < SIM_DROPS; why++)
        lost += end->lost[why];
    uint64_t retransmits = end->up ? stack->ops->retransmits(stack, end) : 0;
    put(result, *row, "packets", "", 0, end->packets);
    put(result, *row, "packet_bytes", "B", 0, end->bytes);
    put(result, *row, "retransmissions", "", 0, retransmits - end->retransmits_before);
    put(result, *row, "lost_packets", "", 0, lost);
    put(result, *row, "cwnd_mean", "B", 0, mean(&end->cwnd_bytes));
    put(result, *row, "cwnd_max", "B", 0, end->cwnd_bytes.max);
    put(result, *row, "srtt_min", "us", 0, end->srtt_us.min);
    put(result, *row, "srtt_mean", "us", 0, mean(&end->srtt_us));
    put(result, *row, "srtt_max", "us", 0, end->srtt_us.max);
    put(result, *row, "up", "us", 0, end->up_ns / 1000);
}

static void read_end(struct sim_result *result, const struct sim_run *run, struct sim_end *end)
{
    const struct sim_row row = {.item = "association",
                                .name = end->association->name,
                                .way = sim_way_name(end->side),
                                .stream = -1};
    struct sim_histogram latency_us = {0};
    uint64_t bytes = 0, messages = 0;
    for (uint32_t i = 0; i < end->stream_count; i++) {
        bytes += end->streams[i].bytes;
        messages += end->streams[i].messages;
        sim_histogram_merge(&latency_us, &end->streams[i].latency_us);
    }
    put(result, row, "goodput", "bit/s", 0, rate_bit_s(bytes, measured_ns(run, end)));
    put(result, row, "bytes", "B", 0, bytes);
    put(result, row, "messages", "", 0, messages);
    put_latency(result, &row, &latency_us);
    put(result, row, "completion", "us", 0, finished(end) ? measured_ns(run, end) / 1000 : 0);
    sim_histogram_fini(&latency_us);
    read_transport(result, &row, end);
}

/* ---- Links ---- */

static void read_link(struct sim_result *result, const struct sim_run *run,
                      const struct sim_link *link)
{
    static const char *const drops[SIM_DROPS] = {"drops_queue", "drops_aqm", "drops_loss",
                                                 "drops_outage", "drops_mtu"};
    const struct sim_row row = {
        .item = "link", .name = link->name, .way = sim_way_name(link->way), .stream = -1};
    uint64_t time_ns = run->scenario->duration_ns - run->scenario->warmup_ns;
    put(result, row, "throughput", "bit/s", 0, rate_bit_s(link->bytes, time_ns));
    uint64_t busy_ns = sim_link_busy_ns(link, run->scenario->duration_ns);
    put(result, row, "utilisation", "%", 3, (uint64_t)((wide)busy_ns * 100000 / time_ns));
    put(result, row, "packets", "", 0, link->packets);
    put(result, row, "queue_mean", "us", 0, sim_histogram_mean(&link->wait_us));
    put(result, row, "queue_p99", "us", 0, sim_histogram_quantile(&link->wait_us, 990));
    put(result, row, "queue_max", "B", 0, link->queue_max_bytes);
    for (uint32_t why = 0; why < SIM_DROPS; why++)
        put(result, row, drops[why], "", 0, link->drops[why]);
    put(result, row, "marks", "", 0, link->marks);
}

/* Jain's index of the goodputs of a way: the square of their sum over the sum of their squares
 * times their number. Goodput counts in kbit/s, so that squares fit. */
static void read_fairness(struct sim_result *result, const struct sim_run *run)
{
    for (uint32_t way = 0; way < SIM_WAYS; way++) {
        wide sum = 0, squares = 0;
        uint64_t count = 0;
        for (uint32_t i = way; i < SIM_SIDES * run->scenario->association_count; i += SIM_SIDES) {
            const struct sim_end *end = &run->ends[i];
            uint64_t bytes = 0;
            for (uint32_t k = 0; k < end->stream_count; k++)
                bytes += end->streams[k].bytes;
            uint64_t x = rate_bit_s(bytes, measured_ns(run, end)) / 1000;
            count += end->stream_count != 0;
            sum += x;
            squares += (wide)x * x;
        }
        if (count < 2)
            continue;
        const struct sim_row row = {
            .item = "fairness", .name = "", .way = sim_way_name(way), .stream = -1};
        put(result, row, "jain", "", 6,
            squares != 0 ? (uint64_t)(sum * sum * 1000000 / (squares * count)) : 0);
    }
}

void sim_result_read(struct sim_result *result, const struct sim_run *run)
{
    *result = (struct sim_result){0};
    for (uint32_t i = 0; i < SIM_SIDES * run->scenario->association_count; i++) {
        if (run->ends[i].stream_count == 0)
            continue;
        read_end(result, run, &run->ends[i]);
        read_streams(result, run, &run->ends[i]);
    }
    for (uint32_t i = 0; i < SIM_WAYS * run->scenario->link_count; i++)
        read_link(result, run, &run->links[i]);
    read_fairness(result, run);
}

void sim_result_fini(struct sim_result *result)
{
    free(result->rows);
    *result = (struct sim_result){0};
}

/* ---- Estimates ---- */

/* Student's t, two-sided 95 %, in thousandths, for 1 .. 30 degrees of freedom. */
static const uint32_t t_table[] = {12706, 4303, 3182, 2776, 2571, 2447, 2365, 2306, 2262, 2228,
                                   2201,  2179, 2160, 2145, 2131, 2120, 2110, 2101, 2093, 2086,
                                   2080,  2074, 2069, 2064, 2060, 2056, 2052, 2048, 2045, 2042};

/* Beyond the table the value of the next smaller number that tables have, which is on the safe
 * side. */
static uint32_t student_t(size_t freedom)
{
    if (freedom <= sizeof t_table / sizeof t_table[0])
        return t_table[freedom - 1];
    return freedom < 40 ? 2042 : freedom < 60 ? 2021 : freedom < 120 ? 2000 : 1980;
}

struct sim_estimate sim_estimate(const uint64_t *values, size_t count)
{
    wide sum = 0, squares = 0; /* of n times the deviations from the mean, which are whole */
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    struct sim_estimate estimate = {.mean = (uint64_t)((sum * 1000 + count / 2) / count)};
    if (count < 2)
        return estimate;
    for (size_t i = 0; i < count; i++) {
        wide n_times = (wide)values[i] * count;
        wide d = n_times > sum ? n_times - sum : sum - n_times;
        squares += d * d;
    }
    /* t * s / sqrt(n), in thousandths as t is. Where the squares leave no room for t^2 it is
     * applied behind the root. */
    wide divisor = (wide)count * count * count * (count - 1);
    uint64_t t = student_t(count - 1);
    if (squares >> 96 == 0)
        estimate.half = sim_square_root(squares * t * t / divisor);
    else
        estimate.half = sim_square_root(squares / divisor) * t;
    return estimate;
}
