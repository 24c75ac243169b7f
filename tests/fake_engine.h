/* An engine that only remembers what it was asked and answers what a test wants, so that socket
 * semantics can be tested call by call. Linked instead of the real one. */
#ifndef HWS_TESTS_FAKE_ENGINE_H
#define HWS_TESTS_FAKE_ENGINE_H

#include "stack/engine.h"

/* Every association has these paths: to 192.0.2.9 and 192.0.2.10, port 7. */
#define FAKE_ENGINE_PATHS 2u
#define FAKE_ENGINE_REMOTE_PORT 7

struct fake_engine {
    /* What calls answer: */
    int endpoint_new_rc, connect_rc, send_rc, shutdown_rc;
    int recv_rc;         /* when there is no message */
    const char *message; /* what recv gives, NULL: nothing */
    /* What was asked: */
    uint64_t next_id;
    uint16_t last_port;
    unsigned endpoints, listens, connects, shutdowns, aborts, releases;
    struct hws_params last_params;  /* of an endpoint */
    struct hws_params assoc_params; /* of every association */
    struct hws_path_params path_params[FAKE_ENGINE_PATHS];
    unsigned params_set, path_params_set, heartbeats[FAKE_ENGINE_PATHS];
    uint32_t primary;
    hws_assoc_id last_assoc;
};

/** There is one; hws_engine pointers are not looked at. */
extern struct fake_engine fake_engine;

void fake_engine_reset(void);

#endif
