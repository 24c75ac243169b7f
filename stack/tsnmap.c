#include "stack/tsnmap.h"

#include "proto/serial.h"

/* 64 bytes: the smallest object there is. */
#define FIRST_BITS 512u
#define ALL_ONES UINT64_MAX

void hws_tsnmap_init(struct hws_tsnmap *map, struct hws_pool *pool, uint32_t initial_tsn)
{
    *map = (struct hws_tsnmap){
        .pool = pool,
        .cum = initial_tsn - 1,
        .highest = initial_tsn - 1,
    };
}

static size_t dups_bytes(void)
{
    return HWS_LIMIT_SACK_DUPS * sizeof(uint32_t);
}

static void free_bits(struct hws_tsnmap *map)
{
    hws_pool_free(map->pool, map->bits, map->size / 8);
    map->bits = NULL;
    map->size = 0;
}

static void free_dups(struct hws_tsnmap *map)
{
    hws_pool_free(map->pool, map->dups, dups_bytes());
    map->dups = NULL;
    map->dup_count = 0;
}

void hws_tsnmap_fini(struct hws_tsnmap *map)
{
    free_bits(map);
    free_dups(map);
}

void hws_tsnmap_trim(struct hws_tsnmap *map)
{
    if (!hws_tsnmap_has_gap(map))
        free_bits(map);
    if (map->dup_count == 0)
        free_dups(map);
}

/** The word that holds the bit of `tsn`: both counts are powers of two, so that words stay whole
 * when TSNs wrap. */
static uint64_t *word_of(const struct hws_tsnmap *map, uint32_t tsn)
{
    return &map->bits[(tsn & (map->size - 1)) / 64];
}

static bool has_arrived_beyond_cum(const struct hws_tsnmap *map, uint32_t tsn)
{
    return hws_tsn_le(tsn, map->highest) && (*word_of(map, tsn) >> (tsn % 64) & 1) != 0;
}

enum hws_tsn_result hws_tsnmap_check(const struct hws_tsnmap *map, uint32_t tsn)
{
    if (hws_tsn_le(tsn, map->cum))
        return HWS_TSN_DUPLICATE;
    if (tsn - map->cum >= HWS_LIMIT_TSN_WINDOW)
        return HWS_TSN_BEYOND;
    return has_arrived_beyond_cum(map, tsn) ? HWS_TSN_DUPLICATE : HWS_TSN_NEW;
}

/** The bits of TSNs first .. 63 of a word and of 0 .. last, counted from the lowest. */
static uint64_t bits_from(uint32_t first)
{
    return ALL_ONES << (first % 64);
}

static uint64_t bits_to(uint32_t last)
{
    return ALL_ONES >> (63 - last % 64);
}

/** The arrived TSNs of the 64 that share a word with `tsn`. The ring's two ends can lie in one
 * word, so what belongs to the other end is masked out. */
static uint64_t arrived_around(const struct hws_tsnmap *map, uint32_t tsn)
{
    uint64_t word = *word_of(map, tsn);
    if (map->cum + 1 - (tsn & ~63u) < 64)
        word &= bits_from(map->cum + 1);
    if (map->highest - (tsn & ~63u) < 64)
        word &= bits_to(map->highest);
    return word;
}

static uint32_t size_for(uint32_t span)
{
    uint32_t size = FIRST_BITS;
    while (size < span)
        size *= 2;
    return size;
}

static bool grow(struct hws_tsnmap *map, uint32_t span)
{
    struct hws_tsnmap old = *map;
    uint32_t size = size_for(span);
    uint64_t *bits = hws_pool_zalloc(map->pool, size / 8);
    if (bits == NULL)
        return false;
    map->bits = bits;
    map->size = size;
    uint32_t words = hws_tsnmap_has_gap(&old) ? old.highest / 64 - (old.cum + 1) / 64 : 0;
    words &= UINT32_MAX / 64;
    for (uint32_t i = 0; i <= words && old.bits != NULL; i++) {
        uint32_t tsn = old.cum + 1 + 64 * i;
        *word_of(map, tsn) |= arrived_around(&old, tsn);
    }
    hws_pool_free(map->pool, old.bits, old.size / 8);
    return true;
}

bool hws_tsnmap_reserve(struct hws_tsnmap *map, uint32_t tsn)
{
    uint32_t span = tsn - map->cum;
    return span <= 1 || span <= map->size || grow(map, span);
}

static enum hws_tsn_result note_duplicate(struct hws_tsnmap *map, uint32_t tsn)
{
    if (map->dups == NULL)
        map->dups = hws_pool_alloc(map->pool, dups_bytes());
    if (map->dups != NULL && map->dup_count < HWS_LIMIT_SACK_DUPS)
        map->dups[map->dup_count++] = tsn;
    return HWS_TSN_DUPLICATE;
}

/** Moves cum over the TSNs that follow it without a gap, a word at a time. */
static void advance(struct hws_tsnmap *map)
{
    while (hws_tsnmap_has_gap(map)) {
        uint32_t first = (map->cum + 1) % 64;
        uint64_t *word = word_of(map, map->cum + 1);
        uint64_t missing = ~(*word >> first);
        uint32_t ones = missing == 0 ? 64 : (uint32_t)__builtin_ctzll(missing);
        if (ones == 0)
            return;
        *word &= ~(ALL_ONES >> (64 - ones) << first);
        map->cum += ones;
        if (first + ones < 64)
            return;
    }
}

static enum hws_tsn_result mark_beyond_gap(struct hws_tsnmap *map, uint32_t tsn)
{
    if (!hws_tsnmap_reserve(map, tsn))
        return HWS_TSN_NOMEM;
    *word_of(map, tsn) |= UINT64_C(1) << (tsn % 64);
    if (hws_tsn_lt(map->highest, tsn))
        map->highest = tsn;
    return HWS_TSN_NEW;
}

enum hws_tsn_result hws_tsnmap_add(struct hws_tsnmap *map, uint32_t tsn)
{
    if (tsn == map->cum + 1) {
        map->cum = tsn;
        if (hws_tsn_lt(map->highest, tsn))
            map->highest = tsn;
        else
            advance(map);
        return HWS_TSN_NEW;
    }
    switch (hws_tsnmap_check(map, tsn)) {
    case HWS_TSN_DUPLICATE:
        return note_duplicate(map, tsn);
    case HWS_TSN_BEYOND:
        return HWS_TSN_BEYOND;
    default:
        return mark_beyond_gap(map, tsn);
    }
}

/** The first TSN from `tsn` on that has arrived (or, `inverted`, has not), at most `end`. */
static uint32_t find(const struct hws_tsnmap *map, uint32_t tsn, uint32_t end, bool inverted)
{
    while (hws_tsn_lt(tsn, end)) {
        uint64_t word = arrived_around(map, tsn);
        uint64_t wanted = (inverted ? ~word : word) >> (tsn % 64);
        if (wanted != 0) {
            tsn += (uint32_t)__builtin_ctzll(wanted);
            break;
        }
        tsn = (tsn | 63u) + 1;
    }
    return hws_tsn_lt(tsn, end) ? tsn : end;
}

uint32_t hws_tsnmap_gaps(const struct hws_tsnmap *map, struct hws_gap *out, uint32_t max)
{
    uint32_t count = 0;
    uint32_t end = map->highest + 1;
    uint32_t tsn = map->cum + 1;
    while (count < max && hws_tsn_lt(tsn, end)) {
        uint32_t start = find(map, tsn, end, false);
        tsn = find(map, start, end, true);
        out[count].start = (uint16_t)(start - map->cum);
        out[count].end = (uint16_t)(tsn - 1 - map->cum);
        count++;
    }
    return count;
}

void hws_tsnmap_forget(struct hws_tsnmap *map, uint32_t tsn)
{
    *word_of(map, tsn) &= ~(UINT64_C(1) << (tsn % 64));
    while (hws_tsnmap_has_gap(map) && !has_arrived_beyond_cum(map, map->highest))
        map->highest--;
}
