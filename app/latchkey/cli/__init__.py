"""The command line: the same flows as the window, JSON out, stable exit codes (0 done, 1 failed, 2 refused or bad input).

Without a command the window opens. A command's module is imported when it is called, so `--help` is quick.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import TypeAlias

from latchkey import __version__
from latchkey.cli.network_options import add_options
from latchkey.cli.output import Output
from latchkey.errors import BadInput, CannotDecode, LatchkeyError, Mismatch, NotServed, Refused
from latchkey.language import tr
from latchkey.offline import is_marked, is_offline, lock_down
from latchkey.store.paths import usual_folder

_REFUSED = (BadInput, CannotDecode, Mismatch, NotServed, Refused)


def main(argv: list[str]) -> int:
    """Parse and run; every error ends as one sentence (or as {"error": ...} where JSON is printed)."""
    parser = _parser()
    options = parser.parse_args(argv)
    output = Output(json=getattr(options, "json", False) or getattr(options, "always_json", False))
    if is_marked(usual_folder(getattr(options, "data_dir", None))):
        lock_down()
    if options.self_test:
        return int(import_module("latchkey.selftest").main(output))
    if not hasattr(options, "run"):
        return int(import_module("latchkey.ui.app").main(getattr(options, "data_dir", None), options.open))
    module, _, function = options.run.partition(":")
    try:
        return int(getattr(import_module(f"latchkey.cli.{module}"), function)(options, output) or 0)
    except LatchkeyError as error:
        output.error(error)
        return 2 if isinstance(error, _REFUSED) else 1
    except ModuleNotFoundError:
        if not is_offline():
            raise
        output.error(NotServed(tr("This needs a network, and this Latchkey is offline."), code="Offline"))
        return 2
    except KeyboardInterrupt:
        output.say(tr("Stopped."))
        return 1
    except BrokenPipeError:
        return 1


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--data-dir", metavar="DIR", help=tr("keep the vault and the book here instead of the usual place"))
    common.add_argument("--json", action="store_true", help=tr("print JSON"))
    parser = argparse.ArgumentParser(
        prog="latchkey",
        parents=[common],
        description=tr("Turns a master key into narrow, expiring session keys."),
        epilog=tr("Without a command the window opens."),
    )
    parser.add_argument("--version", action="version", version=f"latchkey {__version__}")
    parser.add_argument("--open", metavar="FILE", help=tr("open a request, a file or a latchkey: link, in the window"))
    parser.add_argument(
        "--offline", action="store_true", help=tr("never reach a network, whatever happens (must stand first to count)")
    )
    parser.add_argument("--self-test", action="store_true", help=tr("check this installation, signer and desk included"))
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    _grant(commands, common)
    _sign(commands, common)
    _explain(commands, common)
    _try(commands, common)
    _sessions(commands, common)
    _endings(commands, common)
    _account(commands, common)
    _vault(commands, common)
    _device(commands, common)
    _wallet_apis(commands, common)
    _practice(commands, common)
    return parser


_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _command(parent: _Commands, common: argparse.ArgumentParser, name: str, run: str, text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = parent.add_parser(name, parents=[common], help=text, description=text)
    command.set_defaults(run=run)
    return command


def _group(parent: _Commands, name: str, text: str) -> _Commands:
    group = parent.add_parser(name, help=text, description=text)
    result: _Commands = group.add_subparsers(metavar="ACTION", required=True)
    return result


def _grant(commands: _Commands, common: argparse.ArgumentParser) -> None:
    group = _group(commands, "grant", tr("build and sign grants"))
    build = _command(group, common, "build", "grant:build", tr("make a draft exact: call, typed data, digest; always prints JSON"))
    build.add_argument("file", metavar="FILE|-", help=tr("a JSON draft"))
    build.add_argument("--lines", action="store_true", help=tr("one draft a line in, one result a line out"))
    build.add_argument("--expert", action="store_true", help=tr("allow what the expert switch allows"))
    build.add_argument("--compat", action="store_true", help=tr("judge exactly as aa-sdk does (implies --expert)"))
    build.add_argument(
        "--rpc", default="", metavar="URL", help=tr("ask the chain behind this RPC about the grant's surroundings; adds findings")
    )
    build.set_defaults(always_json=True)
    sign = _command(group, common, "sign", "grant:sign", tr("show a grant, ask, sign it; always prints JSON"))
    sign.add_argument("file", metavar="FILE|-", help=tr("a JSON draft, what `grant build` printed, or an unsigned envelope"))
    sign.add_argument("--owner", metavar="ADDRESS", help=tr("which master key signs, when it does not follow from the account"))
    _passphrase(sign)
    sign.set_defaults(always_json=True)


def _sign(commands: _Commands, common: argparse.ArgumentParser) -> None:
    text = tr(
        "show, ask and sign any unsigned hand-over: a grant, a revocation, a cancellation, an owner's transaction; or what another "
        "wallet asks for by ur:eth-sign-request; needs no network"
    )
    sign = _command(commands, common, "sign", "sign:sign", text)
    sign.add_argument(
        "file",
        metavar="FILE|-",
        help=tr("an unsigned hand-over in any form, an eth-sign-request, a JSON draft, or what `grant build` printed"),
    )
    sign.add_argument("--output", metavar="FILE", help=tr("write the signed hand-over, or the eth-signature, here too"))
    sign.add_argument("--owner", metavar="ADDRESS", help=tr("which master key signs, when it does not follow from the account"))
    _passphrase(sign)
    sign.set_defaults(always_json=True)


def _explain(commands: _Commands, common: argparse.ArgumentParser) -> None:
    explain = _command(
        commands,
        common,
        "explain",
        "explain:explain",
        tr("say in plain words what bytes mean: results of build and sign, typed data, calldata, a blob, an envelope"),
    )
    explain.add_argument("file", metavar="FILE|-")
    explain.add_argument("--account", metavar="ADDRESS", help=tr("the account, where the bytes name none"))
    explain.add_argument("--chain-id", type=int, metavar="N", help=tr("the network, where the bytes name none"))
    explain.add_argument(
        "--rpc", default="", metavar="URL", help=tr("ask the chain behind this RPC about the grant's surroundings")
    )


def _try(commands: _Commands, common: argparse.ArgumentParser) -> None:
    trying = _command(
        commands,
        common,
        "try",
        "trying:run",
        tr(
            "say what the account would do with a call of a grant's key; nothing is signed or sent; ends with 0 when it would do it"
        ),
    )
    trying.add_argument("file", metavar="GRANT|-", help=tr("a draft, a grant signed or not, an envelope: whatever `explain` reads"))
    trying.add_argument(
        "--to", metavar="ADDRESS", help=tr("the contract that is called; without it, --data is what the account is asked")
    )
    trying.add_argument("--data", metavar="0x", help="calldata")
    trying.add_argument("--function", metavar="SIGNATURE", help=tr('instead of --data, such as "transfer(address,uint256)"'))
    trying.add_argument("--arg", action="append", metavar="VALUE", help=tr("an argument of the function, in order; lists as JSON"))
    trying.add_argument("--value", metavar="AMOUNT", help=tr("coins sent along, such as 0.1"))
    trying.add_argument("--at", metavar="TIME", help=tr("when: 2026-12-01T10:00 (UTC) or seconds (default: now)"))
    trying.add_argument("--by-key", action="store_true", help=tr("the key calls with its own transaction instead of an operation"))
    trying.add_argument("--paymaster", metavar="ADDRESS", help=tr("who pays for gas"))
    trying.add_argument("--rpc", default="", metavar="URL", help=tr("ask the chain behind this RPC too"))
    trying.add_argument("--owner", metavar="ADDRESS", help=tr("the account's owner, where it is not deployed yet"))
    trying.add_argument("--account", metavar="ADDRESS", help=tr("the account, where the grant names none"))
    trying.add_argument("--chain-id", type=int, metavar="N", help=tr("the network, where the grant names none"))


def _sessions(commands: _Commands, common: argparse.ArgumentParser) -> None:
    text = tr("what is active on chain, how much of it is left, and when it ends; ends with 0 when everything could be read")
    add_options(_command(commands, common, "sessions", "sessions:run", text))
    text = tr("say what happens to sessions, until Ctrl+C: one that appears, a limit or a time that runs out, a grant's first use")
    watch = _command(commands, common, "watch", "watch:run", text)
    add_options(watch)
    watch.add_argument("--every", type=int, metavar="SECONDS", help=tr("read so often (default: every minute)"))
    watch.add_argument("--once", action="store_true", help=tr("read once, say what is new since the last time, and end"))


def _endings(commands: _Commands, common: argparse.ArgumentParser) -> None:
    revoke = _ending(
        commands, common, "revoke", tr("end sessions: their keys are refused from then on, and what they stored is cleared")
    )
    revoke.add_argument("--entity", type=int, action="append", metavar="N", help=tr("this session; may be repeated"))
    revoke.add_argument(
        "--all", action="store_true", help=tr("every session, and every grant in the book that could still be used")
    )
    cancel = _ending(commands, common, "cancel", tr("make signed grants that were not used yet unusable"))
    cancel.add_argument("--grant", type=int, action="append", metavar="N", help=tr("its number in the book; may be repeated"))
    cancel.add_argument("--entity", type=int, action="append", metavar="N", help=tr("the grant for this session"))
    cancel.add_argument("--all", action="store_true", help=tr("every grant of the account that could still be used"))
    tighten = _ending(
        commands, common, "tighten", tr("lower what is left of a session's limits, or end it earlier; never the other way")
    )
    tighten.add_argument("--entity", type=int, required=True, metavar="N")
    tighten.add_argument("--native", metavar="AMOUNT", help=tr("coins that shall be left to send, such as 0.05"))
    tighten.add_argument("--gas", metavar="AMOUNT", help=tr("coins that shall be left for gas"))
    tighten.add_argument(
        "--token", action="append", metavar="ADDRESS=AMOUNT", help=tr("what shall be left of a token, in its smallest units")
    )
    tighten.add_argument("--until", metavar="TIME", help=tr("the new end: 2026-12-01T10:00 (UTC) or seconds"))
    _ending(commands, common, "clean", tr("remove what ended sessions left stored, so that it cannot come back into force"))
    text = tr("send a revocation, cancellation or transaction that another machine signed")
    send = _command(commands, common, "send", "ending:send", text)
    send.add_argument("file", metavar="FILE|-", help=tr("the signed hand-over"))
    text = tr("look for what was on its way when the program ended, and send again what is nowhere; signs nothing")
    resume = _command(commands, common, "resume", "ending:resume", text)
    group = _group(commands, "break-glass", tr("operations signed ahead, for the day when nothing else works"))
    make = _command(
        group, common, "make", "ending:make", tr("sign ahead what ends everything that is known now, and keep it in the vault")
    )
    listing = _command(group, common, "list", "ending:list_", tr("what is kept, what it ends and what it needs"))
    use = _command(group, common, "use", "ending:use", tr("send it, through any bundler or by any key of the vault that has money"))
    use.add_argument("id", metavar="ID", help=tr("as `break-glass list` names it"))
    use.add_argument("--via", choices=("bundler", "self"), help=tr("how it is sent (default: the bundler where one is set)"))
    for command in (send, resume, make, listing, use):
        add_options(command, account=command is make)
        _passphrase(command)


def _ending(commands: _Commands, common: argparse.ArgumentParser, name: str, text: str) -> argparse.ArgumentParser:
    """A command that reads an account, asks, signs and sends."""
    command = _command(commands, common, name, f"ending:{name}", text)
    add_options(command)
    ways = tr("through the bundler, by the owner's own transaction, by any key of the vault that has money, or for another machine")
    command.add_argument(
        "--via", choices=("bundler", "owner", "self", "export"), help=tr("{ways} (default: the first that is possible)", ways=ways)
    )
    command.add_argument("--output", metavar="FILE", help=tr("with --via export: write the unsigned hand-over here"))
    command.add_argument(
        "--dry-run", action="store_true", help=tr("try it on the chain, print the ways and what each costs, and end")
    )
    _passphrase(command)
    return command


def _account(commands: _Commands, common: argparse.ArgumentParser) -> None:
    group = _group(commands, "account", tr("account addresses"))
    predict = _command(group, common, "predict", "account:predict", tr("the address an account has or will have"))
    predict.add_argument("--owner", required=True, metavar="ADDRESS")
    predict.add_argument("--salt", default="0", metavar="N", help=tr("a whole number, decimal or 0x (default 0)"))
    predict.add_argument(
        "--mode", choices=("sma", "ma", "7702"), default="sma", help=tr("semi-modular (default), modular, or EIP-7702")
    )


def _vault(commands: _Commands, common: argparse.ArgumentParser) -> None:
    group = _group(commands, "vault", tr("master keys"))
    create = _command(group, common, "create", "vault:create", tr("make a master key from new recovery words, shown once"))
    create.add_argument("--words", type=int, choices=(12, 24), default=12)
    bring = _command(
        group, common, "import", "vault:import_", tr("bring a master key: recovery words, a private key, or a keystore file")
    )
    bring.add_argument(
        "file",
        metavar="FILE|-",
        nargs="?",
        help=tr("read the secret from here instead of asking (the signer reads it, nothing else does)"),
    )
    for command in (create, bring):
        command.add_argument("--label", default="", metavar="TEXT", help=tr("your own name for the key"))
    export = _command(group, common, "export", "vault:export", tr("write a master key as a keystore V3 file"))
    export.add_argument("address", metavar="ADDRESS")
    export.add_argument("--output", metavar="FILE", help=tr("where to write it (default: print)"))
    rename = _command(group, common, "rename", "vault:rename", tr("give a master key another name"))
    rename.add_argument("address", metavar="ADDRESS", help=tr("the key's address"))
    rename.add_argument("label", metavar="NAME", help=tr("its new name"))
    remove = _command(
        group, common, "remove", "vault:remove", tr("take a master key out of the vault; only its words or a copy bring it back")
    )
    remove.add_argument("address", metavar="ADDRESS", help=tr("the key's address"))
    keyring = _command(
        group, common, "keyring", "vault:keyring", tr("let the keyring of this computer open the vault too, or no longer")
    )
    keyring.add_argument(
        "switch", choices=("on", "off"), help=tr("on: every program that runs as you can read what opens the vault")
    )
    change = _command(group, common, "passphrase", "vault:passphrase", tr("change the vault's passphrase"))
    expert = _command(group, common, "expert", "vault:expert", tr("turn the expert switch on or off"))
    expert.add_argument("switch", choices=("on", "off"))
    listing = _command(group, common, "list", "vault:list_", tr("the vault's master keys"))
    for command in (create, bring, export, rename, remove, keyring, change, expert, listing):
        _passphrase(command)


def _device(commands: _Commands, common: argparse.ArgumentParser) -> None:
    group = _group(commands, "device", tr("have a hardware wallet sign, by the QR codes of EIP-4527 (as text)"))
    add = _command(group, common, "add", "device:add", tr("keep a device's address, so that it can own accounts"))
    add.add_argument("file", metavar="FILE|-", help=tr("what it shows: ur:crypto-hdkey or ur:crypto-account"))
    add.add_argument("--address", metavar="ADDRESS", help=tr("which of its first addresses (default: the first)"))
    add.add_argument("--label", default="", help=tr("a name for it"))
    text = tr("what the device is to be shown, as ur:eth-sign-request; `unsigned` is for `explain` and for `device answer`")
    ask = _command(group, common, "ask", "device:ask", text)
    ask.add_argument(
        "file", metavar="FILE|-", help=tr("an unsigned hand-over in any form, a JSON draft, or what `grant build` printed")
    )
    text = tr("put the device's signatures to what it was asked about; always prints JSON, as `sign` does")
    answer = _command(group, common, "answer", "device:answer", text)
    answer.add_argument("file", metavar="FILE|-", help=tr("what `device ask` printed, or the unsigned hand-over in it"))
    answer.add_argument("signature", metavar="SIGNATURE", nargs="+", help=tr("files with the ur:eth-signature of each request"))
    answer.add_argument("--output", metavar="FILE", help=tr("write the signed hand-over here too"))
    for command in (ask, answer):
        command.add_argument("--owner", metavar="ADDRESS", help=tr("which device signs, when it does not follow from the account"))
        command.set_defaults(always_json=True)
        _passphrase(command)


def _wallet_apis(commands: _Commands, common: argparse.ArgumentParser) -> None:
    group = _group(commands, "wallet-apis", tr("sessions that Alchemy's Wallet APIs compile; their address is in the settings"))
    text = tr("have a session made from a request, show what came of it, ask, sign it; always prints JSON with its context")
    create = _command(group, common, "create", "wallet_apis:create", text)
    create.add_argument("file", metavar="FILE|-", help=tr("a session request that names account, network and key"))
    create.add_argument("--owner", metavar="ADDRESS", help=tr("which master key signs, when it does not follow from the account"))
    create.set_defaults(always_json=True)
    key = _command(group, common, "key", "wallet_apis:key", tr("keep the API key in the vault; an empty one forgets it"))
    key.add_argument("file", metavar="FILE|-", help=tr("read it from here"))
    address = _command(group, common, "address", "wallet_apis:address", tr("where they are asked; without an address, say where"))
    address.add_argument("url", metavar="URL", nargs="?")
    for command in (create, key):
        _passphrase(command)


def _practice(commands: _Commands, common: argparse.ArgumentParser) -> None:
    practice = _command(
        commands,
        common,
        "practice",
        "practice:run",
        tr("run a practice chain with an account, tokens and a demo dApp, until Ctrl+C"),
    )
    practice.add_argument(
        "--port", type=int, default=0, metavar="N", help=tr("listen on this port of 127.0.0.1 (default: a free one)")
    )
    practice.add_argument(
        "--clone-from", default="", metavar="URL", help=tr("copy the account's contracts from the chain behind this RPC")
    )
    practice.add_argument("--window", action="store_true", help=tr("open the window too, and stop when it is closed"))
    actions: _Commands = practice.add_subparsers(metavar="ACTION")
    use = _command(actions, common, "use", "practice:use", tr("let the demo dApp use a signed grant on the running practice chain"))
    use.add_argument("file", metavar="FILE|-", help=tr("the signed grant, in any form the window hands over"))


def _passphrase(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--passphrase-fd",
        type=int,
        metavar="N",
        help=tr("read the passphrase from this file descriptor (one line) instead of asking"),
    )
