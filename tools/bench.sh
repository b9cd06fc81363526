#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything in bench/ that measures: Meson's benchmarks, then each bench/*_bench.py.
set -eu
cd "$(dirname "$0")/.."

ran=
if meson introspect build --benchmarks | grep -q '"name"'; then
    meson test -C build --no-rebuild --benchmark --verbose
    ran=yes
fi
for script in bench/*_bench.py; do
    [ -e "$script" ] || continue
    "$script"
    ran=yes
done
[ -n "$ran" ] || { echo "bench.sh: there is nothing to measure in bench/" >&2; exit 1; }
