"""`latchkey watch`: one line for each thing a person should hear of, until Ctrl+C."""

from __future__ import annotations

import threading
import time
from argparse import Namespace
from typing import Any

from latchkey.cli.network_options import chains_of, named_accounts
from latchkey.cli.output import Output
from latchkey.cli.vault import folder_of
from latchkey.errors import BadInput
from latchkey.flow.sessions import Sessions
from latchkey.flow.watch import Notice, Watch
from latchkey.language import tr, trn
from latchkey.store.book import Book

LEAST = 2  # seconds between readings


def run(options: Namespace, output: Output) -> int:
    """With --once: 0 when every account could be read."""
    if options.every is not None and options.every < LEAST:
        raise BadInput(tr("--every takes a number of seconds from {least} on.", least=LEAST), path="every")
    folder = folder_of(options)
    with Book.open(folder.book) as book:
        chains = chains_of(options, folder)
        accounts = named_accounts(options, book)
        for account in accounts:
            chains.node(account.chain_id)  # an account that cannot be watched is said at once
        clock = _clock
        watch = Watch(Sessions(book, chains, clock), book, clock, every=options.every)
        if options.once:
            notices = watch.look(accounts=accounts)
            for notice in notices:
                _say(notice, output)
            return 1 if any(notice.kind == "silent" for notice in notices) else 0
        output.say(trn("Watching {count} account. Ctrl+C stops it.", "Watching {count} accounts. Ctrl+C stops it.", len(accounts)))
        try:
            watch.run(lambda notice: _say(notice, output), threading.Event(), accounts)
        except KeyboardInterrupt:
            output.say(tr("\nStopped."))
    return 0


def _clock() -> int:
    return int(time.time())


def _say(notice: Notice, output: Output) -> None:
    output.result(_json(notice), f"{notice.level}: {notice.sentence}")


def _json(notice: Notice) -> dict[str, Any]:
    """One line of `watch --json`; `entityId` 0 when it is about the account."""
    return {
        "kind": notice.kind.value,
        "level": str(notice.level),
        "sentence": notice.sentence,
        "chainId": notice.account.chain_id,
        "account": str(notice.account.address),
        "entityId": notice.entity_id,
    }
