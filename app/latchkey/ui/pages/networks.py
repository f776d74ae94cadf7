"""Where networks are reached: RPC, second RPC and bundler of each, and the proxy. Nothing is asked before the person presses Test."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from latchkey.core.endpoints import check_proxy, place_of
from latchkey.core.networks import NETWORKS, network
from latchkey.errors import BadInput, LatchkeyError, StoreError
from latchkey.flow.accounts import parse_chain_id
from latchkey.flow.network_trial import Trial, try_network
from latchkey.language import tr
from latchkey.store.settings import NetworkSettings
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.account_form import NetworkBox
from latchkey.ui.widgets import (
    Banner,
    Body,
    Button,
    Card,
    Chip,
    Field,
    Heading,
    Line,
    Muted,
    PhraseLabel,
    add_shown,
    clear_layout,
    confirm,
    line_edit,
    primary,
    quiet,
    secondary,
)
from latchkey.ui.widgets.surfaces import bring_into_sight

_WHY = tr(
    "Sessions are read from an RPC: a node that you run, or one of a provider. Latchkey asks the addresses you name here and no others, "
    "and only when you read, send or test something. Whoever runs an RPC sees your computer's address and which accounts you look at."
)
_SECOND = tr("Best of another operator. What the two do not agree about is said, and nothing is signed on it.")
_BUNDLER = tr("Takes the operations that end sessions. Without one, the owner's own transaction ends them.")
_PROXY = tr(
    "Every request to another machine goes through it, names included. Empty: directly. For Tor: socks5://127.0.0.1:9050. "
    "It may hold a name and a password: http://name:password@host:port."
)
_FIELDS = {"rpc": "RPC", "secondRpc": tr("Second RPC"), "bundler": tr("Bundler")}


class NetworksCard(Card):
    """The networks that are set or that accounts are on, one opened to be changed at a time."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Networks"))
        self._context = context
        self.body.addWidget(Body(_WHY, tone="muted"))
        self._rows = QWidget()
        self._list = QVBoxLayout(self._rows)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(theme.space(1.5))
        self.body.addWidget(self._rows)
        self.add = quiet(tr("Add a network"), lambda: self.open(None), icon_name="plus")
        self.body.addLayout(_row(self.add))
        self.editor = NetworkEditor(context)
        self.editor.closed.connect(self._close)
        self.editor.hide()
        self.body.addWidget(self.editor)
        self.proxy = ProxyField(context)
        self.body.addWidget(Line())
        self.body.addWidget(self.proxy)
        context.changed.connect(lambda what: self.refresh() if what in ("settings", "accounts") else None)
        self._shown: object = None

    def refresh(self) -> None:
        """Show what is set now."""
        wanted = tuple(self._networks())
        if wanted == self._shown:
            return
        self._shown = wanted
        clear_layout(self._list)
        for one in wanted:
            add_shown(self._list, _NetworkRow(one, partial(self.open, one)))

    def open(self, one: NetworkSettings | None) -> None:
        """Change a network's entry; None for one that is not in the list. It takes the list's place, however long that is."""
        self._rows.hide()
        self.add.hide()
        self.editor.edit(one)
        self.editor.show()
        self.editor.focus()
        bring_into_sight(self.editor)

    def _close(self) -> None:
        self.editor.hide()
        self._rows.show()
        self.add.show()
        self.add.setFocus(Qt.FocusReason.OtherFocusReason)
        bring_into_sight(self)

    def _networks(self) -> Sequence[NetworkSettings]:
        settings = self._context.settings
        ids = {one.chain_id for one in settings.networks}
        if self._context.is_loaded:
            ids |= {account.chain_id for account in self._context.book.accounts()}
        return [settings.network(chain_id) for chain_id in sorted(ids, key=lambda n: (network(n).is_test, n))]


class _NetworkRow(QWidget):
    """One network: its name, what is set for it, a way to change that."""

    def __init__(self, one: NetworkSettings, change: object) -> None:
        super().__init__()
        name = network(one.chain_id).name
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        top = QHBoxLayout()
        top.setSpacing(theme.space(1))
        heading = Heading(name)
        heading.setWordWrap(False)
        top.addWidget(heading, 0, Qt.AlignmentFlag.AlignVCenter)
        if not one.rpc:
            top.addWidget(Chip(tr("No RPC"), "warn"))
        top.addStretch(1)
        button = secondary(tr("Change…") if not one.is_empty else tr("Set…"), change)  # type: ignore[arg-type]
        button.setAccessibleName(
            tr("{change} the addresses of {name}", change=tr("Change") if not one.is_empty else tr("Set"), name=name)
        )
        top.addWidget(button)
        rows.addLayout(top)
        places = [(_FIELDS["rpc"], one.rpc), (_FIELDS["secondRpc"], one.second_rpc), (_FIELDS["bundler"], one.bundler)]
        text = " · ".join(f"{title} {place_of(url)}" for title, url in places if url)
        rows.addWidget(PhraseLabel(text or tr("Its sessions cannot be read."), size=theme.SMALL, tone="muted"))
        rows.addSpacing(theme.space(1))
        rows.addWidget(Line())


class NetworkEditor(QWidget):
    """The addresses of one network. `closed` when it is done with, kept or not."""

    closed = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._before: NetworkSettings | None = None
        self._stop: threading.Event | None = None
        self.title = Heading()
        self.network = Field(tr("Network"), NetworkBox())
        self.chain = Field(tr("Chain id"), line_edit(placeholder="8453", limit=80))
        self.rpc = Field(tr("RPC"), line_edit(placeholder="https://…", limit=1_000))
        self.second = Field(tr("Second RPC (optional)"), line_edit(placeholder="https://…", limit=1_000), hint=_SECOND)
        self.bundler = Field(tr("Bundler (optional)"), line_edit(placeholder="https://…", limit=1_000), hint=_BUNDLER)
        self.test = secondary(tr("Test"), self._test)
        self.save = primary(tr("Save"), self._save)
        self.cancel = secondary(tr("Cancel"), self._cancel)
        self.remove = quiet(tr("Remove"), self._ask_to_remove, icon_name="trash")
        self.results = QVBoxLayout()
        self.results.setSpacing(theme.space(1))
        self._waiting = Muted(tr("Asking…"))
        self._lay_out()
        self.network.editor.currentIndexChanged.connect(lambda _index: self._network_chosen())
        for field in (self.chain, self.rpc, self.second, self.bundler):
            field.editor.textChanged.connect(lambda _text: self._typed())
            field.editor.returnPressed.connect(self.save.click)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self._cancel, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def edit(self, one: NetworkSettings | None) -> None:
        self._before = one
        self.title.setText(tr("{name}: addresses", name=network(one.chain_id).name) if one else tr("Add a network"))
        self.network.setVisible(one is None)
        self.remove.setVisible(one is not None and not one.is_empty)
        self.chain.editor.clear()
        if one is None:
            self.network.editor.setCurrentIndex(max(0, self.network.editor.findData(self._next())))
        for field, url in ((self.rpc, one and one.rpc), (self.second, one and one.second_rpc), (self.bundler, one and one.bundler)):
            field.editor.setText(url or "")
            field.editor.setCursorPosition(0)
        self._network_chosen()
        self._typed()

    def _next(self) -> int:
        """The first network without addresses."""
        return next((number for number in NETWORKS if self._context.settings.network(number).is_empty), 0)

    def focus(self) -> None:
        (self.network if self._before is None else self.rpc).editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def entered(self) -> NetworkSettings | None:
        """What is entered; None while something is wrong, which then stands at its field."""
        fields = {"chainId": self.chain, "rpc": self.rpc, "secondRpc": self.second, "bundler": self.bundler}
        for field in fields.values():
            field.set_error("")
        try:
            chain_id = (
                self._before.chain_id if self._before else self.network.editor.chain_id or parse_chain_id(self.chain.editor.text())
            )
            if self._before is None and self.network.editor.chain_id == 0 and not self._context.settings.network(chain_id).is_empty:
                raise BadInput(tr("This network is in the list already; change it there."), path="chainId")
            return NetworkSettings(chain_id, *self._urls())
        except BadInput as error:
            fields[error.path].set_error(error.text)
            return None

    def _urls(self) -> tuple[str, str, str]:
        rpc, second, bundler = (field.editor.text().strip() for field in (self.rpc, self.second, self.bundler))
        return rpc, second, bundler

    def _network_chosen(self) -> None:
        """A network that has addresses already shows them, or adding would take them away unseen."""
        self.chain.setVisible(self._before is None and self.network.editor.chain_id == 0)
        if self._before is None and self.network.editor.chain_id:
            known = self._context.settings.network(self.network.editor.chain_id)
            for field, url in ((self.rpc, known.rpc), (self.second, known.second_rpc), (self.bundler, known.bundler)):
                field.editor.setText(url)
        self._typed()

    def _typed(self) -> None:
        self._stop_testing()
        clear_layout(self.results)
        self.test.setEnabled(bool(self.rpc.editor.text().strip() or self.bundler.editor.text().strip()))
        self.save.setEnabled(self._before is not None or any(self._urls()))

    # --- testing

    def _test(self) -> None:
        """Or stop, while one is running."""
        if self._stop is not None:
            self._typed()
            return
        entered = self.entered()
        if entered is None:
            return
        self._typed()
        stop = self._stop = threading.Event()
        self.test.setText(tr("Stop"))
        self.test.setEnabled(True)
        self._waiting.show()
        self._context.tasks.run(
            lambda _job: try_network(entered, self._context.settings.proxy, stop=stop, clock=self._context.clock),
            lambda trials: self._tested(trials) if stop is self._stop else None,
            failed=lambda error: self._tested((Trial("rpc", "danger", error.text),)) if stop is self._stop else None,
            owner=self,
        )

    def _tested(self, trials: Sequence[Trial]) -> None:
        self._stop_testing()
        clear_layout(self.results)
        for trial in trials:
            add_shown(self.results, Banner(trial.level, f"{_FIELDS[trial.field]}: {trial.sentence}", trial.advice))

    def _stop_testing(self) -> None:
        if self._stop is not None:
            self._stop.set()
        self._stop = None
        self._waiting.hide()
        self.test.setText(tr("Test"))

    # --- keeping

    def _save(self) -> None:
        entered = self.entered()
        if entered is None:
            return
        if entered.is_empty and self._before is not None and not self._before.is_empty:
            self._ask_to_remove()
        else:
            self._keep(entered, tr("The addresses of {name} are kept.", name=network(entered.chain_id).name))

    def _ask_to_remove(self) -> None:
        assert self._before is not None
        chain_id, name = self._before.chain_id, network(self._before.chain_id).name
        text = tr("Its sessions cannot be read any more. They stay as they are on the chain.")
        confirm(
            self, tr("Remove the addresses of {name}?", name=name), text, tr("Remove"),
            lambda: self._keep(NetworkSettings(chain_id), tr("The addresses of {name} are removed.", name=name)), danger=True,
        )  # fmt: skip

    def _keep(self, one: NetworkSettings, news: str) -> None:
        try:
            self._context.change_settings(networks=self._context.settings.with_network(one).networks)
        except (BadInput, StoreError) as error:
            self._fault(error)
            return
        self._context.say(news)
        self._cancel()

    def _fault(self, error: LatchkeyError) -> None:
        clear_layout(self.results)
        add_shown(self.results, Banner("danger", error.text))

    def _cancel(self) -> None:
        self._stop_testing()
        self.closed.emit()

    def _lay_out(self) -> None:
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(1.5))
        rows.addWidget(self.title)
        pair = QHBoxLayout()
        pair.setSpacing(theme.space(2))
        pair.addWidget(self.network, 1)
        pair.addWidget(self.chain, 1)
        rows.addLayout(pair)
        for field in (self.rpc, self.second, self.bundler):
            rows.addWidget(field)
        rows.addWidget(self._waiting)
        rows.addLayout(self.results)
        foot = _row(self.save, self.test, self.cancel)
        foot.addWidget(self.remove)
        rows.addLayout(foot)
        self._waiting.hide()


class ProxyField(QWidget):
    """The proxy; kept with its button, so that no half-typed address is ever used."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.field = Field(tr("Proxy"), line_edit(context.settings.proxy, placeholder=tr("none"), limit=1_000), hint=_PROXY)
        self.use: Button = secondary(tr("Use"), self._use)
        self.use.setAccessibleName(tr("Use this proxy"))
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(1))
        rows.addWidget(self.field)
        rows.addLayout(_row(self.use))
        self.field.editor.textChanged.connect(lambda _text: self._typed())
        self.field.editor.returnPressed.connect(self._use)
        context.changed.connect(lambda what: self._show() if what == "settings" else None)
        self._typed()

    def _show(self) -> None:
        if not self.field.editor.isModified():
            self.field.editor.setText(self._context.settings.proxy)
        self._typed()

    def _typed(self) -> None:
        self.field.set_error("")
        self.use.setVisible(self.field.editor.text().strip() != self._context.settings.proxy)

    def _use(self) -> None:
        wanted = self.field.editor.text().strip()
        if wanted == self._context.settings.proxy:
            return
        try:
            check_proxy(wanted)
            self._context.change_settings(proxy=wanted)
        except (BadInput, StoreError) as error:
            self.field.set_error(error.text)
            return
        self.field.editor.setModified(False)
        self._typed()
        self._context.say(tr("Requests go through the proxy now.") if wanted else tr("Requests go out directly now."))


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(theme.space(1.5))
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return row
