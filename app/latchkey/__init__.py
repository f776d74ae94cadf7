"""Latchkey: turns a master key into narrow, expiring session keys for smart accounts.

The rooms, imports pointing down only: core <- accounts, codec <- vault, chain, store <- flow <- bridge, ui, cli. Each says in its own
`__init__` what it is for and what it never does; pyproject.toml and tests/test_architecture.py hold the walls.

Processes of `__main__`: the window (ui) or a command (cli); the signer (vault), which holds the keys; the desk (ui/desk), where secrets are
typed and signatures confirmed; the bridge, for dApps; the keyring's errands (vault).
"""

__version__ = "0.1.0"
