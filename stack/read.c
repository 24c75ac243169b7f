#include "stack/read.h"

#include "stack/assoc.h"
#include "stack/sack.h"

/* ---- Copies ---- */

static int nothing_to_read(const struct hws_assoc *a)
{
    return a->over ? a->reason : HWS_E_AGAIN;
}

static void has_read(struct hws_assoc *a, const struct hws_rcvinfo *info)
{
    if (info->flags & HWS_RECV_EOR)
        a->engine->stats.messages_in++;
}

int hws_assoc_recv(struct hws_engine *e, hws_assoc_id id, void *buf, size_t capacity, size_t *len,
                   struct hws_rcvinfo *info, uint64_t now_us)
{
    hws_engine_enter(e, now_us);
    struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    if (a == NULL)
        return HWS_E_NOENT;
    if (capacity == 0)
        return HWS_E_INVAL;
    *len = hws_reassembly_take(&a->queues->reassembly, buf, capacity, info);
    if (*len == 0)
        return nothing_to_read(a);
    has_read(a, info);
    hws_tune_taken(a, (uint32_t)*len);
    hws_sack_window_update(a);
    return HWS_OK;
}

int hws_assoc_peek(struct hws_engine *e, hws_assoc_id id, void *buf, size_t capacity, size_t *len,
                   struct hws_rcvinfo *info, uint64_t now_us)
{
    hws_engine_enter(e, now_us);
    const struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    if (a == NULL)
        return HWS_E_NOENT;
    if (capacity == 0)
        return HWS_E_INVAL;
    *len = hws_reassembly_peek(&a->queues->reassembly, buf, capacity, info);
    return *len == 0 ? nothing_to_read(a) : HWS_OK;
}

bool hws_assoc_readable(const struct hws_engine *e, hws_assoc_id id)
{
    const struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    return a != NULL && hws_reassembly_readable(&a->queues->reassembly);
}

int hws_assoc_next(const struct hws_engine *e, hws_assoc_id id, struct hws_next *out)
{
    const struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    if (a == NULL)
        return HWS_E_NOENT;
    return hws_reassembly_next(&a->queues->reassembly, out) ? HWS_OK : HWS_E_AGAIN;
}

/* ---- Views ---- */

/* What a view holds: the application knows it only as `held`. */
struct view {
    struct hws_list link; /* assoc->queues->views, or engine->views when the association is gone */
    struct hws_assoc *assoc;
    struct hws_frag *frags;
};

int hws_assoc_recv_view(struct hws_engine *e, hws_assoc_id id, struct hws_recv_view *out)
{
    struct hws_assoc *a = hws_idtab_get(&e->assocs, id);
    if (a == NULL)
        return HWS_E_NOENT;
    if (!hws_reassembly_readable(&a->queues->reassembly))
        return nothing_to_read(a);
    struct view *view = hws_pool_zalloc(&e->pool, sizeof *view);
    if (view == NULL)
        return HWS_E_NOMEM;
    view->frags = hws_reassembly_lend(&a->queues->reassembly, out);
    if (view->frags == NULL) {
        hws_pool_free(&e->pool, view, sizeof *view);
        return HWS_E_NOMEM;
    }
    view->assoc = a;
    hws_list_init(&view->link);
    hws_list_push(&a->queues->views, &view->link);
    out->held = view;
    has_read(a, &out->info);
    hws_tune_taken(a, (uint32_t)out->len);
    return HWS_OK;
}

void hws_recv_view_release(struct hws_engine *e, struct hws_recv_view *out)
{
    struct view *view = out->held;
    if (view == NULL)
        return;
    *out = (struct hws_recv_view){0};
    hws_list_remove(&view->link);
    if (view->assoc != NULL) {
        hws_reassembly_give_back(&view->assoc->queues->reassembly, view->frags);
        hws_sack_window_update(view->assoc);
    } else {
        hws_reassembly_orphans(&e->pool, view->frags);
    }
    hws_pool_free(&e->pool, view, sizeof *view);
}

void hws_read_orphan_views(struct hws_assoc *a)
{
    while (!hws_list_empty(&a->queues->views)) {
        struct view *view = HWS_CONTAINER(a->queues->views.next, struct view, link);
        view->assoc = NULL;
        hws_list_remove(&view->link);
        hws_list_push(&a->engine->views, &view->link);
    }
}

void hws_read_free_views(struct hws_engine *e)
{
    while (!hws_list_empty(&e->views)) {
        struct view *view = HWS_CONTAINER(e->views.next, struct view, link);
        hws_list_remove(&view->link);
        hws_reassembly_orphans(&e->pool, view->frags);
        hws_pool_free(&e->pool, view, sizeof *view);
    }
}

/* ---- Partial delivery ---- */

void hws_read_abort_partial(struct hws_assoc *a)
{
    struct hws_rcvinfo info;
    if (!hws_reassembly_abort_partial(&a->queues->reassembly, &info))
        return;
    a->queues->aborted_sid = info.sid;
    a->queues->aborted_ssn = info.ssn;
    hws_assoc_tell(a, HWS_EVENT_BIT(PARTIAL_ABORTED));
    if (hws_reassembly_readable(&a->queues->reassembly))
        hws_assoc_tell(a, HWS_EVENT_BIT(READABLE));
}
