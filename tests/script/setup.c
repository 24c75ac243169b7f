/* Set-up: addresses, parameters, and the state a script starts in. */
#include <string.h>

#include "tests/script/names.h"
#include "tests/script/statement.h"

/* ---- Addresses and parameters ---- */

static uint32_t scan_addrs(struct scan *c, struct hws_addr *out)
{
    uint32_t count = 0;
    while (!scan_at_end(c)) {
        if (count == WORLD_ADDRS_MAX)
            script_fail(c->s, "more than %u addresses", WORLD_ADDRS_MAX);
        struct hws_addr addr = scan_addr(c);
        out[count++] = addr;
    }
    if (count == 0)
        script_fail(c->s, "an address expected");
    return count;
}

static void setup_local(struct scan *c)
{
    struct world *w = &c->s->world;
    struct hws_addr addrs[WORLD_ADDRS_MAX];
    w->local_count = scan_addrs(c, addrs);
    memcpy(w->locals, addrs, sizeof addrs[0] * w->local_count);
}

static void setup_peer(struct scan *c)
{
    struct world *w = &c->s->world;
    struct hws_addr addrs[WORLD_ADDRS_MAX];
    w->peer_count = scan_addrs(c, addrs);
    memcpy(w->peers, addrs, sizeof addrs[0] * w->peer_count);
}

static void setup_param(struct scan *c)
{
    names_scan_members(c, names_params, "parameter", &c->s->world.params);
}

static void setup_own_host(struct scan *c)
{
    scan_expect_end(c);
    c->s->world.own_host = true;
}

static void setup_any_local(struct scan *c)
{
    scan_expect_end(c);
    c->s->world.any_local = true;
}

static void setup_link_mtu(struct scan *c)
{
    c->s->world.mtu = (uint32_t)scan_number_upto(c, 65535);
    scan_expect_end(c);
}

static void run_let(struct scan *c)
{
    scan_expect(c, "$");
    const char *name = scan_word(c, "a name");
    scan_expect(c, "=");
    struct value value = value_scan(c);
    scan_expect_end(c);
    value_define(c->s, name, value);
}

/* ---- Start states ---- */

/* The peer's side of INIT and INIT ACK, unless the script said otherwise with let. */
static const struct {
    const char *name;
    uint64_t number;
} peer_defaults[] = {
    {"peer_tag", 0x70656572}, {"peer_tsn", 1000}, {"peer_rwnd", 131072},
    {"peer_os", 10},          {"peer_mis", 10},
};

static void start(struct scan *c, const char *name)
{
    struct script *s = c->s;
    scan_expect_end(c);
    s->prelude = name;
    for (size_t i = 0; i < sizeof peer_defaults / sizeof peer_defaults[0]; i++)
        if (value_lookup(s, peer_defaults[i].name) == NULL)
            value_define(s, peer_defaults[i].name,
                         (struct value){.number = peer_defaults[i].number});
    world_start(s);
}

static void run_lines(struct script *s, const char *const *lines)
{
    for (; *lines != NULL; lines++)
        statement_run(s, *lines);
}

static void started(struct script *s)
{
    s->prelude = NULL;
    s->checks = 0;
    s->world.stats_start = *hws_engine_stats(s->world.engine);
}

static const char *const to_cookie_wait[] = {"connect", "> INIT tag=$local_tag tsn=$local_tsn",
                                             NULL};
static const char *const to_cookie_wait_unconfirmed[] = {
    "connect peer1", "> INIT tag=$local_tag tsn=$local_tsn", NULL};
static const char *const to_cookie_echoed[] = {
    "< INIT-ACK params=[State-Cookie \"the peer's cookie\", peer-addresses]", "> COOKIE-ECHO",
    NULL};
static const char *const to_established[] = {"< COOKIE-ACK", "event UP passive=0", NULL};
static const char *const to_established_passive[] = {
    "listen",
    "< INIT params=[peer-addresses]",
    "> INIT-ACK tag=$local_tag tsn=$local_tsn params=[..., State-Cookie $local_cookie, ...]",
    "< COOKIE-ECHO cookie=$local_cookie",
    "> COOKIE-ACK",
    "event UP passive=1",
    NULL};
static const char *const to_confirmed[] = {"answer-heartbeats", NULL};
static const char *const to_shutdown_pending[] = {"send \"data\"", "> DATA tsn=$local_tsn BE",
                                                  "shutdown", NULL};
static const char *const to_shutdown_sent[] = {"shutdown", "> SHUTDOWN cum=$peer_tsn-1", NULL};
static const char *const to_shutdown_received[] = {"send \"data\"", "> DATA tsn=$local_tsn BE",
                                                   "< SHUTDOWN cum=$local_tsn-1",
                                                   "event PEER_SHUTDOWN", NULL};
static const char *const to_shutdown_ack_sent[] = {"< SHUTDOWN cum=$local_tsn-1", "> SHUTDOWN-ACK",
                                                   "event PEER_SHUTDOWN", NULL};

/* From ESTABLISHED, in the role the line names, to the state beyond it. */
static void start_beyond(struct scan *c, const char *name, const char *const *beyond)
{
    struct script *s = c->s;
    bool passive = scan_accept_word(c, "passive");
    bool unconfirmed = scan_accept_word(c, "unconfirmed");
    start(c, name);
    if (passive) {
        run_lines(s, to_established_passive);
    } else {
        run_lines(s, unconfirmed ? to_cookie_wait_unconfirmed : to_cookie_wait);
        run_lines(s, to_cookie_echoed);
        run_lines(s, to_established);
    }
    if (!unconfirmed)
        run_lines(s, to_confirmed);
    if (beyond != NULL)
        run_lines(s, beyond);
    started(s);
}

static void start_closed(struct scan *c)
{
    start(c, "closed");
    started(c->s);
}

static void start_listening(struct scan *c)
{
    static const char *const lines[] = {"listen", NULL};
    start(c, "listening");
    run_lines(c->s, lines);
    started(c->s);
}

static void start_setting_up(struct scan *c, const char *name, bool echoed)
{
    bool unconfirmed = scan_accept_word(c, "unconfirmed");
    start(c, name);
    run_lines(c->s, unconfirmed ? to_cookie_wait_unconfirmed : to_cookie_wait);
    if (echoed)
        run_lines(c->s, to_cookie_echoed);
    started(c->s);
}

static void start_cookie_wait(struct scan *c)
{
    start_setting_up(c, "cookie-wait", false);
}

static void start_cookie_echoed(struct scan *c)
{
    start_setting_up(c, "cookie-echoed", true);
}

static void start_established(struct scan *c)
{
    start_beyond(c, "established", NULL);
}

static void start_shutdown_pending(struct scan *c)
{
    start_beyond(c, "shutdown-pending", to_shutdown_pending);
}

static void start_shutdown_sent(struct scan *c)
{
    start_beyond(c, "shutdown-sent", to_shutdown_sent);
}

static void start_shutdown_received(struct scan *c)
{
    start_beyond(c, "shutdown-received", to_shutdown_received);
}

static void start_shutdown_ack_sent(struct scan *c)
{
    start_beyond(c, "shutdown-ack-sent", to_shutdown_ack_sent);
}

const struct statement statements_setup[] = {
    {"local", STATEMENT_SETUP, setup_local},
    {"peer", STATEMENT_SETUP, setup_peer},
    {"param", STATEMENT_SETUP, setup_param},
    {"own_host", STATEMENT_SETUP, setup_own_host},
    {"any_local", STATEMENT_SETUP, setup_any_local},
    {"link_mtu", STATEMENT_SETUP, setup_link_mtu},
    {"let", STATEMENT_ANY, run_let},
    {"closed", STATEMENT_START, start_closed},
    {"listening", STATEMENT_START, start_listening},
    {"cookie-wait", STATEMENT_START, start_cookie_wait},
    {"cookie-echoed", STATEMENT_START, start_cookie_echoed},
    {"established", STATEMENT_START, start_established},
    {"shutdown-pending", STATEMENT_START, start_shutdown_pending},
    {"shutdown-sent", STATEMENT_START, start_shutdown_sent},
    {"shutdown-received", STATEMENT_START, start_shutdown_received},
    {"shutdown-ack-sent", STATEMENT_START, start_shutdown_ack_sent},
    {0}};
