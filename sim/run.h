/* One run of a scenario with one seed: hosts with their stacks, links, associations and their
 * workloads, on one clock. */
#ifndef HWS_SIM_RUN_H
#define HWS_SIM_RUN_H

#include "sim/arena.h"
#include "sim/clock.h"
#include "sim/histogram.h"
#include "sim/link.h"
#include "sim/scenario.h"

/* What stacks take for the time when the simulation begins: 0 means "never" to some. */
#define SIM_EPOCH_US 1000000u
/* Every end has a port that no other one has, on whatever host. */
#define SIM_PORT_FIRST 10000u

struct sim_run;
struct sim_stack;
struct sim_stack_ops;
struct sim_end;
struct sim_workload;

/* A host's interface: its end of a link. */
struct sim_interface {
    struct hws_addr addr;
    struct sim_link *out;
};

/* A host or a router. */
struct sim_node {
    const struct sim_scenario_node *config;
    struct sim_run *run;
    uint32_t index;
    struct sim_interface *interfaces;
    uint32_t interface_count;
    struct sim_stack *stack; /* NULL: a router */
    uint32_t first_route;    /* in run->routes: to every address there is, see sim_route_find */
};

/* A message from the moment the application has it to its end: sent, delivered, or the run's. */
struct sim_message {
    uint32_t id; /* its first bytes; the place in run->messages */
    struct sim_workload *workload;
    bool response;
    struct sim_end *from;
    uint64_t created_ns; /* of a response: when its request was */
    uint32_t size_bytes;
    uint16_t stream;
    uint8_t refs; /* the stack while it needs the bytes, and whom it is to be delivered to */
    struct sim_message *next;
};

/* What one stream delivered. */
struct sim_stream {
    bool used; /* by a workload */
    uint64_t bytes, messages;
    struct sim_histogram latency_us;
};

/* What is sampled of a path of an association. */
struct sim_path_sample {
    uint64_t cwnd_bytes, ssthresh_bytes, flight_bytes, srtt_us, rto_us, mtu_bytes;
    bool active;
};

/* Sums of samples. */
struct sim_gauge {
    uint64_t sum, count, max, min;
};

/* One side of an association; its results are of the data that it sends. */
struct sim_end {
    const struct sim_scenario_association *association;
    uint16_t index; /* of the association */
    uint8_t side;   /* 0: connects */
    struct sim_run *run;
    struct sim_node *node;
    struct sim_end *peer;
    void *handle; /* the stack's own */
    uint64_t id;  /* likewise */
    bool up, over, writable, pumping;
    struct sim_workload **workloads; /* that send from here, responses included */
    uint32_t workload_count, next_workload;
    uint32_t reading; /* id of the message whose first bytes have come */
    uint32_t reading_bytes;
    /* Results */
    uint64_t up_ns;
    uint64_t first_ns, last_ns; /* first message created, last bytes delivered to the peer */
    struct sim_stream *streams;
    uint32_t stream_count;
    uint64_t packets, bytes; /* sent */
    uint64_t lost[SIM_DROPS];
    uint64_t retransmits_before; /* the measurement */
    struct sim_gauge cwnd_bytes, srtt_us;
};

struct sim_workload {
    struct sim_source source;
    const struct sim_scenario_workload *config;
    struct sim_run *run;
    struct sim_end *end;
    struct sim_rng rng;
    struct sim_message *first[SIM_SIDES], *last[SIM_SIDES]; /* wait for room: requests, responses */
    uint64_t created;
    uint64_t held_bytes; /* of its messages, responses included, in the stacks' send buffers */
    uint64_t delivered[SIM_SIDES]; /* requests, responses */
    uint32_t next_stream;
    bool active;       /* between start and stop; on/off: on */
    uint64_t until_ns; /* on/off: the end of this phase */
    bool begun;        /* request: the first ones were made */
    uint64_t *due_ns;  /* and so many are to follow their responses at these times, in no order */
    uint32_t due_count, due_capacity;
};

/** Hears of what happens, for traces. Every function may be NULL. */
struct sim_tap {
    void *ctx;
    /** A run begins: nothing is there but its scenario and seed. */
    void (*begin)(void *ctx, const struct sim_run *run);
    /** It is over; its hosts are gone. */
    void (*end)(void *ctx, const struct sim_run *run);
    /** A packet leaves or reaches a host. */
    void (*packet)(void *ctx, const struct sim_node *host, bool outbound,
                   const struct sim_packet *packet, uint64_t now_ns);
    /** A link did not deliver one. */
    void (*dropped)(void *ctx, const struct sim_link *link, const struct sim_packet *packet,
                    enum sim_drop why, uint64_t now_ns);
    /** A sample of one path of an association was taken. */
    void (*sample)(void *ctx, const struct sim_end *end, uint32_t path,
                   const struct sim_path_sample *sample, uint64_t now_ns);
    /** An engine of ours was made for a host. */
    void (*engine)(void *ctx, const struct sim_node *host, struct hws_engine *engine);
    /** The samples of this instant are complete. */
    void (*sampled)(void *ctx, const struct sim_run *run, uint64_t now_ns);
};

/** Tells every tap that has the function. */
#define SIM_TELL(run, function, ...)                                                               \
    do {                                                                                           \
        for (size_t tap_ = 0; tap_ < (run)->settings->tap_count; tap_++)                           \
            if ((run)->settings->taps[tap_]->function != NULL)                                     \
                (run)->settings->taps[tap_]->function((run)->settings->taps[tap_]->ctx,            \
                                                      __VA_ARGS__);                                \
    } while (0)

/** What a run has beside its scenario. */
struct sim_settings {
    const struct hws_extension *const *extensions; /**< that hosts may have */
    size_t extension_count;
    const struct sim_stack_ops *const *stacks; /**< beside hawser's own, for `stack` of a host */
    size_t stack_count;
    const struct sim_tap *const *taps;
    size_t tap_count;
};

struct sim_run {
    const struct sim_scenario *scenario;
    const struct sim_settings *settings;
    uint64_t seed;
    struct sim_clock clock;
    struct sim_arena arena; /* what packets lie in */
    struct sim_node *nodes;
    struct sim_link *links; /* SIM_WAYS for each of the scenario's */
    struct sim_route *routes;
    uint32_t route_count;
    struct sim_node **owners; /* of addresses, which are numbered */
    uint32_t addr_count;
    struct sim_end *ends; /* SIM_SIDES for each association */
    struct sim_workload *workloads;
    struct sim_source *starts; /* of associations */
    struct sim_source warmup, sampler;
    struct sim_message **messages;
    uint32_t *free_ids;
    uint32_t message_count, message_capacity, free_count;
    struct sim_error error; /* text[0] != 0: the run is worth nothing */
};

/** Makes everything. False: it cannot be, `run->error` says why. Scenario and
 * settings have to live as long. */
bool sim_run_init(struct sim_run *run, const struct sim_scenario *scenario,
                  const struct sim_settings *settings, uint64_t seed);

/** Runs to the scenario's end. False: a stack broke a promise, `run->error` says which. */
bool sim_run_whole(struct sim_run *run);

void sim_run_fini(struct sim_run *run);

/** The SCTP port of an end. */
static inline uint16_t sim_end_port(const struct sim_end *end)
{
    return (uint16_t)(SIM_PORT_FIRST + SIM_SIDES * end->index + end->side);
}

/** The end that has a port; NULL: none. */
static inline struct sim_end *sim_end_of_port(const struct sim_run *run, uint16_t port)
{
    uint32_t place = (uint32_t)port - SIM_PORT_FIRST;
    return port >= SIM_PORT_FIRST && place < SIM_SIDES * run->scenario->association_count
               ? &run->ends[place]
               : NULL;
}

/** Notes what went wrong; the first counts. */
void sim_run_fail(struct sim_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- Topology (topology.c) ---- */

void sim_topology_init(struct sim_run *run);
void sim_topology_fini(struct sim_run *run);

/** The way from a host to an address; NULL: nobody has it, or there is no way. */
const struct sim_route *sim_route_find(const struct sim_node *from, const struct hws_addr *to);

/** Whether there is a way from a host to some address of another one. */
bool sim_route_exists(const struct sim_node *from, const struct sim_node *to);

/** Sends a packet along its route, whose reference is taken over. */
void sim_topology_send(struct sim_run *run, struct sim_packet *packet);

/* ---- Applications (app.c) ---- */

void sim_app_init(struct sim_run *run);
void sim_app_fini(struct sim_run *run);

/* What a stack tells. */
void sim_app_up(struct sim_end *end);
void sim_app_writable(struct sim_end *end);
/** Bytes of a message came: its next ones, the last of it with `ends`. */
void sim_app_received(struct sim_end *end, uint16_t stream, const uint8_t *data, size_t len,
                      bool ends);
/** The stack needs the message's bytes no more. */
void sim_app_sent(struct sim_message *message, struct sim_run *run);
void sim_app_down(struct sim_end *end);

/** The bytes of messages after their id. */
extern const uint8_t sim_app_filler[65536];

#endif
