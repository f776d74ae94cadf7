"""The errors with which the account and its modules refuse a call, in plain words."""

from __future__ import annotations

from latchkey.accounts.modular_account.model import Stage
from latchkey.language import tr

_SENTENCES = {
    "AddressNotAllowed": tr("It calls a contract that is not on the key's list."),
    "SelectorNotAllowed": tr("It calls a function that is not on the key's list for that contract."),
    "NoSelectorSpecified": tr("It names no function, and of that contract only listed functions may be called."),
    "ExceededTokenLimit": tr("It moves more of a token than the limit has left."),
    "InvalidCalldataLength": tr("A call to a token with a limit has to carry a receiver and an amount."),
    "SpendingRequestNotAllowed": tr("With a token limit, the key cannot use functions of the account itself."),
    "TimeRangeNotValid": tr("The session has ended, or has not begun."),
    "AA22 expired or not due": tr("The session has ended, or has not begun."),
    "BadPaymasterSpecified": tr("Another paymaster pays than the one the key is bound to."),
    "InvalidPaymaster": tr("No paymaster pays, and the key is bound to one."),
    "ValidationFunctionMissing": tr("The key may not call this function of the account itself."),
    "UnrecognizedFunction": tr("The account has no such function."),
    "SelfCallRecursionDepthExceeded": tr("The account does not call itself this way."),
    "RequireUserOperationContext": tr("The call has to be wrapped in executeUserOp."),
    "UserOpValidationInvalid": tr("The key cannot sign operations."),
    "NotAuthorized": tr("The account does not know this key."),
    "FallbackSignerDisabled": tr("The owner's key is switched off."),
    "Panic": tr("A number in it is larger than the chain can count with."),
    "": tr("It cannot be read, or the contract gives no reason."),
}


def sentence(error: str, stage: Stage) -> str:
    """What an error by that name says. Names may stand behind one another, the outermost first; the last one counts."""
    name = error.rpartition(", ")[2]
    if name == "ExceededNativeTokenLimit":
        if stage is Stage.VALIDATION:
            return tr("It may cost more gas than the gas limit has left.")
        return tr("It sends more of the account's coins than the limit has left.")
    return _SENTENCES.get(name, "It fails for a reason that Latchkey does not know.")
