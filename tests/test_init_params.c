#include <stdbool.h>
#include <string.h>

#include "memory_env.h"
#include "stack/init_params.h"

#define BOTH (HWS_SUPPORTS_IPV4 | HWS_SUPPORTS_IPV6)

static uint8_t packet[4000];
static struct hws_builder b;
static struct hws_init_params got;
static struct hws_registry registry; /* nothing in it */

static const struct hws_addr source = {
    .ip = {198, 51, 100, 9}, .udp_port = 9899, .family = HWS_FAMILY_IPV4};

static struct hws_addr ipv4(uint8_t first, uint8_t last)
{
    return (struct hws_addr){.ip = {first, 0, 2, last}, .family = HWS_FAMILY_IPV4};
}

static struct hws_addr ipv6(uint8_t first, uint8_t last)
{
    return (struct hws_addr){.ip = {first, 1, [15] = last}, .family = HWS_FAMILY_IPV6};
}

/* ---- Building an INIT ---- */

static void open_init(void)
{
    struct hws_init init = {.tag = 1, .ostreams = 1, .max_instreams = 1};
    hws_builder_init(&b, packet, sizeof packet, 1, 2, 0);
    assert_true(hws_init_open(&b, HWS_CHUNK_INIT, &init));
}

static void param(uint16_t type, const void *value, uint32_t len)
{
    uint8_t *v = hws_builder_tlv(&b, type, len);
    assert_non_null(v);
    if (len > 0)
        memcpy(v, value, len);
}

static void put(struct hws_addr addr)
{
    assert_true(hws_param_put_addr(&b, &addr));
}

static struct hws_init close_init(void)
{
    struct hws_init init;
    struct hws_tlv chunk;
    assert_true(hws_builder_close(&b));
    struct hws_tlv_iter it = hws_packet_chunks(packet, b.len);
    assert_true(hws_tlv_next(&it, &chunk));
    assert_true(hws_init_decode(&chunk, &init));
    return init;
}

static enum hws_init_params_result read_init(void)
{
    struct hws_init init = close_init();
    memset(&got, 0xee, sizeof got);
    return hws_init_params_read(&registry, &init, &source, &got);
}

static void read_ok(void)
{
    assert_int_equal(read_init(), HWS_INIT_PARAMS_OK);
}

/* ---- Reading ---- */

static void no_parameters(void **state)
{
    (void)state;
    open_init();
    read_ok();
    assert_int_equal(got.addr_count, 0);
    assert_null(got.cookie);
    assert_int_equal(got.life_extension_ms, 0);
    assert_int_equal(got.supported, BOTH); /* RFC 9260, 3.3.2.1.6: absent means all */
    assert_int_equal(got.unknown_count, 0);
}

static void addresses(void **state)
{
    (void)state;
    const struct hws_addr a = ipv4(192, 1), c = ipv6(0x20, 7);
    open_init();
    put(a);
    put(c);
    read_ok();
    assert_int_equal(got.addr_count, 2);
    assert_true(hws_addr_same(&got.addrs[0], &a));
    assert_true(hws_addr_same(&got.addrs[1], &c));
    /* RFC 6951, 5.1: the addresses listed are reached as the packet's source is. */
    assert_int_equal(got.addrs[0].udp_port, 9899);
    assert_int_equal(got.addrs[1].udp_port, 9899);
}

/* RFC 9260, 5.1.2: only unicast addresses may be listed. */
static void unusable_addresses_are_passed_over(void **state)
{
    (void)state;
    const struct hws_addr zero4 = {.family = HWS_FAMILY_IPV4}, zero6 = {.family = HWS_FAMILY_IPV6};
    const struct hws_addr last = ipv4(223, 1);
    open_init();
    put(zero4);
    put(zero6);
    put(ipv4(224, 1));
    put(ipv4(255, 255));
    put(ipv6(0xff, 1));
    put(last);
    read_ok();
    assert_int_equal(got.addr_count, 1);
    assert_true(hws_addr_same(&got.addrs[0], &last));
}

static void addresses_beyond_the_limit_are_ignored(void **state)
{
    (void)state;
    open_init();
    for (uint8_t i = 1; i <= HWS_LIMIT_PATHS + 20; i++)
        put(ipv4(192, i));
    param(HWS_PARAM_COOKIE, "c", 1); /* what follows is still read */
    read_ok();
    assert_int_equal(got.addr_count, HWS_LIMIT_PATHS);
    assert_int_equal(got.addrs[HWS_LIMIT_PATHS - 1].ip[3], HWS_LIMIT_PATHS);
    assert_non_null(got.cookie);
}

static void cookie_and_preservative(void **state)
{
    (void)state;
    open_init();
    param(HWS_PARAM_COOKIE, "biscuit", 7);
    assert_true(hws_param_put_cookie_preservative(&b, 123456));
    read_ok();
    assert_int_equal(got.cookie_len, 7);
    assert_memory_equal(got.cookie, "biscuit", 7);
    assert_int_equal(got.life_extension_ms, 123456);
}

static void an_empty_cookie_is_a_cookie(void **state)
{
    (void)state;
    open_init();
    param(HWS_PARAM_COOKIE, NULL, 0);
    read_ok();
    assert_non_null(got.cookie);
    assert_int_equal(got.cookie_len, 0);
}

static void supported_types(unsigned expected, const void *types, uint32_t len)
{
    open_init();
    param(HWS_PARAM_SUPPORTED_ADDRESSES, types, len);
    read_ok();
    assert_int_equal(got.supported, expected);
}

static void supported_address_types(void **state)
{
    (void)state;
    supported_types(HWS_SUPPORTS_IPV4, (const uint8_t[]){0, 5}, 2);
    supported_types(BOTH, (const uint8_t[]){0, 6}, 2); /* it came over IPv4 (5.1.2) */
    supported_types(BOTH, (const uint8_t[]){0, 6, 0, 11, 0, 5, 0x77, 0x77}, 8);
    supported_types(HWS_SUPPORTS_IPV4, NULL, 0);
}

/* ---- Unknown parameters (RFC 9260, 3.2.1) ---- */

/* An address behind an unknown parameter: found or not, the parameter reported or not. */
static void unknown_between(uint16_t type, bool goes_on, bool reported)
{
    open_init();
    put(ipv4(192, 1));
    param(type, "????", 4);
    put(ipv4(192, 2));
    read_ok();
    assert_int_equal(got.addr_count, goes_on ? 2 : 1);
    assert_int_equal(got.unknown_count, reported ? 1 : 0);
    if (reported) {
        assert_int_equal(got.unknown[0].type, type);
        assert_int_equal(got.unknown[0].len, 8);
        assert_memory_equal(got.unknown[0].bytes + 4, "????", 4);
    }
}

static void unknown_by_the_highest_bits(void **state)
{
    (void)state;
    unknown_between(0x3abc, false, false);
    unknown_between(0x7abc, false, true);
    unknown_between(0xbabc, true, false);
    unknown_between(0xfabc, true, true);
}

/* Known numbers of features we have not: as unknown as any other. */
static void features_we_do_not_have(void **state)
{
    (void)state;
    open_init();
    param(HWS_PARAM_ECN, NULL, 0);
    param(HWS_PARAM_FORWARD_TSN, NULL, 0);
    put(ipv4(192, 1));
    read_ok();
    assert_int_equal(got.unknown_count, 1);
    assert_int_equal(got.unknown[0].type, HWS_PARAM_FORWARD_TSN);
    assert_int_equal(got.addr_count, 1);
}

static void reports_of_unknown_are_bounded(void **state)
{
    (void)state;
    open_init();
    for (uint16_t i = 0; i < 3 * HWS_LIMIT_UNKNOWN_PARAMS; i++)
        param((uint16_t)(0xc100 + i), NULL, 0);
    put(ipv4(192, 1));
    read_ok();
    assert_int_equal(got.unknown_count, HWS_LIMIT_UNKNOWN_PARAMS);
    assert_int_equal(got.unknown[HWS_LIMIT_UNKNOWN_PARAMS - 1].type,
                     0xc100 + HWS_LIMIT_UNKNOWN_PARAMS - 1);
    assert_int_equal(got.addr_count, 1);
}

/* In an INIT ACK: what the peer did not know of ours. */
static void unrecognized_parameters_are_passed_over(void **state)
{
    (void)state;
    open_init();
    param(HWS_PARAM_UNRECOGNIZED, "\x80\x00\x00\x04", 4);
    put(ipv4(192, 1));
    read_ok();
    assert_int_equal(got.unknown_count, 0);
    assert_int_equal(got.addr_count, 1);
}

/* ---- Refused ---- */

static void host_name_is_refused(void **state)
{
    (void)state;
    open_init();
    put(ipv4(192, 1));
    param(HWS_PARAM_HOST_NAME, "example.org", 12);
    put(ipv4(192, 2));
    assert_int_equal(read_init(), HWS_INIT_PARAMS_HOST_NAME);
    assert_int_equal(got.offending.type, HWS_PARAM_HOST_NAME);
    assert_int_equal(got.offending.len, 16);
    assert_memory_equal(got.offending.bytes + 4, "example.org", 12);
}

static void wrong_length(uint16_t type, uint32_t len)
{
    static const uint8_t value[40] = {1};
    open_init();
    param(type, value, len);
    assert_int_equal(read_init(), HWS_INIT_PARAMS_MALFORMED);
    assert_int_equal(got.offending.type, type);
    assert_int_equal(got.addr_count, 0);
}

static void wrong_lengths_of_known_types(void **state)
{
    (void)state;
    for (uint32_t len = 0; len < 40; len++) {
        if (len != 4)
            wrong_length(HWS_PARAM_IPV4, len);
        if (len != 16)
            wrong_length(HWS_PARAM_IPV6, len);
        if (len != 4)
            wrong_length(HWS_PARAM_COOKIE_PRESERVATIVE, len);
    }
}

/* Reads a list from memory of exactly its size. */
static enum hws_init_params_result read_list(const uint8_t *list, uint32_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, list, len);
    struct hws_init init = {.params = copy, .params_len = len};
    enum hws_init_params_result result = hws_init_params_read(&registry, &init, &source, &got);
    for (uint32_t i = 0; i < got.unknown_count; i++)
        assert_true(got.unknown[i].bytes + got.unknown[i].len <= copy + len);
    if (got.cookie != NULL)
        assert_true(got.cookie + got.cookie_len <= copy + len);
    free(copy);
    return result;
}

static void lengths_of_no_parameter(void **state)
{
    (void)state;
    const uint8_t short_header[] = {0xc0, 9, 0};
    const uint8_t zero[] = {0xc0, 9, 0, 0}, three[] = {0xc0, 9, 0, 3};
    const uint8_t beyond[] = {0xc0, 9, 0, 9, 0, 0, 0, 0};
    const uint8_t unpadded[] = {0xc0, 9, 0, 5, 0};
    assert_int_equal(read_list(short_header, 3), HWS_INIT_PARAMS_MALFORMED);
    assert_int_equal(read_list(zero, 4), HWS_INIT_PARAMS_MALFORMED);
    assert_int_equal(read_list(three, 4), HWS_INIT_PARAMS_MALFORMED);
    assert_int_equal(read_list(beyond, 8), HWS_INIT_PARAMS_MALFORMED);
    /* RFC 9260, 3.2: the chunk's length does not count the last parameter's padding. */
    assert_int_equal(read_list(unpadded, 5), HWS_INIT_PARAMS_OK);
    assert_int_equal(read_list(unpadded, 0), HWS_INIT_PARAMS_OK);
}

/* The list's lengths are those of whole parameters, or it is malformed. */
static void every_truncation(void **state)
{
    (void)state;
    open_init();
    put(ipv4(192, 1));
    put(ipv6(0x20, 1));
    param(0xc123, "unknown", 8);
    assert_true(hws_param_put_supported_addresses(&b, BOTH));
    param(HWS_PARAM_COOKIE, "biscuits", 8);
    struct hws_init init = close_init();
    const uint32_t ends[] = {0, 8, 28, 40, 48, 60};
    uint32_t whole = 0;
    assert_int_equal(init.params_len, 60);
    for (uint32_t len = 0; len <= 60; len++) {
        bool ok = len == ends[whole];
        assert_int_equal(read_list(init.params, len),
                         ok ? HWS_INIT_PARAMS_OK : HWS_INIT_PARAMS_MALFORMED);
        whole += ok;
    }
    assert_int_equal(whole, 6);
}

/* Any bytes give one of the three results and nothing out of bounds. */
static void random_lists(void **state)
{
    (void)state;
    const uint16_t types[] = {1, 5, 6, 7, 8, 9, 11, 12, 0x8000, 0xc000, 0x8001, 0xc001};
    uint8_t list[200];
    uint64_t seed = 3;
    for (int round = 0; round < 50000; round++) {
        uint32_t len = random_below(&seed, sizeof list + 1);
        for (uint32_t i = 0; i < len; i++)
            list[i] = (uint8_t)random64(&seed);
        for (uint32_t at = 0; at + 4 <= len;) {
            uint16_t param_len = (uint16_t)(4 + random_below(&seed, 20));
            hws_put16(list + at, types[random_below(&seed, 12)]);
            hws_put16(list + at + 2, param_len);
            at += hws_pad4(param_len);
        }
        enum hws_init_params_result result = read_list(list, len);
        assert_true(result <= HWS_INIT_PARAMS_HOST_NAME);
        assert_true(got.addr_count <= HWS_LIMIT_PATHS);
        assert_true(got.unknown_count <= HWS_LIMIT_UNKNOWN_PARAMS);
        assert_int_equal(got.supported & ~BOTH, 0);
    }
}

/* ---- Our own side ---- */

static const struct hws_params no_params;

static void put_local(const struct hws_locals *locals, unsigned supported_by_peer)
{
    open_init();
    hws_init_params_put_local(&b, locals, &no_params, supported_by_peer);
    read_ok();
    assert_false(got.has_adaptation);
}

static struct hws_locals bound(const struct hws_addr *addrs, size_t count)
{
    struct hws_locals locals;
    hws_locals_init(&locals, addrs, count, 0);
    return locals;
}

static void any_address_lists_none(void **state)
{
    (void)state;
    struct hws_locals locals = bound(NULL, 0);
    put_local(&locals, BOTH);
    assert_int_equal(got.addr_count, 0);
    assert_int_equal(got.supported, BOTH);
}

/* One address: the packet's source says it. */
static void one_address_lists_none(void **state)
{
    (void)state;
    const struct hws_addr addr = ipv4(192, 1);
    struct hws_locals locals = bound(&addr, 1);
    put_local(&locals, BOTH);
    assert_int_equal(got.addr_count, 0);
    assert_int_equal(got.supported, HWS_SUPPORTS_IPV4);
}

static void several_addresses_are_listed(void **state)
{
    (void)state;
    const struct hws_addr addrs[] = {ipv4(192, 1), ipv6(0x20, 1), ipv4(192, 2)};
    struct hws_locals locals = bound(addrs, 3);
    put_local(&locals, BOTH);
    assert_int_equal(got.addr_count, 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(hws_addr_same(&got.addrs[i], &addrs[i]));
    assert_int_equal(got.supported, BOTH);
}

/* 5.1.2: nothing of a family that the peer cannot use. */
static void only_what_the_peer_supports(void **state)
{
    (void)state;
    const struct hws_addr addrs[] = {ipv4(192, 1), ipv6(0x20, 1), ipv4(192, 2)};
    struct hws_locals locals = bound(addrs, 3);
    put_local(&locals, HWS_SUPPORTS_IPV4);
    assert_int_equal(got.addr_count, 2);
    assert_true(hws_addr_same(&got.addrs[1], &addrs[2]));
    put_local(&locals, HWS_SUPPORTS_IPV6);
    assert_int_equal(got.addr_count, 1);
    assert_true(hws_addr_same(&got.addrs[0], &addrs[1]));
    assert_int_equal(got.supported, BOTH); /* what we support does not depend on the peer */
}

/* An endpoint of one family supports no other. */
static void one_family(void **state)
{
    (void)state;
    struct hws_locals locals;
    hws_locals_init(&locals, NULL, 0, HWS_ENDPOINT_IPV6);
    put_local(&locals, BOTH);
    const uint8_t supported[] = {0, HWS_PARAM_SUPPORTED_ADDRESSES, 0, 6, 0, HWS_PARAM_IPV6};
    assert_memory_equal(packet + HWS_PACKET_HEADER_LEN + 20, supported, sizeof supported);
}

/* RFC 5061, 4.2.6 */
static void adaptation(void **state)
{
    (void)state;
    const struct hws_params params = {.adaptation = true, .adaptation_indication = 0x12345678};
    struct hws_locals locals = bound(NULL, 0);
    open_init();
    hws_init_params_put_local(&b, &locals, &params, BOTH);
    read_ok();
    assert_true(got.has_adaptation);
    assert_int_equal(got.adaptation_indication, 0x12345678);
    assert_int_equal(got.unknown_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_parameters),
        cmocka_unit_test(addresses),
        cmocka_unit_test(unusable_addresses_are_passed_over),
        cmocka_unit_test(addresses_beyond_the_limit_are_ignored),
        cmocka_unit_test(cookie_and_preservative),
        cmocka_unit_test(an_empty_cookie_is_a_cookie),
        cmocka_unit_test(supported_address_types),
        cmocka_unit_test(unknown_by_the_highest_bits),
        cmocka_unit_test(features_we_do_not_have),
        cmocka_unit_test(reports_of_unknown_are_bounded),
        cmocka_unit_test(unrecognized_parameters_are_passed_over),
        cmocka_unit_test(host_name_is_refused),
        cmocka_unit_test(wrong_lengths_of_known_types),
        cmocka_unit_test(lengths_of_no_parameter),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(random_lists),
        cmocka_unit_test(any_address_lists_none),
        cmocka_unit_test(one_address_lists_none),
        cmocka_unit_test(several_addresses_are_listed),
        cmocka_unit_test(only_what_the_peer_supports),
        cmocka_unit_test(one_family),
        cmocka_unit_test(adaptation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
