#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Write which image an Argo CD overlay runs.
#
# usage: tools/set_image.sh staging|production TAG DIGEST
set -eu
cd "$(dirname "$0")/.."
[ $# = 3 ] && [ -d "deploy/argocd/overlays/$1" ] || {
    sed -n 's/^# \(usage: .*\)/\1/p' "$0" >&2
    exit 2
}
echo "$3" | grep -Eqx 'sha256:[0-9a-f]{64}' || {
    echo "set_image.sh: \"$3\" is not sha256: and 64 hex digits" >&2
    exit 2
}
file=deploy/argocd/overlays/$1/image.yaml
sed -i "s|^  tag: .*|  tag: \"$2\"|; s|^  digest: .*|  digest: \"$3\"|" "$file"
