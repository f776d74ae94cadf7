"""Prints, as JSON, what of the pictures named is not in the made-up language, or does not fit at the smallest size with its longer texts.

`LATCHKEY_LANGUAGE=pseudo python -m tests.gui.pseudo_driver NAME...`: the language is chosen once, when a process starts.
"""

from __future__ import annotations

import json
import sys

from tests.gui import page_pictures, pictures, walk

#: what the samples bring with them: names people and dApps chose, networks, and words of standards
SAMPLE = {
    *page_pictures.NAMES, "Games", "Savings", "Game account", "Skirmish Rooms", "Payroll bot", "Claim rewards", "Rooms, first key",
    "Rooms", "Main", "Second", "Ethereum", "Base", "Polygon", "Polygon Amoy", "Sepolia", "Arbitrum One", "Arbitrum", "OP Mainnet", "OP",
    "Session of day 1", "Remove this account?", "Its grants stay in the book.", "Remove", "Inter", "deferred", "test", "junk",
    "is damaged or not a book.", '{"type": "function", "name": "claim", "inputs": ',
    "Turn on", "expert", "xX Airdrop Xx", "Integrated camera",
    "Show it to the camera of the machine that prepared it, or bring it the file.",
    "Turn the expert switch on?", "Full control may then be granted.", "every network",
    *(text for ask in page_pictures.DESK.values() for text in (ask.get("purpose", ""), ask.get("retry", ""), ask.get("text", ""))),
}  # fmt: skip
SMALLEST = (900, 600)


def main(names: list[str]) -> int:
    from PySide6.QtWidgets import QApplication

    from latchkey.ui import theme
    from latchkey.ui.window import Window

    application = QApplication([])
    theme.apply(application, "light")
    makers, found = pictures.gather(), {}
    for name in names:
        with pictures.stage_for(application) as stage:
            root = makers[name](stage)
            if isinstance(root, Window):
                root.resize(*SMALLEST)
            for _ in range(8):  # workers answer, and what they say is laid out
                stage.settle(0.15)
                if not (faults := walk.clipped(root)):
                    break
            found[name] = [*faults, *walk.english(root, SAMPLE - {""})]
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
