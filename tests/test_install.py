"""Latchkey runs from where a plain `pip install .` and PyInstaller put it, not only from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.counts import SOAK

ROOT = Path(__file__).parent.parent


def run(*command: str | Path, **variables: str) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_installed_copy_passes_its_self_test(tmp_path: Path) -> None:
    """Not the editable install: a wheel, laid out somewhere else, which must bring all its files along."""
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--quiet", "--target", tmp_path, ROOT)
    where = run(sys.executable, "-c", "import latchkey; print(latchkey.__file__)", PYTHONPATH=str(tmp_path))
    assert Path(where.strip()).is_relative_to(tmp_path)
    assert (tmp_path / "latchkey" / "resources").is_dir()
    run(sys.executable, "-m", "latchkey", "--self-test", PYTHONPATH=str(tmp_path))


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
    run(dist / "latchkey" / "latchkey", "--self-test")
