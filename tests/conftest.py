"""Shared by all tests: hypothesis profiles (derandomised unless soaking), the published vectors, surroundings that are always the same."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from pytestqt.qtbot import QtBot

from tests.counts import SOAK

settings.register_profile("quick", max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("soak" if SOAK else "quick")

# Windows go to pytest-xvfb's screen and never to the person's own; nothing of how they set up Qt or where they keep things gets in.
for name in [name for name in os.environ if name.startswith("QT_") or name == "WAYLAND_DISPLAY"]:
    del os.environ[name]
os.environ["QT_QPA_PLATFORM"] = "xcb" if shutil.which("Xvfb") else "offscreen"
os.environ["LC_ALL"] = "C.UTF-8"

# Started in the background of a shell, this process ignores Ctrl+C, and so would every program it starts: some are to be ended by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_HERE = Path(__file__).parent
VECTORS = _HERE / "vectors"
PATIENCE = 60_000  # ms: what comes at all comes in this time, however busy the machine is


class Patient(QtBot):
    """pytest-qt's own, which would give up after five seconds."""

    def waitUntil(self, callback: Callable[[], Any], *, timeout: int = PATIENCE) -> None:
        super().waitUntil(callback, timeout=timeout)

    def waitSignal(self, signal: Any, *, timeout: int = PATIENCE, **options: Any) -> Any:
        return super().waitSignal(signal, timeout=timeout, **options)

    def waitExposed(self, widget: Any, *, timeout: int = PATIENCE) -> Any:
        return super().waitExposed(widget, timeout=timeout)


@pytest.fixture
def qtbot(qapp: Any, request: pytest.FixtureRequest) -> Patient:
    return Patient(request)


@pytest.fixture(scope="session")
def ma_vectors() -> dict[str, Any]:
    """Facts made with aa-sdk and checked against the canonical contracts; the file's `meta` states the origin."""
    return json.loads((VECTORS / "modular-account-v2.json").read_text())


@pytest.fixture(scope="session", autouse=True)
def _nobodys_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
        os.environ[name] = str(tmp_path_factory.mktemp(name.lower()))


# Files that take longest, or wait for much while a processor is free, stand first: else one worker has nothing left to do at the end.
_FIRST = (
    "gui/test_canary_window.py", "gui/test_wizard.py", "bridge/test_complete.py", "gui/test_pages.py", "test_air_gap.py",
    "gui/test_review.py", "browser/test_browser.py", "bridge/test_https_page.py", "gui/test_end_to_end.py", "test_install.py",
    "gui/test_ending.py", "cli/test_vault_and_sign.py", "gui/test_pictures.py", "test_bad_starts.py", "chain/test_faults.py",
    "ending/test_cli.py", "vault/test_signer.py", "gui/test_walk.py", "vault/test_canary.py", "gui/test_requests.py",
    "clients/test_aa_sdk_end_to_end.py", "gui/test_sessions.py", "cli/test_sign_endings.py", "vault/test_keeper.py",
)  # fmt: skip
_PLACES = {name: place for place, name in enumerate(_FIRST)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for windows, nodes, browsers and processes on a busy machine gets a second try; what is code alone gets none.

    The first failure is told all the same and the run counts it ("rerun"): it is a fault to look for. A soak forgives nothing.
    """
    items.sort(key=lambda item: _PLACES.get(item.path.relative_to(_HERE).as_posix(), len(_FIRST)))
    for item in items:
        if not SOAK and item.path.relative_to(_HERE).parts[0] not in ("accounts", "codec", "core"):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A failure is told when it happens: a run that is cut short afterwards shows it too."""
    failed = report.failed or report.outcome == "rerun"  # type: ignore[comparison-overlap]
    if failed and not hasattr(report, "wasxfail") and not os.environ.get("PYTEST_XDIST_WORKER"):
        print(f"\n{report.nodeid} ({report.when}):\n{report.longreprtext}", flush=True)
