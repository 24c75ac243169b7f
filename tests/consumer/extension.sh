#!/usr/bin/env bash
# Installs the build into a folder, builds an extension against the installed headers alone, and has
# two processes exchange its chunk over protocol 254; a peer without it carries on as plain SCTP.
# What is wrong with an extension is told.
# Usage: extension.sh SOURCE_DIR BUILD_DIR
set -euo pipefail

# Runs this script again in a network namespace of its own.
if [ -z "${HWS_EXTENSION_INSIDE:-}" ]; then
    namespaces=-n
    [ "$(id -u)" -eq 0 ] || namespaces=-Urn
    unshare "$namespaces" true 2>/dev/null || { echo "SKIP: no network namespace can be made here"; exit 77; }
    HWS_EXTENSION_INSIDE=1 exec unshare "$namespaces" "$0" "$@"
fi

consumer=$1/tests/consumer
work=$(mktemp -d "${TMPDIR:-/tmp}/hws-extension-XXXXXX")
listener=
finish()
{
    [ -z "$listener" ] || kill "$listener" 2>/dev/null || :
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

fail()
{
    echo "FAIL  $*" >&2
    tail -n 5 "$work"/*.log "$work"/*.trace >&2 || :
    exit 1
}

ip link set lo up
cmake --install "$2" --prefix "$work/tree" >"$work/install.log"
hawser=$work/tree/bin/hawser
pc=$(find "$work/tree" -name hawser.pc)
cflags=$(PKG_CONFIG_PATH=${pc%/*} pkg-config --cflags hawser)
# Usage: make_extension NAME OPTION..
make_extension()
{
    # shellcheck disable=SC2086 # the flags are several words
    cc -std=c11 -Wall -Wextra -Werror $cflags -shared -fPIC -o "$work/$1.so" "${@:2}" "$consumer/greet.c"
}
make_extension greet
make_extension wrong -DWRONG_VERSION
head -c 3000000 /dev/urandom >"$work/file"

# Usage: exchange NAME LISTENER_OPTION.. -- CLIENT_OPTION..: a file over protocol 254, and traces.
exchange()
{
    local name=$1 port=5000
    local -a server=()
    shift
    while [ "$1" != -- ]; do
        server+=("$1")
        shift
    done
    shift
    "$hawser" cat -l --proto 254 "${server[@]}" --trace "$work/$name-b.trace" $port \
        </dev/null >"$work/$name.out" 2>"$work/$name-b.log" &
    listener=$!
    local tries=0
    until "$hawser" ping --proto 254 -c 1 -W 0.2 127.0.0.1 $port >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 50 ] || fail "$name: nobody listens"
    done
    "$hawser" cat --proto 254 "$@" --trace "$work/$name-a.trace" 127.0.0.1 $port \
        <"$work/file" >/dev/null 2>"$work/$name-a.log" || fail "$name: the client failed"
    wait "$listener" || fail "$name: the listener failed"
    listener=
    cmp -s "$work/file" "$work/$name.out" || fail "$name: another file came"
    echo "ok    $name"
}

# Usage: says NAME TEXT: a line of both traces has it.
says()
{
    local side
    for side in a b; do
        grep -qF -- "$2" "$work/$1-$side.trace" || fail "$1: no $2 in the trace of $side"
    done
}

exchange both --extension "$work/greet.so" -v -- --extension "$work/greet.so"
grep -qE 'Z extension greet, event 1: hello$' "$work/both-b.log" || fail "both: -v does not tell the event"
says both 'GREETING text="hello"'
says both 'GREETING text="hello to you"'
says both 'proto=254/lab'
grep -q 'INIT .*greet' "$work/both-a.trace" || fail "both: no parameter in INIT"

delaycc=$2/examples/extensions/delaycc.so
exchange chosen --extension "$delaycc" --cc delaycc -- --extension "$delaycc" --cc delaycc --sched rr --pathsel primary

# One side alone: a file, no greeting, no complaint.
exchange client-only -- --extension "$work/greet.so"
exchange listener-only --extension "$work/greet.so" --
for name in client-only listener-only; do
    ! grep -qE 'GREETING|ERROR|CHUNK-' "$work/$name-a.trace" "$work/$name-b.trace" ||
        fail "$name: more than plain SCTP"
done


# A program of the sockets API: the environment loads the extension, a notification tells of the chunk.
libs=$(PKG_CONFIG_PATH=${pc%/*} pkg-config --libs hawser)
# shellcheck disable=SC2086 # the flags are several words
cc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror $cflags -o "$work/hears" "$consumer/hears.c" $libs
LD_LIBRARY_PATH=$(PKG_CONFIG_PATH=${pc%/*} pkg-config --variable=libdir hawser)
export LD_LIBRARY_PATH HAWSER_PROTOCOL=254
HAWSER_EXTENSIONS=$work/greet.so "$work/hears" >"$work/heard.log" 2>&1 &
listener=$!
until grep -q '@hawser/port/254/5001$' /proc/net/unix; do
    kill -0 "$listener" || fail "hears: it does not listen"
    sleep 0.05
done
"$hawser" cat --proto 254 --extension "$work/greet.so" 127.0.0.1 5001 <"$work/file" >/dev/null
wait "$listener" || fail "hears: it failed"
listener=
grep -qx 'greet 1: hello' "$work/heard.log" || fail "hears: it was not told"
echo "ok    a notification"
code=0
HAWSER_EXTENSIONS=$work/greet.so:$work/none.so "$work/hears" >"$work/refused.log" 2>&1 || code=$?
[ "$code" -eq 3 ] || fail "HAWSER_EXTENSIONS: exit code $code"
grep -q 'hawser: cannot load extension .*none.so: No such file' "$work/refused.log" ||
    fail "HAWSER_EXTENSIONS: no reason"
echo "ok    HAWSER_EXTENSIONS"

# Usage: refused NAME WORDS OPTION..: hawser says these words.
refused()
{
    local code=0
    "$hawser" cat "${@:3}" --proto 254 127.0.0.1 5000 </dev/null >"$work/refused.log" 2>&1 || code=$?
    [ "$code" -eq 1 ] || fail "$1: exit code $code"
    grep -qE -- "$2" "$work/refused.log" || fail "$1: no $2"
    echo "ok    $1"
}
refused "no such controller" "no congestion controller 'x', but rfc9260 delaycc;" --extension "$delaycc" --cc x
refused "no such scheduler" "no stream scheduler 'delaycc', but fcfs rr;" --extension "$delaycc" --sched delaycc
refused "no such selector" "no path selector '', but primary;" --pathsel ''
refused "missing file" 'cannot load extension .*none.so: No such file' --extension "$work/none.so"
refused "no shared object" 'cannot load extension .*invalid ELF header|file too short' --extension "$work/file"
cc -shared -fPIC -o "$work/empty.so" -x c /dev/null
refused "no symbol" 'no symbol hws_extension' --extension "$work/empty.so"
for text in 'const struct hws_extension hws_extension = {.api = HWS_EXTEND_API, .name = "x"};' \
    'const struct hws_extension *hws_extension(void) { return 0; }'; do
    # shellcheck disable=SC2086 # the flags are several words
    printf '#include <hawser/extend.h>\n%s\n' "$text" |
        cc -std=c11 $cflags -shared -fPIC -o "$work/direct.so" -x c -
    refused "another symbol: $text" 'is not made by HWS_EXTENSION_EXPORT' --extension "$work/direct.so"
done
long=$work/$(printf './%.0s' {1..1500})none.so
refused "a long path" 'cannot load extension .*\.\.\.: No such file' --extension "$long"
refused "wrong version" 'built for version 3 .* this is version 2' --extension "$work/wrong.so"
cp "$work/greet.so" "$work/second.so"
refused "given twice" 'another one of that name' --extension "$work/greet.so" --extension "$work/second.so"
