"""Secrets and signers: the vault file, the signer process and its client. No Qt, no network, no disk.

file, contents, keys, secret     what is at rest and what keys are
signer, keeper, prompt, gate     the signer process: holds keys, asks the person, signs what it has read itself
client, model                    what the window and the command line see of it
seal                             how a session key made here leaves: sealed to the dApp, or under a code of six words
"""
