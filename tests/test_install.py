"""Latchkey runs from where a plain `pip install .` and PyInstaller put it, not only from the checkout."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.counts import SOAK

ROOT = Path(__file__).parent.parent


def run(*command: str | Path) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_installed_copy_passes_its_self_test(tmp_path: Path) -> None:
    """Not the editable install: a virtual environment that has its own copy of Latchkey and borrows all the rest."""
    python = tmp_path / "bin" / "python"
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-build-isolation", ROOT)
    assert (site / "latchkey" / "resources").is_dir()
    assert Path(run(python, "-c", "import latchkey; print(latchkey.__file__)").strip()).is_relative_to(site)
    run(tmp_path / "bin" / "latchkey", "--self-test")


@pytest.mark.skipif(not SOAK, reason="builds the bundle: `make soak` or `make bundle`")
def test_the_bundle_passes_its_self_test(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    run(
        sys.executable,
        "-m",
        "PyInstaller",
        "--log-level=ERROR",
        f"--distpath={dist}",
        f"--workpath={tmp_path / 'work'}",
        "build.spec",
    )
    latchkey = dist / "latchkey" / "latchkey"
    run(latchkey, "--self-test")
    run("env", "LD_DEBUG=files", f"LD_DEBUG_OUTPUT={tmp_path / 'loaded'}", latchkey, "signer")
    loaded = "".join(log.read_text(errors="replace") for log in tmp_path.glob("loaded.*"))
    assert "libpython" in loaded
    assert "libQt6" not in loaded, "the signer is to load no Qt, frozen neither"
