#include "api/trace/linktype.h"

#include <stddef.h>

#include "proto/bytes.h"

#define ETHERTYPE_IPV4 0x0800u
#define ETHERTYPE_IPV6 0x86ddu
#define ETHERTYPE_VLAN 0x8100u
#define ETHERTYPE_SERVICE_VLAN 0x88a8u
#define VLAN_TAG_LEN 4u
#define SLL_OUTGOING 4u
#define NOWHERE UINT32_MAX

/* A header of fixed length; fields that a link has not are NOWHERE. */
static const struct layout {
    uint16_t linktype;
    uint32_t len, ethertype_offset;
    uint32_t way_offset, way_len;
} layouts[] = {
    {HWS_LINKTYPE_RAW, 0, NOWHERE, NOWHERE, 0},  {HWS_LINKTYPE_IPV4, 0, NOWHERE, NOWHERE, 0},
    {HWS_LINKTYPE_IPV6, 0, NOWHERE, NOWHERE, 0}, {HWS_LINKTYPE_NULL, 4, NOWHERE, NOWHERE, 0},
    {HWS_LINKTYPE_LOOP, 4, NOWHERE, NOWHERE, 0}, {HWS_LINKTYPE_ETHERNET, 14, 12, NOWHERE, 0},
    {HWS_LINKTYPE_LINUX_SLL, 16, 14, 0, 2},      {HWS_LINKTYPE_LINUX_SLL2, 20, 0, 10, 1},
};

#define LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

static const struct layout *layout_of(uint16_t linktype)
{
    for (size_t i = 0; i < LAYOUTS; i++) {
        if (layouts[i].linktype == linktype)
            return &layouts[i];
    }
    return NULL;
}

bool hws_linktype_known(uint16_t linktype)
{
    return layout_of(linktype) != NULL;
}

static void skip(struct hws_capture_ip *ip, uint32_t len)
{
    ip->data += len;
    ip->len -= len;
    ip->wire_len -= len;
}

static void learn_way(const struct layout *layout, struct hws_capture_ip *ip)
{
    if (ip->way != HWS_CAPTURE_WAY_UNKNOWN || layout->way_offset == NOWHERE)
        return;
    const uint8_t *type = ip->data + layout->way_offset + layout->way_len - 1;
    ip->way = *type == SLL_OUTGOING ? HWS_CAPTURE_OUT : HWS_CAPTURE_IN;
}

/* Takes VLAN tags off, too. */
static bool skip_to_ip(uint16_t ethertype, struct hws_capture_ip *ip)
{
    while (ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_SERVICE_VLAN) {
        if (ip->len < VLAN_TAG_LEN)
            return false;
        ethertype = hws_get16(ip->data + 2);
        skip(ip, VLAN_TAG_LEN);
    }
    return ethertype == ETHERTYPE_IPV4 || ethertype == ETHERTYPE_IPV6;
}

bool hws_linktype_strip(uint16_t linktype, struct hws_capture_ip *ip)
{
    const struct layout *layout = layout_of(linktype);
    if (layout == NULL || ip->len < layout->len || ip->wire_len < ip->len)
        return false;
    learn_way(layout, ip);
    if (layout->ethertype_offset == NOWHERE) {
        skip(ip, layout->len);
        return ip->len > 0 && (ip->data[0] >> 4 == 4 || ip->data[0] >> 4 == 6);
    }
    uint16_t ethertype = hws_get16(ip->data + layout->ethertype_offset);
    skip(ip, layout->len);
    return skip_to_ip(ethertype, ip);
}
