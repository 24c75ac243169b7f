#!/bin/bash
#
# Proves that the comparison notices what it is there for (compare.awk), with answers written here.
# Usage: selfcheck.sh
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/hws-semantics-XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0
some=0

# Usage: expect WHAT CODE TEXT: the comparison ends with CODE and says TEXT.
expect()
{
    local code=0
    awk -f "$here/compare.awk" -v some="$some" file=1 "$work/explained" file=2 "$work/kernel" \
        file=3 "$work/hawser" >"$work/said" || code=$?
    [ "$code" -ne "$2" ] || ! grep -qF -- "$3" "$work/said" || return 0
    printf '%s: ended with %s and said:\n' "$1" "$code"
    cat "$work/said"
    failed=1
}

# Usage: answers KERNEL HAWSER: each one's answers, separated by commas, to one step after the other.
answers()
{
    tr , '\n' <<<"$1" >"$work/kernel"
    tr , '\n' <<<"$2" >"$work/hawser"
}

why='# Because.'
printf '%s\n' "$why" 'b: two | EINVAL | 0' >"$work/explained"
answers 'a: one: 0,b: two: EINVAL' 'a: one: 0,b: two: 0'
expect 'explained' 0 '2 steps, 1 differ, 1 of them explained'
answers 'a: one: 0,b: two: EINVAL' 'a: one: 0,b: two: EPERM'
expect 'differs in another way' 1 '    hawser  EPERM'
answers 'a: one: 0,b: two: EINVAL' 'a: one: EPERM,b: two: 0'
expect 'not explained' 1 'a: one'
answers 'a: one: 0,b: two: 0' 'a: one: 0,b: two: 0'
expect 'explanation that is not needed' 1 'does not differ any more: b: two'
answers 'a: one: 0,b: two: EINVAL' 'b: two: 0'
expect 'a step that one side did not come to' 1 '    hawser  not said'
answers 'a: one: 0,b: two: EINVAL,b: two: 0' 'a: one: 0,b: two: 0'
expect 'a step said twice' 1 'kernel says it twice'
answers 'a: one: 0,b: two: EINVAL,crash' 'a: one: 0,b: two: 0'
expect 'no answer' 1 'kernel says something else: crash'

printf '%s\n' "$why" 'b*: two* | E* | (0) 1: x' >"$work/explained"
answers 'b 7: two (2): EINVAL' 'b 7: two (2): (0) 1: x'
expect 'pattern' 0 '1 of them explained'
answers 'b 7: two (2): EINVAL' 'b 7: two (2): 0 1: x'
expect 'letters of patterns that mean themselves' 1 '    hawser  0 1: x'

printf '%s\n' "$why" 'b: two | ~ 7 8 | ~ 9 10' >"$work/explained"
answers 'b: two: a 7 8 7 c' 'b: two: a 9 10 9 c'
expect 'words' 0 '1 of them explained'
answers 'b: two: a 7 8 7 c' 'b: two: a 9 9 9 c'
expect 'words in place of others' 1 '    hawser  a 9 9 9 c'
answers 'b: two: a 7 8 7 c' 'b: two: a 9 10 9 d'
expect 'words and others' 1 '    hawser  a 9 10 9 d'

some=1
answers 'a: one: 0' 'a: one: 0'
expect 'explanations of what was not asked' 0 '0 of them explained'
some=0

printf '%s\n' "$why" '' 'b: two | EINVAL | 0' >"$work/explained"
answers 'b: two: EINVAL' 'b: two: 0'
expect 'no reason' 1 'no reason'
printf '%s\n' "$why" 'b: two | EINVAL' >"$work/explained"
expect 'not of three parts' 1 'not of three parts'
: >"$work/explained"
answers 'b: two: 0' ''
: >"$work/hawser"
expect 'silence of one' 1 'not said'
: >"$work/kernel"
expect 'silence' 1 'nobody said anything'
exit "$failed"
