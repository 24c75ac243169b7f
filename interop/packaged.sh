# shellcheck shell=bash
#
# Cases of hawser against the programs of Debian's libusrsctp-examples; see cases.sh, which is to be
# sourced first, and usrsctp.sh for how these programs behave. hawser is in room A, they are in B.

# The echo server takes no message above 10,240 bytes, and echoes unordered messages as such.
ECHO_MESSAGE=10000

# Own UDP port of a packaged server: 0 switches UDP off.
packaged_udp()
{
    if [ "$1" = udp ]; then echo 9899; else echo 0; fi
}

# Usage: case_echo_server LINK FAMILY: the whole file, and all of it back.
case_echo_server()
{
    local link=$1 family=$2 server code=0
    usrsctp_echo_start B "$CASE_DIR/echo.log" "$(packaged_udp "$link")" ||
        case_fail 'echo_server does not start' || return 1
    server=$ROOMS_PID
    hawser_cat source A "$link" "$CASE_FILE" "$CASE_DIR/back.data" \
        "$(case_address B "$family")" 7 --msg-size "$ECHO_MESSAGE" --expect "$CASE_SIZE" || code=$?
    CASE_SECONDS=$HAWSER_SECONDS
    rooms_stop "$server"
    case_retransmits source
    [ "$code" -eq 0 ] || case_fail "hawser ended with $code" || return 1
    case_same "$CASE_DIR/back.data"
}

# Usage: case_discard_server LINK FAMILY: it prints the length of all it reads.
case_discard_server()
{
    local link=$1 family=$2 server code=0
    usrsctp_discard_start B "$CASE_DIR/discard.data" "$(packaged_udp "$link")" ||
        case_fail 'discard_server does not start' || return 1
    server=$ROOMS_PID
    hawser_cat source A "$link" "$CASE_FILE" /dev/null "$(case_address B "$family")" 9 || code=$?
    CASE_SECONDS=$HAWSER_SECONDS
    rooms_wait 5 usrsctp_has_received "$CASE_DIR/discard.data" "$CASE_SIZE" || :
    rooms_stop "$server"
    case_retransmits source
    [ "$code" -eq 0 ] || case_fail "hawser ended with $code" || return 1
    case_count "$(usrsctp_received "$CASE_DIR/discard.data")"
}

# Usage: case_client LINK FAMILY: text from the client to hawser echo, and back.
case_client()
{
    local link=$1 family=$2 text=$CASE_DIR/text.data start code=0 udp=()
    [ "$link" != udp ] || udp=(9898 9899)
    seq -f 'line %g of a text for the echo' 500 >"$text"
    hawser_listen echo A "$link" /dev/null echo 7 || case_fail 'hawser does not start' || return 1
    start=${EPOCHREALTIME/[.,]/}
    usrsctp_client B "$CASE_DIR/client.log" "$text" "$(case_address A "$family")" 7 yes "${udp[@]}" ||
        code=$?
    CASE_SECONDS=$(awk -v us=$((${EPOCHREALTIME/[.,]/} - start)) 'BEGIN { print us / 1e6 }')
    hawser_stop echo
    case_retransmits echo
    CASE_BYTES=$(usrsctp_client_text "$CASE_DIR/client.log" | wc -c)
    [ "$code" -eq 0 ] || case_fail 'the text that came back differs'
}

# Usage: case_from_tsctp LINK MESSAGE-BYTES: tsctp sends, hawser cat counts.
case_from_tsctp()
{
    local link=$1 length=$2 messages figures udp=(-E 0)
    messages=$((CASE_SIZE / length))
    [ "$link" != udp ] || udp=(-E 9898 -U 9899)
    hawser_listen sink A "$link" /dev/null cat 5001 || case_fail 'hawser does not start' || return 1
    figures=$(usrsctp_tsctp_client B "$CASE_DIR/tsctp.data" 10.77.0.1 "$messages" "$length" "${udp[@]}") ||
        case_fail 'tsctp failed'
    CASE_SECONDS=${figures#* }
    hawser_join sink 10 || case_fail "hawser ended with $?" || :
    case_retransmits sink
    case_count "$(hawser_counter sink data_bytes_in)" $((messages * length)) && [ -z "$CASE_WHY" ]
}

# Usage: case_to_tsctp LINK: hawser cat sends, tsctp counts.
case_to_tsctp()
{
    local link=$1 server figures code=0
    usrsctp_tsctp_server B "$CASE_DIR/tsctp.data" -E "$(packaged_udp "$link")" ||
        case_fail 'tsctp does not start' || return 1
    server=$ROOMS_PID
    hawser_cat source A "$link" "$CASE_FILE" /dev/null "$(case_address B 4)" 5001 || code=$?
    CASE_SECONDS=$HAWSER_SECONDS
    figures=$(usrsctp_tsctp_result "$CASE_DIR/tsctp.data") || :
    rooms_stop "$server"
    case_retransmits source
    [ "$code" -eq 0 ] || case_fail "hawser ended with $code" || return 1
    case_count "${figures% *}"
}

# Usage: case_tsctp MESSAGE-BYTES: tsctp to tsctp, what hawser is compared with.
case_tsctp()
{
    local length=$1 messages server figures
    messages=$((CASE_SIZE / length))
    usrsctp_tsctp_server B "$CASE_DIR/server.data" -E 0 || case_fail 'tsctp does not start' || return 1
    server=$ROOMS_PID
    usrsctp_tsctp_client A "$CASE_DIR/client.data" "$(case_address B 4)" "$messages" "$length" -E 0 \
        >/dev/null || case_fail 'tsctp failed' || :
    figures=$(usrsctp_tsctp_result "$CASE_DIR/server.data") || :
    rooms_stop "$server"
    CASE_SECONDS=${figures#* }
    case_count "${figures% *}" $((messages * length)) && [ -z "$CASE_WHY" ]
}
