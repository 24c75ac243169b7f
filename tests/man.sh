#!/usr/bin/env bash
# The man pages are well formed, and say what there is: hawser(1) has the options of every command's
# --help and no others, hawser(7) the calls of the public headers and no others.
# Usage: man.sh PROGRAM PAGE1 PAGE7 HEADER..
set -euo pipefail

program=$1
page1=$2
page7=$3
shift 3

# Usage: same WHAT LEFT RIGHT: both texts are equal, or the difference is shown.
same()
{
    diff <(echo "$2") <(echo "$3") || {
        echo "man: $1: left what there is, right what the page has" >&2
        return 1
    }
}

# The options as "-l, --listen", "--udp[=PORT]", "--proto 132|253|254".
options_of_help()
{
    local command
    for command in $("$program" --help | awk '/^  hawser / { print $2 }'); do
        "$program" "$command" --help | grep -E '^ +(-[a-zA-Z0-9], )? *--' |
            sed -E 's/^ +//; s/  .*//; s/^(-.), (--[a-z-]+) (.+)/\1 \3, \2 \3/'
    done | sort -u
}

options_of_page()
{
    sed -n '/^\.SH OPTIONS/,/^\.SH [^O]/p' "$page1" | sed -n '/^\.TP/{n;p}' |
        sed 's/\\f[BR]//g; s/\\-/-/g' | sort -u
}

calls_of_headers()
{
    cat "$@" | tr '\n' ' ' | grep -oE 'HWS_API [^;(]*\(' | grep -oE 'hws_[a-z0-9_]+\($' | tr -d '(' |
        sort -u
}

calls_of_page()
{
    grep -oE 'Fn hws_[a-z0-9_]+' "$page7" | sed 's/^Fn //' | sort -u
}

failed=0
mandoc -T lint -W warning "$page1" "$page7" || failed=1
same "options of hawser(1)" "$(options_of_help)" "$(options_of_page)" || failed=1
same "calls of hawser(7)" "$(calls_of_headers "$@")" "$(calls_of_page)" || failed=1
exit "$failed"
