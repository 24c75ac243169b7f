/* Which addresses are this host's. */
#ifndef HWS_API_LOCAL_H
#define HWS_API_LOCAL_H

#include "proto/addr.h"

/** 0 when the host has this address now, -EADDRNOTAVAIL when not, or another negative errno. */
int hws_local_check(const struct hws_addr *addr);

/** The host's addresses, of interfaces that are up: how many, at most `most`, or a negative errno.
 */
int hws_local_list(struct hws_addr *out, int most);

#endif
