"""What a request asked for beside what is given, for the person, and for the dApp that gets the answer."""

from __future__ import annotations

from dataclasses import replace

from latchkey.core.draft import Draft
from latchkey.core.narrow import Asked, check_narrower
from latchkey.core.phrases import Phrase
from latchkey.core.request import NO_CLAIMS, Claims, SessionRequest
from latchkey.core.words_difference import difference
from latchkey.errors import Mismatch, Refused
from latchkey.language import tr


def changes(asked: Asked, draft: Draft, *, claims: Claims = NO_CLAIMS) -> tuple[Phrase, ...]:
    """What the grant gives less than was asked, in words; empty when it gives all of it. An end left open is no difference."""
    wished = replace(draft, permissions=asked.permissions, expiry=draft.expiry if asked.expiry is None else asked.expiry)
    return difference(wished, draft, claims=claims)


def asked_of(request: SessionRequest) -> Asked:
    return Asked(request.permissions, request.expiry)


def told(request: SessionRequest | None, draft: Draft) -> Asked | None:
    """What the reply says was asked: nothing without a request, and nothing where all of it is given."""
    if request is None:
        return None
    asked = asked_of(request)
    return asked if changes(asked, draft) else None


def check_told(asked: Asked | None, draft: Draft) -> None:
    """Hold a reply's statement against its bytes. Raises Mismatch when it says that less was asked than is given, or exactly that."""
    if asked is None:
        return
    try:
        check_narrower(asked, draft.permissions, draft.expiry)
    except Refused:
        raise Mismatch(tr("asked in the envelope is less than what its bytes give."), path="asked") from None
    if not changes(asked, draft):
        raise Mismatch(tr("asked in the envelope is just what its bytes give."), path="asked")
