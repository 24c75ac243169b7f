/* A host's SCTP: an engine of ours, or another implementation behind the same functions. */
#ifndef HWS_SIM_STACK_H
#define HWS_SIM_STACK_H

#include "sim/run.h"

#define SIM_BATCH_MAX 64u

struct sim_stack_ops;

/* What every stack begins with. */
struct sim_stack {
    struct sim_source source; /* fires when packets wait or a timer is due */
    const struct sim_stack_ops *ops;
    struct sim_node *node;
    struct sim_packet batch[SIM_BATCH_MAX];
    uint32_t batch_count;
};

enum sim_send {
    SIM_SEND_TAKEN,
    SIM_SEND_LATER, /* sim_app_writable follows */
    SIM_SEND_NEVER, /* it is over */
};

struct sim_stack_ops {
    const char *name;
    /** A stack of its own for `node`, whose addresses are there; NULL: sim_run_fail was called. */
    struct sim_stack *(*open)(struct sim_node *node, uint64_t seed);
    void (*close)(struct sim_stack *stack);
    /** Makes an end's endpoint; a listening one for side 1. */
    bool (*bind)(struct sim_stack *stack, struct sim_end *end);
    bool (*connect)(struct sim_stack *stack, struct sim_end *end);
    void (*shutdown)(struct sim_stack *stack, struct sim_end *end);
    /** Takes packets; their references stay the caller's. */
    void (*input)(struct sim_stack *stack, const struct sim_packet *packets, uint32_t count);
    /** Timers that are due, then what the application should know, then output. */
    void (*run)(struct sim_stack *stack);
    uint64_t (*deadline_ns)(struct sim_stack *stack);
    /** A message; taken, its bytes stay until sim_app_sent. */
    enum sim_send (*send)(struct sim_stack *stack, struct sim_end *end,
                          struct sim_message *message);
    /** A path's state; false: there is no such path. */
    bool (*sample)(struct sim_stack *stack, struct sim_end *end, uint32_t path,
                   struct sim_path_sample *out);
    /** DATA chunks sent again. */
    uint64_t (*retransmits)(struct sim_stack *stack, struct sim_end *end);
};

/** hawser's engine. */
extern const struct sim_stack_ops sim_stack_hawser;

/** Gives a stack a packet that has arrived. */
void sim_stack_arrive(struct sim_stack *stack, const struct sim_packet *packet);

/** The stack has something to do now. */
void sim_stack_wake(struct sim_stack *stack);

void sim_stack_init(struct sim_stack *stack, const struct sim_stack_ops *ops,
                    struct sim_node *node);
void sim_stack_fini(struct sim_stack *stack);

/** The time as stacks see it. */
uint64_t sim_stack_now_us(const struct sim_stack *stack);

/** Sends one packet of an association along `route`. `buf`: a reference to what `data` lies in,
 * taken over. */
void sim_stack_send(struct sim_stack *stack, const struct sim_route *route, struct hws_buf *buf,
                    const uint8_t *data, uint32_t len, uint8_t tos);

#endif
