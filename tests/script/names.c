#include "tests/script/names.h"

#include <string.h>

#define AT(type, member) offsetof(struct type, member)
#define SIZE(type, member) sizeof(((struct type *)0)->member)
#define IS_BOOL(type, member) _Generic(((struct type *)0)->member, bool : true, default : false)
#define MEMBER(type, member)                                                                       \
    {                                                                                              \
#member, AT(type, member), SIZE(type, member), IS_BOOL(type, member)                       \
    }
#define TEXT(type, member)                                                                         \
    {                                                                                              \
#member, AT(type, member), 0, false                                                        \
    }

#define P(member) MEMBER(hws_params, member)
const struct names_member names_params[] = {P(rto_initial_us),
                                            P(rto_min_us),
                                            P(rto_max_us),
                                            P(rto_alpha_shift),
                                            P(rto_beta_shift),
                                            P(hb_interval_us),
                                            P(hb_max_burst),
                                            P(cookie_life_us),
                                            P(sack_delay_us),
                                            P(sack_packets),
                                            P(max_burst_bytes),
                                            P(slow_start_l),
                                            P(max_init_retrans),
                                            P(assoc_max_retrans),
                                            P(path_max_retrans),
                                            P(pf_max_retrans),
                                            P(ostreams),
                                            P(max_instreams),
                                            P(rcvbuf_bytes),
                                            P(rcvbuf_max_bytes),
                                            P(sndbuf_bytes),
                                            P(sndbuf_max_bytes),
                                            P(tail_probe),
                                            P(adaptation),
                                            P(adaptation_indication),
                                            P(init_rto_max_us),
                                            P(pd_point_bytes),
                                            P(rx_times),
                                            P(autoclose_us),
                                            P(pmtud),
                                            P(nodelay),
                                            P(probe),
                                            TEXT(hws_params, cc),
                                            TEXT(hws_params, sched),
                                            {0}};

#define R(member) MEMBER(hws_path_params, member)
const struct names_member names_path_params[] = {R(rto_initial_us),
                                                 R(rto_min_us),
                                                 R(rto_max_us),
                                                 R(hb_interval_us),
                                                 R(path_max_retrans),
                                                 R(pf_max_retrans),
                                                 R(mtu),
                                                 R(pmtud),
                                                 {0}};

#define A(member) MEMBER(hws_assoc_status, member)
const struct names_member names_assoc_status[] = {A(local_port),
                                                  A(remote_port),
                                                  A(local_vtag),
                                                  A(remote_vtag),
                                                  A(instreams),
                                                  A(ostreams),
                                                  A(path_count),
                                                  A(primary),
                                                  A(unsent_bytes),
                                                  A(flight_bytes),
                                                  A(unacked_bytes),
                                                  A(peer_rwnd),
                                                  A(rwnd),
                                                  A(charged_bytes),
                                                  A(retransmits),
                                                  A(timer_armed),
                                                  {0}};

#define Q(member) MEMBER(hws_path_status, member)
const struct names_member names_path_status[] = {Q(confirmed),
                                                 Q(active),
                                                 Q(primary),
                                                 Q(mtu),
                                                 Q(cwnd),
                                                 Q(ssthresh),
                                                 Q(flight_bytes),
                                                 Q(srtt_us),
                                                 Q(rttvar_us),
                                                 Q(rto_us),
                                                 Q(errors),
                                                 Q(heartbeats_acked),
                                                 Q(heartbeat_rtt_us),
                                                 Q(max_packet_bytes),
                                                 {0}};

#define X(name, what) MEMBER(hws_stats, name),
const struct names_member names_stats[] = {HWS_STATS(X){0}};
#undef X

const struct names_member *names_find(const struct names_member *table, const char *name)
{
    for (; table->name != NULL; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

static const struct names_member *scan_member(struct scan *c, const struct names_member *table,
                                              const char *what, bool *negated)
{
    const char *key = scan_key(c, negated);
    if (key == NULL)
        script_fail(c->s, "%s=... expected before \"%s\"", what, c->at);
    const struct names_member *member = names_find(table, key);
    if (member == NULL)
        script_fail(c->s, "no %s is called %s", what, key);
    return member;
}

/* ---- Setting ---- */

static void set_number(struct scan *c, const struct names_member *member, void *at)
{
    uint64_t number = value_scan_number(c);
    uint64_t max = member->boolean      ? 1
                   : member->width == 8 ? UINT64_MAX
                                        : (UINT64_C(1) << 8 * member->width) - 1;
    if (number > max)
        script_fail(c->s, "%s is at most %llu", member->name, (unsigned long long)max);
    uint32_t n4 = (uint32_t)number;
    uint16_t n2 = (uint16_t)number;
    uint8_t n1 = (uint8_t)number;
    const void *from = member->width == 8   ? (const void *)&number
                       : member->width == 4 ? (const void *)&n4
                       : member->width == 2 ? (const void *)&n2
                                            : (const void *)&n1;
    memcpy(at, from, member->width);
}

void names_scan_members(struct scan *c, const struct names_member *table, const char *what,
                        void *object)
{
    do {
        bool negated;
        const struct names_member *member = scan_member(c, table, what, &negated);
        void *at = (uint8_t *)object + member->offset;
        if (negated)
            script_fail(c->s, "%s is set with =", member->name);
        if (member->width != 0) {
            set_number(c, member, at);
        } else {
            const char *text = scan_word(c, "a name");
            memcpy(at, &text, sizeof text);
        }
    } while (!scan_at_end(c) && strncmp(c->at, "->", 2) != 0);
}

/* ---- Checking ---- */

static uint64_t get_number(const struct names_member *member, const void *at)
{
    uint64_t n8 = 0;
    uint32_t n4 = 0;
    uint16_t n2 = 0;
    uint8_t n1 = 0;
    switch (member->width) {
    case 8:
        memcpy(&n8, at, 8);
        return n8;
    case 4:
        memcpy(&n4, at, 4);
        return n4;
    case 2:
        memcpy(&n2, at, 2);
        return n2;
    default:
        memcpy(&n1, at, 1);
        return n1;
    }
}

void names_check_members(struct scan *c, const struct names_member *table, const char *what,
                         const void *object)
{
    do {
        bool negated;
        const struct names_member *member = scan_member(c, table, what, &negated);
        struct condition condition = value_scan_condition(c, negated, true);
        uint64_t number = get_number(member, (const uint8_t *)object + member->offset);
        if (!value_meets(c->s, &condition, member->name, number, member->width))
            script_fail(c->s, "%s", c->s->reason);
    } while (!scan_at_end(c));
}

/* ---- Events, errors, states ---- */

static const struct {
    enum hws_event_type type;
    const char *name;
} events[] = {
    {HWS_EVENT_PATH_NEW, "PATH_NEW"},
    {HWS_EVENT_UP, "UP"},
    {HWS_EVENT_RESTART, "RESTART"},
    {HWS_EVENT_PATH_CONFIRMED, "PATH_CONFIRMED"},
    {HWS_EVENT_PATH_FAILING, "PATH_FAILING"},
    {HWS_EVENT_PATH_DOWN, "PATH_DOWN"},
    {HWS_EVENT_PATH_UP, "PATH_UP"},
    {HWS_EVENT_READABLE, "READABLE"},
    {HWS_EVENT_WRITABLE, "WRITABLE"},
    {HWS_EVENT_PEER_SHUTDOWN, "PEER_SHUTDOWN"},
    {HWS_EVENT_REMOTE_ERROR, "REMOTE_ERROR"},
    {HWS_EVENT_DRY, "DRY"},
    {HWS_EVENT_DOWN, "DOWN"},
    {HWS_EVENT_ADAPTATION, "ADAPTATION"},
    {HWS_EVENT_PARTIAL_ABORTED, "PARTIAL_ABORTED"},
};

const char *names_event(enum hws_event_type type)
{
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        if (events[i].type == type)
            return events[i].name;
    return "an event without a name";
}

bool names_event_find(const char *name, enum hws_event_type *out)
{
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (strcmp(events[i].name, name) != 0)
            continue;
        *out = events[i].type;
        return true;
    }
    return false;
}

int names_scan_error(struct scan *c)
{
    const char *name = scan_word(c, "an error");
    static const int all[] = {HWS_OK,
#define X(symbol, text) HWS_E_##symbol,
                              HWS_ERRORS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(hws_error_name(all[i]), name) == 0)
            return all[i];
    script_fail(c->s, "no error is called %s", name);
}

enum hws_assoc_state names_scan_state(struct scan *c)
{
    const char *name = scan_word(c, "a state");
    for (int i = HWS_STATE_CLOSED; i <= HWS_STATE_SHUTDOWN_ACK_SENT; i++)
        if (strcmp(hws_assoc_state_name((enum hws_assoc_state)i), name) == 0)
            return (enum hws_assoc_state)i;
    script_fail(c->s, "no state is called %s", name);
}

/* "POTENTIALLY FAILED" is one word in a script, POTENTIALLY-FAILED. */
static bool is_word_for(const char *word, const char *name)
{
    for (; *name != '\0'; word++, name++)
        if (*word != (*name == ' ' ? '-' : *name))
            return false;
    return *word == '\0';
}

enum hws_path_state names_scan_path_state(struct scan *c)
{
    const char *name = scan_word(c, "a path's state");
    for (int i = HWS_PATH_UNCONFIRMED; i <= HWS_PATH_INACTIVE; i++)
        if (is_word_for(name, hws_path_state_name((enum hws_path_state)i)))
            return (enum hws_path_state)i;
    script_fail(c->s, "no path state is called %s", name);
}
