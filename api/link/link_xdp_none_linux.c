/* In place of link_xdp_linux.c where libxdp was not there to build with. */
#include <errno.h>
#include <stdio.h>

#include "api/link/link.h"

int hws_link_xdp_usable(char error[HWS_LINK_ERROR_MAX])
{
    snprintf(error, HWS_LINK_ERROR_MAX,
             "this hawser was built without AF_XDP: install libxdp-dev and libbpf-dev and build it "
             "again, or use the packet link, which needs neither");
    return -EOPNOTSUPP;
}

int hws_link_xdp_open(const struct hws_link_raw_config *config, struct hws_link **out,
                      char error[HWS_LINK_ERROR_MAX])
{
    (void)config;
    (void)out;
    return hws_link_xdp_usable(error);
}
