/* Tells when interfaces, addresses or routes of this host change (rtnetlink). */
#ifndef HWS_API_NETWATCH_LINUX_H
#define HWS_API_NETWATCH_LINUX_H

/** A descriptor that is readable after a change, or a negative errno. */
int hws_netwatch_open(void);

/** The same for changes of neighbours, too. */
int hws_netwatch_open_neighbours(void);

/** Takes what came, so that it is readable again only after the next change. */
void hws_netwatch_drain(int fd);

#endif
