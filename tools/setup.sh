#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install what a part of the project needs on Debian 12, and nothing when all of it is there.
#
# usage: tools/setup.sh GROUP...      groups: build page test check bench cluster operate image newcomer
#        tools/setup.sh --list GROUP...   print the packages, install nothing
#        tools/setup.sh --node-dir        print the folder of the Node that the page is built with
#
# What is missing is named before anything is installed; sudo is used only by those who are not
# root. None of the packages is a daemon; should one bring a daemon along, it is stopped and disabled
# again, see quiet_new_services.
set -eu

NODE_MIN=18
JAVA_MIN=17

packages_of() {
    case $1 in
    build) echo gcc libc6-dev pkg-config meson ninja-build python3 brotli ca-certificates \
        libuv1-dev libwebsockets-dev libcurl4-openssl-dev libsqlite3-dev libpq-dev libhiredis-dev zlib1g-dev libssl-dev \
        librdkafka-dev libcmocka-dev libyajl-dev ;;
    page) [ -n "$(node_dir)" ] || echo nodejs npm ;;
    test) echo clang libclang-rt-14-dev python3-pytest python3-pytest-xdist python3-jsonschema openssl $(browser) ;;
    check) echo git python3-yaml clang clang-format clang-tidy cppcheck universal-ctags ;;
    bench) echo wrk nginx-light libnginx-mod-nchan ;;
    cluster) echo postgresql-15 postgresql-15-cron redis-server nginx kcat socat openssl python3 $(java_and_maven) ;;
    operate) echo python3-yaml nginx curl debootstrap dpkg-dev openssl prometheus prometheus-alertmanager prometheus-node-exporter \
        prometheus-blackbox-exporter prometheus-nginx-exporter prometheus-postgres-exporter \
        prometheus-redis-exporter ;;
    image) echo git debootstrap buildah ;;
    newcomer) echo git debootstrap ;;
    *)
        echo "setup.sh: no group \"$1\"; groups: build page test check bench cluster operate image newcomer" >&2
        exit 2
        ;;
    esac
}

# Chromium wants a session bus. dbus-x11 is the one that brings neither the system bus' daemon nor
# systemd along; a machine that has Chromium has made its choice already.
browser() {
    echo chromium fonts-noto-cjk
    [ -n "$(installed chromium)" ] || echo dbus-x11
}

# Kafka's brokers come from Maven Central and run on any Java >= JAVA_MIN.
java_and_maven() {
    major=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
    [ "${major:-0}" -ge "$JAVA_MIN" ] || echo openjdk-17-jre-headless
    command -v mvn >/dev/null || echo maven
}

# The first folder of PATH (then Debian's) that holds Node >= NODE_MIN and npm.
node_dir() {
    (
        IFS=:
        for dir in $PATH /usr/bin; do
            [ -x "$dir/node" ] && [ -x "$dir/npm" ] || continue
            major=$("$dir/node" -p 'process.versions.node.split(".")[0]' 2>/dev/null) || continue
            [ "${major:-0}" -ge "$NODE_MIN" ] && echo "$dir" && break
        done
        true
    )
}

installed() {
    dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' "$@" 2>/dev/null |
        awk '$1 == "installed" { sub(/:.*/, "", $2); print $2 }'
}

missing_of() {
    have=" $(installed "$@" | tr '\n' ' ') "
    for name in "$@"; do
        case $have in *" $name "*) ;; *) echo "$name" ;; esac
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Stopped where systemd runs, and not started by the next boot. Where there is no systemctl (no systemd
# yet), the links that its package made are all that would start it.
quiet_unit() {
    if ! command -v systemctl >/dev/null; then
        links=$(find /etc/systemd/system -mindepth 2 -name "$1" -type l 2>/dev/null)
        [ -n "$links" ] || return 0
        echo "setup: $1 came with a package; disabling it"
        # shellcheck disable=SC2086 # a unit's name has no blanks
        as_root rm -f $links
        return 0
    fi
    now=
    [ ! -d /run/systemd/system ] || now=--now
    systemctl is-active --quiet "$1" 2>/dev/null || systemctl is-enabled --quiet "$1" 2>/dev/null || return 0
    echo "setup: $1 came with a package; stopping and disabling it"
    as_root systemctl --quiet disable $now "$1" || true
}

# Packages that were not there before must leave no daemon behind: not running, not enabled.
# Only units and init scripts that belong to those packages are touched.
quiet_new_services() {
    dpkg-query -W -f '${binary:Package}\n' | sort >"$tmp/after"
    comm -13 "$tmp/before" "$tmp/after" | xargs -r dpkg -L 2>/dev/null >"$tmp/files"
    sed -n 's#^\(/usr\)\{0,1\}/lib/systemd/system/\([^/@]*\.\(service\|socket\|timer\|path\)\)$#\2#p' \
        "$tmp/files" >"$tmp/units"
    while read -r unit; do
        quiet_unit "$unit"
    done <"$tmp/units"
    [ ! -d /run/systemd/system ] || return 0
    sed -n 's,^/etc/init\.d/\([^/]*\)$,\1,p' "$tmp/files" | while read -r script; do
        grep -q start-stop-daemon "/etc/init.d/$script" || continue
        echo "setup: $script came with a package; disabling it"
        as_root update-rc.d "$script" disable || true
    done
}

install_packages() {
    echo "setup: these Debian packages are missing and will be installed: $*"
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        echo "setup: not root and no sudo; run as root: apt-get install --no-install-recommends $*" >&2
        exit 1
    fi
    tmp=$(mktemp -d)
    trap 'own_cluster_again; rm -rf "$tmp"' EXIT
    dpkg-query -W -f '${binary:Package}\n' | sort >"$tmp/before"
    as_root apt-get -qq update || echo "setup: apt-get update failed; trying with the lists at hand" >&2
    no_own_cluster "$@"
    # RUNLEVEL=1 keeps invoke-rc.d from starting daemons; needrestart must not ask.
    as_root env RUNLEVEL=1 NEEDRESTART_SUSPEND=1 DEBIAN_FRONTEND=noninteractive \
        apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "$@"
    own_cluster_again
    quiet_new_services
}

# Debian's postgresql-15 makes a database of its own when it is installed, unless it is told not to
# before. We want its programs only. A machine that has PostgreSQL already is left alone.
cluster_conf=/etc/postgresql-common/createcluster.d/stofka.conf
no_own_cluster() {
    case " $* " in *" postgresql-15 "*) ;; *) return 0 ;; esac
    [ ! -d /etc/postgresql/15 ] || return 0
    as_root mkdir -p "${cluster_conf%/*}"
    echo 'create_main_cluster = false' | as_root tee "$cluster_conf" >/dev/null
}

own_cluster_again() {
    [ ! -e "$cluster_conf" ] || as_root rm -f "$cluster_conf"
}

[ $# -gt 0 ] || set -- build
if [ "$1" = --node-dir ]; then
    node_dir
    exit
fi
list_only=
if [ "$1" = --list ]; then
    list_only=yes
    shift
fi
if ! command -v dpkg-query >/dev/null; then
    echo "setup: this is not a Debian system; the packages needed are in tools/setup.sh" >&2
    exit 0
fi

wanted=$(for group in "$@"; do packages_of "$group"; done)
# shellcheck disable=SC2086 # package names are words
if [ -n "$list_only" ]; then
    printf '%s\n' $wanted | sort -u
else
    missing=$(missing_of $wanted)
    [ -z "$missing" ] || install_packages $missing
fi
