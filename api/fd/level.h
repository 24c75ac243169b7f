/* What a descriptor shows in poll, select and epoll.
 *
 * The descriptor is one end of a pair of connected AF_UNIX stream sockets; the library has the
 * other one.
 *
 * | state      | how |
 * | readable   | the library has put a byte in |
 * | writable   | unless the application's send side is full, which the library has done |
 * | RDHUP      | the library's end was shut down for writing |
 * | HUP        | for both |
 * | ERR        | the library's end was closed with a byte in it that nobody read: ECONNRESET |
 *
 * Edges: a byte more is an arrival, which epoll reports although the descriptor was readable.
 *
 * All calls are under the lock of the socket's runtime. */
#ifndef HWS_API_LEVEL_H
#define HWS_API_LEVEL_H

#include <stdbool.h>
#include <sys/types.h>

struct hws_level {
    int fd;  /* the application's end, which it may have closed behind our back */
    int own; /* the library's end; -1: closed, for HUP or ERR */
    dev_t dev;
    ino_t ino;      /* tells whether `fd` is still ours */
    bool unknown;   /* to the application, which so cannot have closed `fd` */
    unsigned bytes; /* put in and not taken out */
    bool small;     /* `fd` has the smallest send buffer */
    bool full;      /* not writable */
    bool rdhup, hup, error;
};

/** Makes the descriptors, whose numbers are `unknown`: writable and nothing else. 0, -EMFILE,
 * -ENFILE, -ENOMEM. */
int hws_level_open(struct hws_level *level);

/** Closes the library's end. */
void hws_level_close_own(struct hws_level *level);

/** Whether the number still belongs to us. */
bool hws_level_is_ours(const struct hws_level *level);

/** Makes it readable, with a new edge when `again`; or not readable. */
void hws_level_readable(struct hws_level *level, bool readable, bool again);

void hws_level_writable(struct hws_level *level, bool writable);

/** The end: cannot be taken back. */
void hws_level_rdhup(struct hws_level *level);
void hws_level_hup(struct hws_level *level);

/** Shows an error (and HUP, which stays), or shows it no longer. */
void hws_level_error(struct hws_level *level, bool error);

/** After HUP: puts new ends in place, under the same number. An epoll set has lost it. 0 or a
 * negative errno. */
int hws_level_renew(struct hws_level *level);

#endif
