#!/usr/bin/env bash
# Dependencies point down only, and the lower layers know no operating system.
# Usage: layering.sh SOURCE_DIR LIBRARY..   the static libraries of proto/ and stack/
set -euo pipefail

source_dir=$1
shift
failed=0

fail()
{
    echo "layering: $*" >&2
    failed=1
}

# Pure functions over memory, and what compilers put in by themselves.
allowed='^(mem(cpy|set|move|cmp)|bcmp|str(len|cmp|ncmp|chr)|v?snprintf|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail'
allowed+='|__(mem(cpy|set|move)|v?snprintf)_chk|__cpu_(model|indicator_init|features2)|__popcountdi2|hws_.*|__(asan|ubsan)_.*)$'

undefined_symbols()
{
    nm -u "$1" | awk 'NF == 2 { print $2 }' | sort -u | grep -Ev "$allowed" || :
}

for library in "$@"; do
    symbols=$(undefined_symbols "$library")
    [ -z "$symbols" ] || fail "$(basename "$library") calls ${symbols//$'\n'/ }"
done

# Headers a layer may include: its own, those below, and the freestanding part of the C library.
includes()
{
    grep -HnE '^ *# *include' "$source_dir/$1"/*.[ch] |
        grep -Ev '<(stdint|stdbool|stddef|stdarg|stdio|string|stdatomic|immintrin|nmmintrin|wmmintrin|cpuid|arm_acle|arm_neon|sys/auxv)\.h>' |
        grep -Ev "\"($2)/" || :
}

check_includes()
{
    local found
    found=$(includes "$1" "$2")
    [ -z "$found" ] || fail "$1 includes what is above it or the system's:"$'\n'"$found"
}

check_includes proto proto
check_includes stack 'proto|stack'

# The simulator stands beside api/: of the system it knows files and OpenSSL's MAC.
found=$(includes sim 'proto|stack|sim' | grep -Ev '<(stdlib|errno|inttypes|openssl/(evp|hmac))\.h>' || :)
[ -z "$found" ] || fail "sim includes what is above it or the system's:"$'\n'"$found"

# Nothing below cli/ and its neighbours knows them.
found=$(grep -HnE '^ *# *include "(cli|bench|interop|examples|tests)/' "$source_dir"/{proto,stack,sim,api/*}/*.[ch] || :)
[ -z "$found" ] || fail "a layer includes one of its users:"$'\n'"$found"
exit "$failed"
