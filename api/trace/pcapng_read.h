/* Reads the IP packets of a capture file (pcapng), whoever wrote it, in either byte order. What the
 * file says is not trusted. */
#ifndef HWS_API_PCAPNG_READ_H
#define HWS_API_PCAPNG_READ_H

#include "api/trace/capture.h"

#define HWS_PCAPNG_ERROR_MAX 256

struct hws_pcapng_reader;

/** Opens the file. 0 or a negative errno, and in `error` what is wrong. */
int hws_pcapng_reader_open(const char *path, struct hws_pcapng_reader **out,
                           char error[HWS_PCAPNG_ERROR_MAX]);

/** The next packet of IP: 1, and its bytes stay there until the next call. 0: there are no more.
 * -EPROTO: the file is damaged; -EIO: it cannot be read. `error` says how and where. Packets of
 * other kinds and of links whose headers are not known are left out. */
int hws_pcapng_reader_next(struct hws_pcapng_reader *reader, struct hws_capture_ip *ip,
                           char error[HWS_PCAPNG_ERROR_MAX]);

/** Packets left out so far since the header of their link is not known (api/trace/linktype.h). */
uint64_t hws_pcapng_reader_unknown(const struct hws_pcapng_reader *reader);

void hws_pcapng_reader_close(struct hws_pcapng_reader *reader);

#endif
