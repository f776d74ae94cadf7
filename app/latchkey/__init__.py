"""Latchkey: turns a master key into narrow, expiring session keys for smart accounts."""

__version__ = "0.1.0"
