"""`latchkey account predict`."""

from __future__ import annotations

from argparse import Namespace

from latchkey.accounts.system import system
from latchkey.cli.output import Output
from latchkey.core.account import Mode
from latchkey.core.types import Address, to_hex
from latchkey.errors import BadInput
from latchkey.language import tr


def predict(options: Namespace, output: Output) -> None:
    """The same on every network: the address does not depend on the chain id."""
    owner = Address.parse(options.owner, path="owner")
    account = system("modular_account").predict(1, owner, _salt(options.salt), Mode(options.mode))
    result = {
        "address": str(account.address),
        "mode": str(account.mode),
        "owner": str(owner),
        "initCode": to_hex(account.init_code),
    }
    output.result(result, str(account.address))


def _salt(text: str) -> int:
    try:
        if len(text) > 80 or "_" in text:
            raise ValueError
        return int(text, 16) if text[:2].lower() == "0x" else int(text)
    except ValueError:
        raise BadInput(tr("The salt is a whole number, decimal or 0x hexadecimal."), path="salt") from None
