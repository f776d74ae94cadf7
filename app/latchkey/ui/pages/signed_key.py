"""How the secret of a grant's session key goes to whoever asked: not at all, sealed in the grant, or as a file under six words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from latchkey.core.types import Address
from latchkey.errors import Declined, LatchkeyError
from latchkey.language import tr
from latchkey.store.records import KeyOrigin
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.widgets import Heading, Muted, PhraseLabel, announce, link, secondary
from latchkey.ui.widgets.export import write_file

if TYPE_CHECKING:
    from latchkey.ui.pages.signed import Opened
    from latchkey.vault.client import SignerClient

T = TypeVar("T")

_GIVEN = tr("The dApp made its own key, so no secret leaves this computer.")
_BROUGHT = tr("The key was made elsewhere, so no secret leaves this computer.")
_SEALED = tr("Latchkey made the key. Its secret travels in the grant, sealed to the dApp's own key: nobody else can open it.")
_FILE = tr(
    "Latchkey made the key; its secret is not in the grant. Save it as a file, which opens with six words that the desk shows."
)
_CODE_LATER = tr(
    "The words come once the file is saved and the QR code is hidden, so that no camera sees both. Send them another way."
)


class KeySection(QWidget):
    """How the session key's secret goes: not at all, sealed in the grant, or as a file under six words."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._opened: Opened | None = None
        self._saved = self._qr_hidden = False
        self._sentence = PhraseLabel(tone="muted")
        self.save = secondary(tr("Save key file…"), self._make_file, icon_name="save")
        self.code = secondary(tr("Show the words at the desk…"), self._show_code)
        self._later = Muted(_CODE_LATER)
        self.reveal = link(tr("Show the private key at the desk…"), self._reveal)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.space(1))
        buttons.addWidget(self.save)
        buttons.addWidget(self.code)
        buttons.addStretch(1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(1))
        rows.addWidget(Heading(tr("The key itself")))
        rows.addWidget(self._sentence)
        rows.addLayout(buttons)
        rows.addWidget(self._later)
        rows.addWidget(self.reveal, 0, Qt.AlignmentFlag.AlignLeft)

    def show_grant(self, opened: Opened) -> None:
        self._opened, self._saved = opened, False
        made = opened.record.key_origin is KeyOrigin.MADE
        by_file = made and not opened.envelope.sealed_session_key
        given = _GIVEN if opened.record.request_id else _BROUGHT
        self._sentence.set_phrase(_FILE if by_file else _SEALED if made else given)
        for part in (self.save, self.code, self._later):
            part.setVisible(by_file)
        self.reveal.setVisible(made)
        self._refresh()

    def set_qr_hidden(self, hidden: bool) -> None:
        self._qr_hidden = hidden
        self._refresh()

    def _refresh(self) -> None:
        self.code.setEnabled(self._saved and self._qr_hidden)

    def _make_file(self) -> None:
        self._ask(lambda client, key: client.session_keystore(key), self._save)

    def _save(self, keystore: bytes) -> None:
        assert self._opened is not None
        name = f"session-key-{self._opened.record.draft.session_key}.json"
        path, _ = QFileDialog.getSaveFileName(self, tr("Save the key file"), str(Path.home() / name), tr("Keystore (*.json)"))
        if path and write_file(self, Path(path), keystore):
            self._saved = True
            self._refresh()

    def _show_code(self) -> None:
        self._ask(lambda client, key: client.show_code(key))

    def _reveal(self) -> None:
        self._ask(lambda client, key: client.reveal_session_key(key))

    def _ask(self, call: Callable[[SignerClient, Address], T], done: Callable[[T], object] | None = None) -> None:
        """Ask the signer about this grant's session key; the vault is unlocked first."""
        if self._opened is None:
            return
        key = self._opened.record.draft.session_key

        def ask(client: SignerClient) -> T:
            client.unlock()
            return call(client, key)

        self._context.ask_signer(ask, done, failed=self._failed, owner=self)

    def _failed(self, error: LatchkeyError) -> None:
        if not isinstance(error, Declined):
            announce(self, error.text, tone="bad")
