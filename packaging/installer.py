"""`make installer`: dist/latchkey_VERSION_ARCH.deb from dist/latchkey/ (what `make bundle` made), and SHA256SUMS beside it.

The package is a folder under /usr/lib, a link in /usr/bin, and what a desktop needs to know: menu entry, the latchkey: link scheme,
the .latchkey file type, icons. It has no scripts of its own: nothing runs at installation but what Debian does for every package.
Two builds of one bundle are the same bytes: times come from the last commit (SOURCE_DATE_EPOCH where it is set).
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from latchkey import __version__

TOP = Path(__file__).resolve().parent.parent
DIST, BUNDLE, TREE = TOP / "dist", TOP / "dist" / "latchkey", TOP / "build" / "deb"
LINUX = TOP / "packaging" / "linux"
ICON_SIZES = (16, 24, 32, 48, 64, 128, 256, 512)

# What Qt's libraries ask of a Debian 12 or newer. Everything else is in the bundle. The printing, camera and keyring parts do without.
DEPENDS = (
    "libc6 (>= 2.34), libdbus-1-3, libegl1, libfontconfig1, libfreetype6, libgl1, libglib2.0-0 | libglib2.0-0t64, libopengl0, libx11-6, "
    "libxkbcommon0, libxkbcommon-x11-0, libxcb-cursor0, libxcb-icccm4, libxcb-image0, libxcb-keysyms1, libxcb-randr0, "
    "libxcb-render-util0, libxcb-shape0, libxcb-xinerama0, libxcb-xkb1"
)
CONTROL = """\
Package: latchkey
Version: {version}
Architecture: {arch}
Maintainer: The Latchkey developers <latchkey@example.invalid>
Installed-Size: {size}
Depends: {depends}
Recommends: fonts-inter, libpulse0
Suggests: gnome-keyring
Section: utils
Priority: optional
Description: turns a master key into narrow, expiring session keys
 Latchkey keeps the key that owns a smart account and grants session keys
 with a scope, limits and an expiry, enforced on chain. It shows in plain
 words what a key will be able to do before anything is signed, reads from
 the chain which sessions are active, and ends them.
"""


def main(arguments: list[str]) -> int:
    """Build the package; 0 when it stands in dist/. `--icon FILE`: only draw the program's icon, in the form its ending names."""
    if arguments[:1] == ["--icon"]:
        draw_icon(256, Path(arguments[1]))
        return 0
    if not (BUNDLE / "latchkey").is_file():
        sys.exit("There is no bundle in dist/latchkey; run `make bundle` first.")
    for tool in ("dpkg-deb", "dpkg"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is needed to build a Debian package; this system has none.")
    epoch = _epoch()
    _fill(TREE)
    _control(TREE)
    _settle(TREE, epoch)
    package = DIST / f"latchkey_{__version__}_{_arch()}.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zxz", "-z6", "--build", str(TREE), str(package)],
        check=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
        stdout=subprocess.DEVNULL,
    )
    _sums()
    print(f"{package.relative_to(TOP)}: {package.stat().st_size / 1e6:.0f} MB, installs {_size(TREE) / 1024:.0f} MB")
    return 0


def _fill(tree: Path) -> None:
    shutil.rmtree(tree, ignore_errors=True)
    share = tree / "usr" / "share"
    shutil.copytree(BUNDLE, tree / "usr" / "lib" / "latchkey", symlinks=True)
    (tree / "usr" / "bin").mkdir(parents=True)
    (tree / "usr" / "bin" / "latchkey").symlink_to("../lib/latchkey/latchkey")
    for name in ("latchkey.desktop", "latchkey-offline.desktop"):
        _place(LINUX / name, share / "applications" / name)
    _place(LINUX / "latchkey.xml", share / "mime" / "packages" / "latchkey.xml")
    _place(LINUX / "latchkey.metainfo.xml", share / "metainfo" / "latchkey.metainfo.xml")
    _place(TOP / "LICENSE", share / "doc" / "latchkey" / "copyright")
    log = share / "doc" / "latchkey" / "changelog.gz"
    log.write_bytes(gzip.compress((TOP / "CHANGELOG.md").read_bytes(), 9, mtime=0))
    _place(TOP / "resources" / "icons" / "latchkey.svg", share / "icons" / "hicolor" / "scalable" / "apps" / "latchkey.svg")
    for size in ICON_SIZES:
        draw_icon(size, share / "icons" / "hicolor" / f"{size}x{size}" / "apps" / "latchkey.png")


def draw_icon(size: int, to: Path) -> None:
    """The program's icon, drawn from the one drawing there is; in the form the file's ending names."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(TOP / "resources" / "icons" / "latchkey.svg")).render(painter)
    painter.end()
    to.parent.mkdir(parents=True, exist_ok=True)
    if not image.save(str(to), to.suffix[1:].upper()):
        sys.exit(f"{to.name} could not be drawn.")


def _control(tree: Path) -> None:
    (tree / "DEBIAN").mkdir()
    text = CONTROL.format(version=__version__, arch=_arch(), size=_size(tree), depends=DEPENDS)
    (tree / "DEBIAN" / "control").write_text(text)
    files = sorted(p for p in tree.rglob("*") if p.is_file() and not p.is_symlink() and "DEBIAN" not in p.parts)
    lines = [f"{hashlib.md5(p.read_bytes(), usedforsecurity=False).hexdigest()}  {p.relative_to(tree)}\n" for p in files]
    (tree / "DEBIAN" / "md5sums").write_text("".join(lines))


def _settle(tree: Path, epoch: int) -> None:
    """Modes and times that say nothing of who built it. Libraries need no execute bit; the program does."""
    program = tree / "usr" / "lib" / "latchkey" / "latchkey"
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path == program else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def _sums() -> None:
    """Of everything in dist/ that is given to people."""
    files = sorted(p for p in DIST.iterdir() if p.is_file() and p.suffix in (".deb", ".whl", ".exe", ".AppImage", ".dmg", ".msi"))
    lines = [f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}\n" for p in files]
    (DIST / "SHA256SUMS").write_text("".join(lines))


def _place(source: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, to)


def _epoch() -> int:
    if told := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(told)
    return int(subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=TOP, capture_output=True, check=True).stdout)


def _size(tree: Path) -> int:
    """KiB, as Installed-Size wants it."""
    return sum(-(-p.lstat().st_size // 1024) for p in tree.rglob("*") if "DEBIAN" not in p.parts)


def _arch() -> str:
    return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, check=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
