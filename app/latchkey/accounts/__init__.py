"""Account systems: how an account lets keys in. One package each, behind `system.AccountSystem`, found by `system.REGISTRY`."""
