"""The independent decoder: what bytes for a Modular Account V2 mean, with every byte it does not know named.

Written from the protocol text, apart from the builder and sharing nothing with it, so that building and reading check each other.
Hostile input is expected: everything raises CannotDecode (a sentence, and `.path`) or ends as `Unknown` entries in the reading.
"""

from __future__ import annotations

from latchkey.accounts.modular_account.decode_calls import MAX_CALL, MAX_DEPTH, decode_call
from latchkey.accounts.modular_account.decode_deferred import MAX_BLOB, decode_blob, decode_typed_data, decode_unsigned
from latchkey.accounts.modular_account.decode_operation import MAX_OPERATION, decode_operation, decode_transaction

__all__ = [
    "MAX_BLOB",
    "MAX_CALL",
    "MAX_DEPTH",
    "MAX_OPERATION",
    "decode_blob",
    "decode_call",
    "decode_operation",
    "decode_transaction",
    "decode_typed_data",
    "decode_unsigned",
]
