/* Sockets, addresses and pairs for the cases. */
#ifndef HWS_SEMANTICS_ENDS_H
#define HWS_SEMANTICS_ENDS_H

#include "calls.h"

enum { PORT = 5000, OTHER_PORT = 5001, CLOSED_PORT = 5999 };
#define HERE "127.0.0.1"

struct ends {
    int listener;
    int client;
    int server; /* accepted */
};

struct address {
    struct sockaddr_storage storage;
    socklen_t size;
};

/** IPv4 or IPv6 by what the text is. */
struct address address_of(const char *host, int port);

int bind_to(int fd, const char *host, int port);
int connect_to(int fd, const char *host, int port);
/** Several addresses, all with that port, ended by NULL; packed as bindx wants them. */
int bindx_to(int fd, int flags, int port, const char *const hosts[]);
int connectx_to(int fd, int port, const char *const hosts[], sctp_assoc_t *id);

int one_to_one(void);
int one_to_many(void);
/** A one-to-one socket that listens at 127.0.0.1. */
int listener(int port);
/** A one-to-many socket that listens at 127.0.0.1. */
int many_listener(int port);
/** Client and server connected over 127.0.0.1. */
struct ends connected(void);

/** The same; the server takes only a few kilobytes before they are read. */
struct ends connected_narrow(void);

/** Sends until nothing more is taken, and what is taken no longer moves. */
void fill(int fd, size_t message_size);

void non_blocking(int fd);
/** Subscribes to all notifications that RFC 6458 names. */
void subscribe(int fd);
/** An int option of level SCTP or socket, as preparation. */
void option_int(int fd, int level, int name, int value);
/** Four INITs within a second: longer than calls in a row take on a busy machine. */
void impatient(int fd);

/** Waits until all that was sent is acknowledged, so that the peer's application can have it. */
void delivered(int fd);
/** Waits until a one-to-one socket has no association any more. */
void ended(int fd);

/** Waits until poll shows all of `events`, two seconds at most, and says what it shows. */
void polled(const char *step, int fd, int events);
/** The same without saying anything. */
void await(int fd, int events);

#endif
