/* A runtime on a libuv loop of the caller: no thread, no lock, everything on the thread that runs
 * the loop. What calls change is sent at the end of the loop's iteration (before it sleeps), so
 * that what several calls send leaves in full packets and long trains.
 *
 * The loop is kept alive by the application's handles, not by the runtime, but for one thing: what
 * a call left to be sent is sent, and what was closed ends in the background, before uv_run
 * returns. */
#ifndef HWS_API_LOOP_H
#define HWS_API_LOOP_H

#include <uv.h>

struct hws_runtime;
struct hws_loop;

/** Has the loop drive the runtime, whose link is open. 0 or a negative errno; then hws_loop_stop
 * follows all the same, if the runtime has got its loop. */
int hws_loop_start(struct hws_runtime *runtime, uv_loop_t *uv);

/** Ends that, and lets go of the runtime when the loop has closed its handles. */
void hws_loop_stop(struct hws_loop *loop);

/** Calls changed something in the engine: it is sent before the loop sleeps. */
void hws_loop_kick(struct hws_loop *loop);

/** The loop itself. */
uv_loop_t *hws_loop_uv(const struct hws_loop *loop);

#endif
