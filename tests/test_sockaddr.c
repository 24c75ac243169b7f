/* Addresses of the operating system to the engine's and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>

#include "api/sock/sockaddr.h"

static struct sockaddr_in ipv4(const char *text, uint16_t port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
    assert_int_equal(inet_pton(AF_INET, text, &sin.sin_addr), 1);
    return sin;
}

static struct sockaddr_in6 ipv6(const char *text, uint16_t port)
{
    struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    assert_int_equal(inet_pton(AF_INET6, text, &sin6.sin6_addr), 1);
    return sin6;
}

static int read_one(const void *sa, size_t len, struct hws_addr *addr, uint16_t *port)
{
    return hws_sockaddr_read(sa, (socklen_t)len, addr, port);
}

static void both_families_come_back(void **state)
{
    struct sockaddr_in sin = ipv4("192.0.2.1", 5000);
    struct sockaddr_in6 sin6 = ipv6("fe80::1", 5001);
    struct sockaddr_storage back;
    struct hws_addr addr;
    uint16_t port;
    (void)state;
    sin6.sin6_scope_id = 3;
    assert_int_equal(read_one(&sin, sizeof(sin), &addr, &port), 0);
    assert_int_equal(hws_sockaddr_write(&addr, port, &back), sizeof(sin));
    assert_memory_equal(&back, &sin, sizeof(sin));
    assert_int_equal(read_one(&sin6, sizeof(sin6), &addr, &port), 0);
    assert_int_equal(addr.scope_id, 3);
    assert_int_equal(hws_sockaddr_write(&addr, port, &back), sizeof(sin6));
    assert_memory_equal(&back, &sin6, sizeof(sin6));
}

static void special_addresses(void **state)
{
    struct sockaddr_in6 mapped = ipv6("::ffff:192.0.2.1", 1), any6 = ipv6("::", 2);
    struct sockaddr_in any4 = ipv4("0.0.0.0", 3);
    struct hws_addr addr;
    uint16_t port;
    (void)state;
    assert_int_equal(read_one(&mapped, sizeof(mapped), &addr, &port), 0);
    assert_int_equal(addr.family, HWS_FAMILY_IPV4);
    assert_int_equal(addr.ip[0], 192);
    assert_int_equal(read_one(&any6, sizeof(any6), &addr, &port), 0);
    assert_int_equal(addr.family, HWS_FAMILY_NONE);
    assert_int_equal(read_one(&any4, sizeof(any4), &addr, &port), 0);
    assert_int_equal(addr.family, HWS_FAMILY_NONE);
    assert_int_equal(port, 3);
}

static void bad_addresses_are_refused(void **state)
{
    struct sockaddr_in sin = ipv4("192.0.2.1", 1);
    struct sockaddr_storage local = {.ss_family = AF_UNIX};
    struct hws_addr addr;
    uint16_t port;
    (void)state;
    assert_int_equal(read_one(NULL, 16, &addr, &port), -EINVAL);
    assert_int_equal(read_one(&sin, 1, &addr, &port), -EINVAL);
    assert_int_equal(read_one(&sin, sizeof(sin) - 1, &addr, &port), -EINVAL);
    assert_int_equal(read_one(&local, sizeof(local), &addr, &port), -EAFNOSUPPORT);
}

static void packed_addresses(void **state)
{
    struct sockaddr_in sin = ipv4("192.0.2.1", 7);
    struct sockaddr_in6 sin6 = ipv6("2001:db8::1", 7);
    uint8_t packed[1 + sizeof(sin) + sizeof(sin6)];
    const struct sockaddr *at = (const struct sockaddr *)(const void *)(packed + 1);
    struct hws_addr addrs[2];
    uint16_t port;
    (void)state;
    memcpy(packed + 1, &sin, sizeof(sin));
    memcpy(packed + 1 + sizeof(sin), &sin6, sizeof(sin6));
    assert_int_equal(hws_sockaddr_read_packed(at, 2, addrs, 2, &port), 0);
    assert_int_equal(addrs[0].family, HWS_FAMILY_IPV4);
    assert_int_equal(addrs[1].family, HWS_FAMILY_IPV6);
    assert_int_equal(port, 7);
    assert_int_equal(hws_sockaddr_read_packed(at, 3, addrs, 2, &port), -EINVAL);
    assert_int_equal(hws_sockaddr_read_packed(at, 0, addrs, 2, &port), -EINVAL);
    sin6.sin6_port = htons(8);
    memcpy(packed + 1 + sizeof(sin), &sin6, sizeof(sin6));
    assert_int_equal(hws_sockaddr_read_packed(at, 2, addrs, 2, &port), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_families_come_back),
        cmocka_unit_test(special_addresses),
        cmocka_unit_test(bad_addresses_are_refused),
        cmocka_unit_test(packed_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
