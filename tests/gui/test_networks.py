"""The Networks section of Settings against a real node; settings to another computer and from there; the foot of the window."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel
from pytestqt.qtbot import QtBot
from tests import fault_proxy as fault
from tests.devnet.devnet import Devnet, devnet
from tests.devnet.needed import packages
from tests.fault_proxy import fault_proxy
from tests.gui.conftest import NOW, fill, names_missing

from latchkey.core.session import Block
from latchkey.store.paths import DataDir
from latchkey.store.settings import NetworkSettings, Settings, export, load, save
from latchkey.ui.outside import Outside
from latchkey.ui.widgets import Banner, Button, Dialog, FieldTable
from latchkey.ui.window import Window

MakeWindow = Callable[..., Window]
BASE = NetworkSettings(8453, "https://rpc.example/secret", "https://other.example/", "https://bundler.example/")


@pytest.fixture(scope="module")
def node() -> Iterator[Devnet]:
    packages()
    with devnet() as running:
        yield running


def section(window: Window) -> Any:
    return window.page.networks  # type: ignore[attr-defined]


def texts(widget: Any) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget))


def press(widget: Any, name: str) -> None:
    [button] = [b for b in widget.findChildren(Button) if name in (b.text(), b.accessibleName()) and b.isVisibleTo(widget)]
    button.click()


def settled() -> None:
    QApplication.sendPostedEvents(None, 52)  # deferred deletions
    QApplication.processEvents()


def test_networks_of_accounts_and_of_settings_are_listed_without_their_keys(make_window: MakeWindow, folder: DataDir) -> None:
    fill(folder)
    window = make_window("settings", networks=(NetworkSettings(10, rpc="https://op.example/secret"), BASE))
    shown = texts(section(window))
    assert "RPC rpc.example · Second RPC other.example · Bundler bundler.example" in shown
    assert all(name in shown for name in ("Ethereum", "OP Mainnet", "Base", "Practice chain"))
    assert shown.count("No RPC") == 2
    assert "secret" not in shown
    assert names_missing(window) == []


def test_nothing_is_asked_before_test_is_pressed(make_window: MakeWindow, node: Devnet, qtbot: QtBot) -> None:
    with fault_proxy(node.url) as proxy:
        window = make_window("settings", networks=(NetworkSettings(31337, rpc=proxy.url),))
        card = section(window)
        press(card, "Change the addresses of Practice chain")
        qtbot.wait(100)
        assert proxy.seen == []
        card.editor.test.click()
        qtbot.waitUntil(lambda: bool(card.editor.findChildren(Banner)), timeout=20_000)
        assert proxy.seen
        [banner] = card.editor.findChildren(Banner)
        assert banner.property("tone") == "good"
        assert banner.text.startswith("RPC: Practice chain, chain 31337. Newest block ")


def test_a_wrong_network_is_told_and_can_be_stopped(make_window: MakeWindow, node: Devnet, qtbot: QtBot) -> None:
    window = make_window("settings")
    card = section(window)
    card.add.click()
    assert card.editor.network.editor.chain_id == 1
    card.editor.rpc.editor.setText(node.url)
    card.editor.test.click()
    qtbot.waitUntil(lambda: bool(card.editor.findChildren(Banner)), timeout=20_000)
    assert "This RPC is for Practice chain (chain 31337)." in card.editor.findChildren(Banner)[0].text
    with fault_proxy(node.url, fault.hangs(3)) as proxy:
        card.editor.rpc.editor.setText(proxy.url)
        settled()
        assert card.editor.findChildren(Banner) == []
        card.editor.test.click()
        assert card.editor.test.text() == "Stop"
        qtbot.waitUntil(lambda: bool(proxy.seen))
        card.editor.test.click()
        assert card.editor.test.text() == "Test"
        qtbot.waitUntil(lambda: not window._context.tasks.busy)
        assert card.editor.findChildren(Banner) == []


def test_addresses_are_checked_kept_and_removed(make_window: MakeWindow, folder: DataDir, qtbot: QtBot) -> None:
    window = make_window("settings")
    card = section(window)
    card.add.click()
    editor = card.editor
    editor.network.editor.setCurrentIndex(editor.network.editor.findData(8453))
    assert not editor.save.isEnabled()
    editor.rpc.editor.setText("wss://rpc.example")
    editor.save.click()
    assert "WebSocket" in editor.rpc.error
    editor.rpc.editor.setText(f" {BASE.rpc} ")
    editor.second.editor.setText(BASE.rpc)
    editor.save.click()
    assert "another one" in editor.second.error
    assert load(folder.settings).networks == ()
    editor.second.editor.setText(BASE.second_rpc)
    editor.bundler.editor.setText(BASE.bundler)
    editor.save.click()
    assert load(folder.settings).networks == (BASE,)
    assert editor.isHidden()
    settled()
    assert window._context.chains.node(8453).place == "rpc.example"
    press(card, "Change the addresses of Base")
    assert editor.bundler.editor.text() == BASE.bundler
    editor.cancel.click()
    press(card, "Change the addresses of Base")
    for field in (editor.rpc, editor.second, editor.bundler):
        field.editor.clear()
    qtbot.keyClick(editor.rpc.editor, Qt.Key.Key_Return)  # saving nothing is removing, and that is asked
    assert load(folder.settings).networks == (BASE,)
    window.findChild(Dialog).accept()
    assert load(folder.settings).networks == ()
    settled()
    assert "Base" not in texts(card)


def test_a_network_by_its_chain_id(make_window: MakeWindow, folder: DataDir) -> None:
    window = make_window("settings", networks=(NetworkSettings(777, rpc="https://a.example/"),))
    card = section(window)
    card.add.click()
    editor = card.editor
    editor.network.editor.setCurrentIndex(editor.network.editor.findData(0))
    editor.rpc.editor.setText("https://b.example/")
    for typed, fault_text in (("x", "whole number"), ("0", "whole number"), ("777", "in the list already")):
        editor.chain.editor.setText(typed)
        editor.save.click()
        assert fault_text in editor.chain.error
    editor.chain.editor.setText("778")
    editor.save.click()
    assert load(folder.settings).network(778).rpc == "https://b.example/"
    assert load(folder.settings).network(777).rpc == "https://a.example/"
    settled()
    assert "unknown network 778" in texts(card)


def test_the_proxy(make_window: MakeWindow, folder: DataDir) -> None:
    window = make_window("settings")
    proxy = section(window).proxy
    assert proxy.use.isHidden()
    proxy.field.editor.setText("socks4://x")
    proxy.use.click()
    assert "socks5" in proxy.field.error
    assert load(folder.settings).proxy == ""
    proxy.field.editor.setText("socks5://127.0.0.1:9050")
    proxy.use.click()
    assert load(folder.settings).proxy == "socks5://127.0.0.1:9050"
    assert proxy.use.isHidden()


# --- export and import


def test_export_and_import(
    make_window: MakeWindow, folder: DataDir, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, target = make_window("settings", networks=(BASE,)), tmp_path / "settings.json"
    card = window.page.transfer  # type: ignore[attr-defined]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(target), ""))
    card.export_button.click()
    assert "example" not in target.read_text()
    card.addresses.setChecked(True)
    card.export_button.click()
    assert json.loads(target.read_text())["networks"][0]["rpc"] == BASE.rpc
    networks = (NetworkSettings(10, "https://op.example/"), NetworkSettings(8453, "https://evil.example/"))
    other = Settings(idle_minutes=7, networks=networks)
    target.write_bytes(export(other, addresses=True))
    card.import_button.click()
    dialog = window.findChild(Dialog)
    shown = dialog.findChild(FieldTable).text()
    assert "Base: RPC: https://rpc.example/secret → https://evil.example/" in shown
    assert "Base: second RPC: https://other.example/ → nothing" in shown
    assert "OP Mainnet: RPC: nothing → https://op.example/" in shown
    dialog.reject()
    assert window._context.settings.networks == (BASE,)
    settled()
    card.import_button.click()
    window.findChild(Dialog).accept()
    assert load(folder.settings).networks == networks
    assert window.page.security.idle.editor.currentData() == 7  # type: ignore[attr-defined]
    target.write_bytes(b"{}")
    card.import_button.click()
    assert "no settings" in card.fault.text


def test_settings_changed_outside_are_shown_before_they_count(make_window: MakeWindow, folder: DataDir) -> None:
    window = make_window("settings", networks=(BASE,))
    context, outside = window._context, Outside(window._context, window)
    context.change_settings(idle_minutes=9)
    outside.look()
    assert window.findChild(Dialog) is None, "that was here"
    theirs = replace(context.settings, networks=(NetworkSettings(8453, "https://evil.example/"),), bridge=True)
    save(folder.settings, theirs)
    context.keep_window(b"a place")  # what is changed here goes into the file beside what others wrote
    assert load(folder.settings) == replace(theirs, window=b"a place")
    outside.look()
    dialog = window.findChild(Dialog)
    shown = dialog.findChild(FieldTable).text()
    assert "Base: RPC: https://rpc.example/secret → https://evil.example/" in shown
    assert "Bridge for dApps: off → on" in shown
    assert (context.settings.networks, context.settings.bridge) == ((BASE,), False)
    dialog.reject()
    settled()
    assert load(folder.settings) == context.settings
    assert context.settings.networks == (BASE,)

    theirs = replace(context.settings, networks=(), idle_minutes=3)
    save(folder.settings, theirs)
    outside.look()
    window.findChild(Dialog).accept()
    assert load(folder.settings) == context.settings == theirs
    settled()
    folder.settings.write_bytes(b"{")
    outside.look()
    assert window.notices.isVisible()
    outside.look()
    assert context.settings == theirs
    assert window.notices._rows.count() == 1, "said once"
    context.change_settings(idle_minutes=4)
    assert load(folder.settings).idle_minutes == 4


# --- the foot


def test_the_foot_tells_the_last_reading_and_its_age(make_window: MakeWindow, folder: DataDir) -> None:
    fill(folder)
    window = make_window("grants")
    assert window.rail.block.isHidden()
    window._context.chains.saw(8453, Block(12_345_678, bytes(32), NOW - 200))
    window._context.changed.emit("readings")
    assert window.rail.where.text() == "Base"
    assert window.rail.block.text() == "Block 12,345,678, 3 min ago"
    window._context.chains.saw(1, Block(99, bytes(32), NOW - 5))
    window._context.changed.emit("readings")
    assert (window.rail.where.text(), window.rail.block.text()) == ("Ethereum", "Block 99, just now")
