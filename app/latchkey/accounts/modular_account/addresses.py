"""Where the contracts are (the same on every chain), and which address an account has."""

from __future__ import annotations

from latchkey.core.account import Account, Mode
from latchkey.core.types import MAX_UINT256, Address, keccak
from latchkey.errors import BadInput
from latchkey.language import tr

ENTRY_POINT = Address.parse("0x0000000071727De22E5E9d8BAf0edAc6f37da032")
FACTORY = Address.parse("0x00000000000017c61b5bEe81050EC8eFc9c6fecd")
SEMI_MODULAR_ACCOUNT = Address.parse("0x000000000000c5A9089039570Dd36455b5C07383")
SEMI_MODULAR_ACCOUNT_STORAGE_ONLY = Address.parse("0x0000000000006E2f9d80CaEc0Da6500f005EB25A")
MODULAR_ACCOUNT = Address.parse("0x00000000000002377B26b1EdA7b0BC371C60DD4f")
SEMI_MODULAR_ACCOUNT_7702 = Address.parse("0x69007702764179f14F51cdce752f4f775d74E139")
SEMI_MODULAR_ACCOUNT_7702_V110 = Address.parse("0x77021100bD87b7008E5E1989d0eB38555d0d0000")
EXECUTION_INSTALL_DELEGATE = Address.parse("0x0000000000008e6a39E03C7156e46b238C9E2036")
SINGLE_SIGNER = Address.parse("0x00000000000099DE0BF6fA90dEB851E2A2df7d83")
WEBAUTHN = Address.parse("0x0000000000001D9d34E07D9834274dF9ae575217")
ALLOWLIST = Address.parse("0x00000000003e826473a313e600b5b9b791f5a59a")
ALLOWLIST_V200 = Address.parse("0x0000000000002311EEE9A2B887af1F144dbb4F6e")
NATIVE_TOKEN_LIMIT = Address.parse("0x00000000000001e541f0D090868FBe24b59Fbe06")
TIME_RANGE = Address.parse("0x00000000000082B8e2012be914dFA4f62A0573eA")
PAYMASTER_GUARD = Address.parse("0x0000000000001aA7A7F7E29abe0be06c72FD42A1")

#: Contracts a session must never call: each would let it raise its own limits, or reach the account's deposit or code.
PROTECTED: dict[Address, str] = {
    ENTRY_POINT: tr("the EntryPoint"),
    FACTORY: tr("the account factory"),
    SEMI_MODULAR_ACCOUNT: tr("an account implementation"),
    SEMI_MODULAR_ACCOUNT_STORAGE_ONLY: tr("an account implementation"),
    MODULAR_ACCOUNT: tr("an account implementation"),
    SEMI_MODULAR_ACCOUNT_7702: tr("an account implementation"),
    SEMI_MODULAR_ACCOUNT_7702_V110: tr("an account implementation"),
    EXECUTION_INSTALL_DELEGATE: tr("the account's install delegate"),
    SINGLE_SIGNER: tr("the module that holds session signers"),
    WEBAUTHN: tr("the module that holds passkeys"),
    ALLOWLIST: tr("the module that holds allowlists and token limits"),
    ALLOWLIST_V200: tr("a module that holds allowlists"),
    NATIVE_TOKEN_LIMIT: tr("the module that holds ETH and gas limits"),
    TIME_RANGE: tr("the module that holds expiry times"),
    PAYMASTER_GUARD: tr("the module that holds paymaster rules"),
}

_PROXY_TAIL = bytes.fromhex(
    "60095155f3363d3d373d3d363d7f360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc545af43d6000803e6038573d6000fd5b3d6000f3"
)
PROXY_CODE = _PROXY_TAIL[5:]  # what an account's proxy runs; a semi-modular account's has its first owner behind it
_SEMI_MODULAR_PROXY = bytes.fromhex("6100513d8160233d3973")
_MODULAR_PROXY = bytes.fromhex("603d3d8160223d3973")
_CREATE_SEMI_MODULAR = bytes.fromhex("8b4e464e")  # createSemiModularAccount(address,uint256)
_CREATE_MODULAR = bytes.fromhex("afa63a10")  # createAccount(address,uint256,uint32)
_NO_ENTITY = b"\xff\xff\xff\xff"


def predict(chain_id: int, owner: Address, salt: int, mode: Mode) -> Account:
    """The account of `owner`: counterfactual for SMA and MA (entity 0), the owner's own address for 7702.

    `salt`: uint256, ignored for 7702. `init_code` is factory || factory data, empty for 7702 (its code comes by authorization).
    """
    if not 0 <= salt <= MAX_UINT256:
        raise BadInput(tr("The salt is a whole number from 0 to 2^256 - 1."), path="salt")
    if mode is Mode.EIP7702:
        return Account(chain_id, owner, "modular_account", mode, owner)
    number = salt.to_bytes(32, "big")
    if mode is Mode.SMA:
        combined = keccak(owner.raw + number + _NO_ENTITY)
        proxy = _SEMI_MODULAR_PROXY + SEMI_MODULAR_ACCOUNT.raw + _PROXY_TAIL + owner.raw
        factory_data = _CREATE_SEMI_MODULAR + bytes(12) + owner.raw + number
    elif mode is Mode.MA:
        combined = keccak(owner.raw + number + bytes(4))
        proxy = _MODULAR_PROXY + MODULAR_ACCOUNT.raw + _PROXY_TAIL
        factory_data = _CREATE_MODULAR + bytes(12) + owner.raw + number + bytes(32)
    else:
        raise BadInput(tr("An account known by its address alone is not derived from an owner."), path="mode")
    address = Address.from_bytes(keccak(b"\xff" + FACTORY.raw + combined + keccak(proxy))[12:])
    return Account(chain_id, address, "modular_account", mode, owner, salt, FACTORY.raw + factory_data)
