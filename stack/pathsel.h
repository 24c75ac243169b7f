/* Path selection: on which of the peer's addresses a DATA chunk leaves. The interface is that of
 * extensions (extend.h); what a selector answers is checked here. */
#ifndef HWS_STACK_PATHSEL_H
#define HWS_STACK_PATHSEL_H

#include "stack/copies.h"
#include "stack/engine.h"
#include "stack/limits.h"

/** The primary path while it is active (RFC 9260, 6.4; RFC 7829); the default. */
extern const struct hws_pathsel_ops hws_pathsel_primary;

struct hws_assoc;
struct hws_path;
struct hws_tx;

/* An association's selector, when it is another than the default. */
struct hws_pathsel {
    const struct hws_pathsel_ops *ops;
    bool picked; /* `choice` is for the chunk that is sent next; until the visit of output ends */
    struct hws_pathsel_choice choice;
    struct hws_copies copies;
    _Alignas(uint64_t) uint8_t state[];
};

/** Makes the association's selector, or starts it anew. False: no memory. */
bool hws_pathsel_start(struct hws_assoc *a);
void hws_pathsel_free(struct hws_assoc *a);

/** What output chose before holds no longer. */
void hws_pathsel_visit(struct hws_assoc *a);

/** The path of the next new chunk, and of one that is to be sent again, by the association's
 * selector, which is not the default. */
struct hws_path *hws_pathsel_new_path(struct hws_assoc *a);
struct hws_path *hws_pathsel_again_path(struct hws_assoc *a, const struct hws_tx *tx);

/** The chunk left on `p`: notes the copies that were chosen with it. */
void hws_pathsel_sent(struct hws_path *p, uint32_t tsn);

/** What extensions are told of a path. */
void hws_pathsel_tell_path(const struct hws_path *p, struct hws_ext_path *out);

/** The path has another state. */
void hws_pathsel_path_changed(struct hws_path *p);

/** The default's choice: where data goes; where what was last sent on path `last` goes again. */
struct hws_path *hws_pathsel_default_new(const struct hws_assoc *a);
struct hws_path *hws_pathsel_default_again(const struct hws_assoc *a, uint8_t last);

#endif
