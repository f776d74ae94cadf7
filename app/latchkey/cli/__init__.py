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
        output.error(NotServed("This needs a network, and this Latchkey is offline.", code="Offline"))
        return 2
    except KeyboardInterrupt:
        output.say("Stopped.")
        return 1
    except BrokenPipeError:
        return 1


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--data-dir", metavar="DIR", help="keep the vault and the book here instead of the usual place")
    common.add_argument("--json", action="store_true", help="print JSON")
    parser = argparse.ArgumentParser(
        prog="latchkey",
        parents=[common],
        description="Turns a master key into narrow, expiring session keys.",
        epilog="Without a command the window opens.",
    )
    parser.add_argument("--version", action="version", version=f"latchkey {__version__}")
    parser.add_argument("--open", metavar="FILE", help="open a request, a file or a latchkey: link, in the window")
    parser.add_argument(
        "--offline", action="store_true", help="never reach a network, whatever happens (must stand first to count)"
    )
    parser.add_argument("--self-test", action="store_true", help="check this installation, signer and desk included")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    _grant(commands, common)
    _sign(commands, common)
    _explain(commands, common)
    _try(commands, common)
    _sessions(commands, common)
    _endings(commands, common)
    _account(commands, common)
    _vault(commands, common)
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
    group = _group(commands, "grant", "build and sign grants")
    build = _command(group, common, "build", "grant:build", "make a draft exact: call, typed data, digest; always prints JSON")
    build.add_argument("file", metavar="FILE|-", help="a JSON draft")
    build.add_argument("--lines", action="store_true", help="one draft a line in, one result a line out")
    build.add_argument("--expert", action="store_true", help="allow what the expert switch allows")
    build.add_argument("--compat", action="store_true", help="judge exactly as aa-sdk does (implies --expert)")
    build.add_argument(
        "--rpc", default="", metavar="URL", help="ask the chain behind this RPC about the grant's surroundings; adds findings"
    )
    build.set_defaults(always_json=True)
    sign = _command(group, common, "sign", "grant:sign", "show a grant, ask, sign it; always prints JSON")
    sign.add_argument("file", metavar="FILE|-", help="a JSON draft, what `grant build` printed, or an unsigned envelope")
    sign.add_argument("--owner", metavar="ADDRESS", help="which master key signs, when it does not follow from the account")
    _passphrase(sign)
    sign.set_defaults(always_json=True)


def _sign(commands: _Commands, common: argparse.ArgumentParser) -> None:
    text = (
        "show, ask and sign any unsigned hand-over: a grant, a revocation, a cancellation, an owner's transaction; needs no network"
    )
    sign = _command(commands, common, "sign", "sign:sign", text)
    sign.add_argument(
        "file", metavar="FILE|-", help="an unsigned hand-over in any form, a JSON draft, or what `grant build` printed"
    )
    sign.add_argument("--output", metavar="FILE", help="write the signed hand-over here too")
    sign.add_argument("--owner", metavar="ADDRESS", help="which master key signs, when it does not follow from the account")
    _passphrase(sign)
    sign.set_defaults(always_json=True)


def _explain(commands: _Commands, common: argparse.ArgumentParser) -> None:
    explain = _command(
        commands,
        common,
        "explain",
        "explain:explain",
        "say in plain words what bytes mean: results of build and sign, typed data, calldata, a blob, an envelope",
    )
    explain.add_argument("file", metavar="FILE|-")
    explain.add_argument("--account", metavar="ADDRESS", help="the account, where the bytes name none")
    explain.add_argument("--chain-id", type=int, metavar="N", help="the network, where the bytes name none")
    explain.add_argument("--rpc", default="", metavar="URL", help="ask the chain behind this RPC about the grant's surroundings")


def _try(commands: _Commands, common: argparse.ArgumentParser) -> None:
    trying = _command(
        commands,
        common,
        "try",
        "trying:run",
        "say what the account would do with a call of a grant's key; nothing is signed or sent; ends with 0 when it would do it",
    )
    trying.add_argument("file", metavar="GRANT|-", help="a draft, a grant signed or not, an envelope: whatever `explain` reads")
    trying.add_argument(
        "--to", metavar="ADDRESS", help="the contract that is called; without it, --data is what the account is asked"
    )
    trying.add_argument("--data", metavar="0x", help="calldata")
    trying.add_argument("--function", metavar="SIGNATURE", help='instead of --data, such as "transfer(address,uint256)"')
    trying.add_argument("--arg", action="append", metavar="VALUE", help="an argument of the function, in order; lists as JSON")
    trying.add_argument("--value", metavar="AMOUNT", help="coins sent along, such as 0.1")
    trying.add_argument("--at", metavar="TIME", help="when: 2026-12-01T10:00 (UTC) or seconds (default: now)")
    trying.add_argument("--by-key", action="store_true", help="the key calls with its own transaction instead of an operation")
    trying.add_argument("--paymaster", metavar="ADDRESS", help="who pays for gas")
    trying.add_argument("--rpc", default="", metavar="URL", help="ask the chain behind this RPC too")
    trying.add_argument("--owner", metavar="ADDRESS", help="the account's owner, where it is not deployed yet")
    trying.add_argument("--account", metavar="ADDRESS", help="the account, where the grant names none")
    trying.add_argument("--chain-id", type=int, metavar="N", help="the network, where the grant names none")


def _sessions(commands: _Commands, common: argparse.ArgumentParser) -> None:
    text = "what is active on chain, how much of it is left, and when it ends; ends with 0 when everything could be read"
    add_options(_command(commands, common, "sessions", "sessions:run", text))
    text = "say what happens to sessions, until Ctrl+C: one that appears, a limit or a time that runs out, a grant's first use"
    watch = _command(commands, common, "watch", "watch:run", text)
    add_options(watch)
    watch.add_argument("--every", type=int, metavar="SECONDS", help="read so often (default: every minute)")
    watch.add_argument("--once", action="store_true", help="read once, say what is new since the last time, and end")


def _endings(commands: _Commands, common: argparse.ArgumentParser) -> None:
    revoke = _ending(
        commands, common, "revoke", "end sessions: their keys are refused from then on, and what they stored is cleared"
    )
    revoke.add_argument("--entity", type=int, action="append", metavar="N", help="this session; may be repeated")
    revoke.add_argument("--all", action="store_true", help="every session, and every grant in the book that could still be used")
    cancel = _ending(commands, common, "cancel", "make signed grants that were not used yet unusable")
    cancel.add_argument("--grant", type=int, action="append", metavar="N", help="its number in the book; may be repeated")
    cancel.add_argument("--entity", type=int, action="append", metavar="N", help="the grant for this session")
    cancel.add_argument("--all", action="store_true", help="every grant of the account that could still be used")
    tighten = _ending(
        commands, common, "tighten", "lower what is left of a session's limits, or end it earlier; never the other way"
    )
    tighten.add_argument("--entity", type=int, required=True, metavar="N")
    tighten.add_argument("--native", metavar="AMOUNT", help="coins that shall be left to send, such as 0.05")
    tighten.add_argument("--gas", metavar="AMOUNT", help="coins that shall be left for gas")
    tighten.add_argument(
        "--token", action="append", metavar="ADDRESS=AMOUNT", help="what shall be left of a token, in its smallest units"
    )
    tighten.add_argument("--until", metavar="TIME", help="the new end: 2026-12-01T10:00 (UTC) or seconds")
    _ending(commands, common, "clean", "remove what ended sessions left stored, so that it cannot come back into force")
    text = "send a revocation, cancellation or transaction that another machine signed"
    send = _command(commands, common, "send", "ending:send", text)
    send.add_argument("file", metavar="FILE|-", help="the signed hand-over")
    text = "look for what was on its way when the program ended, and send again what is nowhere; signs nothing"
    resume = _command(commands, common, "resume", "ending:resume", text)
    group = _group(commands, "break-glass", "operations signed ahead, for the day when nothing else works")
    make = _command(
        group, common, "make", "ending:make", "sign ahead what ends everything that is known now, and keep it in the vault"
    )
    listing = _command(group, common, "list", "ending:list_", "what is kept, what it ends and what it needs")
    use = _command(group, common, "use", "ending:use", "send it, through any bundler or by any key of the vault that has money")
    use.add_argument("id", metavar="ID", help="as `break-glass list` names it")
    use.add_argument("--via", choices=("bundler", "self"), help="how it is sent (default: the bundler where one is set)")
    for command in (send, resume, make, listing, use):
        add_options(command, account=command is make)
        _passphrase(command)


def _ending(commands: _Commands, common: argparse.ArgumentParser, name: str, text: str) -> argparse.ArgumentParser:
    """A command that reads an account, asks, signs and sends."""
    command = _command(commands, common, name, f"ending:{name}", text)
    add_options(command)
    ways = "through the bundler, by the owner's own transaction, by any key of the vault that has money, or for another machine"
    command.add_argument(
        "--via", choices=("bundler", "owner", "self", "export"), help=f"{ways} (default: the first that is possible)"
    )
    command.add_argument("--output", metavar="FILE", help="with --via export: write the unsigned hand-over here")
    command.add_argument("--dry-run", action="store_true", help="try it on the chain, print the ways and what each costs, and end")
    _passphrase(command)
    return command


def _account(commands: _Commands, common: argparse.ArgumentParser) -> None:
    group = _group(commands, "account", "account addresses")
    predict = _command(group, common, "predict", "account:predict", "the address an account has or will have")
    predict.add_argument("--owner", required=True, metavar="ADDRESS")
    predict.add_argument("--salt", default="0", metavar="N", help="a whole number, decimal or 0x (default 0)")
    predict.add_argument(
        "--mode", choices=("sma", "ma", "7702"), default="sma", help="semi-modular (default), modular, or EIP-7702"
    )


def _vault(commands: _Commands, common: argparse.ArgumentParser) -> None:
    group = _group(commands, "vault", "master keys")
    create = _command(group, common, "create", "vault:create", "make a master key from new recovery words, shown once")
    create.add_argument("--words", type=int, choices=(12, 24), default=12)
    bring = _command(
        group, common, "import", "vault:import_", "bring a master key: recovery words, a private key, or a keystore file"
    )
    bring.add_argument(
        "file",
        metavar="FILE|-",
        nargs="?",
        help="read the secret from here instead of asking (the signer reads it, nothing else does)",
    )
    for command in (create, bring):
        command.add_argument("--label", default="", metavar="TEXT", help="your own name for the key")
    export = _command(group, common, "export", "vault:export", "write a master key as a keystore V3 file")
    export.add_argument("address", metavar="ADDRESS")
    export.add_argument("--output", metavar="FILE", help="where to write it (default: print)")
    expert = _command(group, common, "expert", "vault:expert", "turn the expert switch on or off")
    expert.add_argument("switch", choices=("on", "off"))
    listing = _command(group, common, "list", "vault:list_", "the vault's master keys")
    for command in (create, bring, export, expert, listing):
        _passphrase(command)


def _practice(commands: _Commands, common: argparse.ArgumentParser) -> None:
    practice = _command(
        commands, common, "practice", "practice:run", "run a practice chain with an account, tokens and a demo dApp, until Ctrl+C"
    )
    practice.add_argument("--port", type=int, default=0, metavar="N", help="listen on this port of 127.0.0.1 (default: a free one)")
    practice.add_argument(
        "--clone-from", default="", metavar="URL", help="copy the account's contracts from the chain behind this RPC"
    )
    practice.add_argument("--window", action="store_true", help="open the window too, and stop when it is closed")
    actions: _Commands = practice.add_subparsers(metavar="ACTION")
    use = _command(actions, common, "use", "practice:use", "let the demo dApp use a signed grant on the running practice chain")
    use.add_argument("file", metavar="FILE|-", help="the signed grant, in any form the window hands over")


def _passphrase(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--passphrase-fd", type=int, metavar="N", help="read the passphrase from this file descriptor (one line) instead of asking"
    )
