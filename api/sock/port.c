/* Ports of ours: claimed at the link once, however many sockets of this engine share them. */
#include <errno.h>

#include "api/sock/socket_internal.h"

static int port_new(struct hws_sockets *sockets, uint16_t number, struct hws_sock_port **out)
{
    struct hws_sock_port *port = hws_pool_zalloc(&sockets->pool, sizeof(*port));
    if (port == NULL)
        return -ENOMEM;
    port->port = number;
    port->refs = 1;
    int rc = sockets->host.add_port(sockets->host.arg, number);
    if (rc == 0 && !hws_hashtab_add(&sockets->ports, &port->node, number)) {
        sockets->host.remove_port(sockets->host.arg, number);
        rc = -ENOMEM;
    }
    if (rc < 0)
        hws_pool_free(&sockets->pool, port, sizeof(*port));
    else
        *out = port;
    return rc;
}

int hws_sock_port_get(struct hws_sockets *sockets, uint16_t number, struct hws_sock_port **out)
{
    struct hws_hashtab_node *node = hws_hashtab_first(&sockets->ports, number);
    if (node == NULL)
        return port_new(sockets, number, out);
    *out = HWS_SOCK_CONTAINER(node, struct hws_sock_port, node);
    (*out)->refs++;
    return 0;
}

void hws_sock_port_put(struct hws_sockets *sockets, struct hws_sock_port *port)
{
    if (port == NULL || --port->refs > 0)
        return;
    sockets->host.remove_port(sockets->host.arg, port->port);
    hws_hashtab_remove(&sockets->ports, &port->node);
    hws_pool_free(&sockets->pool, port, sizeof(*port));
}
