#!/usr/bin/env bash
# Proves that tests/rfc.sh notices what it is there for: damaged copies of docs/RFC.md, a text that is not
# the RFC's, and that it finds the keywords of a text.
# Usage: selfcheck.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
row=$(grep -m 1 '^| 3/1 |' docs/RFC.md)

fail()
{
    echo "rfc_selfcheck: $*" >&2
    failed=1
}

# Usage: noticed MESSAGE SED-SCRIPT    a page so changed is refused with the message
noticed()
{
    sed "$2" docs/RFC.md >"$work/page"
    if cmp -s docs/RFC.md "$work/page"; then
        fail "nothing changed by: $2"
    elif tests/rfc.sh "$work/page" >/dev/null 2>"$work/said"; then
        fail "not noticed: $1"
    elif ! grep -qF "$1" "$work/said"; then
        fail "refused, but not with: $1"
        cat "$work/said" >&2
    fi
}

# Usage: row_noticed MESSAGE ROW    the same with another row in place of the first
row_noticed()
{
    noticed "$1" "s#^| 3/1 |.*#$2#"
}

unknown_text()
{
    printf '3.  One\n\n   It MUST do this.\n' >"$work/text"
    if HWS_RFC9260_TXT=$work/text tests/rfc.sh >/dev/null 2>&1; then
        fail 'another text passes for the RFC'
    fi
}

keywords()
{
    local found
    cat >"$work/text" <<'END'
Table of Contents

3.  None MUST be here

1.  Introduction

   This MUST pass unseen.

3.1.  Two words

   They MUST stay and SHOULD
   NOT part.  This MUSTY one is none.  That SHOULD be it

   *  And it MUST NOT end here.

12.  More

   It MUST end there.
END
    found=$(tests/rfc.sh --index "$work/text" | cut -d ' ' -f 1-3 | sed 's/ [0-9]*$//' | paste -sd ,)
    [ "$found" = '3.1/1 MUST,3.1/2 SHOULD NOT,3.1/3 SHOULD,3.1/4 MUST NOT' ] ||
        fail "keywords found: $found"
    [ "$(tests/rfc.sh --index "$work/text" | sed -n '1s/.* //p;2s/.* //p' | uniq | wc -l)" -eq 1 ] ||
        fail 'two keywords of one sentence have two checksums'
}

good='| 3/1 | MUST NOT | words | stack/output.c:fill_control | swarm |'
sed "s#^| 3/1 |.*#$good#" docs/RFC.md >"$work/page"
tests/rfc.sh "$work/page" >/dev/null || fail 'a good row is refused'

noticed '3/1: has no row' '/^| 3\/1 |/d'
noticed '3/1: has two rows' '/^| 3\/1 |/p'
noticed '3/1: out of order' "/^| 3\\/1 |/d; /^| 3\\/2 |/a $row"
noticed 'deviations; there may be nine' \
    '/^| *D1 *|/{p;s/D1/D81/p;s/D81/D82/p;s/D82/D83/p;s/D83/D84/p;s/D84/D85/p;s/D85/D86/p;s/D86/D87/p;s/D87/D88/p;s/D88/D89/}'
row_noticed '3/1: the RFC says MUST NOT, the row MUST' '| 3/1 | MUST | words | stack/output.c:fill_control | swarm |'
row_noticed 'no such requirement' '| 3/99 | MUST NOT | words | stack/output.c:fill_control | swarm |'
row_noticed 'does not say what' '| 3/1 | MUST NOT |  | stack/output.c:fill_control | swarm |'
row_noticed 'no function stack/output.c:nothing' '| 3/1 | MUST NOT | words | stack/output.c:nothing | swarm |'
row_noticed 'no function stack/nothing.c:fill_control' '| 3/1 | MUST NOT | words | stack/nothing.c:fill_control | swarm |'
row_noticed 'no function stack/output.c:hws_sack_fill' '| 3/1 | MUST NOT | words | stack/output.c:hws_sack_fill | swarm |'
row_noticed 'names no function' '| 3/1 | MUST NOT | words |  | swarm |'
row_noticed 'no test pair_setup:nothing' '| 3/1 | MUST NOT | words | stack/output.c:fill_control | pair_setup:nothing |'
row_noticed 'no test pair_setup' '| 3/1 | MUST NOT | words | stack/output.c:fill_control | pair_setup |'
row_noticed 'no test script:nothing' '| 3/1 | MUST NOT | words | stack/output.c:fill_control | script:nothing |'
row_noticed 'no test nothing' '| 3/1 | MUST NOT | words | stack/output.c:fill_control | swarm, nothing |'
row_noticed 'neither a test nor a reason' '| 3/1 | MUST NOT | words | stack/output.c:fill_control |  |'
row_noticed 'no deviation D99' '| 3/1 | MUST NOT | words | stack/output.c:fill_control | differs: D99 |'
row_noticed 'no test nothing' '| 3/1 | MUST NOT | words | stack/output.c:fill_control | differs: D1; nothing |'
row_noticed 'to whom does it apply' '| 3/1 | MUST NOT | words |  | applies to: upper layer |'
row_noticed 'not five columns' '| 3/1 | MUST NOT | words | stack/output.c:fill_control |'
noticed 'no such function or test: pair_attacks:nothing' 's#`pair_attacks:a_restart_is_told`#`pair_attacks:nothing`#'
noticed 'no such function or test: stack/listener.c:nothing' 's#`stack/listener.c:tie`#`stack/listener.c:nothing`#'
unknown_text
keywords
exit "$failed"
