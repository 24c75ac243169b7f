#include "stack/error.h"

const char *hws_error_text(int error)
{
    switch (error) {
    case HWS_OK:
        return "success";
#define X(symbol, text)                                                                            \
    case HWS_E_##symbol:                                                                           \
        return text;
        HWS_ERRORS(X)
#undef X
    default:
        return "unknown error";
    }
}

const char *hws_error_name(int error)
{
    switch (error) {
    case HWS_OK:
        return "OK";
#define X(symbol, text)                                                                            \
    case HWS_E_##symbol:                                                                           \
        return #symbol;
        HWS_ERRORS(X)
#undef X
    default:
        return "UNKNOWN";
    }
}
