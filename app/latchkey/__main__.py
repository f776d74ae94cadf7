"""argv -> window | command line | signer | desk | bridge | self-test. Nothing heavy is imported before it is known which.

Each is a process of its own; `signer`, `desk`, `keyring` and `bridge` are started by Latchkey itself, never by a person.
"""

from __future__ import annotations

import sys

OFFLINE = "--offline"


def main(argv: list[str] | None = None) -> int:
    """Run the program; returns the exit code: 0 done, 1 failed, 2 refused or bad input."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if OFFLINE in options:  # before anything else is loaded
        from latchkey.offline import lock_down

        lock_down()
        arguments.remove(OFFLINE)
    match arguments:
        case ["signer", *_]:
            from latchkey.vault.signer import main as signer

            return signer()
        case ["keyring", *_]:
            from latchkey.vault.keyring_process import main as keyring

            return keyring()
        case ["desk", *_]:
            from latchkey.ui.desk import main as desk

            return desk()
        case ["bridge", *_]:
            from latchkey.bridge import main as bridge

            return bridge()
        case [] | ["--data-dir", _]:  # the usual start: the window need not wait for a parser
            from latchkey.ui.app import main as window

            return window(arguments[1] if arguments else None)
        case ["--link", "--", *what] if len(what) < 2:  # from a desktop's menu, a link or a file; nothing in it can be an option
            from latchkey.ui.app import main as opened

            return opened(None, _path(what[0]) if what else None)
        case ["--data-dir", folder, "--link", "--", *what] if len(what) < 2:  # the same, for a folder that is carried about
            from latchkey.ui.app import main as opened

            return opened(folder, _path(what[0]) if what else None)
    from latchkey.cli import main as command_line

    sys.excepthook = lambda _kind, fault, _trace: _tell(fault)
    return command_line(arguments)


def _tell(fault: BaseException) -> None:
    """A fault of the program: without the messages of libraries, which may hold an address with a key in it."""
    from latchkey.store.reports import tell

    tell(fault)


def _path(what: str) -> str:
    """A desktop hands over files as file: addresses; links stay as they are."""
    from urllib.parse import unquote, urlsplit

    return unquote(urlsplit(what).path) if what.startswith("file:") else what


if __name__ == "__main__":
    sys.exit(main())
