"""Secrets and signers: the vault file, the signer process and its client. No Qt, no network, no disk.

file, contents, keys, secret, passphrase            what is at rest, and what keys are
signer, keeper, gate, harden                        the signer process: holds keys, and what it gives up for that
previews, signing, endings, sessions, seal          what it does: signs what it has read itself; session keys leave sealed
questions, prompt                                   what it asks the person, and where: desk, terminal, descriptor
client, model                                       what the window and the command line see of it: never a secret
frames, cbor, wire                                  how processes of ours speak to each other
os_keyring, keyring_process                         the keyring of this computer, behind a process of its own
"""
