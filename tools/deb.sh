#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Make the Debian package of the embedded process: build/deb/stofka_VERSION_ARCH.deb, printed at the end.
#
# usage: tools/deb.sh [VERSION]      default: the project's version
#
# The same sources give the same bytes: times are those of the newest commit.
set -eu
cd "$(dirname "$0")/.."

version=${1:-$(sed -n "s/^ *version: '\(.*\)',/\1/p" meson.build | head -n 1)}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
arch=$(dpkg --print-architecture)
out=build/deb
tree=$out/tree
rm -rf "$tree"
mkdir -p "$tree/DEBIAN" "$tree/usr/bin" "$tree/lib/systemd/system" "$tree/etc/stofka" "$tree/usr/share/doc/stofka/nginx"

strip -o "$tree/usr/bin/stofka" build/stofka
install -m 0644 deploy/debian/stofka.service "$tree/lib/systemd/system/"
install -m 0644 deploy/debian/stofka.conf "$tree/etc/stofka/"
doc=$tree/usr/share/doc/stofka
install -m 0644 README.md NOTICE docs/api.md docs/config.md docs/metrics.md "$doc/"
cp -r deploy/nginx/. "$doc/nginx/"
gzip -9n <CHANGELOG.md >"$doc/changelog.gz"
{
    echo "Stofka is under the Apache License, version 2.0: /usr/share/common-licenses/Apache-2.0"
    echo
    cat NOTICE
} >"$doc/copyright"

# The libraries that the program is linked with, in the versions it needs.
mkdir -p "$out/debian"
printf 'Source: stofka\n\nPackage: stofka\nArchitecture: any\n' >"$out/debian/control"
depends=$(cd "$out" && dpkg-shlibdeps -O --ignore-missing-info tree/usr/bin/stofka 2>/dev/null |
    sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || { echo "deb.sh: dpkg-shlibdeps found no libraries" >&2; exit 1; }

cat >"$tree/DEBIAN/control" <<CONTROL
Package: stofka
Version: $version
Architecture: $arch
Maintainer: The Stofka authors <stofka@users.noreply.github.com>
Section: net
Priority: optional
Depends: $depends, adduser, init-system-helpers (>= 1.51), ca-certificates
Suggests: nginx-light, prometheus
Installed-Size: $(du -sk --apparent-size "$tree" | cut -f 1)
Description: an exchange's live market, every second of it kept exactly
 Hears Upbit's WebSocket, rolls every second up into candles of twelve
 intervals, keeps them in one file, and serves a page, a REST API and
 server-sent events. This is the embedded process with nothing beside it.
CONTROL
echo /etc/stofka/stofka.conf >"$tree/DEBIAN/conffiles"
for script in postinst prerm postrm; do
    install -m 0755 "deploy/debian/$script" "$tree/DEBIAN/"
done
(cd "$tree" && find usr lib -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
find "$tree" -type d -exec chmod 0755 {} +
find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

package=$out/stofka_${version}_$arch.deb
dpkg-deb --root-owner-group -Zxz --build "$tree" "$package" >/dev/null
echo "$package"
