#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Lay out the root of the container's file system.
#
# usage: deploy/container/image_root.sh PROGRAM FOLDER
#
# The program and each library that it loads (with the ones that the C library loads for names), the
# authorities' certificates, a user, /data and /tmp, and an SBOM (SPDX 2.3) of the Debian packages that
# the files come from. No shell, no package manager.
set -eu

program=$1
root=$2
mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/usr/share/sbom" "$root/data" "$root/tmp" \
    "$root/dev" "$root/proc" "$root/sys"
chmod 1777 "$root/tmp"
strip -o "$root/usr/bin/stofka" "$program"

# Symbolic links as well as what they lead to, at their own paths.
copy() {
    mkdir -p "$root$(dirname "$1")"
    [ -e "$root$1" ] || cp -L "$1" "$root$1"
    echo "$(readlink -f "$1")" >>"$root/../image-files"
}
: >"$root/../image-files"
ldd "$program" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^\t\(\/[^ ]*\) .*/\1/p' | while read -r library; do
    copy "$library"
done
libc_dir=$(dirname "$(ldd "$program" | sed -n 's/.*libc\.so\.6 => \([^ ]*\).*/\1/p')")
for name in libnss_files.so.2 libnss_dns.so.2 libresolv.so.2; do
    [ ! -e "$libc_dir/$name" ] || copy "$libc_dir/$name"
done
copy /etc/ssl/certs/ca-certificates.crt

echo "stofka:x:65532:65532::/data:/sbin/nologin" >"$root/etc/passwd"
echo "stofka:x:65532:" >"$root/etc/group"
echo "hosts: files dns" >"$root/etc/nsswitch.conf"
chown -R 65532:65532 "$root/data"
chmod 0750 "$root/data"

# Debian 12 keeps /lib as a link to /usr/lib, and dpkg knows either name.
packages() {
    while read -r file; do
        dpkg-query -S "$file" 2>/dev/null || dpkg-query -S "${file#/usr}" 2>/dev/null || true
    done <"$root/../image-files" | sed 's/:.*//' | sort -u
    echo ca-certificates
}
version=$("$program" version | cut -d ' ' -f 2)
{
    printf '{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"stofka-%s",' "$version"
    printf '"documentNamespace":"https://spdx.org/spdxdocs/stofka-%s","creationInfo":{"created":"%s",' "$version" \
        "$(date -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%Y-%m-%dT%H:%M:%SZ)"
    printf '"creators":["Tool: image_root.sh"]},"packages":['
    printf '{"SPDXID":"SPDXRef-stofka","name":"stofka","versionInfo":"%s","downloadLocation":"NOASSERTION","licenseDeclared":"Apache-2.0"}' "$version"
    for package in $(packages | sort -u); do
        printf ',{"SPDXID":"SPDXRef-%s","name":"%s","versionInfo":"%s","downloadLocation":"NOASSERTION",' "$package" "$package" \
            "$(dpkg-query -W -f '${Version}' "$package")"
        printf '"externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:deb/debian/%s@%s"}]}' \
            "$package" "$(dpkg-query -W -f '${Version}' "$package")"
    done
    printf ']}\n'
} >"$root/usr/share/sbom/stofka.spdx.json"
rm "$root/../image-files"
