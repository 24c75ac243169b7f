/* What extensions have to be for an engine to take them, and what is said when they are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/env.h"
#include "stack/core.h"

static void input(const struct hws_ext_assoc *assoc, const struct hws_ext_in *in)
{
    (void)assoc;
    (void)in;
}

static const struct hws_ext_chunk good_chunk = {
    .type = 0x90, .name = "GOOD", .states = HWS_EXT_IN_ESTABLISHED, .input = input};
static const struct hws_ext_cause good_cause = {.code = 0x8001, .name = "Good-Cause"};
static const struct hws_extension good = {
    .api = HWS_EXTEND_API,
    .name = "good",
    .param = 0x9000,
    .chunks = &good_chunk,
    .chunk_count = 1,
    .causes = &good_cause,
    .cause_count = 1,
};
static const struct hws_extension other_good = {
    .api = HWS_EXTEND_API, .name = "other", .param = 0x9001};

static struct hws_extension x;
static struct hws_ext_chunk chunks[HWS_EXT_CHUNKS_MAX + 1];
static struct hws_ext_cause causes[2];
static char error[HWS_EXTENSION_ERROR_MAX];

/* `x` is a good one that a test then spoils. */
static int begin(void **state)
{
    (void)state;
    x = good;
    chunks[0] = good_chunk;
    causes[0] = good_cause;
    x.chunks = chunks;
    x.causes = causes;
    return 0;
}

static int check_beside(const struct hws_extension *second)
{
    const struct hws_extension *list[] = {&x, second};
    memset(error, 0, sizeof error);
    return hws_extensions_check(list, second != NULL ? 2 : 1, error);
}

/* The reason is told in these words, and no engine is made. */
static void refused_beside(const struct hws_extension *second, const char *words)
{
    const struct hws_extension *list[] = {&x, second};
    struct sim_env env;
    sim_env_init(&env, 1);
    assert_int_equal(check_beside(second), HWS_E_INVAL);
    if (strstr(error, words) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", words, error);
    assert_true(strlen(error) < sizeof error - 1);
    struct hws_engine_config config = {
        .env = sim_env_make(&env), .extensions = list, .extension_count = second != NULL ? 2 : 1};
    assert_null(hws_engine_new(&config));
    assert_int_equal(env.live_objects, 0);
}

static void refused(const char *words)
{
    refused_beside(NULL, words);
}

static void good_ones_are_taken(void **state)
{
    (void)state;
    assert_int_equal(check_beside(NULL), HWS_OK);
    assert_int_equal(check_beside(&other_good), HWS_OK);
    assert_int_equal(hws_extensions_check(NULL, 0, error), HWS_OK);
}

static void version_and_name(void **state)
{
    (void)state;
    x.api = HWS_EXTEND_API + 1;
    refused("built for version 3");
    x.api = 0;
    refused("built for version 0");
    x.api = HWS_EXTEND_API;
    const char *const names[] = {NULL, "", "two words", "a/b", "sixteen-letters-"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        x.name = names[i];
        refused("it needs a name");
    }
    x.name = "built-in";
    refused("another one of that name");
    x.name = "other";
    refused_beside(&other_good, "another one of that name");
}

static void chunk_types(void **state)
{
    (void)state;
    const struct {
        uint8_t type;
        const char *words;
    } rows[] = {
        {0x00, "would end a packet"},      {0x7f, "would end a packet"},
        {0x80, "belongs to ASCONF-ACK"},   {0x82, "belongs to RE-CONFIG"},
        {0x84, "belongs to PAD"},          {0xc0, "belongs to FORWARD-TSN"},
        {0xc1, "belongs to ASCONF "},      {0xc2, "belongs to I-FORWARD-TSN"},
        {0xbf, "belongs to IETF-defined"}, {0xff, "belongs to IETF-defined"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        chunks[0].type = rows[i].type;
        refused(rows[i].words);
    }
}

static void chunk_rows(void **state)
{
    (void)state;
    chunks[0].name = NULL;
    refused("needs a name");
    chunks[0] = good_chunk;
    chunks[0].states = 0;
    refused("HWS_EXT_IN_");
    chunks[0].states = HWS_EXT_IN_ESTABLISHED | 1; /* CLOSED */
    refused("HWS_EXT_IN_");
    chunks[0] = good_chunk;
    chunks[0].place = (enum hws_ext_place)2;
    refused("no such place");
    chunks[0] = good_chunk;
    chunks[0].input = NULL;
    refused("neither input nor fill");
    chunks[0] = good_chunk;
    x.chunk_count = HWS_EXT_CHUNKS_MAX + 1;
    refused("there may be 8");
    x.chunk_count = 1;
    x.chunks = NULL;
    refused("there may be 8");
}

static void taken_by_another(void **state)
{
    (void)state;
    struct hws_extension second = good;
    second.name = "second";
    refused_beside(&second, "parameter 0x9000 is that of extension good");
    second.param = 0x9001;
    refused_beside(&second, "type 0x90 is that of chunk GOOD of extension good");
    second.chunk_count = 0;
    refused_beside(&second, "code 0x8001 is that of extension good");
    second.cause_count = 0;
    assert_int_equal(check_beside(&second), HWS_OK);
    chunks[1] = good_chunk;
    x.chunk_count = 2;
    refused("stands there twice");
    x.chunk_count = 1;
    causes[1] = good_cause;
    x.cause_count = 2;
    refused("stands there twice");
}

static void parameters(void **state)
{
    (void)state;
    const struct {
        uint16_t param;
        const char *words;
    } rows[] = {
        {0, "no INIT parameter"},       {1, "skip it silently"},
        {0x4000, "skip it silently"},   {0xc000, "skip it silently"},
        {0x8000, "belongs to ECN"},     {0x8008, "belongs to Supported Extensions"},
        {0x8005, "belongs to Padding"}, {0xbfff, "belongs to IETF-defined"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        x.param = rows[i].param;
        refused(rows[i].words);
    }
    x.param = good.param;
    x.offer = "0123456789abcdef";
    x.offer_len = HWS_EXT_PARAM_MAX;
    assert_int_equal(check_beside(NULL), HWS_OK);
    x.offer_len++;
    refused("a value of 17 bytes");
    x.offer_len = 1;
    x.offer = NULL;
    refused("a value of 1 bytes");
    x.offer_len = 0;
    x.param_name = "two words";
    refused("parameter 0x9000 needs a name");
}

static void causes_and_sizes(void **state)
{
    (void)state;
    causes[0].code = 13;
    refused("take 0x8000 or above");
    causes[0] = (struct hws_ext_cause){.code = 0x8001};
    refused("needs a name");
    causes[0] = good_cause;
    x.causes = NULL;
    refused("1 causes, and no list of them");
    x.causes = causes;
    x.cause_count = UINT32_MAX;
    refused("4294967295 causes: there may be 64");
    x.cause_count = 1;
    x.state_size = HWS_EXT_STATE_MAX + 1;
    refused("a state of");
    x.state_size = HWS_EXT_STATE_MAX;
    x.reserve_bytes = HWS_EXT_RESERVE_MAX + 1;
    refused("bytes reserved");
    x.reserve_bytes = HWS_EXT_RESERVE_MAX;
    x.missing_reports = 2;
    refused("2 missing reports");
}

static void too_many(void **state)
{
    (void)state;
    const struct hws_extension *list[HWS_EXT_MAX + 1];
    struct hws_extension many[HWS_EXT_MAX + 1];
    char names[HWS_EXT_MAX + 1][8];
    for (unsigned i = 0; i <= HWS_EXT_MAX; i++) {
        snprintf(names[i], sizeof names[i], "x%u", i);
        many[i] = (struct hws_extension){.api = HWS_EXTEND_API, .name = names[i]};
        list[i] = &many[i];
    }
    assert_int_equal(hws_extensions_check(list, HWS_EXT_MAX, error), HWS_OK);
    assert_int_equal(hws_extensions_check(list, HWS_EXT_MAX + 1, error), HWS_E_INVAL);
    assert_non_null(strstr(error, "9 extensions: there may be 8"));
}

/* What an extension writes ends where it has to, and is nothing when it writes nothing. */
static int writes_nothing(const uint8_t *value, uint16_t len, char *out, size_t size)
{
    (void)value, (void)len, (void)out, (void)size;
    return 3;
}

static int writes_no_end(const uint8_t *value, uint16_t len, char *out, size_t size)
{
    (void)value, (void)len;
    memset(out, 'x', size);
    return (int)size;
}

static void careless_text(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x90, 0, 0, 4};
    const struct hws_tlv chunk = {.type = 0x9000, .len = sizeof bytes, .bytes = bytes};
    const struct hws_extension *const list[] = {&x};
    struct hws_registry registry;
    char text[8] = "before";
    hws_registry_init(&registry, list, 1);
    struct hws_text_names names = hws_registry_names(&registry);
    assert_int_equal(names.contents(names.arg, &chunk, text, sizeof text), -1);
    chunks[0].text = writes_nothing;
    assert_int_equal(names.contents(names.arg, &chunk, text, sizeof text), 3);
    assert_string_equal(text, "");
    chunks[0].text = writes_no_end;
    assert_int_equal(names.contents(names.arg, &chunk, text, sizeof text), 8);
    assert_string_equal(text, "xxxxxxx");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(good_ones_are_taken, begin),
        cmocka_unit_test_setup(version_and_name, begin),
        cmocka_unit_test_setup(chunk_types, begin),
        cmocka_unit_test_setup(chunk_rows, begin),
        cmocka_unit_test_setup(taken_by_another, begin),
        cmocka_unit_test_setup(parameters, begin),
        cmocka_unit_test_setup(causes_and_sizes, begin),
        cmocka_unit_test_setup(too_many, begin),
        cmocka_unit_test_setup(careless_text, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
