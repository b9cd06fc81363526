#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Make a certificate authority and certificates for tests and trials on this machine.
#
# usage: tools/certs.sh DIR NAME...
#
# DIR/ca.crt signs DIR/NAME.crt (with DIR/NAME.key), for the host names NAME and localhost and the
# loopback addresses, good for servers and for clients (a client's name is its CN). Valid for
# STOFKA_CERT_DAYS (30) days. What is there already is kept; keys can be read by their owner only.
# Never for the open net: there a real authority signs.
set -eu
umask 077

[ $# -ge 2 ] || {
    sed -n 's/^# \(usage: .*\)/\1/p' "$0" >&2
    exit 2
}
dir=$1
shift
days=${STOFKA_CERT_DAYS:-30}
mkdir -p "$dir"

key() {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null
}

if [ ! -e "$dir/ca.crt" ]; then
    key "$dir/ca.key"
    openssl req -x509 -new -key "$dir/ca.key" -days "$days" -subj "/CN=Stofka test authority" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
        -addext "keyUsage=critical,keyCertSign,cRLSign" -out "$dir/ca.crt"
fi

for name in "$@"; do
    [ ! -e "$dir/$name.crt" ] || continue
    key "$dir/$name.key"
    cat >"$dir/$name.ext" <<EXT
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = DNS:$name, DNS:localhost, IP:127.0.0.1, IP:::1
EXT
    openssl req -new -key "$dir/$name.key" -subj "/CN=$name" |
        openssl x509 -req -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -CAcreateserial -days "$days" \
            -extfile "$dir/$name.ext" -out "$dir/$name.crt" 2>/dev/null
    rm "$dir/$name.ext"
done
