/* A packet's header and chunks as JSON. */
#ifndef HWS_API_QLOG_CHUNK_H
#define HWS_API_QLOG_CHUNK_H

#include "api/trace/json.h"
#include "proto/text.h"

/** Writes the members "header" (when there is one) and "chunks" of the object that is open. Bytes
 * of any content are allowed: what is malformed is said to be. `names`: of extensions, or NULL. */
void hws_qlog_write_chunks(struct hws_json *json, const uint8_t *packet, uint32_t len,
                           const struct hws_text_names *names);

/** The member "header" alone. */
void hws_qlog_write_header(struct hws_json *json, const uint8_t *packet, uint32_t len);

#endif
