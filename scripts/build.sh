# shellcheck shell=bash
#
# How the scripts build. To be sourced.
#
#   build DIR [CMAKE-OPTION..]     configure and build the repository in DIR; quiet when it works.
#                                  BUILD_TARGET names the only target wanted

BUILD_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

build()
{
    local dir=$1
    shift
    mkdir -p "$dir"
    if ! { cmake -S "$BUILD_SOURCE" -B "$dir" "$@" &&
        cmake --build "$dir" --target "${BUILD_TARGET:-all}" --parallel "$(nproc)"; } >"$dir/build.log" 2>&1; then
        tail -n 40 "$dir/build.log" >&2
        printf 'the build in %s failed; all of its output: %s\n' "$dir" "$dir/build.log" >&2
        return 1
    fi
}
