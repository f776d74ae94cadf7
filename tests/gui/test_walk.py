"""Every page, dialog and desk page by keyboard, by ear, and in a language that nobody speaks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot
from tests.counts import SOAK
from tests.gui import pictures, walk
from tests.gui.page_pictures import EACH_PAGE
from tests.gui.pictures import Stage

from latchkey.ui.widgets import Banner, Button, Dialog, Field, line_edit

pytestmark = pytest.mark.gui
ALL = list(pictures.gather())
NAMES = ALL if SOAK else EACH_PAGE  # `make soak` walks all


@pytest.fixture
def stage(qapp: QApplication) -> Iterator[Stage]:
    QAccessible.setActive(True)
    with pictures.stage_for(qapp) as stage:
        yield stage


@pytest.mark.parametrize("name", NAMES)
def test_by_keyboard_and_by_ear(name: str, stage: Stage) -> None:
    root = pictures.PICTURES[name](stage)
    stage.settle(0.4)
    for _ in range(40):  # workers answer, and what they say is laid out
        if not walk.clipped(root):
            break
        stage.settle(0.25)
    assert walk.clipped(root) == []
    assert walk.unspoken(root) == []
    assert walk.roleless(root) == []
    assert walk.without_buddy(root) == []
    assert walk.unreached(root) == []
    assert walk.backward(root) == []


@pytest.mark.parametrize("part", range(3))
def test_nothing_stays_english_and_everything_fits(part: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.gui.pseudo_driver", *NAMES[part::3]],
        env={**os.environ, "LATCHKEY_LANGUAGE": "pseudo"}, capture_output=True, text=True, check=False, timeout=280 if not SOAK else None,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = {name: faults for name, faults in json.loads(done.stdout.splitlines()[-1]).items() if faults}
    assert found == {}


# --- the walk itself finds what it is there for


@pytest.fixture
def dialog(qtbot: QtBot) -> Iterator[Dialog]:
    parent = QWidget()
    qtbot.addWidget(parent)
    made = Dialog("A dialog", parent)
    made.show()
    yield made
    assert parent


def test_a_nameless_field_is_found(dialog: Dialog) -> None:
    dialog.body.addWidget(Field("A name", line_edit()))
    QApplication.processEvents()
    assert walk.unspoken(dialog) == walk.without_buddy(dialog) == []
    dialog.body.addWidget(QLineEdit())
    QApplication.processEvents()
    assert len(walk.without_buddy(dialog)) == 1


def test_tab_follows_the_layout_whatever_was_made_first(dialog: Dialog) -> None:
    last, first, middle = (Button(text) for text in ("last", "first", "middle"))
    rows = QVBoxLayout()
    rows.addWidget(middle)
    dialog.body.addWidget(first)
    dialog.body.addLayout(rows)
    dialog.buttons.addWidget(last)
    QApplication.processEvents()
    assert walk.stops(dialog) == [first, middle, last]
    assert walk.backward(dialog) == []
    last.setEnabled(False)
    assert walk.stops(dialog) == [first, middle]


def test_a_trap_is_found(dialog: Dialog) -> None:
    class Trap(QLineEdit):
        def focusNextPrevChild(self, _forward: bool) -> bool:
            return True

    dialog.body.addWidget(Button("before"))
    dialog.body.addWidget(Trap())
    QApplication.processEvents()
    with pytest.raises(AssertionError, match="Tab is held"):
        walk.stops(dialog)


def test_what_tab_never_reaches_is_found(dialog: Dialog) -> None:
    dialog.body.addWidget(Button("reached"))
    stray = QPushButton("stray", dialog)
    stray.show()
    QApplication.processEvents()
    assert len(walk.unreached(dialog)) == 1


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("[Çhåñgé··]", False),
        ("[îñ [8 höûrs····] ·]", False),
        ("[Réåd åt ··] and read again", True),
        ("Change", True),
        ("0x71C7656EC7ab88b098defB751B7401B5f6d8976F", False),
        ("move(uint8,uint8) [Öñ··] 0x71C7 656E C7ab", False),
        ("[0]", False),
    ],
)
def test_english_is_told_from_what_nobody_translates(text: str, left: bool, dialog: Dialog) -> None:
    button = Button(text)
    dialog.body.addWidget(button)
    dialog.setAccessibleName("")
    for label in dialog.findChildren(QWidget):
        if label is not button and hasattr(label, "setText"):
            label.setText("")
    QApplication.processEvents()
    assert bool(walk.english(dialog, set())) == left


# --- what changes is said, and nothing moves but what has to


def test_an_error_and_a_change_of_judgement_are_announced(dialog: Dialog, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    for module in ("forms", "surfaces"):
        monkeypatch.setattr(f"latchkey.ui.widgets.{module}.tell", lambda _source, text: heard.append(text))
    field, banner = Field("Salt", line_edit()), Banner("good", "All is well.")
    dialog.body.addWidget(field)
    dialog.body.addWidget(banner)
    QApplication.processEvents()
    assert heard == []
    for _twice in range(2):
        field.set_error("A salt is a whole number.")
        banner.set("danger", "It is not.", "Look again.")
    field.set_error("")
    assert heard == ["A salt is a whole number.", "Danger: It is not. Look again."]


def test_nothing_moves_by_itself_but_qr_codes_and_cameras() -> None:
    """So there is no motion to be reduced: no animation, no blinking, no effect is used anywhere."""
    sources = Path(__file__).parents[2] / "app" / "latchkey" / "ui"
    moving = (
        "QPropertyAnimation",
        "QVariantAnimation",
        "QTimeLine",
        "QMovie",
        "QSequentialAnimationGroup",
    )
    assert [f"{path.name}: {word}" for path in sources.rglob("*.py") for word in moving if word in path.read_text("utf-8")] == []
