/* A flow: two ends, an association between them, and messages both ways of which a ledger is kept.
 * The ledger knows what was sent, so it sees whatever is lost, doubled, out of order, or altered.
 *
 * In times of trouble, when hosts restart or all paths are down for long, an association may end;
 * the flow goes on with a new one, or with the same after a RESTART. Messages sent before may be
 * lost then, but those of one incarnation never come after those of a later one. */
#ifndef HWS_TESTS_SIM_FLOW_H
#define HWS_TESTS_SIM_FLOW_H

#include "tests/sim/host.h"
#include "tests/sim/reading.h"

struct sim_message {
    uint32_t len;
    uint32_t pattern; /* where in the pattern its bytes begin */
    uint16_t sid;
    uint16_t flags; /* HWS_SEND_* */
    uint32_t context;
    bool lent;
    bool overrides; /* names one of the paths there are */
};

/* The messages one end sends. A message's PPID is its index. */
struct sim_ledger {
    struct sim_message *messages;
    uint32_t count, streams;
    uint32_t sent; /* accepted by the sender's engine */
    uint32_t delivered;
    uint8_t *seen;       /* per message */
    uint8_t *failed;     /* per message: told that it would not arrive, and how far it came */
    uint8_t **lent;      /* per message: its bytes while they are lent */
    uint32_t failures;   /* told so far */
    uint32_t *last;      /* per stream: index + 1 of the last ordered message delivered */
    uint16_t *ssn;       /* per stream: SSN of the next ordered message */
    uint32_t open;       /* index + 1 of the message that is being read */
    uint32_t open_bytes; /* how much of it was read */
    bool breaks;         /* the reader's association restarted: its rest may never come */
    uint32_t cuts;       /* messages in parts of which it was told that their rest will not come */
    uint16_t cut_sid;    /* stream of the last of them */
    uint64_t cuts_seen;
    uint64_t bytes_delivered;
    /* Incarnations, counted by the sender. */
    uint16_t incarnation;       /* of the next message to be sent */
    uint16_t *incarnations;     /* per message sent */
    uint16_t incarnation_read;  /* of the last message delivered */
    uint32_t first;             /* message of the sender's incarnation; earlier ones may be lost */
    uint32_t fresh;             /* delivered of this incarnation */
    uint64_t bytes_outstanding; /* of this incarnation, sent and not delivered */
};

enum sim_ending {
    SIM_END_LATE,  /* SHUTDOWN when everything has arrived */
    SIM_END_EARLY, /* SHUTDOWN when everything was accepted by send */
    SIM_END_ABORT, /* ABORT at some time */
    SIM_END_IDLE,  /* nobody asks: the engine does when nothing was sent for long */
};

struct sim_flow;

struct sim_end_config {
    bool connects;
    uint64_t connect_at_us; /* after the start */
    bool listens;
    bool shuts_down;
    bool shared; /* several endpoints have its port: any of them may get its association */
    enum sim_reading reading;
    uint32_t read_bytes;     /* most bytes a recv call asks for */
    uint32_t read_period_us; /* 0: reads at once; else so often ... */
    uint32_t read_quota;     /* ... and so many bytes each time */
    uint32_t send_gap_us;    /* 0: as fast as it goes; else between two messages */
    unsigned families;       /* of its endpoint, HWS_ENDPOINT_* */
    uint32_t few_locals;     /* 0: its endpoint has all addresses; else the first so many ... */
    uint64_t all_locals_us;  /* ... until then */
    bool encapsulated;       /* it connects over UDP */
    uint32_t switch_ppm;     /* before so many messages a path is told to use UDP, or not to */
    uint16_t port;
    struct hws_addr remotes[HWS_LIMIT_PATHS]; /* to connect to */
    uint32_t remote_count;                    /* 0: all addresses of the other end's node */
    struct hws_params params;
};

/* What is known of an association when its application ends it. */
struct sim_abandoned {
    bool known;
    uint32_t unacked_bytes;
};

struct sim_end {
    struct sim_end_config config;
    struct sim_flow *flow;
    struct sim_node *node; /* where it lives */
    struct sim_host *host; /* the same, when that is an engine of ours */
    hws_endpoint_id endpoint;
    hws_assoc_id assoc;
    struct sim_ledger ledger; /* what this end sends */
    struct sim_reader reader;
    bool up, down, released, shutdown_called, adaptation_told;
    bool may_send, may_read;         /* as far as the engine is known to allow */
    bool send_waiting, read_waiting; /* for the end of the gap or period */
    uint32_t connects, restarts_told;
    struct sim_abandoned abandoned;
};

struct sim_flow {
    struct sim_end ends[2];
    enum sim_ending ending;
    uint64_t abort_at_us;
    bool aborted;
    uint32_t abort_end; /* which end does it */
    /* Time of trouble: associations may end or restart. None when both are 0. */
    uint64_t trouble_from_us, trouble_until_us;
    bool cut_short; /* trouble came while it was ending: what was under way may be lost */
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

/** Enters what the sender's engine said will not arrive; returns its length. */
uint32_t sim_ledger_fail(struct sim_world *world, struct sim_ledger *ledger,
                         const struct hws_failed *failed);

/** Everything of the sender's incarnation has been sent and delivered. */
bool sim_ledger_arrived(const struct sim_ledger *ledger);

/** The association that carried the messages is gone: those sent so far may be lost. */
void sim_ledger_renew(struct sim_ledger *ledger);

/** Whether the flow's ending allows this end to ask for SHUTDOWN now. */
bool sim_end_may_shut_down(const struct sim_end *end);

/** Starts the flow: sets the times when its ends connect. Both hosts need on_event and on_turn of
 * sim_app. */
void sim_flow_start(struct sim_flow *flow);

/** Whether an endpoint of these families (HWS_ENDPOINT_*) uses such an address. */
bool sim_uses_family(unsigned families, const struct hws_addr *addr);

/** Both ends are over and released. */
bool sim_flow_done(const struct sim_flow *flow);

/* The application of a host: the ends of flows that live there. */
#define SIM_APP_ENDS_MAX 16u
#define SIM_EVENT_TYPES 32u
struct sim_app {
    struct sim_end *ends[SIM_APP_ENDS_MAX];
    uint32_t end_count;
    uint32_t strangers;                      /* associations that belong to no flow, aborted */
    uint64_t events[SIM_EVENT_TYPES];        /* how often each type was seen */
    uint32_t lost_by_abort, lost_by_silence; /* associations that ended in time of trouble */
};

void sim_app_attach(struct sim_app *app, struct sim_host *host);
void sim_app_add(struct sim_host *host, struct sim_end *end);

/** The host is switched off and on. Its engine forgets everything; `down_us` later its endpoints
 * are there again, and after `connect_us` more those ends that connect do so. */
void sim_app_restart(struct sim_host *host, uint32_t down_us, uint32_t connect_us);

#endif
