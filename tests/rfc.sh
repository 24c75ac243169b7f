#!/usr/bin/env bash
# docs/RFC.md has a row for every MUST, MUST NOT, SHOULD and SHOULD NOT of RFC 9260's sections 3 to
# 11, and the functions and tests its rows name exist. The RFC's text is not kept here but an index
# of it is; where the text is at hand (HWS_RFC9260_TXT, or ../shared/spec/rfc9260.txt beside the
# repository) the index is compared with it.
# Usage: rfc.sh [PAGE]          checks PAGE, docs/RFC.md if none is given
#        rfc.sh --index TEXT    prints the index of the RFC's text
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A line per requirement: id, keyword, checksum of the sentence.
index_of()
{
    local -a sentences
    awk -f tests/rfc/requirements.awk "$1" >"$work/requirements"
    mkdir "$work/sentences"
    awk -F '\t' -v dir="$work/sentences" \
        '{ file = sprintf("%s/%06d", dir, NR); printf "%s", $3 >file; close(file) }' \
        "$work/requirements"
    sentences=("$work"/sentences/*)
    cksum "${sentences[@]}" | cut -d ' ' -f 1 |
        paste <(cut -f 1,2 "$work/requirements") - | tr '\t' ' '
}

# The RFC's text, or nothing.
text_at_hand()
{
    local beside=../shared/spec/rfc9260.txt
    if [ -n "${HWS_RFC9260_TXT:-}" ]; then
        echo "$HWS_RFC9260_TXT"
    elif [ -e "$beside" ]; then
        echo "$beside"
    fi
}

compare_index()
{
    local text
    text=$(text_at_hand)
    if [ -z "$text" ]; then
        echo "rfc: the text is not at hand; the index is taken as it is"
    elif ! diff tests/rfc/index <(index_of "$text") >&2; then
        echo "rfc: tests/rfc/index is not the index of $text" >&2
        return 1
    fi
}

# What a row may name: functions, tests of cmocka programs, other tests of ctest, scenario scripts.
# A cmocka program counts when cmake knows it, by its name or as "setup" of pair_setup.
existing()
{
    local name script
    local -a lists=(tests/*.cmake tests/*/*.cmake {interop,bench}/CMakeLists.txt)
    awk -f tests/rfc/definitions.awk {proto,stack,api/*,cli}/*.[ch] tests/test_*.c tests/sim/test_*.c |
        awk 'FNR == NR { known[$1] = 1; next }
             $1 == "case" {
                 program = $2
                 sub(/:.*/, "", program)
                 suffix = program
                 sub(/^pair_/, "", suffix)
                 if (!(program in known) && !(suffix in known))
                     next
             }
             { print }' <(tr -cs 'A-Za-z0-9_' '\n' <<<"$(cat "${lists[@]}")") -
    grep -hoE 'add_test\(NAME [a-z_0-9]+( |$)' "${lists[@]}" | cut -d ' ' -f 2 | while read -r name; do
        [ -e "tests/test_$name.c" ] || [ -e "tests/sim/test_$name.c" ] || echo "test $name"
    done
    for script in tests/script/*.hws; do
        [ ! -e "$script" ] || echo "script $(basename "$script" .hws)"
    done
}

if [ "${1:-}" = --index ]; then
    index_of "$2"
    exit
fi
page=${1:-docs/RFC.md}
failed=0
compare_index || failed=1
existing >"$work/existing"
awk -v index_file=tests/rfc/index -v incomplete_file=tests/rfc/incomplete -v page_file="$page" \
    -f tests/rfc/check.awk "$work/existing" tests/rfc/index tests/rfc/incomplete "$page" || failed=1
exit "$failed"
