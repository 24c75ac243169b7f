#!/bin/sh
# Builds the fuzzers with clang in a folder of their own and lets each run for a while on seeds made
# here. Says SKIP (exit 77) where there is no clang, unless CI is set: then that is an error.
# usage: run.sh SOURCE BUILD SECONDS
set -eu
source=$1 build=$2 seconds=$3

skip() {
    echo "SKIP: $1"
    [ -n "${CI:-}" ] && exit 1
    exit 77
}
command -v clang >/dev/null || skip "clang is not installed"

say_on_failure() {
    "$@" >"$build/log" 2>&1 || { cat "$build/log"; exit 1; }
}
mkdir -p "$build/text" "$build/engine" "$build/crashes"
say_on_failure cmake -S "$source" -B "$build" -DCMAKE_C_COMPILER=clang -DHWS_FUZZ=ON
say_on_failure cmake --build "$build" --target fuzz_engine fuzz_text fuzz_corpus -j 2
"$build/tests/fuzz_corpus" "$build/text" "$build/engine"

run() {
    "$build/tests/fuzz_$1" -max_total_time="$2" -max_len=2048 -len_control=20 -timeout=20 -rss_limit_mb=2000 \
        -print_final_stats=1 -artifact_prefix="$build/crashes/$1-" "$build/$1" \
        >"$build/$1.log" 2>&1 || { tail -n 60 "$build/$1.log"; exit 1; }
    grep -E 'number_of_executed_units|DONE' "$build/$1.log" | sed "s/^/$1: /"
}
run text $((seconds / 5))
run engine $((seconds - seconds / 5))
