"""Key: the dApp brought a public key, or Latchkey makes a key pair and hands the secret over sealed."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QWidget

from latchkey.core.request import SessionRequest
from latchkey.flow.wizard import KeySource
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.pages.wizard.step_page import Choice, StepPage, View, show_banner, show_fault, show_text
from latchkey.ui.widgets import AddressLabel, Banner, Card, Field, Muted, line_edit

_SEALED = tr(
    "The key is made in your vault. Its secret leaves only sealed to the key that the request brought: nobody in between can open it."
)
_CODED = tr(
    "The key is made in your vault. Its secret is handed over as an encrypted file, and opens with a code of six words that you are "
    "shown after the grant has been handed over."
)


class KeyPage(StepPage):
    def __init__(self) -> None:
        super().__init__()
        self._fault = Banner("danger")
        self._given = Choice(tr("The dApp has its own key"), tr("You get its public key. Nothing secret leaves this computer."))
        self._made = Choice(tr("Latchkey makes the key"), tr("The secret is handed over sealed, to the dApp alone."))
        group = QButtonGroup(self)
        choices = QHBoxLayout()
        choices.setSpacing(theme.space(2))
        for source, tile in ((KeySource.GIVEN, self._given), (KeySource.MADE, self._made)):
            group.addButton(tile)
            choices.addWidget(tile, 1)
            tile.clicked.connect(lambda _checked=False, source=source: self._choose(source))
            tile.confirmed.connect(self.onward)
        self._card = Card(tr("The session key"))
        self._address = Field(
            tr("Public &key of the session (address)"),
            line_edit(placeholder="0x…", mono=True, limit=64),
            hint=tr("The dApp shows it: 0x and 40 digits. It is not your account's address."),
        )
        self._address.editor.textEdited.connect(self._typed)
        self._address.editor.editingFinished.connect(self.redraw)
        self._about = Muted()
        self._shown = AddressLabel()
        for widget in (self._address, self._shown, self._about):
            self._card.body.addWidget(widget)
        naming = Card(tr("What should it be called?"))
        self._label = Field(
            tr("Your na&me for this session"),
            line_edit(placeholder=tr("Optional"), limit=200),
            hint=tr("Only you see it, in your list of sessions."),
        )
        self._label.editor.textEdited.connect(lambda text: self.change(label=text))
        naming.body.addWidget(self._label)
        self.rows.addWidget(self._fault)
        self.rows.addLayout(choices)
        self.rows.addWidget(self._card)
        self.rows.addWidget(naming)
        self.rows.addStretch(1)

    def _draw(self, view: View) -> None:
        key, request = view.state.key, view.state.request
        brought = request is not None and request.session_key is not None
        given = key.source is KeySource.GIVEN
        self._given.setChecked(given)
        self._made.setChecked(not given)
        self._made.setEnabled(not brought)
        show_banner(self._fault, view.fault("key"))
        self._address.setVisible(given and not brought)
        self._shown.setVisible(brought or (not given and key.made is not None))
        self._shown.set_address(str(key.made) if not given and key.made else key.address if brought else "")
        self._about.setVisible(brought or not given)
        self._about.setText(_about(request, given))
        show_text(self._address.editor, key.address)
        show_fault(self._address, view.fault("sessionKey"), attempted=view.attempted)
        show_text(self._label.editor, view.state.label)
        show_fault(self._label, view.fault("label"), attempted=view.attempted)

    def _choose(self, source: KeySource) -> None:
        if self.view is not None:
            self.change(key=replace(self.view.state.key, source=source))

    def _typed(self, text: str) -> None:
        if self.view is not None:
            self.change(key=replace(self.view.state.key, address=text))

    def first(self) -> QWidget:
        if self._address.isVisibleTo(self) and not self._address.editor.text():
            return self._address.editor
        return self._given if self._given.isChecked() else self._made


def _about(request: SessionRequest | None, given: bool) -> str:
    if given:
        return tr("The request brought this key. Nothing secret leaves this computer.")
    return _SEALED if request is not None and request.hand_over_key else _CODED
