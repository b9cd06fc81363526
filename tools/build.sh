#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Configure once, then build: tools/build.sh DIR [MESON_SETUP_OPTION...]
# Leaves the programs at DIR/stofka and DIR/stofka-sim wherever Meson puts them.
set -eu
cd "$(dirname "$0")/.."

dir=$1
shift
if [ ! -f "$dir/build.ninja" ]; then
    mkdir -p "$dir"
    meson setup "$dir" "$@" >"$dir/setup.log" 2>&1 || {
        cat "$dir/setup.log" >&2
        exit 1
    }
fi
if ! ninja -C "$dir" -n | grep -q 'no work to do'; then
    if [ -t 1 ]; then quiet=; else quiet=--quiet; fi
    ninja -C "$dir" $quiet
fi

cd "$dir"
for program in stofka stofka-sim; do
    [ ! -f "$program" ] || [ -L "$program" ] || continue
    found=$(find src sim -name "$program" -type f -perm -u+x 2>/dev/null | head -n 1)
    [ -z "$found" ] || ln -sfn "$found" "$program"
done
