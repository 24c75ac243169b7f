#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/host.h"

#define SHELL_NOT_FOUND 127

int hws_cli_host_raw_socket(bool ipv6, uint8_t protocol)
{
    int fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

bool hws_cli_host_kernel_sctp(void)
{
    char line[512];
    bool found = false;
    FILE *protocols = fopen("/proc/net/protocols", "re");
    if (protocols == NULL)
        return false;
    while (!found && fgets(line, sizeof(line), protocols) != NULL)
        found = strncmp(line, "SCTP", 4) == 0;
    fclose(protocols);
    return found;
}

static int mtu_of(const char *name)
{
    struct ifreq ifr = {.ifr_mtu = 0};
    memcpy(ifr.ifr_name, name, strnlen(name, sizeof(ifr.ifr_name) - 1));
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCGIFMTU, &ifr) != 0)
        ifr.ifr_mtu = 0;
    if (fd >= 0)
        close(fd);
    return ifr.ifr_mtu;
}

static bool is_listed(const struct hws_cli_interface *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0)
            return true;
    return false;
}

size_t hws_cli_host_interfaces(struct hws_cli_interface *out, size_t max)
{
    struct ifaddrs *addresses;
    size_t count = 0;
    if (getifaddrs(&addresses) != 0)
        return 0;
    for (const struct ifaddrs *a = addresses; a != NULL && count < max; a = a->ifa_next) {
        if ((a->ifa_flags & IFF_UP) == 0 || is_listed(out, count, a->ifa_name))
            continue;
        snprintf(out[count].name, sizeof(out[count].name), "%s", a->ifa_name);
        out[count].mtu = mtu_of(a->ifa_name);
        count++;
    }
    freeifaddrs(addresses);
    return count;
}

FILE *hws_cli_host_ruleset(void)
{
    return popen("PATH=$PATH:/usr/sbin:/sbin exec nft -n list ruleset 2>/dev/null", "re");
}

enum hws_cli_ruleset hws_cli_host_ruleset_close(FILE *ruleset)
{
    int status = pclose(ruleset);
    if (status == 0)
        return HWS_CLI_RULESET_READ;
    return WIFEXITED(status) && WEXITSTATUS(status) == SHELL_NOT_FOUND ? HWS_CLI_RULESET_NO_TOOL
                                                                       : HWS_CLI_RULESET_REFUSED;
}
