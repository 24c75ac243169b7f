/* What a scenario says, checked and in units of the simulation. docs/SIMULATOR.md has the format.
 */
#ifndef HWS_SIM_SCENARIO_H
#define HWS_SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/document.h"
#include "stack/engine.h"
#include "stack/limits.h"

#define SIM_OUTAGES_MAX 32u
/* The least a message can have: it carries its number. */
#define SIM_MESSAGE_MIN_BYTES 4u

enum sim_aqm {
    SIM_AQM_DROPTAIL,
    SIM_AQM_CODEL, /* RFC 8289 */
};

struct sim_outage {
    uint64_t from_ns, until_ns;
};

/* One direction of a link. */
struct sim_link_config {
    uint64_t rate_bit_s; /* 0: no limit */
    uint64_t delay_ns, jitter_ns;
    uint64_t queue_bytes;
    uint64_t mtu;            /* of IP packets */
    uint64_t overhead_bytes; /* of the layers below IP, for each packet */
    uint64_t aqm;            /* enum sim_aqm */
    uint64_t codel_target_ns, codel_interval_ns;
    uint64_t ecn;       /* bool: mark packets of ECN-capable transports where others are dropped */
    uint64_t ecn_bytes; /* 0: only as the AQM says; else mark above that much in the queue */
    uint64_t loss_ppm;  /* Bernoulli; of Gilbert-Elliott in the good state */
    uint64_t burst_loss_ppm;                 /* in the bad state */
    uint64_t burst_begin_ppm, burst_end_ppm; /* for each packet: good to bad, bad to good */
    uint64_t reorder_ppm, reorder_ns;        /* so many packets come so much later */
    struct sim_outage outages[SIM_OUTAGES_MAX];
    uint32_t outage_count;
};

#define SIM_WAYS 2u /* forward: as written; reverse */

/** As files and results call it. */
const char *sim_way_name(uint32_t way);

struct sim_scenario_node {
    const char *name;
    bool router;
    const char *stack;      /* NULL: hawser */
    const char *extensions; /* names, between blanks; NULL: all there are */
    uint64_t coalesce_ns;   /* packets wait so long for others before the host looks at them */
};

struct sim_scenario_link {
    const char *name;
    uint32_t nodes[SIM_WAYS]; /* forward goes from the first to the second */
    struct sim_link_config ways[SIM_WAYS];
};

/* So many have ports. */
#define SIM_ASSOCIATIONS_MAX 25000u
#define SIM_SIDES 2u /* from: connects; to: listens */

/* One of those that a section makes. */
struct sim_scenario_association {
    const char *section;          /* its name */
    char name[SIM_NAME_MAX + 8u]; /* the same, with a number behind it when there are several */
    uint64_t count;               /* that the section makes */
    uint32_t nodes[SIM_SIDES];
    struct hws_params params[SIM_SIDES];
    uint64_t start_ns, stop_ns; /* stop: graceful shutdown; 0: never */
    uint64_t start_jitter_ns;   /* it starts up to so much later, drawn from the seed */
};

enum sim_workload_kind {
    SIM_BULK,     /* always something to send */
    SIM_REQUEST,  /* a request, its response, the next */
    SIM_PERIODIC, /* a message every so often */
    SIM_ONOFF,    /* bulk or periodic for a while, silence for a while */
};

struct sim_scenario_workload {
    const char *name;
    uint32_t association;
    uint64_t kind; /* enum sim_workload_kind */
    uint64_t way;  /* of the data, or of requests: 0 from `from` to `to`, 1 back */
    uint64_t size_bytes, response_bytes;
    uint64_t stream, streams;   /* messages take streams stream .. stream+streams-1 in turn */
    uint64_t unordered;         /* bool */
    uint64_t start_ns, stop_ns; /* 0: to the end */
    uint64_t messages;          /* 0: without end */
    uint64_t interval_ns;       /* periodic, on/off: from message to message; request: think time */
    uint64_t on_ns, off_ns;
    uint64_t outstanding; /* requests at a time */
    uint64_t random;      /* bool: interval, on and off are means of exponential distributions */
    uint64_t ppid;
    uint64_t path; /* as in struct hws_sndinfo */
};

struct sim_scenario {
    struct sim_document *document;
    uint32_t point; /* of the sweep */
    uint64_t duration_ns, warmup_ns, sample_ns;
    struct sim_scenario_node *nodes;
    uint32_t node_count;
    struct sim_scenario_link *links;
    uint32_t link_count;
    struct sim_scenario_association *associations;
    uint32_t association_count;
    struct sim_scenario_workload *workloads;
    uint32_t workload_count;
};

/** Makes sense of a document, which has to live as long. False: it has none, `error` says where.
 * [sweep] is not looked at. */
bool sim_scenario_read(struct sim_scenario *scenario, struct sim_document *document,
                       struct sim_error *error);

void sim_scenario_free(struct sim_scenario *scenario);

#endif
