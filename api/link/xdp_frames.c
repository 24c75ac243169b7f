#include "api/link/xdp_frames.h"

#include <stdlib.h>
#include <sys/mman.h>

struct hws_xdp_frames {
    uint8_t *memory;
    uint32_t size, rx, tx;
    uint32_t free_rx_count, free_tx_count;
    uint64_t *free_rx, *free_tx; /* offsets; last in, first out: what was used last is cached */
    struct hws_buf *bufs;        /* of the frames to receive into */
    uint32_t in_use;             /* bufs that someone holds */
    bool closed;
};

static void free_all(struct hws_xdp_frames *f)
{
    if (f->memory != MAP_FAILED)
        munmap(f->memory, hws_xdp_frames_bytes(f));
    free(f->free_rx);
    free(f->free_tx);
    free(f->bufs);
    free(f);
}

struct hws_xdp_frames *hws_xdp_frames_new(uint32_t rx, uint32_t tx, uint32_t size)
{
    struct hws_xdp_frames *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return NULL;
    *f = (struct hws_xdp_frames){.size = size, .rx = rx, .tx = tx};
    f->memory = mmap(NULL, hws_xdp_frames_bytes(f), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    f->free_rx = calloc(rx, sizeof(*f->free_rx));
    f->free_tx = calloc(tx, sizeof(*f->free_tx));
    f->bufs = calloc(rx, sizeof(*f->bufs));
    if (f->memory == MAP_FAILED || f->free_rx == NULL || f->free_tx == NULL || f->bufs == NULL) {
        free_all(f);
        return NULL;
    }
    for (uint32_t i = 0; i < rx; i++)
        f->free_rx[f->free_rx_count++] = (uint64_t)i * size;
    for (uint32_t i = 0; i < tx; i++)
        f->free_tx[f->free_tx_count++] = (uint64_t)(rx + i) * size;
    return f;
}

void hws_xdp_frames_close(struct hws_xdp_frames *f)
{
    if (f == NULL)
        return;
    f->closed = true;
    if (f->in_use == 0)
        free_all(f);
}

uint8_t *hws_xdp_frames_memory(struct hws_xdp_frames *f)
{
    return f->memory;
}

uint64_t hws_xdp_frames_bytes(const struct hws_xdp_frames *f)
{
    return (uint64_t)(f->rx + f->tx) * f->size;
}

bool hws_xdp_frames_take_rx(struct hws_xdp_frames *f, uint64_t *offset)
{
    if (f->free_rx_count == 0)
        return false;
    *offset = f->free_rx[--f->free_rx_count];
    return true;
}

bool hws_xdp_frames_take_tx(struct hws_xdp_frames *f, uint64_t *offset)
{
    if (f->free_tx_count == 0)
        return false;
    *offset = f->free_tx[--f->free_tx_count];
    return true;
}

void hws_xdp_frames_give_tx(struct hws_xdp_frames *f, uint64_t offset)
{
    f->free_tx[f->free_tx_count++] = offset;
}

uint32_t hws_xdp_frames_free_rx(const struct hws_xdp_frames *f)
{
    return f->free_rx_count;
}

static void release(struct hws_buf *buf)
{
    struct hws_xdp_frames *f = buf->owner;
    f->free_rx[f->free_rx_count++] = (uint64_t)(buf - f->bufs) * f->size;
    f->in_use--;
    if (f->closed && f->in_use == 0)
        free_all(f);
}

struct hws_buf *hws_xdp_frames_buf(struct hws_xdp_frames *f, uint64_t offset)
{
    struct hws_buf *buf = &f->bufs[offset / f->size];
    *buf = (struct hws_buf){
        .refs = 1, .size = f->size, .release = release, .owner = f, .data = f->memory + offset};
    f->in_use++;
    return buf;
}
