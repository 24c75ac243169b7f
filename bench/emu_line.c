#include "bench/emu_line.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_S 1000000000u
#define MILLION 1000000u
/* What a line without a rate can hold. */
#define UNLIMITED_BYTES (64u << 20)
#define ALIGNMENT 16u

/* A packet in a ring, its bytes behind it. */
struct record {
    uint64_t due_ns;
    uint64_t len;
};

/* Packets in the order of their due times. Each lies in one piece: where the end is too near, the
 * next one begins at the front. */
struct ring {
    uint8_t *bytes;
    size_t capacity;
    size_t head, tail; /* the next to come out; where the next goes in */
    size_t wrap;       /* the last one before the front ends here */
    size_t count;
};

/* The delay of those held back is the same for all, so that they are in order among themselves. */
struct emu_line {
    struct emu_line_config config;
    struct emu_line_counts counts;
    uint64_t free_ns; /* what was accepted has left by then */
    struct ring straight, held;
};

/* ---- Rings ---- */

static size_t record_size(size_t len)
{
    return (sizeof(struct record) + len + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static bool ring_init(struct ring *ring, size_t capacity)
{
    *ring = (struct ring){.capacity = capacity, .bytes = malloc(capacity)};
    return ring->bytes != NULL;
}

static struct record *ring_at(const struct ring *ring, size_t offset)
{
    return (struct record *)(void *)(ring->bytes + offset);
}

/* Room for the largest packet, or NULL: the ring is full. */
static struct record *ring_room(struct ring *ring)
{
    size_t need = record_size(EMU_PACKET_MAX);
    if (ring->count == 0)
        ring->head = ring->tail = 0;
    bool wrapped = ring->count > 0 && ring->tail <= ring->head;
    if (!wrapped && ring->capacity - ring->tail < need) {
        if (ring->head < need)
            return NULL;
        ring->wrap = ring->tail;
        ring->tail = 0;
        wrapped = true;
    }
    if (wrapped && ring->head - ring->tail < need)
        return NULL;
    return ring_at(ring, ring->tail);
}

/* What was written to the room becomes a packet. */
static void ring_add(struct ring *ring, size_t len, uint64_t due_ns)
{
    *ring_at(ring, ring->tail) = (struct record){.due_ns = due_ns, .len = len};
    ring->tail += record_size(len);
    ring->count++;
}

static void ring_remove(struct ring *ring)
{
    ring->head += record_size(ring_at(ring, ring->head)->len);
    ring->count--;
    if (ring->head == ring->wrap && ring->tail < ring->head)
        ring->head = 0;
}

static uint64_t ring_due_ns(const struct ring *ring)
{
    return ring->count > 0 ? ring_at(ring, ring->head)->due_ns : EMU_NEVER;
}

/* ---- Chance ---- */

/* SplitMix64 of the packet's number: the same whatever happened to other packets. */
static uint64_t drawn(const struct emu_line *line, uint64_t number)
{
    uint64_t z = line->config.seed + (number + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static bool chance(uint64_t bits, uint32_t ppm)
{
    return (bits & UINT32_MAX) * MILLION >> 32 < ppm;
}

/* ---- Lines ---- */

static size_t most_bytes(const struct emu_line_config *config)
{
    if (config->rate_bps == 0)
        return UNLIMITED_BYTES;
    uint64_t delay_ns = config->delay_ns + config->held_ns;
    uint64_t under_way = config->rate_bps / 8 * (delay_ns / 1000) / MILLION + config->queue_bytes;
    /* Small packets cost their records. */
    return 2 * under_way + 4 * record_size(EMU_PACKET_MAX);
}

struct emu_line *emu_line_new(const struct emu_line_config *config)
{
    struct emu_line *line = calloc(1, sizeof *line);
    size_t capacity = most_bytes(config);
    if (line == NULL)
        return NULL;
    line->config = *config;
    if (ring_init(&line->straight, capacity) && ring_init(&line->held, capacity))
        return line;
    emu_line_free(line);
    return NULL;
}

void emu_line_free(struct emu_line *line)
{
    free(line->straight.bytes);
    free(line->held.bytes);
    free(line);
}

void *emu_line_room(struct emu_line *line)
{
    struct record *room = ring_room(&line->straight);
    return room != NULL ? room + 1 : NULL;
}

/* Whether the queue takes the packet; the link is busy with it then. */
static bool queue_takes(struct emu_line *line, size_t len, uint64_t now_ns)
{
    const struct emu_line_config *config = &line->config;
    uint64_t begin_ns = line->free_ns > now_ns ? line->free_ns : now_ns;
    uint64_t waiting = config->rate_bps / 8 * (begin_ns - now_ns) / NS_PER_S;
    if (config->rate_bps == 0)
        line->free_ns = now_ns;
    else if (waiting + len <= config->queue_bytes)
        line->free_ns = begin_ns + len * 8 * NS_PER_S / config->rate_bps;
    else
        return false;
    return true;
}

static void hold(struct emu_line *line, size_t len)
{
    const struct record *packet = ring_at(&line->straight, line->straight.tail);
    struct record *room = ring_room(&line->held);
    if (room == NULL) {
        line->counts.overflow++;
        return;
    }
    memcpy(room + 1, packet + 1, len);
    ring_add(&line->held, len, line->free_ns + line->config.delay_ns + line->config.held_ns);
    line->counts.held++;
}

void emu_line_put(struct emu_line *line, size_t len, uint64_t now_ns)
{
    uint64_t bits = drawn(line, line->counts.in++);
    if (!queue_takes(line, len, now_ns))
        line->counts.overflow++;
    else if (chance(bits, line->config.loss_ppm))
        line->counts.lost++;
    else if (chance(bits >> 32, line->config.held_ppm))
        hold(line, len);
    else
        ring_add(&line->straight, len, line->free_ns + line->config.delay_ns);
}

static struct ring *next_ring(struct emu_line *line)
{
    bool held = ring_due_ns(&line->held) < ring_due_ns(&line->straight);
    return held ? &line->held : &line->straight;
}

uint64_t emu_line_due_ns(const struct emu_line *line)
{
    uint64_t held_ns = ring_due_ns(&line->held), straight_ns = ring_due_ns(&line->straight);
    return held_ns < straight_ns ? held_ns : straight_ns;
}

const void *emu_line_take(struct emu_line *line, size_t *len, uint64_t now_ns)
{
    struct ring *ring = next_ring(line);
    if (ring->count == 0 || ring_due_ns(ring) > now_ns)
        return NULL;
    const struct record *packet = ring_at(ring, ring->head);
    *len = packet->len;
    ring_remove(ring);
    line->counts.out++;
    line->counts.bytes += *len;
    return packet + 1;
}

struct emu_line_counts emu_line_counts(const struct emu_line *line)
{
    return line->counts;
}
