#include "api/runtime/driver.h"

/* Rounds of output, and of what it makes happen, before the loop gets its turn: news about what
 * could not be sent, and events. */
#define OUTPUT_ROUNDS 4u

static void trace(const struct hws_driver *driver, const struct hws_driver_packet *packet)
{
    if (driver->trace != NULL)
        driver->trace(driver->trace_arg, packet);
}

static void trace_inbound(const struct hws_driver *driver, const struct hws_packet_in *packets,
                          size_t count, uint64_t now_us)
{
    for (size_t i = 0; i < count && driver->trace != NULL; i++) {
        const struct hws_packet_in *p = &packets[i];
        trace(
            driver,
            &(struct hws_driver_packet){
                .now_us = now_us, .src = &p->src, .dst = &p->dst, .data = p->data, .len = p->len});
    }
}

/* The source address that the packets will have: where the engine leaves the choice to the
 * network, what the route says now. */
static struct hws_addr source_of(struct hws_link *link, const struct hws_train *train)
{
    struct hws_addr src = train->src;
    if (src.family == HWS_FAMILY_NONE && link->ops->route(link, &train->dst, &src, NULL) != 0)
        src.family = HWS_FAMILY_NONE;
    src.udp_port = link->ops->encapsulation_port(link);
    return src;
}

static void trace_train(const struct hws_driver *driver, const struct hws_train *train,
                        uint64_t now_us)
{
    if (driver->trace == NULL)
        return;
    struct hws_addr src = source_of(driver->link, train);
    for (uint32_t at = 0; at < train->len; at += train->segment_len) {
        uint32_t left = train->len - at;
        trace(driver, &(struct hws_driver_packet){
                          .outbound = true,
                          .now_us = now_us,
                          .src = &src,
                          .dst = &train->dst,
                          .data = train->data + at,
                          .len = left < train->segment_len ? left : train->segment_len});
    }
}

void hws_driver_tell_route(struct hws_driver *driver, hws_assoc_id assoc,
                           const struct hws_addr *remote, uint64_t now_us)
{
    struct hws_net_event mtu = {.kind = HWS_NET_MTU, .assoc = assoc, .remote = *remote};
    if (driver->link->ops->route(driver->link, remote, &mtu.local, &mtu.mtu) == 0)
        hws_engine_net_event(driver->engine, &mtu, now_us);
}

static bool net_events(struct hws_driver *driver, uint64_t now_us)
{
    struct hws_net_event event;
    bool any = false;
    while (driver->link->ops->net_event(driver->link, &event)) {
        if (driver->net_trace != NULL)
            driver->net_trace(driver->net_trace_arg, &event, &driver->link->icmp);
        hws_engine_net_event(driver->engine, &event, now_us);
        if (event.kind == HWS_NET_SEND_FAILED && event.reason == HWS_SEND_TOO_BIG)
            hws_driver_tell_route(driver, 0, &event.remote, now_us);
        any = true;
    }
    return any;
}

size_t hws_driver_input(struct hws_driver *driver, uint64_t now_us)
{
    struct hws_packet_in packets[HWS_DRIVER_BATCH];
    size_t count = driver->link->ops->receive(driver->link, packets, HWS_DRIVER_BATCH);
    trace_inbound(driver, packets, count, now_us);
    if (count > 0)
        hws_engine_input(driver->engine, packets, count, now_us);
    for (size_t i = 0; i < count; i++) {
        if (packets[i].buf != NULL)
            hws_buf_unref(packets[i].buf);
    }
    net_events(driver, now_us);
    return count;
}

static void events(struct hws_driver *driver, uint64_t now_us)
{
    struct hws_event event;
    do {
        while (hws_engine_event(driver->engine, &event)) {
            if (event.type == HWS_EVENT_PATH_NEW)
                hws_driver_tell_route(driver, event.assoc, &event.remote, now_us);
            else
                driver->host.event(driver->host.arg, &event, now_us);
        }
    } while (driver->host.dispatch(driver->host.arg));
}

/* A buffer for the next train; false when the link has none even after flushing. */
static bool next_buffer(struct hws_link *link, struct hws_train *train)
{
    return link->ops->train(link, train) ||
           (link->ops->flush(link) && link->ops->train(link, train));
}

static void output(struct hws_driver *driver, uint64_t now_us)
{
    struct hws_link *link = driver->link;
    struct hws_train train = {0};
    while (next_buffer(link, &train) && hws_engine_output(driver->engine, &train, now_us)) {
        trace_train(driver, &train, now_us);
        link->ops->submit(link, &train);
    }
    driver->blocked_fds = link->ops->flush(link) ? 0 : ~link->not_blocking;
}

bool hws_driver_run(struct hws_driver *driver, uint64_t now_us)
{
    if (hws_engine_deadline(driver->engine) <= now_us)
        hws_engine_expire(driver->engine, now_us);
    for (unsigned round = 0; round < OUTPUT_ROUNDS; round++) {
        events(driver, now_us);
        output(driver, now_us);
        if (!net_events(driver, now_us) && !hws_engine_has_events(driver->engine))
            return false;
    }
    return true;
}
