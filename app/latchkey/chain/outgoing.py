"""Every request this program can make of another machine, for a person to read before any is made.

It stands beside the code that makes them (`wire.post` is the one door), and a test holds the two together: a JSON-RPC method that is
named anywhere in `chain/` or `flow/` and in no row here fails it, as does a row for a method that nobody asks any more.
"""

from __future__ import annotations

from dataclasses import dataclass

from latchkey.language import tr


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`to`, `when`, `reveals`: for a person. `methods`: of JSON-RPC, every one. `leaves`: whether it leaves this computer."""

    what: str
    to: str
    when: str
    reveals: str
    methods: tuple[str, ...]
    leaves: bool = True


_YOUR_RPC = tr("The RPC you set for the network, and the second one if there is one")

OUTGOING = (
    Outgoing(
        tr("What the chain knows of your accounts: sessions, limits, balances, code"),
        _YOUR_RPC,
        tr("When you open Sessions or read them again; about every minute while your keys are unlocked; around a grant that is reviewed"),
        tr("Your computer's network address, your accounts and sessions, and when you look"),
        (
            "eth_chainId", "eth_call", "eth_getBalance", "eth_getBlockByNumber", "eth_getCode", "eth_getLogs", "eth_getStorageAt",
            "eth_getTransactionByHash",
        ),
    ),
    Outgoing(
        tr("Trying a call, an ending or a payment without sending it, and what it would cost"),
        _YOUR_RPC,
        tr("When you press Try, and before an ending is signed"),
        tr("The call, your account, and that you think about making it"),
        ("eth_blockNumber", "eth_call", "eth_estimateGas", "eth_feeHistory", "eth_gasPrice", "eth_simulateV1", "debug_traceTransaction"),
    ),
    Outgoing(
        tr("Sending an ending, a cancellation or a change of limits, and what came of it"),
        _YOUR_RPC,
        tr("When you sign and send; after a restart for what was on its way"),
        tr("The transaction, which everybody sees on the chain anyway, and that it came from you"),
        ("eth_sendRawTransaction", "eth_getTransactionByHash", "eth_getTransactionCount", "eth_getTransactionReceipt"),
    ),
    Outgoing(
        tr("The same through a bundler"),
        tr("The bundler you set for the network"),
        tr("When you choose it to send an ending"),
        tr("The operation, your account, and that it came from you"),
        (
            "eth_chainId", "eth_supportedEntryPoints", "eth_estimateUserOperationGas", "eth_sendUserOperation",
            "eth_getUserOperationReceipt",
        ),
    ),
    Outgoing(
        tr("Testing an address before you keep it"),
        tr("The address you are about to set"),
        tr("When you press Test in Settings"),
        tr("Your computer's network address and that you consider this service"),
        ("eth_chainId", "eth_getBlockByNumber", "eth_getLogs", "eth_supportedEntryPoints"),
    ),
    Outgoing(
        tr("Having a session compiled by the Wallet APIs"),
        tr("The Wallet APIs' address in Settings, with your key for it"),
        tr("When you press the button that asks for it; never if you set no key"),
        tr("The account, the session's key, its permissions and end, and your key for the service"),
        ("wallet_createSession",),
    ),
    Outgoing(
        tr("Copying published contracts for the practice chain"),
        tr("The RPC you name to “latchkey practice --clone-from”"),
        tr("Once, when you run that command"),
        tr("Your computer's network address; nothing of yours"),
        ("eth_getBlockByNumber", "eth_getCode"),
    ),
    Outgoing(
        tr("The practice chain"),
        tr("A program on this computer that Latchkey starts itself"),
        tr("When you practise"),
        tr("Nothing: it does not leave this computer"),
        (
            "anvil_dropAllTransactions", "anvil_setBalance", "anvil_setCode", "eth_chainId", "eth_getCode", "eth_getTransactionReceipt",
            "eth_sendTransaction", "evm_mine",
        ),
        leaves=False,
    ),
)  # fmt: skip
