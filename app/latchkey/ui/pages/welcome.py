"""The first minutes: a master key, then an account it owns, then one is ready."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from latchkey.errors import LatchkeyError
from latchkey.language import tr
from latchkey.offline import is_offline
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.widgets import AddressLabel, Banner, Body, Card, Icon, Muted, StepTrail, Title, primary, quiet, secondary

_STEPS = (tr("Master key"), tr("Account"), tr("Ready"))
_COLUMN = 88 * theme.GRID


class WelcomePage(QWidget):
    """Shown while there is no vault. Leaves for the grants when the person is done, or at once when asked to."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setAccessibleName(tr("Welcome"))
        self._context = context
        self.trail = StepTrail(_STEPS)
        self._stack = QStackedWidget()
        outer = QHBoxLayout(self)
        outer.addStretch(1)
        column = QWidget()
        column.setMaximumWidth(_COLUMN)
        outer.addWidget(column, 100)
        outer.addStretch(1)
        rows = QVBoxLayout(column)
        rows.setContentsMargins(theme.space(3), theme.space(4), theme.space(3), theme.space(3))
        rows.setSpacing(theme.space(2))
        rows.addLayout(_brand())
        rows.addWidget(self.trail, 0, Qt.AlignmentFlag.AlignLeft)
        rows.addWidget(self._stack, 1)
        self._stack.addWidget(self._key_step())

    def _show(self, step: int, widget: QWidget) -> None:
        self.trail.set_current(step)
        self._stack.addWidget(widget)
        self._stack.setCurrentWidget(widget)

    # --- a master key

    def _key_step(self) -> QWidget:
        self._key_holder = QVBoxLayout()
        card = Card(tr("First, a master key"))
        card.body.addWidget(
            Body(
                tr(
                    "It owns your account and signs every grant. It stays in an encrypted file on this computer, and it is "
                    "typed, shown and used only at the desk, a small window of its own."
                )
            )
        )
        card.body.addSpacing(theme.space(1))
        card.body.addLayout(self._key_holder)
        self._practice_holder = QVBoxLayout()
        result = QWidget()
        rows = QVBoxLayout(result)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(2))
        rows.addWidget(card)
        rows.addLayout(self._practice_holder)
        rows.addStretch(1)
        return result

    def enter(self, _payload: object) -> None:
        if self._key_holder.count() == 0:
            from latchkey.ui.pages.key_card import KeyMaker

            self.key = KeyMaker(self._context)
            self.key.made.connect(self._name_account)
            self.key.name.editor.returnPressed.connect(self.key.create_button.click)
            self._key_holder.addWidget(self.key)
            self.key.name.editor.setFocus(Qt.FocusReason.OtherFocusReason)
            if not is_offline():
                self._offer_practice()
                self._offer_offline()

    # --- the practice chain

    def _offer_practice(self) -> None:
        """Where anvil is found: everything can be tried first, in a window and a folder of its own."""
        from latchkey.chain.anvil import find_anvil

        if find_anvil() is None:
            return
        self.practice = secondary(tr("Try it on the practice chain"), self._practise)
        self.practice_news = Banner("notice")
        self.practice_news.hide()
        row = QHBoxLayout()
        row.addWidget(Muted(tr("Only looking? There everything works and nothing is worth anything.")), 1)
        row.addWidget(self.practice)
        self._practice_holder.addLayout(row)
        self._practice_holder.addWidget(self.practice_news)

    def _offer_offline(self) -> None:
        """The other machine of two: the one that signs and has never seen a network."""
        from latchkey.ui.pages.machine import ask_to_stay_offline

        self.offline = secondary(tr("This machine stays offline…"), lambda: ask_to_stay_offline(self._context, self))
        self.key.busied.connect(self.offline.setDisabled)  # it starts Latchkey again, and the words of a new key would be lost
        row = QHBoxLayout()
        row.addWidget(Muted(tr("Is this the machine that signs for another one, by QR code?")), 1)
        row.addWidget(self.offline)
        self._practice_holder.addLayout(row)

    def _practise(self) -> None:
        from latchkey.flow import practice

        def opened(request: object) -> None:
            text = tr(
                "It opens in a window of its own. Its passphrase: {passphrase}. A request to open there: {request}",
                passphrase=practice.PASSPHRASE,
                request=request,
            )
            self.practice_news.set("notice", text)
            self.practice_news.show()

        def failed(error: LatchkeyError) -> None:
            self.practice_news.set("danger", error.text)
            self.practice_news.show()
            self.practice.setEnabled(True)

        self.practice.setEnabled(False)
        root = self._context.data_dir.root / practice.FOLDER
        self._context.tasks.run(lambda _job: practice.open_window(root), opened, failed=failed, owner=self)

    # --- an account

    def _name_account(self, owner: str) -> None:
        from latchkey.ui.pages.account_form import AccountForm
        from latchkey.ui.pages.accounts import scan_account

        status = self._context.status
        keys = [(str(key.address), key.label) for key in status.keys if str(key.address) == owner] if status else []
        self.form = AccountForm(keys or [(owner, "")])
        self.add = primary(tr("Add this account"), self._add)
        self.form.changed.connect(lambda: self.add.setEnabled(self.form.account() is not None))
        self.add.setEnabled(self.form.account() is not None)
        self.form.name.editor.returnPressed.connect(self.add.click)
        self._fault = Banner("danger")
        self._fault.hide()
        card = Card(tr("Now the account it owns"))
        card.body.addWidget(Body(tr("Sessions act for a smart account (Modular Account V2). Name yours; you can add more later.")))
        card.body.addSpacing(theme.space(1))
        card.body.addWidget(self.form)
        row = QHBoxLayout()
        row.addWidget(quiet(tr("Later"), self._finish))
        row.addStretch(1)
        self.scan = secondary(tr("Scan…"), lambda: scan_account(self._context, self.form), icon_name="qr")
        row.addWidget(self.scan)
        row.addWidget(self.add)
        step = QWidget()
        rows = QVBoxLayout(step)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(2))
        rows.addWidget(_scrolling(card), 1)
        rows.addWidget(self._fault)
        rows.addLayout(row)
        self._show(1, step)
        self.form.name.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def _add(self) -> None:
        from latchkey.ui.pages.accounts import keep_account

        account = self.form.account()
        if account is None:
            return
        try:
            keep_account(self._context, self.form, account)
        except LatchkeyError as error:
            self._fault.set("danger", error.text)
            self._fault.show()
            return
        self._context.changed.emit("accounts")
        self._ready(str(account.address))

    # --- ready

    def _ready(self, address: str) -> None:
        card = Card(tr("You are ready"))
        card.body.addWidget(
            Body(tr("When a dApp asks for a session, drop its file or QR picture on this window, or open it: file, text or link."))
        )
        card.body.addWidget(Body(tr("You can also start from nothing and choose yourself what a key may do.")))
        card.body.addSpacing(theme.space(1))
        card.body.addWidget(Muted(tr("Your account")))
        card.body.addWidget(AddressLabel(address))
        card.body.addSpacing(theme.space(1))
        row = QHBoxLayout()
        row.setSpacing(theme.space(1.5))
        self.grant = primary(tr("Grant a session"), lambda: self._context.navigate("wizard"), icon_name="plus")
        row.addWidget(self.grant)
        row.addWidget(secondary(tr("Open request…"), self._context.want_request, icon_name="inbox"))
        row.addWidget(quiet(tr("Go to my grants"), self._finish))
        row.addStretch(1)
        card.body.addLayout(row)
        self._show(2, _with_room(card))
        self.grant.setFocus(Qt.FocusReason.OtherFocusReason)

    def _finish(self) -> None:
        self._context.navigate("grants")


def _brand() -> QVBoxLayout:
    rows = QVBoxLayout()
    rows.setSpacing(theme.space(0.5))
    top = QHBoxLayout()
    top.setSpacing(theme.space(1.5))
    top.addWidget(Icon("key", "accent", size=28))
    top.addWidget(Title(tr("Welcome to Latchkey")))
    top.addStretch(1)
    rows.addLayout(top)
    rows.addWidget(Body(tr("Give dApps a small key that ends by itself, instead of your own."), tone="muted"))
    return rows


def _with_room(card: QWidget) -> QWidget:
    """A card at the top of its place."""
    result = QWidget()
    rows = QVBoxLayout(result)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.addWidget(card)
    rows.addStretch(1)
    return result


def _scrolling(card: QWidget) -> QWidget:
    from latchkey.ui.widgets.surfaces import Scroller

    result = Scroller()
    content = _with_room(card)
    content.setProperty("surface", "page")
    result.setWidget(content)
    return result
