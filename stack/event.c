/* Events: bits noted on associations and paths, handed out one by one. */
#include "stack/assoc.h"
#include "stack/extension.h"
#include "stack/fault.h"

/* The order in which what happened at once is told: beginnings first, the end last. */
static const enum hws_event_type path_order[] = {
    HWS_EVENT_PATH_NEW,  HWS_EVENT_PATH_CONFIRMED, HWS_EVENT_PATH_FAILING,
    HWS_EVENT_PATH_DOWN, HWS_EVENT_PATH_UP,
};
static const enum hws_event_type order[] = {
    HWS_EVENT_UP,           HWS_EVENT_RESTART,     HWS_EVENT_ADAPTATION,
    HWS_EVENT_EXTENSION,    HWS_EVENT_READABLE,    HWS_EVENT_PARTIAL_ABORTED,
    HWS_EVENT_WRITABLE,     HWS_EVENT_SEND_FAILED, HWS_EVENT_PEER_SHUTDOWN,
    HWS_EVENT_REMOTE_ERROR, HWS_EVENT_DRY,         HWS_EVENT_DOWN,
};

static void describe(const struct hws_assoc *a, enum hws_event_type type, struct hws_event *out)
{
    *out = (struct hws_event){
        .type = type,
        .assoc = a->id,
        .endpoint = a->endpoint->released ? 0 : a->endpoint->id,
        .passive = a->passive,
        .reason = a->reason,
        .cause = a->cause,
        .instreams = a->instreams,
        .ostreams = a->ostreams,
        .sid = a->queues->aborted_sid,
        .ssn = a->queues->aborted_ssn,
        .indication = a->peer_adaptation,
    };
}

static bool take_path_event(struct hws_path *p, struct hws_event *out)
{
    for (unsigned i = 0; p->events != 0 && i < sizeof path_order / sizeof *path_order; i++) {
        uint16_t bit = (uint16_t)(1u << path_order[i]);
        if (!(p->events & bit))
            continue;
        p->events &= (uint16_t)~bit;
        describe(p->assoc, path_order[i], out);
        out->local = p->local;
        out->remote = p->remote;
        return true;
    }
    return false;
}

static bool take_event(struct hws_assoc *a, struct hws_event *out)
{
    for (unsigned i = 0; i < a->path_count; i++)
        if (take_path_event(a->paths[i], out))
            return true;
    for (unsigned i = 0; a->events != 0 && i < sizeof order / sizeof *order; i++) {
        uint32_t bit = 1u << order[i];
        if (!(a->events & bit))
            continue;
        a->events &= ~bit;
        describe(a, order[i], out);
        if (order[i] == HWS_EVENT_REMOTE_ERROR)
            hws_fault_describe_error(a, out);
        else if (order[i] == HWS_EVENT_DOWN)
            hws_fault_describe_down(a, out);
        else if (order[i] == HWS_EVENT_EXTENSION)
            hws_extensions_describe_event(a, out);
        return true;
    }
    return false;
}

bool hws_engine_has_events(const struct hws_engine *e)
{
    return !hws_list_empty(&e->events);
}

bool hws_engine_event(struct hws_engine *e, struct hws_event *out)
{
    while (!hws_list_empty(&e->events)) {
        struct hws_assoc *a = HWS_CONTAINER(e->events.next, struct hws_assoc, event_link);
        if (take_event(a, out))
            return true;
        hws_list_remove(&a->event_link);
    }
    return false;
}
