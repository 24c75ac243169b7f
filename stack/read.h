/* What the application reads: by copying, looking, or borrowing received bytes. */
#ifndef HWS_STACK_READ_H
#define HWS_STACK_READ_H

#include "stack/core.h"

/** The message in partial delivery, if there is one, will not be completed: the application is
 * told.
 */
void hws_read_abort_partial(struct hws_assoc *a);

/** The association is freed; what it lent lives on. */
void hws_read_orphan_views(struct hws_assoc *a);

/** The engine is freed: what it lent and did not get back goes, too. */
void hws_read_free_views(struct hws_engine *e);

#endif
