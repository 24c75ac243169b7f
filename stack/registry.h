/* What an engine can be told by name, and the chunk types beside those of RFC 9260: the extensions
 * it was made with. What is built in is the first of them. */
#ifndef HWS_STACK_REGISTRY_H
#define HWS_STACK_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

#include "stack/cc.h"
#include "stack/extend.h"
#include "stack/pathsel.h"
#include "stack/sched.h"

struct hws_registry {
    const struct hws_extension *list[1 + HWS_EXT_MAX]; /* NULL from the last one on */
    uint32_t count;
};

/** The registry of an engine with what is built in and these extensions, which were checked
 * (hws_extensions_check). */
void hws_registry_init(struct hws_registry *r, const struct hws_extension *const *extensions,
                       size_t count);

/** The controller of that name, NULL when there is none; NULL gives the default. */
const struct hws_cc_ops *hws_registry_cc(const struct hws_registry *r, const char *name);

/** The scheduler of that name, NULL when there is none; NULL gives the default. */
const struct hws_sched_ops *hws_registry_sched(const struct hws_registry *r, const char *name);

/** The path selector of that name, NULL when there is none; NULL gives the default. */
const struct hws_pathsel_ops *hws_registry_pathsel(const struct hws_registry *r, const char *name);

#endif
