#!/usr/bin/env bash
# Installs the build into a folder and builds programs against it: with CMake and with pkg-config,
# shared and static, as C and as C++. The README's example is pasted, with the command beside it.
# Usage: check.sh SOURCE_DIR BUILD_DIR
set -euo pipefail

source_dir=$1
build_dir=$2
consumer=$source_dir/tests/consumer
work=$(mktemp -d "${TMPDIR:-/tmp}/hws-consumer-XXXXXX")
trap 'rm -rf "$work"' EXIT
tree=$work/tree
udp_port=29850 # one of its own for each program

# Usage: run PROGRAM
run()
{
    udp_port=$((udp_port + 1))
    "$1" "$udp_port"
}

# Usage: link_with_hawser OUTPUT OPTION..: links consumer.o or another object as pkg-config says.
link_with_hawser()
{
    local output=$1
    shift
    # shellcheck disable=SC2046 # the flags are several words
    cc -o "$work/$output" "$@" $(pkg-config --libs hawser libuv)
}

cmake --install "$build_dir" --prefix "$tree" >"$work/log"
pc=$(find "$tree" -name hawser.pc)
export PKG_CONFIG_PATH=${pc%/*}
library_dir=$(pkg-config --variable=libdir hawser)
cflags=$(pkg-config --cflags hawser)
export LD_LIBRARY_PATH=$library_dir

echo "== CMake"
cmake -S "$consumer" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$tree" >>"$work/log"
cmake --build "$work/cmake" >>"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
run "$work/cmake/consumer"
env -u LD_LIBRARY_PATH "$work/cmake/consumer_static" "$((udp_port += 1))"

echo "== pkg-config, C and C++"
warnings=(-Wall -Wextra -Wpedantic -Werror)
# shellcheck disable=SC2086 # the flags are several words
{
    cc $cflags "${warnings[@]}" -c -o "$work/c.o" "$consumer/consumer.c"
    clang $cflags "${warnings[@]}" -x c++ -std=c++11 -c -o "$work/c++.o" "$consumer/consumer.c"
}
for language in c c++; do
    link_with_hawser "shared-$language" "$work/$language.o"
    run "$work/shared-$language"
done

echo "== pkg-config, static"
mkdir "$work/static"
cp "$library_dir/libhawser.a" "$work/static"
# shellcheck disable=SC2046
cc -o "$work/static/consumer" "$work/c.o" -L"$work/static" $(pkg-config --static --libs hawser libuv)
env -u LD_LIBRARY_PATH "$work/static/consumer" "$((udp_port += 1))"

echo "== each header alone"
for header in "$tree"/include/hawser/*.h; do
    for language in "c -std=gnu11" "c++ -std=c++11"; do
        # shellcheck disable=SC2086
        clang $cflags "${warnings[@]}" -fsyntax-only -x $language - <<<"#include <hawser/${header##*/}>"
    done
done

echo "== the README's example"
cd "$work"
# shellcheck disable=SC2016
sed -n '/^```c$/,/^```$/p' "$source_dir/README.md" | sed '1d;$d' >echo_client.c
command=$(grep -oE '^ +cc -o echo_client .*hawser\)' "$source_dir/README.md")
echo "$command"
eval "$command"
[ -x echo_client ]

echo "== Wireshark's plug-in"
[ -s "$tree/share/hawser/wireshark/hawser.lua" ]
echo "== manual pages"
[ -s "$tree/share/man/man1/hawser.1" ] && [ -s "$tree/share/man/man7/hawser.7" ]
