"""Grants to put in a book: real drafts with a nonce of choice."""

from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft
from latchkey.core.permissions import permissions_from_json
from latchkey.core.request import Claims
from latchkey.core.types import Address
from latchkey.store.book import GrantRecord

ALICE = Address.parse("0x" + "a1" * 20)
BOB = Address.parse("0x" + "b0" * 20)
KEY = Address.parse("0x" + "5e" * 20)
TOKEN = Address.parse("0x" + "70" * 20)
ACCOUNT = Account(31337, ALICE, "modular_account", Mode.SMA, owner=BOB, salt=2**255 + 1, init_code=b"\x01\x02", label="Everyday é")
CLAIMS = Claims("Dungeon", "https://dungeon.example", ((TOKEN, "Gold", "GLD", 18), (KEY, "", "", None)), ("mint(uint256)",))


def draft(account: Account = ACCOUNT, entity_id: int = 7) -> Draft:
    permissions = [
        {"type": "native-token-transfer", "data": {"allowance": "0x" + "f" * 64}},
        {"type": "erc20-token-transfer", "data": {"address": TOKEN, "allowance": "0x3e8"}},
        {"type": "functions-on-contract", "data": {"address": BOB, "functions": ["0x12345678"]}},
    ]
    return Draft(
        account.system,
        account.chain_id,
        account.address,
        entity_id,
        2**100,
        0,
        1_900_000_000,
        KEY,
        permissions_from_json(permissions),
    )


def grant(nonce: int, account: Account = ACCOUNT, **fields: object) -> GrantRecord:
    values: dict[str, object] = {"draft": draft(account), "nonce": nonce, "unsigned": b"\x00unsigned", "created": 1_800_000_000}
    return GrantRecord(**(values | fields))  # type: ignore[arg-type]
