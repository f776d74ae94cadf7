"""Published facts to test against. Each file states its origin; the private keys in them are the public test keys of local chains."""

import json
from pathlib import Path
from typing import Any

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "modular-account-v2.json").read_text())


def draft_json(vector_input: dict[str, Any]) -> dict[str, Any]:
    """A vector's input as the command line's draft."""
    draft = {
        "system": "modular_account",
        "chainId": vector_input["chainId"],
        "account": vector_input["account"],
        "entityId": vector_input["entityId"],
        "nonceKey": hex(int(vector_input.get("nonceKey", "0"))),
        "sequence": int(vector_input.get("nonceSequence", "0")),
        "expiry": vector_input.get("deadline", 0),
        "sessionKey": vector_input.get("sessionKey", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
        "permissions": vector_input["permissions"],
    }
    return draft | ({"selectors": vector_input["selectors"]} if "selectors" in vector_input else {})
