#include "api/trace/json.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void hws_json_init(struct hws_json *json, int fd)
{
    json->fd = fd;
    json->error = 0;
    json->comma = false;
    json->len = 0;
}

int hws_json_flush(struct hws_json *json)
{
    size_t done = 0;
    while (done < json->len && json->error == 0) {
        ssize_t n = write(json->fd, json->buffer + done, json->len - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            json->error = n == 0 ? -EIO : -errno;
    }
    json->len = 0;
    return json->error;
}

static void put(struct hws_json *json, char c)
{
    if (json->len == sizeof(json->buffer))
        hws_json_flush(json);
    json->buffer[json->len++] = c;
}

void hws_json_raw(struct hws_json *json, const char *text)
{
    for (; *text != '\0'; text++)
        put(json, *text);
}

/* ---- Values ---- */

static void escape(struct hws_json *json, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    hws_json_raw(json, "\\u00");
    put(json, hex[c >> 4]);
    put(json, hex[c & 15]);
}

static void quote(struct hws_json *json, const char *text)
{
    put(json, '"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f) {
            escape(json, c);
            continue;
        }
        if (c == '"' || c == '\\')
            put(json, '\\');
        put(json, (char)c);
    }
    put(json, '"');
}

static void begin(struct hws_json *json, const char *key)
{
    if (json->comma)
        put(json, ',');
    json->comma = true;
    if (key == NULL)
        return;
    quote(json, key);
    put(json, ':');
}

static void digits(struct hws_json *json, uint64_t value, unsigned least)
{
    char text[20];
    unsigned n = 0;
    for (; value > 0 || n < least; value /= 10)
        text[n++] = (char)('0' + value % 10);
    while (n > 0)
        put(json, text[--n]);
}

void hws_json_object(struct hws_json *json, const char *key)
{
    begin(json, key);
    put(json, '{');
    json->comma = false;
}

void hws_json_object_end(struct hws_json *json)
{
    put(json, '}');
    json->comma = true;
}

void hws_json_array(struct hws_json *json, const char *key)
{
    begin(json, key);
    put(json, '[');
    json->comma = false;
}

void hws_json_array_end(struct hws_json *json)
{
    put(json, ']');
    json->comma = true;
}

void hws_json_uint(struct hws_json *json, const char *key, uint64_t value)
{
    begin(json, key);
    digits(json, value, 1);
}

void hws_json_bool(struct hws_json *json, const char *key, bool value)
{
    begin(json, key);
    hws_json_raw(json, value ? "true" : "false");
}

void hws_json_text(struct hws_json *json, const char *key, const char *text)
{
    begin(json, key);
    quote(json, text);
}

void hws_json_ms(struct hws_json *json, const char *key, uint64_t us)
{
    begin(json, key);
    digits(json, us / 1000, 1);
    put(json, '.');
    digits(json, us % 1000, 3);
}
