"""Whether the contracts that a reading rests on are the published ones: nothing a chain says is believed before."""

from __future__ import annotations

from collections.abc import Sequence

from latchkey.accounts.system import Contracts
from latchkey.chain.anvil import CHAIN_ID as PRACTICE
from latchkey.chain.places import PUBLISHED, Published, runtime
from latchkey.core.types import Address, keccak, to_hex
from latchkey.errors import ChainError
from latchkey.language import tr

#: What has to be asked for, in the order `vouched` takes the answers.
ADDRESSES: tuple[Address, ...] = tuple(p.address for p in PUBLISHED)


class NotTrusted(ChainError):
    """A contract of the account system is missing or is another one than was published."""


def vouched(chain_id: int, codes: Sequence[bytes]) -> Contracts:
    """Which published contracts the chain has, by their code. The practice chain may have stand-ins. Raises NotTrusted."""
    found = {p.address: _is_published(p, code, chain_id) for p, code in zip(PUBLISHED, codes, strict=True) if code}
    if not found.get(PUBLISHED[0].address):
        raise NotTrusted(tr("This network has no {name}, so there are no accounts of this kind on it.", name=PUBLISHED[0].name))
    return found


def _is_published(published: Published, code: bytes, chain_id: int) -> bool:
    if to_hex(keccak(code)) == published.code_hash:
        return True
    if chain_id == PRACTICE and published.stand_in and code == runtime(published.stand_in):
        return False
    raise NotTrusted(
        tr(
            "What this RPC shows as {published_name} is not the published {published_name}; nothing it says is believed.",
            published_name=published.name,
        )
    )
