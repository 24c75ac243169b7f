/* The addresses of ours that an endpoint or an association uses: those it is bound to, or those of
 * the host that a peer is told (RFC 9260, 5.1.2). */
#ifndef HWS_STACK_LOCALS_H
#define HWS_STACK_LOCALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/addr.h"
#include "stack/limits.h"
#include "stack/pool.h"

/* One set, shared by whoever uses it. It never changes. */
struct hws_locals {
    uint32_t refs;
    unsigned families; /* HWS_ENDPOINT_*: no others are used */
    bool any;          /* packets to any address of these families are taken, listed or not */
    uint32_t count;    /* addresses that peers are told; 0: none, the network chooses the source */
    struct hws_addr addrs[HWS_LIMIT_PATHS];
};

/** Whether a set can be made of these: not too many, each of a family that is used. `families` 0
 * stands for both. */
bool hws_locals_ok(const struct hws_addr *addrs, size_t count, unsigned families);

/** A set bound to these addresses, to any when there are none. */
void hws_locals_init(struct hws_locals *locals, const struct hws_addr *addrs, size_t count,
                     unsigned families);

/** Those of the host's addresses that may be told to the peer at `remote`, besides `local` where
 * its packet came (NULL: none did): no loopback address to a peer beyond it, private ones to
 * private peers only, link-local ones to peers on the same link. */
void hws_locals_scope(struct hws_locals *locals, const struct hws_locals *of,
                      const struct hws_addr *host, size_t host_count, const struct hws_addr *remote,
                      const struct hws_addr *local);

/** A copy with one reference; NULL: no memory. */
struct hws_locals *hws_locals_copy(struct hws_pool *pool, const struct hws_locals *locals);
struct hws_locals *hws_locals_ref(struct hws_locals *locals);
void hws_locals_unref(struct hws_pool *pool, struct hws_locals *locals);

/** Whether packets to that address are taken; true when the destination is not known. */
bool hws_locals_take(const struct hws_locals *locals, const struct hws_addr *local);

/** Whether peers are told that address. */
bool hws_locals_list(const struct hws_locals *locals, const struct hws_addr *local);

/** Whether an address can be used at all. */
bool hws_locals_uses(const struct hws_locals *locals, const struct hws_addr *addr);

/** Whether some address belongs to both. */
bool hws_locals_overlap(const struct hws_locals *a, const struct hws_locals *b);

/** The source address to use towards `remote` until the network says better: of its family and most
 * like it (so each of several links has its own), or NULL to let the network choose. */
const struct hws_addr *hws_locals_source(const struct hws_locals *locals,
                                         const struct hws_addr *remote);

#endif
