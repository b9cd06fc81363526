#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# npm in web/ with the Node that setup.sh chose: tools/npm.sh ci | run build | test ...
set -eu
cd "$(dirname "$0")/.."

dir=$(tools/setup.sh --node-dir)
[ -n "$dir" ] || { echo "npm.sh: no Node 18 or newer with npm; run tools/setup.sh page" >&2; exit 1; }
PATH=$dir:$PATH
export PATH
cd web
if [ "$1" = ci ]; then
    shift
    exec npm ci --no-audit --no-fund --no-update-notifier --loglevel=error "$@"
fi
exec npm "$@"
