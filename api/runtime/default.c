/* The runtime of calls that name none. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/link/link_kind.h"
#include "api/runtime/env.h"
#include "api/runtime/qlog_tap.h"
#include "api/runtime/runtime.h"
#include "stack/extend.h"

/* How long exit(3) waits for associations that are being shut down. */
#define EXIT_WAIT_US 2000000u

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct hws_runtime *runtime; /* of this process */
static struct hws_qlog_tap *qlog;   /* NULL: none */
static char error[HWS_ERROR_MAX];
static bool told; /* the error stands on stderr */

/* ---- Settings ---- */

static int wrong(const char *name, const char *value, const char *wants)
{
    snprintf(error, sizeof(error), "%s=%.100s: it has to be %s", name, value, wants);
    return -EINVAL;
}

static int read_number(const char *name, unsigned long min, unsigned long max, unsigned long *out)
{
    const char *value = getenv(name);
    char wants[64], *end;
    if (value == NULL)
        return 0;
    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    snprintf(wants, sizeof(wants), "a number from %lu to %lu", min, max);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || number < min ||
        number > max)
        return wrong(name, value, wants);
    *out = number;
    return 0;
}

static int read_link(struct hws_runtime_config *config)
{
    const char *value = getenv("HAWSER_LINK");
    config->udp = value != NULL && strcmp(value, "udp") == 0;
    return value == NULL || config->udp || hws_link_kind_read(value, &config->link)
               ? 0
               : wrong("HAWSER_LINK", value, "udp, " HWS_LINK_KIND_NAMES);
}

/* Files, with ':' between them. They stay loaded, whether or not the runtime can be made. */
static int read_extensions(struct hws_runtime_config *config)
{
    static const struct hws_extension *loaded[HWS_EXT_MAX];
    const char *value = getenv("HAWSER_EXTENSIONS");
    char path[PATH_MAX];
    config->extensions = loaded;
    while (value != NULL && *value != '\0') {
        size_t len = strcspn(value, ":");
        if (config->extension_count == HWS_EXT_MAX || len == 0 || len >= sizeof(path))
            return wrong("HAWSER_EXTENSIONS", value, "up to 8 files with ':' between them");
        memcpy(path, value, len);
        path[len] = '\0';
        loaded[config->extension_count] = hws_extension_load(path, error);
        if (loaded[config->extension_count++] == NULL)
            return -errno;
        value += len + (value[len] == ':');
    }
    return 0;
}

static int read_config(struct hws_runtime_config *config)
{
    hws_runtime_config_init(config);
    unsigned long protocol = config->protocol, udp_port = config->udp_port,
                  peer_udp_port = config->peer_udp_port, own_host = config->own_host,
                  spin_us = config->spin_us;
    int rc = read_link(config);
    if (rc == 0)
        rc = read_extensions(config);
    if (rc == 0)
        rc = read_number("HAWSER_PROTOCOL", 1, UINT8_MAX, &protocol);
    if (rc == 0)
        rc = read_number("HAWSER_UDP_PORT", 0, UINT16_MAX, &udp_port);
    if (rc == 0)
        rc = read_number("HAWSER_PEER_UDP_PORT", 1, UINT16_MAX, &peer_udp_port);
    if (rc == 0)
        rc = read_number("HAWSER_OWN_HOST", 0, 1, &own_host);
    if (rc == 0)
        rc = read_number("HAWSER_SPIN_US", 0, HWS_SPIN_MAX_US, &spin_us);
    config->spin_us = (uint32_t)spin_us;
    config->protocol = (uint8_t)protocol;
    config->udp_port = (uint16_t)udp_port;
    config->peer_udp_port = (uint16_t)peer_udp_port;
    config->own_host = own_host == 1;
    return rc;
}

/* ---- Its life ---- */

/* A fork finds the runtime made or not made; what the child inherits is not its own. */
static void before_fork(void)
{
    pthread_mutex_lock(&mutex);
}

static void in_parent(void)
{
    pthread_mutex_unlock(&mutex);
}

static void in_child(void)
{
    runtime = NULL;
    qlog = NULL;
    pthread_mutex_unlock(&mutex);
}

static void at_exit(void)
{
    pthread_mutex_lock(&mutex);
    struct hws_runtime *last = runtime;
    struct hws_qlog_tap *last_qlog = qlog;
    qlog = NULL;
    pthread_mutex_unlock(&mutex);
    if (last != NULL)
        hws_runtime_finish(last, hws_env_now_us() + EXIT_WAIT_US);
    int rc = last_qlog != NULL ? hws_qlog_tap_close(last_qlog) : 0;
    if (rc < 0)
        fprintf(stderr, "hawser: the file of HAWSER_QLOG is incomplete: %s\n", strerror(-rc));
}

static void init(void)
{
    pthread_atfork(before_fork, in_parent, in_child);
    atexit(at_exit);
}

/* Of a runtime that was made a moment ago; frees it when the file cannot be had. */
static struct hws_runtime *with_qlog(struct hws_runtime *made, uint8_t protocol)
{
    const char *path = getenv("HAWSER_QLOG");
    int rc = path != NULL ? hws_qlog_tap_open(path, made, protocol, &qlog) : 0;
    if (rc == 0)
        return made;
    hws_runtime_free(made);
    snprintf(error, sizeof(error), "HAWSER_QLOG=%.100s: cannot write there: %s", path,
             strerror(-rc));
    errno = -rc;
    return NULL;
}

static struct hws_runtime *make(void)
{
    struct hws_runtime_config config;
    int rc = read_config(&config);
    if (rc < 0) {
        errno = -rc;
        return NULL;
    }
    struct hws_runtime *made = hws_runtime_new(&config, error);
    if (made == NULL)
        return NULL;
    error[0] = '\0';
    return with_qlog(made, config.protocol);
}

struct hws_runtime *hws_runtime_default(void)
{
    pthread_once(&once, init);
    pthread_mutex_lock(&mutex);
    if (runtime == NULL)
        runtime = make();
    int reason = errno;
    if (runtime == NULL && !told) {
        fprintf(stderr, "hawser: %s\n", error);
        told = true;
    }
    struct hws_runtime *made = runtime;
    pthread_mutex_unlock(&mutex);
    errno = reason;
    return made;
}

const char *hws_runtime_default_error(void)
{
    return error;
}
