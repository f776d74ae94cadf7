"""uninstallValidation that leaves nothing behind: every hook's own data cleared, in the order the account asks for.

The account wants one element per hook: validation hooks in reverse install order, then execution hooks in reverse install order.
"""

from __future__ import annotations

from latchkey.accounts.modular_account import abi
from latchkey.accounts.modular_account.addresses import ALLOWLIST, SINGLE_SIGNER
from latchkey.accounts.modular_account.build import hooks
from latchkey.core.draft import Draft

UNINSTALL_VALIDATION = bytes.fromhex("b6b1ccfe")  # uninstallValidation(bytes24,bytes,bytes[])
_CONFIG = 25  # module(20) || entity id(4) || flags(1)


def uninstall_call(draft: Draft) -> bytes:
    """Calldata that ends the session this draft installs and clears all it stored. To be sent by the owner."""
    installed = list(hooks(draft))
    validation = [h for h in installed if h[24] & 1]
    execution = [h for h in installed if not h[24] & 1]
    cleared = [_cleared(h) for h in validation[::-1] + execution[::-1]]
    entity = draft.entity_id.to_bytes(4, "big")
    tails = [abi.dynamic(abi.word(draft.entity_id)), abi.array([abi.dynamic(data) for data in cleared])]
    return b"".join((UNINSTALL_VALIDATION, abi.left(SINGLE_SIGNER.raw + entity), *abi.tail_offsets(3, tails), *tails))


def _cleared(hook: bytes) -> bytes:
    """What a hook module needs to forget: the allowlist module its whole list, the others their entity id."""
    if hook[:20] == ALLOWLIST.raw:
        return hook[_CONFIG:]
    return abi.word(int.from_bytes(hook[20:24], "big"))
