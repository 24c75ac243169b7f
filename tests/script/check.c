/* Checks: events, states, counters. */
#include <string.h>

#include "proto/cause.h"
#include "tests/script/names.h"
#include "tests/script/pattern.h"
#include "tests/script/statement.h"

/* ---- Events ---- */

/* Events that a script has to expect. The others are there for who asks. */
static bool weighty(enum hws_event_type type)
{
    switch (type) {
    case HWS_EVENT_UP:
    case HWS_EVENT_RESTART:
    case HWS_EVENT_PATH_DOWN:
    case HWS_EVENT_PEER_SHUTDOWN:
    case HWS_EVENT_REMOTE_ERROR:
    case HWS_EVENT_DOWN:
        return true;
    default:
        return false;
    }
}

struct event_pattern {
    enum hws_event_type type;
    bool reason_given, cause_given, path_given;
    int reason;
    uint16_t cause;
    struct condition passive;
    struct hws_addr path;
};

static uint16_t scan_cause(struct scan *c)
{
    const char *name = scan_word(c, "an error cause");
    return strcmp(name, "none") == 0 ? 0 : layout_type(c->s, ELEMENT_CAUSE, name);
}

static void scan_event_key(struct scan *c, struct event_pattern *p, const char *key)
{
    if (strcmp(key, "reason") == 0) {
        p->reason = names_scan_error(c);
        p->reason_given = true;
    } else if (strcmp(key, "cause") == 0) {
        p->cause = scan_cause(c);
        p->cause_given = true;
    } else if (strcmp(key, "path") == 0) {
        p->path = scan_addr(c);
        p->path_given = true;
    } else if (strcmp(key, "passive") == 0) {
        p->passive = value_scan_condition(c, false, true);
    } else {
        script_fail(c->s, "an event has no %s=", key);
    }
}

static void scan_event_name(struct scan *c, enum hws_event_type *out)
{
    const char *name = scan_word(c, "an event");
    if (!names_event_find(name, out))
        script_fail(c->s, "no event is called %s", name);
}

static bool event_matches(struct script *s, const struct event_pattern *p,
                          const struct hws_event *event)
{
    char text[HWS_ADDR_TEXT_MAX];
    if (event->type != p->type)
        return script_reason(s, "event %s came first", names_event(event->type));
    if (p->reason_given && event->reason != p->reason)
        return script_reason(s, "the reason is %s", hws_error_name(event->reason));
    if (p->cause_given && event->cause != p->cause)
        return script_reason(s, "the cause is %u (%s)", event->cause,
                             event->cause == 0                      ? "none"
                             : hws_cause_name(event->cause) != NULL ? hws_cause_name(event->cause)
                                                                    : "unknown");
    if (p->path_given && !hws_addr_same(&event->remote, &p->path))
        return script_reason(s, "the path is that to %s", hws_addr_text(&event->remote, text));
    return value_meets(s, &p->passive, "passive", event->passive, 1);
}

/* Takes the event and those before it, which were only there for who asks. */
static void take_events(struct world *w, uint32_t count)
{
    w->event_count -= count;
    memmove(w->events, w->events + count, w->event_count * sizeof w->events[0]);
}

static void expect_event(struct script *s, const struct event_pattern *p)
{
    struct world *w = &s->world;
    for (uint32_t i = 0; i < w->event_count; i++) {
        if (event_matches(s, p, &w->events[i])) {
            take_events(w, i + 1);
            return;
        }
        if (weighty(w->events[i].type))
            script_fail(s, "%s", s->reason);
    }
    script_fail(s, "no such event came");
}

static void expect_no_event(struct script *s)
{
    const struct world *w = &s->world;
    for (uint32_t i = 0; i < w->event_count; i++)
        if (weighty(w->events[i].type))
            script_fail(s, "event %s was not expected", names_event(w->events[i].type));
}

static void expect_none_of(struct script *s, enum hws_event_type type)
{
    const struct world *w = &s->world;
    for (uint32_t i = 0; i < w->event_count; i++)
        if (w->events[i].type == type)
            script_fail(s, "event %s came", names_event(type));
}

static void check_event(struct scan *c)
{
    struct event_pattern p = {0};
    if (scan_accept_word(c, "nothing")) {
        scan_expect_end(c);
        expect_no_event(c->s);
        return;
    }
    bool none = scan_accept_word(c, "no");
    scan_event_name(c, &p.type);
    bool negated;
    for (const char *key; !none && (key = scan_key(c, &negated)) != NULL;)
        scan_event_key(c, &p, key);
    scan_expect_end(c);
    if (none)
        expect_none_of(c->s, p.type);
    else
        expect_event(c->s, &p);
}

/* ---- States and counters ---- */

static struct hws_assoc_status assoc_status(struct script *s)
{
    struct hws_assoc_status status;
    if (hws_assoc_status(s->world.engine, s->world.assoc, &status) != HWS_OK)
        script_fail(s, "there is no association");
    return status;
}

/* An association that is gone, or never was, is CLOSED. */
static void check_state(struct scan *c)
{
    const struct world *w = &c->s->world;
    enum hws_assoc_state expected = names_scan_state(c);
    struct hws_assoc_status status = {.state = HWS_STATE_CLOSED};
    scan_expect_end(c);
    hws_assoc_status(w->engine, w->assoc, &status);
    if (status.state != expected)
        script_fail(c->s, "the state is %s", hws_assoc_state_name(status.state));
}

static void check_assoc(struct scan *c)
{
    struct hws_assoc_status status = assoc_status(c->s);
    names_check_members(c, names_assoc_status, "field of the association", &status);
}

static void check_assocs(struct scan *c)
{
    uint64_t expected = scan_number(c);
    size_t count = hws_engine_assoc_count(c->s->world.engine);
    scan_expect_end(c);
    if (count != expected)
        script_fail(c->s, "there are %zu associations", count);
}

static void check_path(struct scan *c)
{
    struct hws_addr remote = scan_addr(c);
    struct hws_path_status path;
    bool negated;
    world_path(c->s, &remote, &path);
    const char *fields = c->at;
    bool state_given = scan_key(c, &negated) == NULL;
    c->at = fields;
    if (state_given && path.state != names_scan_path_state(c))
        script_fail(c->s, "the path is %s", hws_path_state_name(path.state));
    if (!state_given || !scan_at_end(c))
        names_check_members(c, names_path_status, "field of a path", &path);
}

/* Counters since the start state was reached. */
static void check_stats(struct scan *c)
{
    const struct world *w = &c->s->world;
    struct hws_stats since = *hws_engine_stats(w->engine);
#define X(name, what) since.name -= w->stats_start.name;
    HWS_STATS(X)
#undef X
    names_check_members(c, names_stats, "counter", &since);
}

/* ---- Values ---- */

static bool same_value(const struct value *a, const struct value *b)
{
    if ((a->bytes == NULL) != (b->bytes == NULL))
        return false;
    if (a->bytes == NULL)
        return a->number == b->number;
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static void check_check(struct scan *c)
{
    struct value a = value_scan(c);
    bool negated = scan_accept(c, "!=");
    if (!negated)
        scan_expect(c, "=");
    struct value b = value_scan(c);
    scan_expect_end(c);
    if (same_value(&a, &b) == negated)
        script_fail(c->s, "the values %s", negated ? "are equal" : "differ");
}

const struct statement statements_check[] = {
    {"event", STATEMENT_CHECK, check_event}, {"state", STATEMENT_CHECK, check_state},
    {"assoc", STATEMENT_CHECK, check_assoc}, {"assocs", STATEMENT_CHECK, check_assocs},
    {"path", STATEMENT_CHECK, check_path},   {"stats", STATEMENT_CHECK, check_stats},
    {"check", STATEMENT_CHECK, check_check}, {0}};

/* ---- The end ---- */

void check_end(struct script *s)
{
    wire_check_silent(s);
    expect_no_event(s);
    value_check_used(s);
    if (s->checks == 0)
        script_fail(s, "the script expects nothing");
}
