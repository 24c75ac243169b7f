#include "stack/chunk_table.h"

#include "stack/fault.h"
#include "stack/handshake.h"
#include "stack/heartbeat.h"
#include "stack/output.h"
#include "stack/pmtud.h"
#include "stack/receive.h"
#include "stack/retransmit.h"
#include "stack/sack.h"
#include "stack/shutdown.h"

#define SETTING_UP (HWS_STATE_BIT(COOKIE_WAIT) | HWS_STATE_BIT(COOKIE_ECHOED))
#define SENDING                                                                                    \
    (HWS_STATE_BIT(ESTABLISHED) | HWS_STATE_BIT(SHUTDOWN_PENDING) |                                \
     HWS_STATE_BIT(SHUTDOWN_RECEIVED))
#define ENDING (HWS_STATE_BIT(SHUTDOWN_SENT) | HWS_STATE_BIT(SHUTDOWN_ACK_SENT))
#define UP (SENDING | ENDING)
#define ANY (SETTING_UP | UP)

/* INIT and COOKIE ECHO have no input handler here: they may meet no association, see listener.h. */
const struct hws_chunk_row hws_chunk_rows[] = {
    {HWS_CHUNK_INIT, true, 0, HWS_WANT_INIT, NULL, hws_output_fill_init},
    {HWS_CHUNK_INIT_ACK, true, HWS_STATE_BIT(COOKIE_WAIT), 0, hws_handshake_init_ack, NULL},
    {HWS_CHUNK_COOKIE_ECHO, false, 0, HWS_WANT_COOKIE_ECHO, NULL, hws_output_fill_cookie_echo},
    {HWS_CHUNK_COOKIE_ACK, false, HWS_STATE_BIT(COOKIE_ECHOED), HWS_WANT_COOKIE_ACK,
     hws_handshake_cookie_ack, hws_output_fill_cookie_ack},
    {HWS_CHUNK_ABORT, false, ANY, 0, hws_fault_abort_in, NULL},
    {HWS_CHUNK_ERROR, false, UP | HWS_STATE_BIT(COOKIE_ECHOED), HWS_WANT_ERROR, hws_fault_error_in,
     hws_fault_fill_error},
    {HWS_CHUNK_SACK, false, SENDING, HWS_WANT_SACK, hws_retransmit_sack_in, hws_sack_fill},
    {HWS_CHUNK_HEARTBEAT_ACK, false, UP, HWS_WANT_HEARTBEAT_ACK, hws_heartbeat_ack_in,
     hws_heartbeat_fill_ack},
    {HWS_CHUNK_HEARTBEAT, false, UP | HWS_STATE_BIT(COOKIE_ECHOED), HWS_WANT_HEARTBEAT,
     hws_heartbeat_in, hws_heartbeat_fill},
    {HWS_CHUNK_SHUTDOWN, false, UP, HWS_WANT_SHUTDOWN, hws_shutdown_in, hws_output_fill_shutdown},
    {HWS_CHUNK_SHUTDOWN_ACK, false, SETTING_UP | ENDING, HWS_WANT_SHUTDOWN_ACK, hws_shutdown_ack_in,
     hws_output_fill_shutdown_ack},
    {HWS_CHUNK_SHUTDOWN_COMPLETE, true, HWS_STATE_BIT(SHUTDOWN_ACK_SENT), 0,
     hws_shutdown_complete_in, NULL},
    {HWS_CHUNK_PAD, false, ANY, 0, hws_pmtud_pad_in, NULL},
    {HWS_CHUNK_DATA, false,
     HWS_STATE_BIT(ESTABLISHED) | HWS_STATE_BIT(SHUTDOWN_PENDING) | HWS_STATE_BIT(SHUTDOWN_SENT), 0,
     hws_receive_data, NULL},
};

const unsigned hws_chunk_row_count = sizeof hws_chunk_rows / sizeof hws_chunk_rows[0];

const struct hws_chunk_row *hws_chunk_row(uint8_t type)
{
    if (type == HWS_CHUNK_DATA) /* nearly always */
        return &hws_chunk_rows[hws_chunk_row_count - 1];
    for (unsigned i = 0; i < hws_chunk_row_count; i++)
        if (hws_chunk_rows[i].type == type)
            return &hws_chunk_rows[i];
    return NULL;
}

uint16_t hws_chunk_min_len(uint8_t type)
{
    switch (type) {
#define X(symbol, number, name, min_len)                                                           \
    case number:                                                                                   \
        return min_len;
        HWS_CHUNK_TYPES(X)
#undef X
    default:
        return 4;
    }
}
