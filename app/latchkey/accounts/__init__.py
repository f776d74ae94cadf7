"""Account systems: how an account lets keys in. One package each, behind `system.AccountSystem`, found by `system.REGISTRY`. Pure: which
questions to ask the chain is said here, asking them is not.

review, endings     from exact bytes to what a person reads before signing, for every system
transaction         an owner's own transaction, of no system
"""
