/* Byte vectors in text files: a line "= TITLE" starts one, lines of hex digits follow, "#" starts a
 * comment. The bytes lie in memory of exactly their size, so that sanitizers see every overread. */
#ifndef HWS_TESTS_VECTORS_H
#define HWS_TESTS_VECTORS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/tlv.h"

#define VECTOR_LEN_MAX 4096u

struct vector {
    char title[1024];
    uint8_t *bytes;
    uint32_t len;
};

static inline uint8_t *exact_copy(const uint8_t *bytes, uint32_t len)
{
    uint8_t *copy = calloc(1, len);
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

/* A copy cut to `len` bytes whose length field, if it still has one, says so. */
static inline uint8_t *truncated_copy(const uint8_t *bytes, uint32_t len)
{
    uint8_t *copy = exact_copy(bytes, len);
    if (len >= 4) {
        copy[2] = (uint8_t)(len >> 8);
        copy[3] = (uint8_t)len;
    }
    return copy;
}

/* The first element at `bytes`; false when the bytes hold none. */
static inline bool first_tlv(const uint8_t *bytes, uint32_t len, struct hws_tlv *out)
{
    struct hws_tlv_iter it = hws_tlv_begin(bytes, len);
    return hws_tlv_next(&it, out);
}

static inline uint32_t vector_hex(const char *text, uint8_t *out)
{
    uint32_t len = 0;
    unsigned byte;
    int used;
    while (*text != '#' && sscanf(text, " %2x%n", &byte, &used) == 1) {
        out[len++] = (uint8_t)byte;
        text += used;
    }
    return len;
}

/* Passes over everything up to the next title; false at the end of the file. */
static inline bool vector_title(FILE *file, struct vector *v)
{
    char line[sizeof v->title + 2];
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] != '=')
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(v->title, sizeof v->title, "%s", line + 2);
        return true;
    }
    return false;
}

static inline bool vector_next(FILE *file, struct vector *v)
{
    uint8_t bytes[VECTOR_LEN_MAX];
    char line[512];
    if (!vector_title(file, v))
        return false;
    v->len = 0;
    long pos = ftell(file);
    while (fgets(line, sizeof line, file) != NULL && line[0] != '=') {
        v->len += vector_hex(line, bytes + v->len);
        pos = ftell(file);
    }
    fseek(file, pos, SEEK_SET);
    v->bytes = exact_copy(bytes, v->len);
    return true;
}

/* Calls `check` with every vector of a file and returns how many there were. */
static inline unsigned vectors_each(const char *path, void (*check)(const struct vector *))
{
    FILE *file = fopen(path, "r");
    struct vector v;
    unsigned count = 0;
    if (file == NULL)
        return 0;
    for (; vector_next(file, &v); count++) {
        check(&v);
        free(v.bytes);
    }
    fclose(file);
    return count;
}

/* The vector of that title, for the caller to free its bytes; no bytes when there is none. */
static inline struct vector vector_find(const char *path, const char *title)
{
    FILE *file = fopen(path, "r");
    struct vector v = {.bytes = NULL};
    while (file != NULL && vector_next(file, &v) && strcmp(v.title, title) != 0) {
        free(v.bytes);
        v.bytes = NULL;
    }
    if (file != NULL)
        fclose(file);
    return v;
}

#endif
