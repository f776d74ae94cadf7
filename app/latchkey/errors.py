"""The whole exception tree.

    LatchkeyError                 .text is a sentence for a person; .code a stable name; .path a field
     ├── BadInput                 untrusted input of the wrong shape, size, depth or version
     ├── NotServed                a known system or format that Latchkey recognises but cannot serve yet
     ├── Refused                  a well-formed draft or request that must not be granted
     ├── CannotDecode             bytes that mean nothing this program knows
     ├── Mismatch                 two readings of one thing differ (builder/decoder, signature/owner)
     ├── VaultError               vault file: missing, damaged, too new, parameters out of bounds
     │    └── WrongPassphrase
     ├── SignerError              the signer process: gone, refused, protocol broken
     │    ├── Declined            the person said no at the desk
     │    └── Locked
     ├── StoreError               disk: cannot write, book damaged or newer than this program
     └── ChainError               networks: no RPC set, not reached, too slow, refusing, not to be believed; the practice chain

A `.text` never holds a secret and never holds text that came from outside (names, remote errors);
values that are safe to show (a field's name, a number, an address already checked) may stand in it.
"""

from __future__ import annotations


class LatchkeyError(Exception):
    """Base of every error a person may see.

    `text`: one sentence saying what is wrong and what to do. `code`: stable CamelCase name for
    scripts, the class name unless given. `path`: JSON-path-like place of the field ("permissions[0].data.address").
    """

    def __init__(self, text: str, *, code: str | None = None, path: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.code = code or type(self).__name__
        self.path = path


class BadInput(LatchkeyError):
    pass


class NotServed(LatchkeyError):
    pass


class Refused(LatchkeyError):
    pass


class CannotDecode(LatchkeyError):
    pass


class Mismatch(LatchkeyError):
    pass


class VaultError(LatchkeyError):
    pass


class WrongPassphrase(VaultError):
    pass


class SignerError(LatchkeyError):
    pass


class Declined(SignerError):
    pass


class Locked(SignerError):
    pass


class StoreError(LatchkeyError):
    pass


class ChainError(LatchkeyError):
    pass
