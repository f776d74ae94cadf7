"""Copying published code as the program itself does it."""

from latchkey.chain.clone import KNOWN, CannotClone, clone_code

__all__ = ["KNOWN", "CannotClone", "clone_code"]
