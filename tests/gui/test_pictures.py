"""Every picture can be taken, and nothing on it is cut off; every review says the same in the window and at the desk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea, QWidget
from tests.counts import SOAK
from tests.gui import pictures, review_pictures
from tests.gui.page_pictures import EACH_PAGE
from tests.gui.pictures import Stage
from tests.gui.review_pictures import SCENES, Scene

from latchkey.core.digest_words import digest_words
from latchkey.core.phrases import Level
from latchkey.core.types import to_hex
from latchkey.ui.desk.confirm import ConfirmPage
from latchkey.ui.desk.window import DeskWindow
from latchkey.ui.pages.wizard import WizardPage
from latchkey.ui.widgets import DigestView, TextView

pytestmark = pytest.mark.gui
NAMES = [name for name in pictures.gather() if SOAK or name not in EACH_PAGE]  # those are looked at in test_walk


@pytest.fixture
def stage(qapp: QApplication) -> Iterator[Stage]:
    with pictures.stage_for(qapp) as stage:
        yield stage


def cut_off(root: QWidget) -> list[str]:
    """What is wider or higher than the place it has."""
    found = []
    for area in root.findChildren(QScrollArea):
        content = area.widget()
        if content is not None and area.isVisible() and content.width() > area.viewport().width():
            found.append(f"{type(content).__name__} is wider than its view")
    for label in root.findChildren(QLabel):
        if not label.isVisible() or not label.text():
            continue
        if label.height() < label.heightForWidth(label.width()) if label.hasHeightForWidth() else False:
            found.append(f"{label.text()[:40]!r} is cut off below")
        elif not isinstance(label, TextView) and not label.wordWrap() and label.width() < label.minimumSizeHint().width():
            found.append(f"{label.text()[:40]!r} is cut off at its side")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_cut_off(name: str, stage: Stage) -> None:
    widget = pictures.PICTURES[name](stage)
    for _ in range(12):  # workers answer, and what they say is laid out
        stage.settle(0.25)
        if not cut_off(widget):
            break
    assert cut_off(widget) == []
    assert not widget.grab().isNull()


def text_of(root: QWidget) -> str:
    return "\n".join(label.text() for label in root.findChildren(QLabel) if label.isVisibleTo(root))


@pytest.mark.parametrize("scene", SCENES, ids=[scene.name for scene in SCENES])
def test_the_window_and_the_desk_say_the_same(scene: Scene, stage: Stage) -> None:
    """Words, findings and digest: the window's from its own reading, the desk's from the signer's."""
    window = review_pictures.in_window(scene, stage)
    page = cast(WizardPage, window.page)
    assert page._prepared is not None
    review = page._prepared.review
    desk = review_pictures.desk(stage, review_pictures.confirmation(scene, window))
    said, shown = text_of(desk), text_of(page)
    words = review.words
    for line in (words.headline, *words.can, *words.cannot, *words.most_you_can_lose):
        assert line.plain in said
        assert line.plain in shown
    for label, value in words.signed:
        assert f"{label}: {value}" in said
    for finding in review.findings:
        assert finding.sentence in said
        assert finding.sentence in shown
    eight = " ".join(digest_words(review.digest))
    for place in (desk, page):
        [view] = place.findChildren(DigestView)
        assert eight in view.accessibleName()
        assert to_hex(review.digest) in view.accessibleName()


def test_the_scenes_go_from_harmless_to_root(stage: Stage) -> None:
    """The first raises nothing, the last is the worst there is."""
    worst = []
    for scene in (SCENES[0], SCENES[-1]):
        page = cast(WizardPage, review_pictures.in_window(scene, stage).page)
        assert page._prepared is not None
        worst.append({finding.level for finding in page._prepared.review.findings})
    assert worst[0] == set()
    assert Level.DANGER in worst[1]
    assert len(SCENES) == 10


def test_the_desk_shows_what_the_signer_made(stage: Stage) -> None:
    """Other words in the ask are shown as they are: the desk computes nothing from the digest, and nothing of the window's reaches it."""
    window = review_pictures.in_window(SCENES[0], stage)
    ask: dict[str, Any] = {**review_pictures.confirmation(SCENES[0], window), "digest_words": ["zoo"] * 8}
    desk = review_pictures.desk(stage, ask)
    assert isinstance(desk, DeskWindow)
    assert isinstance(desk.page, ConfirmPage)
    assert "zoo zoo zoo zoo zoo zoo zoo zoo" in desk.findChild(DigestView).accessibleName()
