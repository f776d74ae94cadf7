"""How often the large tests run: small seeded counts by default, the full ones with LATCHKEY_SOAK=1 (`make soak`)."""

import os

SOAK = os.environ.get("LATCHKEY_SOAK") == "1"


def count(small: int, full: int) -> int:
    return full if SOAK else small
