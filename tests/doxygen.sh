#!/usr/bin/env bash
# Everything in the public headers is documented, and links between documents lead somewhere. So is
# everything in the engine's contract but members of structures whose names and units say enough.
# Usage: doxygen.sh SOURCE_DIR
set -euo pipefail

cd "$1"
work=$(mktemp -d "${TMPDIR:-/tmp}/hws-doxygen-XXXXXX")
trap 'rm -rf "$work"' EXIT

# Usage: run SETTING..: doxygen with the repository's settings and these
run()
{
    { cat docs/Doxyfile && printf '%s\n' "OUTPUT_DIRECTORY = $work" "$@"; } | doxygen -
}

run
run "INPUT = stack/engine.h" "WARN_AS_ERROR = NO" 2>"$work/engine"
if grep -v '(variable) of struct .* is not documented' "$work/engine"; then
    echo "doxygen: stack/engine.h has what is not documented" >&2
    exit 1
fi
