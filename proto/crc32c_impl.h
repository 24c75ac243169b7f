/* The implementations of CRC32c that may be compiled in, for proto/crc32c.c to list. */
#ifndef HWS_PROTO_CRC32C_IMPL_H
#define HWS_PROTO_CRC32C_IMPL_H

#include "proto/crc32c.h"

extern const struct hws_crc32c_impl hws_crc32c_table;

#endif
