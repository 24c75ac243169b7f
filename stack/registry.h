/* What an engine can be told by name, and the chunk types beside those of RFC 9260: the extensions
 * it was made with. What is built in is the first of them. */
#ifndef HWS_STACK_REGISTRY_H
#define HWS_STACK_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

#include "proto/text.h"
#include "proto/tlv.h"
#include "stack/cc.h"
#include "stack/extend.h"
#include "stack/pathsel.h"
#include "stack/sched.h"

/* INIT parameters of extensions: what both sides offered. The listener keeps it in its cookie. */
struct hws_ext_offers {
    uint8_t mask; /* bit per extension, in the registry's order without what is built in */
    uint8_t len[HWS_EXT_MAX];
    uint8_t value[HWS_EXT_MAX][HWS_EXT_PARAM_MAX]; /* the peer's */
};

extern const struct hws_ext_services hws_ext_services;

struct hws_registry {
    const struct hws_extension *list[1 + HWS_EXT_MAX]; /* NULL from the last one on */
    uint32_t count;
    bool data_hooks; /* one of them wants to know of DATA chunks */
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

/** What their chunks, parameters and causes are called in traces. The registry has to stay. */
struct hws_text_names hws_registry_names(const struct hws_registry *r);

/** Takes a parameter of INIT or INIT ACK that is an extension's; noted where its value is one to
 * work with. False: it is nobody's. */
bool hws_registry_take_offer(const struct hws_registry *r, const struct hws_tlv *param,
                             struct hws_ext_offers *out);

#endif
