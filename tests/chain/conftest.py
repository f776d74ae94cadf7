"""One practice chain for all scenarios; each scenario starts from the same block. LATCHKEY_CLONE_FROM=URL: the published contracts.

What was sent and what came of it goes to build/conformance.json, and which code stood where to the terminal.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chain.stage import Stage
from tests.devnet.devnet import Devnet, devnet
from tests.devnet.needed import packages

REPORT = Path(__file__).parents[2] / "build" / "conformance.json"
CLONE_FROM = os.environ.get("LATCHKEY_CLONE_FROM", "")


@pytest.fixture(scope="session")
def net() -> Iterator[Devnet]:
    packages()
    with devnet(clone_from=CLONE_FROM) as running:
        yield running


@pytest.fixture
def stage(net: Devnet, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """The chain as it was at the start; put back afterwards."""
    before = net.rpc("evm_snapshot")
    stage = Stage(net)
    yield stage
    request.node.user_properties.append(("sent", [(o.text, o.transaction) for o in stage.outcomes]))
    request.node.user_properties.append(("placed", [(str(p), p.name) for p in net.placed]))
    assert net.rpc("evm_revert", before)


_reports: list[dict[str, Any]] = []
_placed: list[tuple[str, str]] = []
_results: dict[str, str] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    properties = dict(report.user_properties)
    if report.when == "teardown" and "sent" in properties:
        _placed[:] = properties["placed"]
        sent = [{"outcome": text, "transaction": transaction} for text, transaction in properties["sent"]]
        _reports.append({"scenario": report.nodeid.partition("::")[2], "sent": sent})
    if report.when == "call":
        _results[report.nodeid.partition("::")[2]] = report.outcome


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _reports and not hasattr(session.config, "workerinput"):
        REPORT.parent.mkdir(exist_ok=True)
        scenarios = [{**r, "result": _results.get(r["scenario"], "error")} for r in _reports]
        code = [dict(zip(("contract", "code"), (name, line), strict=True)) for line, name in _placed]
        REPORT.write_text(json.dumps({"contracts": code, "scenarios": scenarios}, indent=1) + "\n")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _placed:
        terminalreporter.section("contracts on the practice chain")
        for line, name in _placed:
            terminalreporter.write_line(f"{line} {name}")
        terminalreporter.write_line(f"{len(_reports)} scenarios in {os.path.relpath(REPORT)}")
