/* A flow: two ends, an association between them, and messages both ways of which a ledger is kept.
 * The ledger knows what was sent, so it sees whatever is lost, doubled, out of order, or altered.
 */
#ifndef HWS_TESTS_SIM_FLOW_H
#define HWS_TESTS_SIM_FLOW_H

#include "tests/sim/host.h"

struct sim_message {
    uint32_t len;
    uint32_t pattern; /* where in the pattern its bytes begin */
    uint16_t sid;
    uint16_t flags; /* HWS_SEND_* */
};

/* The messages one end sends. A message's PPID is its index. */
struct sim_ledger {
    struct sim_message *messages;
    uint32_t count;
    uint32_t sent; /* accepted by the sender's engine */
    uint32_t delivered;
    uint8_t *seen;       /* per message */
    uint32_t *last;      /* per stream: index + 1 of the last ordered message delivered */
    uint16_t *ssn;       /* per stream: SSN of the next ordered message */
    uint32_t open;       /* index + 1 of the message that is being read */
    uint32_t open_bytes; /* how much of it was read */
    uint64_t bytes_sent, bytes_delivered;
};

enum sim_ending {
    SIM_END_LATE,  /* SHUTDOWN when everything has arrived */
    SIM_END_EARLY, /* SHUTDOWN when everything was accepted by send */
    SIM_END_ABORT, /* ABORT at some time */
};

struct sim_flow;

struct sim_end_config {
    bool connects;
    uint64_t connect_at_us; /* after the start */
    bool listens;
    bool shuts_down;
    uint32_t read_bytes;     /* most bytes a recv call asks for */
    uint32_t read_period_us; /* 0: reads at once; else so often ... */
    uint32_t read_quota;     /* ... and so many bytes each time */
    uint32_t send_gap_us;    /* 0: as fast as it goes; else between two messages */
    uint16_t port;
    struct hws_addr remotes[HWS_LIMIT_PATHS]; /* to connect to */
    uint32_t remote_count;                    /* 0: all addresses of the other end's node */
    struct hws_params params;
};

struct sim_end {
    struct sim_end_config config;
    struct sim_flow *flow;
    struct sim_node *node; /* where it lives */
    struct sim_host *host; /* the same, when that is an engine of ours */
    hws_endpoint_id endpoint;
    hws_assoc_id assoc;
    struct sim_ledger ledger; /* what this end sends */
    bool up, down, released, shutdown_called;
    bool may_send, may_read;         /* as far as the engine is known to allow */
    bool send_waiting, read_waiting; /* for the end of the gap or period */
};

struct sim_flow {
    struct sim_end ends[2];
    enum sim_ending ending;
    uint64_t abort_at_us;
    bool aborted;
    uint32_t abort_end; /* which end does it */
};

/** Longest message a ledger may hold. */
#define SIM_MESSAGE_MAX (17u << 20)

/** Allocates the ledger; the caller fills in the messages. */
void sim_ledger_init(struct sim_ledger *ledger, uint32_t count, uint32_t streams);
void sim_ledger_fini(struct sim_ledger *ledger);

/** The bytes of a message. */
const uint8_t *sim_message_bytes(const struct sim_message *message);

/** Enters what recv gave; broken promises go to the world. */
void sim_ledger_receive(struct sim_world *world, struct sim_ledger *ledger, const uint8_t *data,
                        size_t len, const struct hws_rcvinfo *info);

/** Whether the flow's ending allows this end to ask for SHUTDOWN now. */
bool sim_end_may_shut_down(const struct sim_end *end);

/** Starts the flow: sets the times when its ends connect. Both hosts need on_event and on_turn of
 * sim_app. */
void sim_flow_start(struct sim_flow *flow);

/** Both ends are over and released. */
bool sim_flow_done(const struct sim_flow *flow);

/* The application of a host: the ends of flows that live there. */
#define SIM_APP_ENDS_MAX 16u
#define SIM_EVENT_TYPES 32u
struct sim_app {
    struct sim_end *ends[SIM_APP_ENDS_MAX];
    uint32_t end_count;
    uint32_t strangers;               /* associations that belong to no flow, aborted */
    uint64_t events[SIM_EVENT_TYPES]; /* how often each type was seen */
};

void sim_app_attach(struct sim_app *app, struct sim_host *host);
void sim_app_add(struct sim_host *host, struct sim_end *end);

#endif
