"""Text somebody else chose (names, web addresses, signatures), made safe to show on one line."""

from __future__ import annotations

from latchkey.core.lookalikes import one_line

clean = one_line
