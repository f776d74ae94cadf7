"""Naming an account: from its owner, by its address, or as EIP-7702; its address is worked out while one types.

form = AccountForm(owners=[(address, label), ...])
form.changed            whenever what is entered changes
form.take(found)        an address or a wallet's keys that were scanned
form.account()          the Account, or None while something is missing or wrong; what is wrong stands at its field
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from latchkey.codec.eip681 import PayTo
from latchkey.codec.hdkeys import HdAddress, HdKeys
from latchkey.core.account import Account, Mode
from latchkey.core.networks import NETWORKS, Network, network
from latchkey.errors import BadInput
from latchkey.flow import devices
from latchkey.flow.accounts import as_7702, from_address, from_owner, parse_chain_id, parse_salt
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.widgets import AddressLabel, Banner, Card, ComboBox, Field, Muted, Segmented, line_edit, short_address

_WAYS = (("owner", tr("From its owner")), ("address", tr("By its address")), ("7702", "EIP-7702"))
_TYPES = ((Mode.SMA, tr("Semi-modular (usual)")), (Mode.MA, tr("Modular, owner in a module")))
_MEANING = {
    "owner": tr("Worked out on this computer from owner and salt. The account may not be deployed yet; its first use deploys it."),
    "address": tr("Taken as it is. Latchkey cannot tell without a network whether an account is there."),
    "7702": tr("The owner's own address. It has to be delegated to the account code before a session can be used."),
}
_NO_GRANTS = tr(
    "Latchkey cannot grant on this type of account yet: its grants need another form of signature. "
    "Sessions that it has are shown and can be ended."
)


class NetworkBox(ComboBox):
    """Networks by name, main ones first; the last entry is any other, by number."""

    def __init__(self, *, chain_id: int = 1) -> None:
        super().__init__()
        known = sorted(NETWORKS.values(), key=lambda one: one.is_test)
        for one in known:
            self.addItem(_title(one), one.chain_id)
        self.insertSeparator(sum(not one.is_test for one in known))
        self.addItem(tr("Another network…"), 0)
        self.setCurrentIndex(max(self.findData(chain_id), 0))

    @property
    def chain_id(self) -> int:
        """The chosen chain id, 0 for another."""
        return int(self.currentData() or 0)


class AccountForm(QWidget):
    """The form. `owners`: addresses and names of the keys at hand, offered first."""

    changed = Signal()

    def __init__(self, owners: Sequence[tuple[str, str]] = (), *, chain_id: int = 1, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._account: Account | None = None
        self._devices: HdKeys | None = None
        self.way = Segmented(_WAYS, name=tr("How the account is named"), value="owner")
        self.network = Field(tr("Network"), NetworkBox(chain_id=chain_id))
        self.chain = Field(tr("Chain id"), line_edit(placeholder="8453", limit=80))
        self.key = Field(tr("Owner"), ComboBox())
        self.owner = Field(tr("Owner's address"), line_edit(placeholder="0x…", mono=True, limit=64))
        self.address = Field(tr("Account's address"), line_edit(placeholder="0x…", mono=True, limit=64))
        self.type = Field(tr("Type"), ComboBox())
        self.salt = Field(tr("Salt"), line_edit("0", limit=80), hint=tr("0 unless your wallet says otherwise."))
        self.name = Field(
            tr("Name"),
            line_edit(placeholder=tr("Game account"), limit=64),
            hint=tr("For you alone; it never leaves this computer."),
        )
        for mode, title in _TYPES:
            self.type.editor.addItem(title, mode)
        self._meaning = Muted()
        self._no_grants = Banner("notice", _NO_GRANTS)
        self._predicted = AddressLabel()
        self._lay_out()
        self._listen()
        self.set_owners(owners)

    def account(self) -> Account | None:
        """What is entered, once it is whole."""
        return self._account

    def device(self) -> HdAddress | None:
        """The hardware wallet's key that owns the account, when it was scanned here."""
        owner = self._account.owner if self._account else None
        shown = devices.offered(self._devices) if self._devices else ()
        return next((one for one in shown if one.address == owner), None)

    def set_owners(self, owners: Sequence[tuple[str, str]]) -> None:
        """Offer these keys as owners."""
        box = self.key.editor
        box.blockSignals(True)
        box.clear()
        for address, label in owners:
            box.addItem(f"{label} · {short_address(address)}" if label else short_address(address), address)
        box.addItem(tr("Another owner…"), "")
        box.setCurrentIndex(0)
        box.blockSignals(False)
        self._refresh()

    def take(self, found: PayTo | HdKeys) -> None:
        """Fill in what was scanned: an address, for the field that is asked for now, or a wallet's keys, to choose an owner from."""
        if isinstance(found, HdKeys):
            self.way.set_value("owner")
            self._devices = found
            self.set_owners([(str(one.address), str(one.path)) for one in devices.offered(found)])
            return
        if found.chain_id is not None:
            at = self.network.editor.findData(found.chain_id)
            self.network.editor.setCurrentIndex(at if at >= 0 else self.network.editor.count() - 1)
            self.chain.editor.setText(str(found.chain_id))
        if self.way.value() == "address":
            self.address.editor.setText(str(found.address))
        else:
            self.key.editor.setCurrentIndex(self.key.editor.count() - 1)
            self.owner.editor.setText(str(found.address))
        self._refresh()

    def _lay_out(self) -> None:
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(1.5))
        rows.addWidget(self.way)
        rows.addLayout(_pair(self.network, self.chain))
        rows.addWidget(self.key)
        rows.addWidget(self.owner)
        rows.addWidget(self.address)
        rows.addLayout(_pair(self.type, self.salt))
        rows.addWidget(self._no_grants)
        rows.addWidget(self.name)
        result = Card()
        result.setProperty("surface", "tint")
        result.setProperty("tone", "muted")
        result.body.addWidget(Muted(tr("The account's address")))
        result.body.addWidget(self._predicted)
        result.body.addWidget(self._meaning)
        rows.addWidget(result)

    def _listen(self) -> None:
        self.way.changed.connect(lambda _key: self._refresh())
        for box in (self.network.editor, self.key.editor, self.type.editor):
            box.currentIndexChanged.connect(lambda _index: self._refresh())
        for field in (self.chain, self.owner, self.address, self.salt, self.name):
            field.editor.textChanged.connect(lambda _text: self._refresh())

    def _refresh(self) -> None:
        way = self.way.value()
        self.chain.setVisible(self.network.editor.chain_id == 0)
        self.key.setVisible(way != "address")
        self.owner.setVisible(way != "address" and not self.key.editor.currentData())
        self.address.setVisible(way == "address")
        self.type.setVisible(way == "owner")
        self.salt.setVisible(way == "owner")
        self._no_grants.setVisible(way == "owner" and Mode(self.type.editor.currentData()) is Mode.MA)
        self._account = self._read()
        self._meaning.setText(_MEANING[way])
        self._predicted.set_address(str(self._account.address) if self._account else "")
        self.changed.emit()

    def _read(self) -> Account | None:
        """The account, or None with the fault shown at its field; what is merely blank is not called a fault."""
        fields = {"chainId": self.chain, "owner": self.owner, "address": self.address, "salt": self.salt, "label": self.name}
        for field in fields.values():
            field.set_error("")
        try:
            return self._make()
        except BadInput as error:
            typed = fields[error.path]
            if error.code != "Blank" and typed.editor.text().strip():
                typed.set_error(error.text)
            return None

    def _make(self) -> Account:
        chain_id = self.network.editor.chain_id or parse_chain_id(self.chain.editor.text())
        label = self.name.editor.text()
        owner = self.key.editor.currentData() or self.owner.editor.text()
        match self.way.value():
            case "owner":
                return from_owner(
                    chain_id, owner, parse_salt(self.salt.editor.text()), mode=Mode(self.type.editor.currentData()), label=label
                )
            case "7702":
                return as_7702(chain_id, owner, label=label)
        return from_address(chain_id, self.address.editor.text(), label=label)


def network_name(chain_id: int) -> str:
    return _title(network(chain_id))


def _title(one: Network) -> str:
    return one.name


def _pair(left: QWidget, right: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(theme.space(2))
    row.addWidget(left, 1)
    row.addWidget(right, 1)
    return row
