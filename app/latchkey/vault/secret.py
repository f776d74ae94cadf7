"""Secret bytes that do not tell themselves by accident. Wiping is best effort: the end of the process is what really forgets."""

from __future__ import annotations

import hmac
from typing import NoReturn


class SecretBytes:
    """Bytes without a telling repr, without equality, never pickled or formatted. `reveal` is the one way out, easy to search for."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes | bytearray) -> None:
        self._data = bytearray(data)

    def reveal(self) -> bytes:
        """A copy that Python cannot wipe: use it at once and let it go."""
        return bytes(self._data)

    def wipe(self) -> None:
        """Overwrite this copy; the object is empty afterwards."""
        self._data[:] = bytes(len(self._data))
        self._data.clear()

    def same_as(self, other: SecretBytes) -> bool:
        """Comparison in constant time."""
        return hmac.compare_digest(self._data, other._data)

    def __len__(self) -> int:
        return len(self._data)

    def __repr__(self) -> str:
        return "SecretBytes(...)"

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("Secrets are compared with same_as.")

    __hash__ = None  # type: ignore[assignment]

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("Secrets are not pickled or copied.")
