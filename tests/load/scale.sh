#!/bin/bash
#
# Runs `load_scale sockets COUNT` where that many descriptors are allowed: here, or, when the limit
# cannot be raised here (CAP_SYS_RESOURCE), in a user-mode Linux guest, whose limits are its own.
# Usage: scale.sh BUILD_DIR COUNT     as root
# Exit code: 77 skipped (1 when CI=true), else that of load_scale.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
count=$2
scale=$build/tests/load_scale
no_privilege=3 # its exit code when the limit stays below what it needs

code=0
"$scale" sockets "$count" || code=$?
[ "$code" -eq "$no_privilege" ] || exit "$code"

. "$here/../../interop/rooms.sh"
. "$here/../../interop/uml/uml.sh"
trap 'uml_down; rooms_down' EXIT
trap 'exit 130' INT TERM

skip()
{
    printf 'SKIP: %s\n' "$*"
    [ "${CI:-}" != true ] || exit 1
    exit 77
}

UML_MEMORY=1G
rooms_tap_up && uml_up "$build/interop" || skip "no user-mode Linux guest"
# The guest's kernel answers for protocol 132 itself.
code=0
uml_start scale env HAWSER_PROTOCOL=253 "$scale" sockets "$count"
uml_join 400 scale || code=$?
cat "$(uml_output scale)"
exit "$code"
