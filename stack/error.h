/* What a call of the engine can answer. One list gives the symbol, the text and the meaning. */
#ifndef HWS_STACK_ERROR_H
#define HWS_STACK_ERROR_H

#define HWS_ERRORS(X)                                                                              \
    X(AGAIN, "nothing to read, or no room to write, now")                                          \
    X(NOMEM, "out of memory")                                                                      \
    X(NOENT, "no such association, endpoint or path")                                              \
    X(INVAL, "invalid argument")                                                                   \
    X(MSGSIZE, "message too long")                                                                 \
    X(NOTCONN, "not connected")                                                                    \
    X(SHUTDOWN, "the association is shutting down; nothing more can be sent")                      \
    X(INUSE, "the port is in use")                                                                 \
    X(REFUSED, "the peer refused or aborted the association")                                      \
    X(TIMEDOUT, "the peer does not answer")                                                        \
    X(RESET, "the peer aborted the association")                                                   \
    X(ABORTED, "the association was aborted by this side")                                         \
    X(UNREACH, "the peer's address cannot be reached")                                             \
    X(PROTO, "the peer violated the protocol")                                                     \
    X(SHARD, "the ports of the association lead to another shard")                                 \
    X(EOF, "the association ended gracefully")

/** 0 is success; every error is negative. */
enum hws_error {
    HWS_OK = 0,
    HWS_E_BASE = -1000,
#define X(symbol, text) HWS_E_##symbol,
    HWS_ERRORS(X)
#undef X
};

/** The error as an English sentence part; never NULL. */
const char *hws_error_text(int error);

/** The error's symbol without prefix ("AGAIN"); never NULL. */
const char *hws_error_name(int error);

#endif
