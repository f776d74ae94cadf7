"""Welcome, accounts, grants and settings, with a real book and a real signer behind them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot
from tests.gui.conftest import NOW, OWNER, OWNER_KEY, PASSPHRASE, SOMEONE, fill, names_missing
from tests.secret_service import LACKING, secret_service

from latchkey.accounts.system import system
from latchkey.core.account import Mode
from latchkey.core.draft import draft_from_json
from latchkey.core.request import Claims
from latchkey.flow.accounts import from_address, from_owner
from latchkey.flow.keys import open_signer
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.store.records import GrantRecord, GrantState, MasterKeyRecord
from latchkey.store.settings import load
from latchkey.ui import theme
from latchkey.ui.pages.account_form import AccountForm
from latchkey.ui.widgets import AddressLabel, Banner, Button, Chip, Dialog, EmptyState, Label, PhraseLabel, TextView, Toast
from latchkey.ui.window import Window
from latchkey.vault.model import Prompt, PromptMode

MakeWindow = Callable[..., Window]
DAY = 86_400
GAS = {"type": "gas-limit", "data": {"limit": hex(10**16)}}
NO_ETH = {"type": "native-token-transfer", "data": {"allowance": "0x0"}}
CLAIM_ANYWHERE = {"type": "functions-on-all-contracts", "data": {"functions": ["0x4e71d92d"]}}


def record(number: int, *, expiry: int = NOW + DAY, state: GrantState = GrantState.SIGNED, **fields: Any) -> GrantRecord:
    """A grant of the practice account; signed ones have an envelope of which only its presence matters here."""
    account = from_owner(31337, OWNER, 0)
    draft = draft_from_json(
        {
            "system": "modular_account", "chainId": 31337, "account": str(account.address), "entityId": number, "nonceKey": hex(number),
            "sequence": 0, "expiry": expiry, "sessionKey": f"0x{number:040x}", "permissions": [CLAIM_ANYWHERE, NO_ETH, GAS],
        }
    )  # fmt: skip
    grant = system("modular_account").build(draft)
    envelope = None if state is GrantState.UNSIGNED else b"envelope"
    return GrantRecord(draft, grant.nonce, grant.unsigned, NOW - 60, envelope=envelope, state=state, **fields)


@pytest.fixture
def vault(folder: DataDir, passphrases: Callable[[str], int]) -> str:
    """A vault with one public test key, made by the signer itself."""
    client = open_signer(folder, Prompt(PromptMode.FD, passphrases(f"{PASSPHRASE}\n"), script=True))
    address = client.import_key("Main key", source_fd=passphrases(OWNER_KEY))
    client.close()
    return str(address)


@pytest.fixture
def unlocked(vault: str, make_window: MakeWindow, passphrases: Callable[[str], int], qtbot: QtBot) -> Callable[[str], Window]:
    """A window over that vault, unlocked by the script."""

    def make(start: str) -> Window:
        window = make_window("grants", passphrase_fd=passphrases(f"{PASSPHRASE}\n{PASSPHRASE} again\n"))
        window._context.lock.unlock()
        qtbot.waitUntil(lambda: window._context.lock.unlocked, timeout=20_000)
        window._context.navigate(start)
        return window

    return make


# --- every page


@pytest.fixture
def everything(folder: DataDir, make_window: MakeWindow, qtbot: QtBot) -> Window:
    fill(folder)
    with Book.open(folder.book) as book:
        book.put_key(MasterKeyRecord(from_owner(1, OWNER).owner, "Main key", "mnemonic", "m/44'/60'/0'/0/0"))
        book.add_grant(record(1, label="Skirmish Rooms"))
    return make_window()


PAGES: list[tuple[str, object]] = [
    ("welcome", None), ("sessions", None), ("grants", None), ("grant", 1), ("accounts", None), ("accounts", "add"),
    ("settings", None), ("wizard", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "payload"), PAGES)
def test_everything_that_takes_the_focus_has_a_name(everything: Window, name: str, payload: object, qtbot: QtBot) -> None:
    everything.show_page(name, payload)
    settle(everything, qtbot)
    assert names_missing(everything) == []


@pytest.mark.parametrize(("name", "payload"), PAGES)
@pytest.mark.parametrize("appearance", ["light", "dark"])
def test_pages_fit_the_smallest_window(
    everything: Window, qapp: QApplication, qtbot: QtBot, name: str, payload: object, appearance: str
) -> None:
    theme.apply(qapp, appearance)
    everything.resize(900, 600)
    everything.show_page(name, payload)
    settle(everything, qtbot)
    assert everything.width() == 900
    for label in everything.page.findChildren(Label):
        if label.isVisibleTo(everything) and not label.wordWrap() and label.text() and not isinstance(label, Chip):
            assert label.width() >= label.minimumSizeHint().width(), label.text()


@pytest.mark.parametrize(("name", "payload"), PAGES)
def test_tab_reaches_everything_and_comes_round(everything: Window, qtbot: QtBot, name: str, payload: object) -> None:
    everything.show_page(name, payload)
    settle(everything, qtbot)
    with qtbot.waitActive(everything):
        everything.activateWindow()
    wanted = {
        widget
        for widget in everything.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible() and widget.isEnabled()
    }
    seen: set[QWidget] = set()
    for _ in range(3 * len(wanted) + 3):
        QTest.keyClick(everything.focusWidget() or everything, Qt.Key.Key_Tab)
        seen.add(everything.focusWidget())
    assert wanted <= seen, [f"{type(w).__name__} {w.accessibleName()}" for w in wanted - seen]


# --- welcome


def test_welcome_goes_from_a_key_to_an_account(make_window: MakeWindow, folder: DataDir, qtbot: QtBot) -> None:
    """The key itself is made at the desk; what follows from its address is driven here."""
    window = make_window("welcome")
    page: Any = window.page
    assert page.trail.accessibleName() == "Step 1 of 3: Master key"
    page.key.made.emit(OWNER)
    assert page.trail.accessibleName() == "Step 2 of 3: Account"
    choose(page.form.network.editor, 31337)
    page.form.name.editor.setText("Game account")
    page.add.click()
    assert page.trail.accessibleName() == "Step 3 of 3: Ready"
    [account] = window._context.book.accounts()
    assert account == from_owner(31337, OWNER, 0, label="Game account")
    assert [label.address for label in page.findChildren(AddressLabel) if label.isVisible()] == [str(account.address)]
    page.grant.click()
    assert window.page.accessibleName() == "New session"


def test_a_refusal_at_welcome_is_told_where_it_happened(
    make_window: MakeWindow, passphrases: Callable[[str], int], qtbot: QtBot
) -> None:
    """A script may not make a key that is not public: the signer's real refusal arrives on the page."""
    window = make_window("welcome", passphrase_fd=passphrases(f"{PASSPHRASE}\n"))
    key = window.page.key  # type: ignore[attr-defined]
    offline = window.page.offline  # type: ignore[attr-defined]
    key.create_button.click()
    assert not key.create_button.isEnabled()
    assert not offline.isEnabled()  # Latchkey would start again in the middle of it
    qtbot.waitUntil(key.create_button.isEnabled, timeout=20_000)
    assert offline.isEnabled()
    assert key._fault.isVisible()
    assert "person" in key._fault.text


# --- accounts


@pytest.mark.parametrize("mode", [Mode.SMA, Mode.MA])
@pytest.mark.parametrize("salt", ["0", "7", "0x1f"])
def test_the_address_is_worked_out_while_typing(qtbot: QtBot, mode: Mode, salt: str) -> None:
    form = AccountForm([(OWNER, "Main key")], chain_id=8453)
    qtbot.addWidget(form)
    form.type.editor.setCurrentIndex(form.type.editor.findData(mode.value))
    form.salt.editor.setText(salt)
    assert form.account() == from_owner(8453, OWNER, int(salt, 0), mode=mode)
    assert form._predicted.address == str(form.account().address)


def test_each_way_of_naming_an_account(qtbot: QtBot) -> None:
    form = AccountForm()
    qtbot.addWidget(form)
    assert form.account() is None
    assert form.owner.error == ""  # merely blank is no mistake
    form.owner.editor.setText(OWNER)
    assert form.account().mode is Mode.SMA
    press_segment(form, "EIP-7702")
    assert (form.account().mode, form.account().address) == (Mode.EIP7702, OWNER)
    press_segment(form, "By its address")
    assert form.account() is None
    form.address.editor.setText(SOMEONE.lower())
    assert form.account() == from_address(1, SOMEONE)


@pytest.mark.parametrize(
    ("field", "text", "why"),
    [
        ("owner", "0x12", "40 hexadecimal"),
        ("owner", SOMEONE.replace("a", "A", 1), "checksum"),
        ("salt", "-1", "whole number"),
        ("name", "x\u202e", "name"),
    ],
)
def test_what_is_wrong_stands_at_its_field(qtbot: QtBot, field: str, text: str, why: str) -> None:
    form = AccountForm()
    qtbot.addWidget(form)
    form.owner.editor.setText(OWNER)
    getattr(form, field).editor.setText(text)
    assert form.account() is None
    assert why in getattr(form, field).error
    assert form._predicted.address == ""


def test_another_network_by_its_number(qtbot: QtBot) -> None:
    form = AccountForm([(OWNER, "")])
    qtbot.addWidget(form)
    choose(form.network.editor, 0)
    assert form.account() is None
    form.chain.editor.setText("7777777")
    assert form.account().chain_id == 7777777


def test_adding_and_removing(everything: Window, qtbot: QtBot) -> None:
    everything.show_page("accounts")
    page: Any = everything.page
    page.add_button.click()
    choose(page.form_card.form.network.editor, 10)
    page.form_card.form.name.editor.setText("Fourth")
    page.form_card.save.click()
    assert page.form_card is None
    assert [account.label for account in everything._context.book.accounts()] == ["Game account", "Savings", "", "Fourth"]
    settle(everything, qtbot)
    [trash] = [button for button in page.findChildren(Button) if button.accessibleName() == "Remove Fourth"]
    trash.click()
    dialog = everything.findChildren(Dialog)[-1]
    assert "go on working" in dialog.findChildren(PhraseLabel)[-1].text()
    click(dialog, "Remove")
    assert len(everything._context.book.accounts()) == 3


def test_the_same_account_twice_is_told_at_the_form(everything: Window) -> None:
    everything.show_page("accounts", "add")
    card = everything.page.form_card  # type: ignore[attr-defined]
    choose(card.form.network.editor, 31337)
    card.save.click()
    assert card.fault.text == "This account is in the book already."


def test_test_networks_are_marked(everything: Window, qtbot: QtBot) -> None:
    everything.show_page("accounts")
    settle(everything, qtbot)
    chips = {chip.text(): chip.property("tone") for chip in everything.page.findChildren(Chip) if chip.isVisible()}
    assert chips == {"Practice chain": "warn", "Base": "muted", "Ethereum": "muted"}


def test_no_accounts_yet(make_window: MakeWindow) -> None:
    window = make_window("accounts")
    empty = window.page.findChild(EmptyState)
    click(empty, "Add account")
    assert window.page.form_card is not None  # type: ignore[attr-defined]


# --- grants


@pytest.fixture
def with_grants(folder: DataDir, make_window: MakeWindow, qtbot: QtBot) -> Window:
    fill(folder)
    with Book.open(folder.book) as book:
        book.add_grant(record(1, label="Ended", expiry=NOW - 5, state=GrantState.HANDED_OVER))
        book.add_grant(record(2, label="Later", expiry=NOW + 9 * DAY, state=GrantState.HANDED_OVER))
        book.add_grant(record(3, label="Sooner", expiry=NOW + 6 * 3600, state=GrantState.SIGNED))
        book.add_grant(
            record(4, claims=Claims(dapp_name="Skirmish <b>Rooms</b>\u202e"), expiry=NOW + 3 * DAY, state=GrantState.PUT_ASIDE)
        )
        book.add_grant(record(5, label="Waiting", expiry=NOW + 20 * DAY, state=GrantState.UNSIGNED))
    window = make_window()
    settle(window, qtbot)
    return window


def test_what_ends_next_stands_first_and_what_ended_last(with_grants: Window) -> None:
    rows = with_grants.page.view.model_.rows  # type: ignore[attr-defined]
    assert [(row.who, row.state) for row in rows] == [
        ("Sooner", "Signed, not handed over"),
        ("Calls itself “Skirmish <b>Rooms</b>⟨U+202E⟩”", "Put aside, still valid"),
        ("Later", "Handed over"),
        ("Waiting", "Not signed"),
        ("Ended", "Expired"),
    ]
    assert rows[0].left == "6 hours"
    gas = "spend up to 0.01 ETH on gas in total, when nobody else pays for it"
    assert rows[0].line == f"Practice chain: call claim() on any contract; {gas}"
    assert with_grants.page.count.text() == "5 grants"  # type: ignore[attr-defined]


def test_a_row_is_heard_as_a_sentence(with_grants: Window) -> None:
    view = with_grants.page.view  # type: ignore[attr-defined]
    heard = view.model_.data(view.model_.index(0), Qt.ItemDataRole.AccessibleTextRole)
    assert heard.startswith("Sooner. Signed, not handed over. Practice chain: call claim()")


def test_return_opens_a_grant_and_a_button_leads_back(with_grants: Window, qtbot: QtBot) -> None:
    view = with_grants.page.view  # type: ignore[attr-defined]
    view.setCurrentIndex(view.model_.index(0))
    QTest.keyClick(view, Qt.Key.Key_Return)
    page: Any = with_grants.page
    assert page.title.text() == "Sooner"
    said = [line for label in page.findChildren(TextView) for line in label.text().splitlines()]
    assert "send or attach any ETH (limit 0)" in said
    assert any(text.startswith("Until 21 November 2026") or text.startswith("Until") for text in said)
    page.back.click()
    assert with_grants.page.accessibleName() == "Grants"


def test_the_list_keeps_its_place_when_it_is_read_again(with_grants: Window, qtbot: QtBot) -> None:
    page: Any = with_grants.page
    page.view.setCurrentIndex(page.view.model_.index(2))
    with_grants._context.book.add_grant(record(9, label="Soonest", expiry=NOW + 60))
    page._minute.timeout.emit()
    settle(with_grants, qtbot)
    assert [row.who for row in page.view.model_.rows][:2] == ["Soonest", "Sooner"]
    assert page.view.model_.rows[page.view.currentIndex().row()].who == "Later"


def test_put_aside_says_that_it_stays_valid(with_grants: Window, qtbot: QtBot) -> None:
    with_grants.show_page("grant", 3)
    page: Any = with_grants.page
    page.aside.click()
    dialog = with_grants.findChildren(Dialog)[-1]
    assert "stays valid: it is still valid until" in dialog.findChildren(PhraseLabel)[-1].text()
    click(dialog, "Put aside")
    assert with_grants._context.book.grant(3).state is GrantState.PUT_ASIDE
    assert page.chip.text() == "Put aside, still valid"
    assert page.findChild(Banner).text.startswith("Put aside, still valid until")
    assert not page.aside.isVisible()
    assert page.again.isVisible()


def test_only_what_was_never_signed_can_be_discarded(with_grants: Window) -> None:
    with_grants.show_page("grant", 3)
    page: Any = with_grants.page
    assert not page.forget.isVisible()
    with_grants.show_page("grant", 5)
    assert not page.again.isVisible()
    page.forget.click()
    click(with_grants.findChildren(Dialog)[-1], "Discard")
    assert [grant.id for grant in with_grants._context.book.grants()] == [4, 3, 2, 1]
    assert with_grants.page.accessibleName() == "Grants"


def test_every_signed_field_can_be_seen(with_grants: Window, qtbot: QtBot) -> None:
    with_grants.show_page("grant", 3)
    settle(with_grants, qtbot)
    click(with_grants.page, "Show every field")
    said = "\n".join(label.text() for label in with_grants.page.findChildren(TextView))
    nonce = with_grants._context.book.grant(3).nonce
    assert f"0x{nonce:064x}" in said


def test_a_grant_that_cannot_be_read_is_shown_as_such(folder: DataDir, make_window: MakeWindow, qtbot: QtBot) -> None:
    with Book.open(folder.book) as book:
        book.add_grant(replace(record(1, label="Odd"), unsigned=b"\x00" * 50))
    window = make_window()
    settle(window, qtbot)
    [row] = window.page.view.model_.rows  # type: ignore[attr-defined]
    assert row.line.startswith("Cannot be read")
    window.show_page("grant", 1)
    assert any("cannot be read" in banner.text for banner in window.page.findChildren(Banner))


def test_no_grants_yet(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    settle(window, qtbot)
    click(window.page.findChild(EmptyState), "New session")
    assert window.page.accessibleName() == "New session"


def test_a_thousand_grants_are_read_without_holding_up_the_window(folder: DataDir, make_window: MakeWindow, qtbot: QtBot) -> None:
    from tests.counts import count

    many = count(150, 1000)
    with Book.open(folder.book) as book:
        for number in range(1, many + 1):
            book.add_grant(record(number))
    window = make_window()
    ticks: list[int] = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(1))
    timer.start(10)
    qtbot.waitUntil(lambda: window.page.view is not None, timeout=60_000)  # type: ignore[attr-defined]
    assert len(ticks) > 3
    assert window.page.view.model_.rowCount() == many  # type: ignore[attr-defined]


# --- settings


def test_appearance_changes_at_once_and_is_kept(make_window: MakeWindow, folder: DataDir) -> None:
    window = make_window("settings")
    press_segment(window.page.looks, "Dark")  # type: ignore[attr-defined]
    assert theme.current() is theme.DARK
    assert load(folder.settings).appearance == "dark"


def test_idle_time_is_kept(make_window: MakeWindow, folder: DataDir) -> None:
    window = make_window("settings")
    choose(window.page.security.idle.editor, 30)  # type: ignore[attr-defined]
    assert load(folder.settings).idle_minutes == 30
    assert window._context.settings.idle_minutes == 30


def test_keys_are_shown_only_while_unlocked(unlocked: Callable[[str], Window], qtbot: QtBot) -> None:
    window = unlocked("settings")
    assert shown_addresses(window) == [OWNER]
    assert any(chip.text() == "Public test key" for chip in window.page.findChildren(Chip))
    assert names_missing(window) == []
    assert window.rail.state.text().startswith("Unlocked")
    window._context.lock.now()
    qtbot.waitUntil(lambda: not window._context.lock.unlocked)
    QApplication.sendPostedEvents(None, 52)  # deferred deletions
    assert shown_addresses(window) == []
    assert window._context.book.keys()[0].label == "Main key"  # its name is known while locked


def test_the_expert_switch_goes_through_the_signer(unlocked: Callable[[str], Window], qtbot: QtBot) -> None:
    window = unlocked("settings")
    page: Any = window.page
    assert page.experts.chip.text() == "Off"
    page.experts.switch.click()
    qtbot.waitUntil(lambda: page.experts.chip.text() == "On", timeout=20_000)
    assert window._context.status.expert
    assert page.experts.switch.text() == "Turn off…"


def test_a_key_is_renamed_and_the_only_one_stays(unlocked: Callable[[str], Window], qtbot: QtBot) -> None:
    window = unlocked("settings")
    [remove] = [b for b in window.page.findChildren(Button) if b.text() == "Remove…"]
    assert not remove.isEnabled()
    click(window.page, "Rename…")
    dialog = window.findChild(Dialog)
    assert names_missing(window) == []
    [line] = dialog.findChildren(QLineEdit)
    assert line.text() == "Main key"
    line.setText("Savings")
    click(dialog, "Rename")
    qtbot.waitUntil(lambda: window._context.status.keys[0].label == "Savings", timeout=20_000)
    assert window._context.book.keys()[0].label == "Savings"


@pytest.mark.skipif(bool(LACKING), reason=LACKING)
def test_the_keyring_is_switched_on_and_off(
    vault: str, make_window: MakeWindow, passphrases: Callable[[str], int], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with secret_service() as service:
        for name, value in service.environment.items():
            monkeypatch.setenv(name, value)
        window = make_window("settings", passphrase_fd=passphrases(f"{PASSPHRASE}\n"))
        card: Any = window.page.security  # type: ignore[attr-defined]
        assert any("Every program that runs as you may read" in label.text() for label in card.findChildren(QLabel))
        assert (card.keyring_chip.text(), card.keyring.text()) == ("Unlock to see", "Unlock…")
        card.keyring.click()
        qtbot.waitUntil(lambda: card.keyring.text() == "Turn on…", timeout=20_000)
        card.keyring.click()
        qtbot.waitUntil(lambda: card.keyring_chip.text() == "On", timeout=20_000)
        assert len(service.secrets()) == 1
        service.kill()
        card.keyring.click()
        qtbot.waitUntil(lambda: card.keyring_chip.text() == "Off", timeout=20_000)
        fault: Any = window.page.fault  # type: ignore[attr-defined]
        assert "could not be removed" in fault.text
        assert fault.geometry().bottom() < card.y() < fault.geometry().bottom() + 40  # right above the card, not at the page's top
        card.keyring.click()
        qtbot.waitUntil(lambda: "no keyring that Latchkey uses" in fault.text, timeout=20_000)
        assert not window._context.status.keyring


def test_a_keystore_is_saved_where_the_person_says(
    unlocked: Callable[[str], Window], qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, target = unlocked("settings"), tmp_path / "key.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    click(window.page, "Export…")
    qtbot.waitUntil(target.exists, timeout=30_000)
    assert json.loads(target.read_text())["address"].lower() == OWNER[2:].lower()
    assert target.stat().st_mode & 0o077 == 0
    qtbot.waitUntil(lambda: window.findChild(Toast).text == "Keystore saved.")


def test_a_refusal_is_told_on_the_page(unlocked: Callable[[str], Window], qtbot: QtBot) -> None:
    """A script may not bring in a key at the desk: the signer says so, the page shows it."""
    window = unlocked("settings")
    page: Any = window.page
    click(page, "Add another key")
    page.keys.maker.import_button.click()
    qtbot.waitUntil(page.keys.maker._fault.isVisible, timeout=20_000)
    assert page.keys.maker._fault.text


# --- helpers


def settle(window: Window, qtbot: QtBot) -> None:
    """Let running work and posted events through."""
    qtbot.waitUntil(lambda: not window._context.tasks.busy, timeout=20_000)
    QApplication.sendPostedEvents(None, 52)  # deferred deletions
    QApplication.processEvents()


def choose(box: Any, data: object) -> None:
    box.setCurrentIndex(box.findData(data))


def click(root: QWidget, text: str) -> None:
    [button] = [one for one in root.findChildren(Button) if one.text() == text and one.isVisibleTo(root)]
    button.click()


def press_segment(root: QWidget, text: str) -> None:
    click(root, text)


def shown_addresses(window: Window) -> list[str]:
    return [label.address for label in window.page.findChildren(AddressLabel) if label.isVisible()]
