#!/usr/bin/env bash
# Every C file is as clang-format writes it.
# Usage: format.sh SOURCE_DIR
set -euo pipefail

command -v clang-format >/dev/null || { echo "SKIP: clang-format is not installed"; exit 77; }
cd "$1"
find proto stack sim api cli tests interop bench examples -name '*.[ch]' -print0 |
    xargs -0 clang-format --dry-run --Werror
