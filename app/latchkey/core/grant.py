"""A grant: a draft made exact, as bytes an owner signs."""

from __future__ import annotations

from dataclasses import dataclass

from latchkey.core.draft import Draft


@dataclass(frozen=True, slots=True)
class Grant:
    """Not signed yet.

    `call`: the account call that installs the session. `nonce`: uint256 of the operation that will carry it.
    `digest`: the 32 bytes the owner signs. `unsigned`: flag byte || nonce(32) || length(4) || encoded data.
    `needs_execute_user_op`: the session's calls must be wrapped in executeUserOp (an execution hook exists).
    """

    draft: Draft
    call: bytes
    nonce: int
    digest: bytes
    needs_execute_user_op: bool
    unsigned: bytes


@dataclass(frozen=True, slots=True)
class SignedGrant:
    """`signature`: r||s||v, 65 bytes. `blob`: what aa-sdk calls deferredAction (flag || nonce || deferred_action_data)."""

    grant: Grant
    signature: bytes
    deferred_action_data: bytes
    blob: bytes
