#include "stack/extension.h"

#include <string.h>

#include "stack/assoc.h"
#include "stack/fault.h"
#include "stack/observe.h"
#include "stack/receive.h"
#include "stack/timer.h"

/* What of an extension is running, and so what it may ask for. */
enum hws_ext_call {
    CALL_NONE,
    CALL_BEGIN,
    CALL_END,
    CALL_INPUT,
    CALL_FILL,
    CALL_SENT,
    CALL_RECEIVED,
    CALL_TIMER,
};

_Static_assert(HWS_EXT_IN_ESTABLISHED == 1u << HWS_STATE_ESTABLISHED &&
                   HWS_EXT_IN_SHUTDOWN_PENDING == 1u << HWS_STATE_SHUTDOWN_PENDING &&
                   HWS_EXT_IN_SHUTDOWN_SENT == 1u << HWS_STATE_SHUTDOWN_SENT &&
                   HWS_EXT_IN_SHUTDOWN_RECEIVED == 1u << HWS_STATE_SHUTDOWN_RECEIVED &&
                   HWS_EXT_IN_SHUTDOWN_ACK_SENT == 1u << HWS_STATE_SHUTDOWN_ACK_SENT,
               "states of extend.h are those of the engine");

static struct hws_ext_part *part_of(const struct hws_assoc *a)
{
    return (struct hws_ext_part *)(a + 1);
}

static uint32_t slot_count(const struct hws_assoc *a)
{
    return a->engine->registry.count - 1;
}

/* ---- Calls ---- */

/* What it is shown is written anew each time: it may have been written to. */
static const struct hws_ext_assoc *enter(struct hws_ext_slot *slot, enum hws_ext_call call)
{
    const struct hws_assoc *a = slot->assoc;
    slot->call = (uint8_t)call;
    if (call != CALL_FILL)
        slot->fills_left = HWS_EXT_FILLS_MAX;
    slot->shown = (struct hws_ext_assoc){
        .services = &hws_ext_services,
        .state = slot->state,
        .now_us = a->engine->now_us,
        .initiator = !a->passive,
        .paths = a->path_count,
        .data_path = hws_assoc_data_path(a)->index,
    };
    return &slot->shown;
}

static void leave(struct hws_ext_slot *slot)
{
    slot->call = CALL_NONE;
}

/* ---- Beginning and end ---- */

void hws_extensions_init(struct hws_assoc *a)
{
    struct hws_ext_part *part = part_of(a);
    for (uint32_t i = 0; i < slot_count(a); i++) {
        part->slots[i] = (struct hws_ext_slot){
            .assoc = a, .ext = a->engine->registry.list[i + 1], .deadline_us = HWS_NEVER};
        hws_list_init(&part->slots[i].blocks);
    }
}

void hws_extensions_agree(struct hws_assoc *a, const struct hws_ext_offers *offers)
{
    if (slot_count(a) > 0)
        part_of(a)->offers = *offers;
}

/* Memory that an extension asked for. */
struct hws_ext_block {
    struct hws_list link; /* of its slot */
    uint32_t bytes;       /* of all of it */
    _Alignas(max_align_t) uint8_t memory[];
};

static void free_block(struct hws_ext_slot *slot, struct hws_ext_block *block)
{
    hws_list_remove(&block->link);
    slot->block_bytes -= block->bytes;
    hws_pool_free(&slot->assoc->engine->pool, block, block->bytes);
}

static void turn_off(struct hws_ext_slot *slot)
{
    if (!slot->on)
        return;
    if (slot->ext->end != NULL) {
        slot->ext->end(enter(slot, CALL_END));
        leave(slot);
    }
    slot->on = false;
    slot->deadline_us = HWS_NEVER;
    memset(slot->wants, 0, sizeof slot->wants);
    while (!hws_list_empty(&slot->blocks))
        free_block(slot, HWS_CONTAINER(slot->blocks.next, struct hws_ext_block, link));
    hws_pool_free(&slot->assoc->engine->pool, slot->state, slot->ext->state_size);
    slot->state = NULL;
}

static bool turn_on(struct hws_ext_slot *slot, const uint8_t *value, uint8_t len)
{
    if (slot->ext->state_size > 0) {
        slot->state = hws_pool_zalloc(&slot->assoc->engine->pool, slot->ext->state_size);
        if (slot->state == NULL)
            return false;
    }
    slot->on = true;
    if (slot->ext->begin != NULL) {
        slot->ext->begin(enter(slot, CALL_BEGIN), value, len);
        leave(slot);
    }
    return true;
}

bool hws_extensions_begin(struct hws_assoc *a)
{
    struct hws_ext_part *part = part_of(a);
    hws_extensions_end(a);
    for (uint32_t i = 0; i < slot_count(a); i++) {
        const struct hws_ext_offers *offers = &part->offers;
        if ((offers->mask & 1u << i) &&
            !turn_on(&part->slots[i], offers->value[i], offers->len[i])) {
            HWS_DROP(a->engine, a->engine->rx, drop_memory);
            return false;
        }
    }
    if (hws_assoc_has_queues(a))
        hws_extensions_tune(a);
    return true;
}

void hws_extensions_end(struct hws_assoc *a)
{
    for (uint32_t i = 0; i < slot_count(a); i++)
        turn_off(&part_of(a)->slots[i]);
}

static void drop_event(struct hws_assoc *a)
{
    struct hws_ext_part *part = part_of(a);
    struct hws_ext_event *event = part->events;
    part->events = event->next;
    part->event_count--;
    part->first_told = false;
    hws_pool_free(&a->engine->pool, event, sizeof *event + event->len);
}

void hws_extensions_free(struct hws_assoc *a)
{
    hws_extensions_end(a);
    while (slot_count(a) > 0 && part_of(a)->events != NULL)
        drop_event(a);
}

/* ---- INIT and INIT ACK ---- */

void hws_extensions_put_offers(struct hws_builder *b, const struct hws_registry *r,
                               const struct hws_ext_offers *offers)
{
    for (uint32_t i = 1; i < r->count; i++) {
        const struct hws_extension *x = r->list[i];
        if (x->param == 0 || (offers != NULL && !(offers->mask & 1u << (i - 1))))
            continue;
        uint8_t *value = hws_builder_tlv(b, x->param, x->offer_len);
        if (value != NULL && x->offer_len > 0)
            memcpy(value, x->offer, x->offer_len);
    }
}

/* ---- Chunks that come ---- */

static const struct hws_ext_chunk *chunk_of(const struct hws_extension *x, uint8_t type)
{
    for (uint32_t i = 0; i < x->chunk_count; i++)
        if (x->chunks[i].type == type)
            return &x->chunks[i];
    return NULL;
}

static bool allowed(const struct hws_assoc *a, const struct hws_ext_chunk *c)
{
    return c->states >> a->state & 1;
}

static void give_chunk(struct hws_ext_slot *slot, const struct hws_ext_chunk *c,
                       const struct hws_rx *rx, const struct hws_tlv *chunk)
{
    struct hws_engine *e = slot->assoc->engine;
    if (hws_chunk_value_len(chunk) < c->min_len) {
        HWS_DROP(e, rx, drop_chunk_malformed);
    } else if (c->input == NULL || !allowed(slot->assoc, c)) {
        HWS_DROP(e, rx, drop_chunk_state);
    } else {
        const struct hws_ext_in in = {
            .type = c->type,
            .flags = hws_chunk_flags(chunk),
            .path = rx->path->index,
            .len = (uint16_t)hws_chunk_value_len(chunk),
            .value = hws_chunk_value(chunk),
        };
        e->stats.ext_chunks_in++;
        c->input(enter(slot, CALL_INPUT), &in);
        leave(slot);
    }
}

bool hws_extensions_chunk_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk)
{
    for (uint32_t i = 0; i < slot_count(a); i++) {
        struct hws_ext_slot *slot = &part_of(a)->slots[i];
        const struct hws_ext_chunk *c =
            slot->on ? chunk_of(slot->ext, hws_chunk_type(chunk)) : NULL;
        if (c == NULL)
            continue;
        give_chunk(slot, c, rx, chunk);
        return true;
    }
    return false;
}

/* ---- Chunks that go ---- */

struct hws_ext_filling {
    struct hws_ext_out out;
    struct hws_builder *b;
};

enum fill_result { FILL_DONE, FILL_NOTHING, FILL_NO_ROOM };

/* One chunk, if there is one and it fits. */
static enum fill_result fill_chunk(struct hws_ext_slot *slot, const struct hws_ext_chunk *c,
                                   struct hws_builder *b, uint8_t path)
{
    if (!hws_builder_open(b, c->type, 0))
        return FILL_NO_ROOM;
    struct hws_ext_filling f = {
        .out = {.type = c->type, .path = path, .room = (uint16_t)(b->limit - b->len)},
        .b = b,
    };
    slot->filling = &f;
    bool filled = c->fill(enter(slot, CALL_FILL), &f.out);
    leave(slot);
    slot->filling = NULL;
    bool fits = !b->overflow;
    b->overflow = !fits || !filled; /* then it is taken back */
    b->start[b->open + 1] = f.out.flags;
    if (hws_builder_close(b))
        slot->assoc->engine->stats.ext_chunks_out++;
    return !filled ? FILL_NOTHING : fits ? FILL_DONE : FILL_NO_ROOM;
}

/* A chunk that not even the largest packet carries is dropped; else it waits for the next one. */
static void fill_wanted(struct hws_ext_slot *slot, unsigned index, struct hws_builder *b,
                        struct hws_path *p, bool first)
{
    const struct hws_ext_chunk *c = &slot->ext->chunks[index];
    struct hws_stats *stats = &slot->assoc->engine->stats;
    slot->wants[p->index] &= (uint8_t) ~(1u << index);
    if (!allowed(slot->assoc, c))
        return;
    bool alone = first && b->chunks == 0;
    if (slot->fills_left > 0)
        slot->fills_left--;
    enum fill_result result = fill_chunk(slot, c, b, p->index);
    if (result == FILL_NO_ROOM && !alone) {
        slot->wants[p->index] |= (uint8_t)(1u << index);
    } else if (result != FILL_DONE) { /* nothing is asked for in vain again and again */
        slot->wants[p->index] &= (uint8_t) ~(1u << index);
        stats->ext_faults += result == FILL_NO_ROOM;
    }
}

void hws_extensions_fill(struct hws_path *p, struct hws_builder *b, enum hws_ext_place place,
                         bool first)
{
    struct hws_assoc *a = p->assoc;
    bool left = false;
    for (uint32_t i = 0; i < slot_count(a); i++) {
        struct hws_ext_slot *slot = &part_of(a)->slots[i];
        uint32_t wanted = slot->wants[p->index]; /* what is asked for meanwhile comes next time */
        for (unsigned k = 0; k < slot->ext->chunk_count; k++)
            if ((wanted & 1u << k) && slot->ext->chunks[k].place == place)
                fill_wanted(slot, k, b, p, first);
        left |= slot->wants[p->index] != 0;
    }
    if (!left)
        p->wants &= (uint16_t)~HWS_WANT_EXTENSION;
}

/* ---- User data ---- */

void hws_extensions_data_sent(struct hws_path *p, const uint8_t *chunk, uint32_t tsn, uint32_t len,
                              bool again)
{
    struct hws_assoc *a = p->assoc;
    const struct hws_ext_data data = {
        .chunk = chunk,
        .len = (uint16_t)len,
        .tsn = tsn,
        .path = p->index,
        .again = again,
        .packet = a->counts.packets_out,
    };
    for (uint32_t i = 0; i < slot_count(a); i++) {
        struct hws_ext_slot *slot = &part_of(a)->slots[i];
        if (!slot->on || slot->ext->data_sent == NULL)
            continue;
        slot->ext->data_sent(enter(slot, CALL_SENT), &data);
        leave(slot);
    }
}

/* One that is in the middle of something hands the chunk in itself, or waits for another that does.
 */
void hws_extensions_data_received(struct hws_assoc *a, const struct hws_rx *rx,
                                  const struct hws_tlv *chunk, uint32_t tsn)
{
    const struct hws_ext_data data = {
        .chunk = chunk->bytes,
        .len = chunk->len,
        .tsn = tsn,
        .path = rx->path->index,
        .again = rx->repaired,
        .packet = a->counts.packets_in,
    };
    for (uint32_t i = 0; i < slot_count(a) && !a->over; i++) {
        struct hws_ext_slot *slot = &part_of(a)->slots[i];
        if (!slot->on || slot->ext->data_received == NULL || slot->call != CALL_NONE)
            continue;
        slot->ext->data_received(enter(slot, CALL_RECEIVED), &data);
        leave(slot);
    }
}

/* ---- Time ---- */

uint64_t hws_extensions_deadline(const struct hws_assoc *a)
{
    uint64_t min = HWS_NEVER;
    for (uint32_t i = 0; i < slot_count(a); i++)
        if (part_of(a)->slots[i].deadline_us < min)
            min = part_of(a)->slots[i].deadline_us;
    return min;
}

void hws_extensions_expire(struct hws_assoc *a)
{
    for (uint32_t i = 0; i < slot_count(a) && !a->over; i++) {
        struct hws_ext_slot *slot = &part_of(a)->slots[i];
        if (slot->deadline_us > a->engine->now_us)
            continue;
        slot->deadline_us = HWS_NEVER;
        slot->ext->timer(enter(slot, CALL_TIMER));
        leave(slot);
    }
}

/* ---- Events ---- */

void hws_extensions_describe_event(struct hws_assoc *a, struct hws_event *out)
{
    struct hws_ext_part *part = part_of(a);
    if (part->first_told)
        drop_event(a);
    const struct hws_ext_event *event = part->events;
    out->extension = event->ext->name;
    out->code = event->code;
    out->data = event->data;
    out->data_len = event->len;
    part->first_told = true;
    if (event->next != NULL)
        hws_assoc_tell(a, HWS_EVENT_BIT(EXTENSION));
}

/* ---- What extensions say about the engine's own work ---- */

void hws_extensions_tune(struct hws_assoc *a)
{
    uint32_t reserve_bytes = 0, missing_reports = 0;
    for (uint32_t i = 0; i < slot_count(a); i++) {
        const struct hws_ext_slot *slot = &part_of(a)->slots[i];
        if (slot->on && slot->ext->reserve_bytes > reserve_bytes)
            reserve_bytes = slot->ext->reserve_bytes;
        if (slot->on && slot->ext->missing_reports > missing_reports)
            missing_reports = slot->ext->missing_reports;
    }
    a->queues->reserve_bytes = (uint16_t)((reserve_bytes + 3) & ~3u);
    hws_outq_set_missing_reports(&a->queues->outq, missing_reports);
}

bool hws_assoc_has_extension(const struct hws_engine *e, hws_assoc_id id, const char *name)
{
    const struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    for (uint32_t i = 0; a != NULL && i < slot_count(a); i++) {
        const struct hws_ext_slot *slot = &part_of(a)->slots[i];
        if (slot->on && strcmp(slot->ext->name, name) == 0)
            return true;
    }
    return false;
}

/* ---- Services: the edge ---- */

static struct hws_ext_slot *slot_of(const struct hws_ext_assoc *shown)
{
    return HWS_CONTAINER(shown, struct hws_ext_slot, shown);
}

/* What is refused because it should not have been asked for. */
static int refuse(const struct hws_ext_slot *slot, enum hws_ext_result why)
{
    slot->assoc->engine->stats.ext_faults++;
    return why;
}

static bool running(const struct hws_ext_slot *slot)
{
    return slot->on && slot->call != CALL_NONE && slot->call != CALL_END && !slot->assoc->over;
}

/* The path meant; NULL: there is none of that number. Nothing but HEARTBEATs goes to an address
 * that nobody has confirmed (5.4). */
static struct hws_path *path_meant(const struct hws_assoc *a, uint8_t path)
{
    if (path == HWS_EXT_DATA_PATH)
        return hws_assoc_data_path(a);
    if (path >= a->path_count || a->paths[path]->disowned)
        return NULL;
    return hws_assoc_answer_path(a->paths[path]);
}

static int serve_want(const struct hws_ext_assoc *shown, uint8_t type, uint8_t path)
{
    struct hws_ext_slot *slot = slot_of(shown);
    if (!running(slot))
        return refuse(slot, HWS_EXT_STATE);
    const struct hws_ext_chunk *c = chunk_of(slot->ext, type);
    struct hws_path *p = path_meant(slot->assoc, path);
    if (c == NULL || c->fill == NULL || p == NULL)
        return refuse(slot, HWS_EXT_INVAL);
    if (!allowed(slot->assoc, c))
        return HWS_EXT_STATE; /* which it cannot know */
    if (slot->fills_left == 0)
        return refuse(slot, HWS_EXT_FULL);
    slot->wants[p->index] |= (uint8_t)(1u << (c - slot->ext->chunks));
    hws_want(p, HWS_WANT_EXTENSION);
    return HWS_EXT_OK;
}

static int serve_put(const struct hws_ext_assoc *shown, struct hws_ext_out *out, const void *bytes,
                     uint16_t len)
{
    const struct hws_ext_slot *slot = slot_of(shown);
    if (!running(slot) || slot->call != CALL_FILL)
        return refuse(slot, HWS_EXT_STATE);
    if (out != &slot->filling->out || (bytes == NULL && len > 0))
        return refuse(slot, HWS_EXT_INVAL);
    struct hws_builder *b = slot->filling->b;
    uint8_t *to = hws_builder_bytes(b, len);
    if (to == NULL)
        return HWS_EXT_FULL;
    if (len > 0)
        memcpy(to, bytes, len);
    out->room = (uint16_t)(b->limit - b->len);
    return HWS_EXT_OK;
}

static bool may_repair(const struct hws_ext_slot *slot)
{
    bool here = slot->call == CALL_INPUT || slot->call == CALL_RECEIVED || slot->call == CALL_TIMER;
    return running(slot) && here && !part_of(slot->assoc)->repairing;
}

static int serve_repair(const struct hws_ext_assoc *shown, const uint8_t *chunk, uint16_t len)
{
    struct hws_ext_slot *slot = slot_of(shown);
    struct hws_assoc *a = slot->assoc;
    if (!may_repair(slot))
        return refuse(slot, HWS_EXT_STATE);
    struct hws_tlv_iter it = hws_tlv_begin(chunk, chunk != NULL ? len : 0);
    struct hws_tlv tlv;
    if (!hws_tlv_next(&it, &tlv) || tlv.len != len || hws_chunk_type(&tlv) != HWS_CHUNK_DATA ||
        len < HWS_DATA_HEADER_LEN)
        return refuse(slot, HWS_EXT_INVAL);
    part_of(a)->repairing = true;
    int rc = hws_receive_repaired(a, &tlv);
    part_of(a)->repairing = false;
    return rc == HWS_EXT_INVAL ? refuse(slot, HWS_EXT_INVAL) : rc;
}

static int serve_timer(const struct hws_ext_assoc *shown, uint64_t delay_us)
{
    struct hws_ext_slot *slot = slot_of(shown);
    if (!running(slot))
        return refuse(slot, HWS_EXT_STATE);
    if (slot->ext->timer == NULL)
        return refuse(slot, HWS_EXT_INVAL);
    if (delay_us < HWS_EXT_TIMER_MIN_US)
        delay_us = HWS_EXT_TIMER_MIN_US;
    if (delay_us >= HWS_NEVER - slot->assoc->engine->now_us)
        slot->deadline_us = HWS_NEVER;
    else
        hws_timer_start_at(slot->assoc, &slot->deadline_us, delay_us);
    return HWS_EXT_OK;
}

/* NULL: as many as may wait do so, or there is no memory. */
static struct hws_ext_event *new_event(const struct hws_ext_slot *slot, uint32_t code,
                                       const void *bytes, uint16_t len)
{
    struct hws_ext_event *event = NULL;
    if (part_of(slot->assoc)->event_count < HWS_EXT_EVENTS_MAX)
        event = hws_pool_alloc(&slot->assoc->engine->pool, sizeof *event + len);
    if (event == NULL)
        return NULL;
    *event = (struct hws_ext_event){.ext = slot->ext, .code = code, .len = len};
    if (len > 0)
        memcpy(event->data, bytes, len);
    return event;
}

static int serve_tell(const struct hws_ext_assoc *shown, uint32_t code, const void *bytes,
                      uint16_t len)
{
    struct hws_ext_slot *slot = slot_of(shown);
    struct hws_assoc *a = slot->assoc;
    struct hws_ext_part *part = part_of(a);
    if (!running(slot))
        return refuse(slot, HWS_EXT_STATE);
    if (len > HWS_EXT_EVENT_MAX || (bytes == NULL && len > 0))
        return refuse(slot, HWS_EXT_INVAL);
    if (a->released)
        return HWS_EXT_OK; /* nobody listens */
    struct hws_ext_event *event = new_event(slot, code, bytes, len);
    if (event == NULL) {
        a->engine->stats.ext_events_lost++;
        return HWS_EXT_FULL;
    }
    *(part->events == NULL ? &part->events : &part->last->next) = event;
    part->last = event;
    part->event_count++;
    hws_assoc_tell(a, HWS_EVENT_BIT(EXTENSION));
    return HWS_EXT_OK;
}

static bool has_cause(const struct hws_extension *x, uint16_t code)
{
    for (uint32_t i = 0; i < x->cause_count; i++)
        if (x->causes[i].code == code)
            return true;
    return false;
}

static int serve_report(const struct hws_ext_assoc *shown, uint16_t cause, const void *value,
                        uint16_t len)
{
    const struct hws_ext_slot *slot = slot_of(shown);
    const struct hws_assoc *a = slot->assoc;
    if (!running(slot))
        return refuse(slot, HWS_EXT_STATE);
    if (!has_cause(slot->ext, cause) || (value == NULL && len > 0))
        return refuse(slot, HWS_EXT_INVAL);
    const struct hws_rx *rx = a->engine->rx;
    hws_fault_report(rx != NULL ? rx->path : hws_assoc_data_path(a), cause, value, len);
    return HWS_EXT_OK;
}

static int serve_path(const struct hws_ext_assoc *shown, uint8_t path, struct hws_ext_path *out)
{
    const struct hws_ext_slot *slot = slot_of(shown);
    const struct hws_assoc *a = slot->assoc;
    if (path == HWS_EXT_DATA_PATH)
        path = hws_assoc_data_path(a)->index;
    if (path >= a->path_count)
        return refuse(slot, HWS_EXT_INVAL);
    hws_pathsel_tell_path(a->paths[path], out);
    return HWS_EXT_OK;
}

static void *serve_alloc(const struct hws_ext_assoc *shown, size_t bytes)
{
    struct hws_ext_slot *slot = slot_of(shown);
    struct hws_ext_block *block;
    size_t most = HWS_EXT_STATE_MAX - slot->block_bytes;
    if (!running(slot) || bytes == 0 || bytes > most || bytes + sizeof *block > most) {
        (void)refuse(slot, HWS_EXT_INVAL);
        return NULL;
    }
    block = hws_pool_zalloc(&slot->assoc->engine->pool, sizeof *block + bytes);
    if (block == NULL)
        return NULL;
    block->bytes = (uint32_t)(sizeof *block + bytes);
    slot->block_bytes += block->bytes;
    hws_list_push(&slot->blocks, &block->link);
    return block->memory;
}

static void serve_free(const struct hws_ext_assoc *shown, void *memory)
{
    struct hws_ext_slot *slot = slot_of(shown);
    if (!running(slot))
        (void)refuse(slot, HWS_EXT_STATE);
    else if (memory != NULL)
        free_block(slot, HWS_CONTAINER(memory, struct hws_ext_block, memory));
}

const struct hws_ext_services hws_ext_services = {
    .api = HWS_EXTEND_API,
    .want = serve_want,
    .put = serve_put,
    .repair = serve_repair,
    .timer = serve_timer,
    .tell = serve_tell,
    .report = serve_report,
    .path = serve_path,
    .alloc = serve_alloc,
    .free = serve_free,
};
