#!/usr/bin/env bash
# Installs the build into a folder and builds a program against it, with CMake and with pkg-config.
# Usage: check.sh SOURCE_DIR BUILD_DIR
set -euo pipefail

consumer=$1/tests/consumer
work=$(mktemp -d "${TMPDIR:-/tmp}/hws-consumer-XXXXXX")
trap 'rm -rf "$work"' EXIT

cmake --install "$2" --prefix "$work/tree" >"$work/log"
cmake -S "$consumer" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/tree" >>"$work/log"
cmake --build "$work/cmake" >>"$work/log" || { cat "$work/log" >&2; exit 1; }
"$work/cmake/consumer"
"$work/cmake/consumer_static"

pc=$(find "$work/tree" -name hawser.pc)
export PKG_CONFIG_PATH=${pc%/*}
# shellcheck disable=SC2046 # the flags are several words
cc "$consumer/consumer.c" -o "$work/consumer" $(pkg-config --cflags --libs hawser)
LD_LIBRARY_PATH=$(pkg-config --variable=libdir hawser) "$work/consumer"
