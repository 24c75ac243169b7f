#!/usr/bin/env bash
# Everything in the public headers is documented, and links between documents lead somewhere.
# Usage: doxygen.sh SOURCE_DIR
set -euo pipefail

cd "$1"
work=$(mktemp -d "${TMPDIR:-/tmp}/hws-doxygen-XXXXXX")
trap 'rm -rf "$work"' EXIT
{ cat docs/Doxyfile && echo "OUTPUT_DIRECTORY = $work"; } | doxygen -
