"""From a reading back to the draft it stands for; refuses a reading that holds anything a draft cannot say."""

from __future__ import annotations

from latchkey.accounts.modular_account.addresses import SINGLE_SIGNER
from latchkey.core.account import Account
from latchkey.core.draft import Draft
from latchkey.core.reading import Deferred, Install, unknown_in
from latchkey.errors import CannotDecode
from latchkey.language import tr


def draft_of(reading: Deferred, account: Account) -> Draft:
    """Raises CannotDecode with the first thing that has no place in a draft. The caller rebuilds and compares the bytes."""
    install = reading.action
    if not isinstance(install, Install):
        raise CannotDecode(tr("The signed action is not the installation of a session key."), code="NotASessionGrant", path="call")
    unknown = unknown_in(reading)
    if unknown:
        raise CannotDecode(
            tr("These bytes hold something Latchkey does not know: {where}. {why}", where=unknown[0].where, why=unknown[0].why),
            code="UnknownBytes",
            path=unknown[0].where,
        )
    if install.session_key is None or install.module != SINGLE_SIGNER:
        raise CannotDecode(
            tr("The key is not held by the single-signer module."), code="UnknownValidation", path="validationConfig"
        )
    if (reading.account or account.address) != account.address or (reading.chain_id or account.chain_id) != account.chain_id:
        raise CannotDecode(tr("The bytes name another account or chain."), code="OtherAccount", path="domain")
    return Draft(
        system="modular_account",
        chain_id=account.chain_id,
        account=account.address,
        entity_id=install.entity_id,
        nonce_key=reading.nonce_key,
        sequence=reading.sequence,
        expiry=reading.deadline,
        session_key=install.session_key,
        permissions=install.permissions,
    )
