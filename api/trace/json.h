/* Writes JSON (RFC 8259) to a file, value by value, without building anything in memory. What is
 * written is in the file when the buffer is full, at the latest at hws_json_flush.
 *
 * Whoever writes keeps the order: values within an object have a key, those within an array have
 * none (NULL). Keys are plain ASCII without quotes. */
#ifndef HWS_API_JSON_H
#define HWS_API_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HWS_JSON_BUFFER_BYTES 65536u

struct hws_json {
    int fd;
    int error;  /* of the first write that failed, negative errno; then nothing more is written */
    bool comma; /* a value stands before the next one */
    size_t len;
    char buffer[HWS_JSON_BUFFER_BYTES];
};

/** Writes to the descriptor, which stays the caller's. */
void hws_json_init(struct hws_json *json, int fd);

/** Has everything in the file. 0, or the first error. */
int hws_json_flush(struct hws_json *json);

/** Opens and closes values. `key` NULL: at the top or within an array. */
void hws_json_object(struct hws_json *json, const char *key);
void hws_json_object_end(struct hws_json *json);
void hws_json_array(struct hws_json *json, const char *key);
void hws_json_array_end(struct hws_json *json);

void hws_json_uint(struct hws_json *json, const char *key, uint64_t value);
void hws_json_bool(struct hws_json *json, const char *key, bool value);
/** UTF-8 text; what JSON does not allow in a string is escaped. */
void hws_json_text(struct hws_json *json, const char *key, const char *text);
/** A number of milliseconds with three digits behind the point. */
void hws_json_ms(struct hws_json *json, const char *key, uint64_t us);

/** Bytes between values, as they are. */
void hws_json_raw(struct hws_json *json, const char *text);

#endif
