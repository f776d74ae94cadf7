#!/bin/sh
# Makes .venv/ with Latchkey (editable) and everything that its tests, its demo and its bundle need; called by `make setup`.
# Safe to repeat: when nothing changed it only looks. Asks nothing, and names what it cannot do by itself.
set -eu
cd "$(dirname "$0")/.."
log=build/setup.log
mkdir -p build
: >"$log"

say() { printf 'setup: %s\n' "$*"; }
die() { say "$*" >&2; exit 1; }
quietly() { "$@" >>"$log" 2>&1 </dev/null; }

find_python() {
    for candidate in ${PYTHON:-} python3 python3.11 python3.12 python3.13 python3.14 /usr/bin/python3; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then
            "$candidate" -c 'import sys; print(sys._base_executable)'
            return
        fi
    done
}

# What a desktop installation usually has and a bare one lacks: libraries that Qt's wheels expect, fonts, a virtual screen, objdump, git.
packages="chromium git xauth xvfb xdotool imagemagick binutils dbus gnome-keyring python3-dbusmock fonts-inter fonts-jetbrains-mono fonts-noto-core
    libdbus-1-3 libegl1 libfontconfig1 libfreetype6 libgl1 libglib2.0-0 libopengl0 libxkbcommon0 libxkbcommon-x11-0 libxcb-cursor0
    libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1"

missing_packages() {
    case $python in /usr/bin/*) # Debian splits Python
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        packages="python$version-venv libpython$version $packages" ;;
    esac
    for package in $packages; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || printf '%s ' "$package"
    done
}

system_packages() {
    if ! command -v apt-get >/dev/null; then
        say "not a Debian: please see to the equivalents of: $(echo $packages)"
        return
    fi
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    root=
    if [ "$(id -u)" != 0 ]; then root="sudo -n"; fi
    if [ -z "$root" ] || quietly $root true; then
        say "installing system packages: $missing"
        apt="$root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120"
        quietly $apt update || true
        quietly $apt install --no-install-recommends $missing && return
        say "apt-get did not install them (see $log)"
    fi
    say "please run this, then try again:"
    printf '    sudo apt-get update && sudo apt-get install -y --no-install-recommends %s\n' "$missing"
}

make_venv() {
    # Debian's Python has no ensurepip without python3-venv; then an installed pip or uv will do.
    quietly "$python" -m venv --clear .venv && return
    quietly "$python" -m venv --clear --without-pip .venv && quietly "$python" -m pip --python .venv/bin/python install pip && return
    quietly uv venv --seed --python "$python" .venv && return
    die "cannot make .venv: Debian needs the package python3.11-venv (see above and $log)"
}

install_locked() {
    # uv is ten times faster than pip and checks the same hashes; it does not read pip's settings (mirrors), so pip stands by.
    awk '/^uv==/ {on = 1} on {print} on && !/\\$/ {exit}' requirements.lock >.venv/uv.lock
    [ -w "${HOME:-/nonexistent}" ] || export UV_CACHE_DIR="$PWD/build/uv-cache"
    installer=".venv/bin/uv pip install --system-certs --python .venv/bin/python"
    if ! { quietly .venv/bin/python -m pip install --require-hashes -r .venv/uv.lock && quietly $installer --require-hashes -r requirements.lock; }; then
        installer=".venv/bin/python -m pip install"
        quietly $installer --require-hashes -r requirements.lock || { tail -n 5 "$log" >&2; die "could not install requirements.lock (see $log)"; }
    fi
    quietly $installer --no-deps --no-build-isolation --editable . || { tail -n 5 "$log" >&2; die "could not install Latchkey (see $log)"; }
}

python=$(find_python)
[ -n "$python" ] || die "Python 3.11 or newer is needed (set PYTHON to name one)"
system_packages

# The place belongs to the stamp, because a virtual environment does not survive being moved.
place=$(printf '%s\n' "$PWD" "$python" && "$python" --version)
stamp=$(printf '%s\n' "$place" && cat requirements.lock pyproject.toml packaging/setup.sh | sha256sum)
if [ "$(cat .venv/stamp 2>/dev/null)" = "$stamp" ] && .venv/bin/latchkey --help >/dev/null 2>&1; then
    exit 0
fi
say "making .venv with $("$python" --version)"
if [ "$(head -n 3 .venv/stamp 2>/dev/null)" != "$place" ] || ! .venv/bin/python -c '' 2>/dev/null; then
    make_venv
fi
rm -f .venv/stamp
install_locked
printf '%s\n' "$stamp" >.venv/stamp
say "ready: .venv/bin/latchkey"
