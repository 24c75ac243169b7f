#include "api/link/link_kind.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The packet link where it can be had. AF_XDP, which attaches a program to an interface for all of
 * the host, is nothing to begin with unasked. */
static int open_auto(const struct hws_link_raw_config *config, struct hws_link **out,
                     char error[HWS_LINK_ERROR_MAX])
{
    return hws_link_packet_open(config, out, error) == 0 ? 0
                                                         : hws_link_raw_open(config, out, error);
}

static const struct {
    enum hws_link_kind kind;
    const char *name;
    int (*open)(const struct hws_link_raw_config *config, struct hws_link **out,
                char error[HWS_LINK_ERROR_MAX]);
} kinds[] = {
    {HWS_LINK_RAW, "raw", hws_link_raw_open},
    {HWS_LINK_PACKET, "packet", hws_link_packet_open},
    {HWS_LINK_XDP, "xdp", hws_link_xdp_open},
    {HWS_LINK_AUTO, "auto", open_auto},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

bool hws_link_kind_read(const char *name, enum hws_link_kind *kind)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (strcmp(name, kinds[i].name) == 0) {
            *kind = kinds[i].kind;
            return true;
        }
    }
    return false;
}

int hws_link_kind_open(enum hws_link_kind kind, const struct hws_link_raw_config *config,
                       struct hws_link **out, char error[HWS_LINK_ERROR_MAX])
{
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i].kind == kind)
            return kinds[i].open(config, out, error);
    snprintf(error, HWS_LINK_ERROR_MAX, "there is no link of kind %d: take " HWS_LINK_KIND_NAMES,
             (int)kind);
    return -EINVAL;
}
