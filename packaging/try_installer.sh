#!/bin/sh
# The package's life in a bare Debian 12: installed, started, self-tested, removed. Needs root and debootstrap; `make try-installer`.
# Writes what it saw to docs/installer.md. The root is made anew in build/bare each time and removed at the end.
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "try-installer: needs root (a chroot is made)" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "try-installer: install the package debootstrap first" >&2; exit 1; }
package=$(ls dist/latchkey_*.deb)
root=$PWD/build/bare
log=build/try-installer.log
inside() { chroot "$root" env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/home/someone LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
person() { inside setpriv --reuid=1000 --regid=1000 --clear-groups "$@"; }
leave() {
    for place in proc dev; do if mountpoint -q "$root/$place"; then umount -R -l "$root/$place"; fi; done
    rm -rf --one-file-system "$root"
}
step() { printf '\n== %s\n' "$*"; }
trap leave EXIT
leave
{
    step "a bare root"
    debootstrap --variant=minbase bookworm "$root" >/dev/null
    cp /etc/apt/sources.list "$root/etc/apt/" 2>/dev/null || true
    if [ -e /etc/apt/sources.list ]; then cp /etc/apt/sources.list "$root/etc/apt/"; else rm -f "$root/etc/apt/sources.list"; fi
    cp -r /etc/apt/sources.list.d /etc/apt/apt.conf.d "$root/etc/apt/"
    mkdir -p "$root/dev/pts"
    cp /etc/resolv.conf "$root/etc/" 2>/dev/null || true
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    inside useradd -m -u 1000 someone
    inside apt-get -q update >/dev/null
    cp "$package" "$root/tmp/latchkey.deb"
    before=$(inside dpkg-query -W -f '${Package}\n' | wc -l)

    step "install"
    inside apt-get -q -y install --no-install-recommends /tmp/latchkey.deb >/dev/null 2>&1
    echo "packages: $before before, $(inside dpkg-query -W -f '${Package}\n' | wc -l) after; no Python: $(inside sh -c 'command -v python3 || echo none')"
    inside du -sh /usr/lib/latchkey

    step "self-test, as a person without rights"
    person latchkey --version
    person latchkey --self-test

    step "the same offline, as the second menu entry starts it"
    person latchkey --offline --self-test | tail -n 4

    step "first paint, five times (ms since the process started)"
    for _ in 1 2 3 4 5; do
        person env QT_QPA_PLATFORM=offscreen LATCHKEY_FIRST_PAINT=1 latchkey --data-dir /home/someone/latchkey
    done

    step "a grant is built"
    person latchkey account predict --owner 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --json

    step "what the desktop knows"
    inside sh -c 'cat /usr/share/applications/latchkey*.desktop | grep -E "^(Exec|MimeType)"; ls /usr/share/icons/hicolor/*/apps/latchkey.*'

    step "remove"
    inside apt-get -q -y purge latchkey >/dev/null
    left=$(inside find / -xdev -iname '*latchkey*' -not -path '/tmp/*' -not -path '/home/*' -not -path '/proc/*')
    echo "left behind: ${left:-nothing}; what the person owns stays: $(inside ls -d /home/someone/latchkey)"
    [ -z "$left" ]
    step "well"
} 2>&1 | tee "$log"
tail -n 1 "$log" | grep -q well
{
    printf '# The Debian package, from its installation to its removal\n\n'
    printf 'Written by `make try-installer`, in a root that debootstrap made (Debian 12, minbase, the package and what it depends on, no recommended\n'
    printf 'packages); the program ran as a user without rights and without a screen. Not run: a real desktop (the menu, links from a browser), a\n'
    printf 'camera, and the installers for Windows and macOS.\n\nThe package has %s MB.\n\n```\n' "$(($(stat -c %s "$package") / 1000000))"
    sed '1{/^$/d}' "$log"
    printf '```\n'
} >docs/installer.md
