#include "sim/stack.h"

#include "proto/bytes.h"

static void flush(struct sim_stack *stack)
{
    uint32_t count = stack->batch_count;
    if (count == 0)
        return;
    stack->batch_count = 0;
    stack->ops->input(stack, stack->batch, count);
    for (uint32_t i = 0; i < count; i++)
        hws_buf_unref(stack->batch[i].buf);
}

static void fire(void *ctx, uint64_t now_ns)
{
    struct sim_stack *stack = ctx;
    (void)now_ns;
    flush(stack);
    stack->ops->run(stack);
    sim_clock_set(&stack->node->run->clock, &stack->source, stack->ops->deadline_ns(stack));
}

void sim_stack_init(struct sim_stack *stack, const struct sim_stack_ops *ops, struct sim_node *node)
{
    struct sim_run *run = node->run;
    stack->ops = ops;
    stack->node = node;
    /* After the links and the workloads, so that a stack sees all of an instant at once. */
    uint32_t rank = SIM_WAYS * run->scenario->link_count + run->scenario->workload_count +
                    run->scenario->association_count + node->index;
    sim_clock_add(&run->clock, &stack->source, rank, fire, stack);
}

void sim_stack_fini(struct sim_stack *stack)
{
    for (uint32_t i = 0; i < stack->batch_count; i++)
        hws_buf_unref(stack->batch[i].buf);
}

static void wake_at(struct sim_stack *stack, uint64_t at_ns)
{
    if (at_ns < stack->source.at_ns)
        sim_clock_set(&stack->node->run->clock, &stack->source, at_ns);
}

void sim_stack_wake(struct sim_stack *stack)
{
    wake_at(stack, stack->node->run->clock.now_ns);
}

void sim_stack_arrive(struct sim_stack *stack, const struct sim_packet *packet)
{
    struct sim_run *run = stack->node->run;
    SIM_TELL(run, packet, stack->node, false, packet, run->clock.now_ns);
    if (stack->batch_count == SIM_BATCH_MAX)
        flush(stack);
    if (stack->batch_count == 0)
        wake_at(stack, run->clock.now_ns + stack->node->config->coalesce_ns);
    stack->batch[stack->batch_count++] = *packet;
}

uint64_t sim_stack_now_us(const struct sim_stack *stack)
{
    return SIM_EPOCH_US + stack->node->run->clock.now_ns / 1000;
}

void sim_stack_send(struct sim_stack *stack, const struct sim_route *route, struct hws_buf *buf,
                    const uint8_t *data, uint32_t len, uint8_t tos)
{
    struct sim_run *run = stack->node->run;
    struct sim_end *end = len >= 4 ? sim_end_of_port(run, hws_get16(data)) : NULL;
    if (end == NULL || end->node != stack->node) {
        sim_run_fail(run, "host %s sent a packet of no association", stack->node->config->name);
        hws_buf_unref(buf);
        return;
    }
    struct sim_packet packet = {.buf = buf,
                                .data = data,
                                .route = route,
                                .len = len,
                                .ip_bytes = len + SIM_IP_HEADER_BYTES,
                                .association = end->index,
                                .way = end->side,
                                .tos = tos};
    end->packets++;
    end->bytes += packet.ip_bytes;
    SIM_TELL(run, packet, stack->node, true, &packet, run->clock.now_ns);
    sim_topology_send(run, &packet);
}
