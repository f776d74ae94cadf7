"""What a measurement says, and docs/bench.md made of it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "bench.md"


@dataclass(frozen=True, slots=True)
class Row:
    """`ours` and `peer` in `unit`. `ratio`: how the two compare, in the direction that the subject's text states.
    `goal`: what the ratio ought to be, as text, and whether it is."""

    what: str
    ours: float
    peer: float
    unit: str
    ratio: float
    goal: tuple[str, bool] | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """One section: what is compared with what, and how; then the rows."""

    title: str
    text: str
    peer: str
    rows: tuple[Row, ...]


def write(subjects: list[tuple[Subject, float]]) -> None:
    """Put these on the page, each with the machine's load average when its measuring began; others that stand there stay."""
    sections = _standing()
    for subject, load in subjects:
        sections[subject.title] = _section(subject, load)
    PAGE.write_text("\n\n".join([_head(), *sections.values()]) + "\n")


def _standing() -> dict[str, str]:
    """Sections of the page by their titles."""
    parts = PAGE.read_text().rstrip().split("\n## ")[1:] if PAGE.exists() else []
    return {part.partition("\n")[0]: f"## {part.rstrip()}" for part in parts}


def _head() -> str:
    return (
        "# Measured against others\n\n"
        "Written by `make bench`; every figure is the median of runs that alternate between Latchkey and the other, on one "
        "machine, unless its section says otherwise.\n\n"
        f"Machine: {_machine()}. A load average far above 1 means that something else ran beside."
    )


def _section(subject: Subject, load: float) -> str:
    lines = [
        f"## {subject.title}",
        "",
        subject.text,
        "",
        f"Load average when it began: {load:.1f}.",
        "",
        f"| | Latchkey | {subject.peer} | ratio | goal |",
        "|---|---|---|---|---|",
    ]
    for row in subject.rows:
        goal = f"{row.goal[0]}: {'met' if row.goal[1] else '**missed**'}" if row.goal else ""
        lines.append(f"| {row.what} | {row.ours:,.0f} {row.unit} | {row.peer:,.0f} {row.unit} | {row.ratio:.2f} | {goal} |")
    return "\n".join(lines)


def _machine() -> str:
    system = platform.freedesktop_os_release()["PRETTY_NAME"] if sys.platform == "linux" else platform.platform()
    return f"{os.cpu_count()} cores of {_processor()}, {system}, Python {platform.python_version()}"


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        return subprocess.run(
            ["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=True
        ).stdout.strip()
    return platform.processor() or platform.machine()
