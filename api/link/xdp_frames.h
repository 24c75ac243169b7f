/* The memory that a link on AF_XDP shares with the kernel, cut into frames: the first ones to
 * receive into, the others to send from. A frame that was received into is a buffer as long as
 * someone holds it. The memory goes with the last of them. */
#ifndef HWS_API_XDP_FRAMES_H
#define HWS_API_XDP_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/buf.h"

struct hws_xdp_frames;

/** `rx` and `tx` frames of `size` bytes, or NULL when there is no memory. */
struct hws_xdp_frames *hws_xdp_frames_new(uint32_t rx, uint32_t tx, uint32_t size);
void hws_xdp_frames_close(struct hws_xdp_frames *frames);

uint8_t *hws_xdp_frames_memory(struct hws_xdp_frames *frames);
uint64_t hws_xdp_frames_bytes(const struct hws_xdp_frames *frames);

/** Takes a free frame: its offset in the memory. False when there is none. */
bool hws_xdp_frames_take_rx(struct hws_xdp_frames *frames, uint64_t *offset);
bool hws_xdp_frames_take_tx(struct hws_xdp_frames *frames, uint64_t *offset);
void hws_xdp_frames_give_tx(struct hws_xdp_frames *frames, uint64_t offset);

/** How many frames to receive into are free. */
uint32_t hws_xdp_frames_free_rx(const struct hws_xdp_frames *frames);

/** The buffer whose data begins at `offset` (within any frame), with one reference. */
struct hws_buf *hws_xdp_frames_buf(struct hws_xdp_frames *frames, uint64_t offset);

#endif
