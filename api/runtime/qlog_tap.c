#include "api/runtime/qlog_tap.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/runtime/env.h"
#include "api/runtime/profile.h"
#include "api/trace/qlog.h"

struct hws_qlog_tap {
    struct hws_runtime *runtime;
    struct hws_qlog *qlog;
    uint8_t protocol;
    struct hws_text_names names;
    uint64_t unix_offset_us;
};

static void on_packet(void *arg, const struct hws_driver_packet *packet)
{
    const struct hws_qlog_tap *tap = arg;
    const struct hws_capture_packet capture = {
        .way = packet->outbound ? HWS_CAPTURE_OUT : HWS_CAPTURE_IN,
        .unix_us = packet->now_us + tap->unix_offset_us,
        .src = packet->src,
        .dst = packet->dst,
        .protocol = tap->protocol,
        .profile = hws_profile_name(tap->protocol),
        .names = &tap->names,
        .data = packet->data,
        .len = packet->len,
    };
    hws_qlog_packet(tap->qlog, &capture);
}

static int open_file(struct hws_qlog_tap *tap, const char *path)
{
    struct stat status;
    char name[PATH_MAX];
    int len = stat(path, &status) == 0 && S_ISDIR(status.st_mode)
                  ? snprintf(name, sizeof(name), "%s/hawser-%ld.sqlog", path, (long)getpid())
                  : snprintf(name, sizeof(name), "%s", path);
    if (len < 0 || (size_t)len >= sizeof(name))
        return -ENAMETOOLONG;
    const struct hws_qlog_config config = {.title = program_invocation_short_name,
                                           .name = "hawser",
                                           .vantage = HWS_QLOG_UNKNOWN,
                                           .unix_offset_us = tap->unix_offset_us};
    return hws_qlog_open(name, &config, &tap->qlog);
}

int hws_qlog_tap_open(const char *path, struct hws_runtime *runtime, uint8_t protocol,
                      struct hws_qlog_tap **out)
{
    struct hws_qlog_tap *tap = calloc(1, sizeof(*tap));
    if (tap == NULL)
        return -ENOMEM;
    tap->runtime = runtime;
    tap->protocol = protocol;
    tap->names = hws_engine_names(runtime->engine);
    tap->unix_offset_us = hws_env_unix_offset_us();
    int rc = open_file(tap, path);
    if (rc < 0) {
        free(tap);
        return rc;
    }
    hws_runtime_set_trace(runtime, on_packet, tap);
    hws_runtime_set_observer(runtime,
                             &(struct hws_observer){.ctx = tap->qlog, .tell = hws_qlog_tell});
    *out = tap;
    return 0;
}

int hws_qlog_tap_close(struct hws_qlog_tap *tap)
{
    hws_driving_lock(&tap->runtime->driving);
    hws_runtime_set_trace(tap->runtime, NULL, NULL);
    hws_runtime_set_observer(tap->runtime, NULL);
    hws_driving_unlock(&tap->runtime->driving);
    int rc = hws_qlog_close(tap->qlog);
    free(tap);
    return rc;
}
