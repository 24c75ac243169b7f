# shellcheck shell=bash
#
# What tests that are scripts have in common: checks that are counted, waiting, networks of their own.
# To be sourced.

. "$(dirname "${BASH_SOURCE[0]}")/../interop/rooms.sh"

failures=0

# Usage: check WHAT COMMAND..
check()
{
    local what=$1
    shift
    if "$@"; then
        echo "ok    $what"
    else
        echo "FAIL  $what"
        failures=$((failures + 1))
    fi
}

say_failure()
{
    "$@" >"$work/said" 2>&1 && return 0
    sed 's/^/      /' "$work/said"
    return 1
}

# Usage: check_quietly WHAT COMMAND..: what the command says is shown when it fails. Needs a folder $work.
check_quietly()
{
    check "$1" say_failure "${@:2}"
}

# Usage: wait_for FILE PATTERN: until it is there, 20 seconds at most.
wait_for()
{
    ! rooms_wait_line 20 "$1" "$2" || return 0
    echo "not within 20 seconds in $1: $2; there is:" >&2
    cat "$1" >&2
    return 1
}

skip_without_namespace()
{
    echo "SKIP: no network namespace can be made here"
    exit 77
}

# Usage: enter_namespace "$@": runs the script again in a network namespace, where it may open raw
# sockets, capture and lose packets.
enter_namespace()
{
    local how
    [ -z "${HWS_TEST_INSIDE:-}" ] || return 0
    for how in "unshare -n" "unshare -rn"; do
        # shellcheck disable=SC2086 # words
        if $how true 2>/dev/null; then
            HWS_TEST_INSIDE=1 exec $how "$0" "$@"
        fi
    done
    skip_without_namespace
}

# Usage: enter_rooms "$@": runs the script again where it may make rooms (interop/rooms.sh), with a
# folder $work. Both go with it.
enter_rooms()
{
    if [ "$(id -u)" -ne 0 ] && [ -z "${HWS_TEST_INSIDE:-}" ]; then
        unshare -Urnm true 2>/dev/null || skip_without_namespace
        HWS_TEST_INSIDE=1 exec unshare -Urnm "$0" "$@"
    fi
    work=$(mktemp -d)
    trap 'rooms_down; rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM
}

# Usage: give_up WORDS..: the test has failed; shows the logs of $work.
give_up()
{
    echo "FAIL  $*"
    cat "$work"/*.log
    exit 1
}
