#include "api/link/link_kind.h"

#include <errno.h>
#include <net/if.h>
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

/* Links keep the name, and system calls take it, in so many bytes. */
static int check_interface(const char *name, char error[HWS_LINK_ERROR_MAX])
{
    size_t len = name != NULL ? strlen(name) : 1;
    if (len > 0 && len < IF_NAMESIZE)
        return 0;
    snprintf(error, HWS_LINK_ERROR_MAX,
             "the name of an interface has 1 to %d characters, and \"%.80s\" has %zu: \"ip link\" "
             "lists those there are",
             IF_NAMESIZE - 1, name, len);
    return -EINVAL;
}

int hws_link_kind_open(enum hws_link_kind kind, const struct hws_link_raw_config *config,
                       struct hws_link **out, char error[HWS_LINK_ERROR_MAX])
{
    int result = check_interface(config->interface, error);
    if (result != 0)
        return result;
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i].kind == kind)
            return kinds[i].open(config, out, error);
    snprintf(error, HWS_LINK_ERROR_MAX, "there is no link of kind %d: take " HWS_LINK_KIND_NAMES,
             (int)kind);
    return -EINVAL;
}
