"""Drafts judged letter by letter as aa-sdk does: it compares addresses as text, so the request's own spelling has to be kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from latchkey.core.draft import Draft
from latchkey.core.types import Address


def as_written(draft: Draft, value: dict[str, Any]) -> Draft:
    """The draft with every address spelled as in the JSON object it was read from. For Policy.COMPAT only."""
    permissions = []
    for permission, written in zip(draft.permissions, value["permissions"], strict=True):
        spelling = written.get("data", {}).get("address")
        permissions.append(replace(permission, address=Address(spelling)) if spelling else permission)  # type: ignore[type-var]
    return replace(draft, account=Address(value["account"]), permissions=tuple(permissions))
