"""Revert data in words, as the program itself says it."""

from latchkey.chain.reasons import explain, module_name

__all__ = ["explain", "module_name"]
