"""The same chain with a bundler, the same signer and accounts of one's own as the other clients have."""

from tests.clients.conftest import salt, signer, stage

__all__ = ["salt", "signer", "stage"]
