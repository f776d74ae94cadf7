"""The cases of tests/core/golden/sessions.txt. Run this file to write the texts anew, then read every changed line."""

from __future__ import annotations

from dataclasses import replace

from latchkey.core.contracts import ALLOWLIST, ALLOWLIST_V200, SINGLE_SIGNER, WEBAUTHN
from latchkey.core.names import Notes
from latchkey.core.permissions import (
    AccountFunctions,
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    PaymasterGuard,
    Root,
)
from latchkey.core.reading import Unknown
from latchkey.core.request import Claims
from latchkey.core.risk_sessions import Known, session_findings
from latchkey.core.session import Hook, Leftover, LimitKind, Session, state_of
from latchkey.core.types import Address
from latchkey.core.words_pieces import Names
from latchkey.core.words_sessions import describe_session, limit_line, summary
from tests.core.golden_cases import (
    CLAIMS,
    DAY,
    ETH,
    FOLDER,
    GAME,
    MOVE,
    NOTES,
    NOW,
    OTHER,
    PAY,
    ROUTER,
    SWAP,
    TRANSFER,
    USDC,
    Case,
    written,
)
from tests.sessions import draft, session_of

GOLD = Address.parse("0x" + "60" * 20)
ODD = Address.parse("0x" + "0d" * 20)
HERE, FOREIGN = Known(here=True), Known(here=False)
HALF_NATIVE, NO_GAS, NO_TOKENS = {LimitKind.NATIVE: ETH // 2}, {LimitKind.GAS: 0}, {LimitKind.ERC20: 0}
CAREFUL = draft(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(0), GasLimit(ETH // 100))
SPENDER = draft(ContractAccess(GAME), NativeTokenTransfer(ETH), GasLimit(ETH // 10), Erc20TokenTransfer(GOLD, 500))


def on_chain(
    name: str,
    session: Session,
    known: Known = HERE,
    *,
    now: int = NOW,
    claims: Claims | None = None,
    notes: Notes | None = None,
    stands: bool = False,
) -> Case:
    """`stands`: with what stands on the chain."""

    def text() -> str:
        said, own = claims or Claims(), notes or Notes()
        words = describe_session(session, now=now, claims=said, notes=own)
        lines = [f"state: {state_of(session, now).value}", f"line: {summary(session, claims=said, notes=own).plain}"]
        lines += [f"limit: {limit_line(limit, Names(session.account, said, own)).plain}" for limit in session.limits]
        lines.append(words.headline.plain)
        for heading, phrases in (
            ("It can", words.can),
            ("It cannot", words.cannot),
            ("Most you can lose", words.most_you_can_lose),
        ):
            lines += [heading, *(f"- {p.plain}" for p in phrases)] if phrases else []
        lines += [f"{label}: {value}" for label, value in words.signed] if stands else []
        lines += [f"{f.level.upper()} {f.id}: {f.sentence} {f.advice}" for f in session_findings(session, known, now=now)]
        return "\n".join(lines) + "\n"

    return Case(name, text)


def with_hook(session: Session, hook: Hook, why: str = "Latchkey does not know this module.") -> Session:
    unknown = (Unknown("hooks[0]", hook.raw, why),)
    return replace(session, hooks=(hook, *session.hooks), install=replace(session.install, unknown=unknown))


SESSIONS = (
    on_chain("careful", session_of(CAREFUL), stands=True),
    on_chain("careful-with-names", session_of(CAREFUL), claims=CLAIMS, notes=NOTES),
    on_chain("half-spent", session_of(SPENDER, left=HALF_NATIVE)),
    on_chain("half-spent-of-unknown-amounts", session_of(SPENDER, left=HALF_NATIVE, granted=False), FOREIGN),
    on_chain("gas-used-up", session_of(SPENDER, left=NO_GAS)),
    on_chain("tokens-used-up", session_of(SPENDER, left=NO_TOKENS)),
    on_chain("a-token-of-the-list", session_of(draft(Erc20TokenTransfer(USDC, 5_000_000), NativeTokenTransfer(0)))),
    on_chain("ends-soon", session_of(CAREFUL), now=NOW + DAY - 600),
    on_chain("last-second", session_of(CAREFUL), now=NOW + DAY),
    on_chain("ended", session_of(CAREFUL), FOREIGN, now=NOW + DAY + 1),
    on_chain("begins-later", replace(session_of(CAREFUL), install=replace(session_of(CAREFUL).install, valid_after=NOW + 3600))),
    on_chain("never-ends", session_of(draft(ContractAccess(GAME), expiry=0)), FOREIGN),
    on_chain("root", session_of(draft(Root())), FOREIGN),
    on_chain("appeared", session_of(CAREFUL), Known(here=False, appeared=True)),
    on_chain("more-than-granted", session_of(CAREFUL), Known(here=True, wider=True)),
    on_chain(
        "many-things",
        session_of(
            draft(
                FunctionsOnContract(GAME, (MOVE, SWAP)),
                FunctionsOnContract(ROUTER, (SWAP,)),
                ContractAccess(OTHER),
                FunctionsOnAllContracts((MOVE, PAY)),
                Erc20TokenTransfer(GOLD, 5),
                Erc20TokenTransfer(USDC, 1_500_000),
                Erc20TokenTransfer(ODD, 7),
                NativeTokenTransfer(1),
            )
        ),
    ),
    on_chain("paymaster", session_of(draft(ContractAccess(GAME), NativeTokenTransfer(0), PaymasterGuard(OTHER)))),
    on_chain("account-functions", session_of(draft(AccountFunctions((MOVE,)))), FOREIGN),
    on_chain("transfer-on-a-contract", session_of(draft(FunctionsOnContract(GOLD, (TRANSFER,)), NativeTokenTransfer(0)))),
    on_chain("nothing-at-all", replace(session_of(CAREFUL), install=replace(session_of(CAREFUL).install, permissions=()))),
    on_chain(
        "superseded-allowlist",
        with_hook(
            replace(session_of(CAREFUL), hooks=()),
            Hook(ALLOWLIST_V200, 5, 5, "AllowlistModule v2.0.0"),
            "This is the superseded allowlist module: a call wrapped in executeUserOp is not checked by it at all.",
        ),
        FOREIGN,
    ),
    on_chain("unknown-hook", with_hook(session_of(CAREFUL), Hook(ODD, 9, 1)), FOREIGN, stands=True),
    on_chain("only-a-used-up-token", session_of(draft(Erc20TokenTransfer(GOLD, 5), NativeTokenTransfer(0)), left=NO_TOKENS)),
    on_chain("passkey", replace(session_of(CAREFUL), signer=None, module=WEBAUTHN), FOREIGN),
    on_chain("unknown-module", replace(session_of(CAREFUL), signer=None, module=ODD), FOREIGN),
    on_chain("signs-messages", replace(session_of(CAREFUL), install=replace(session_of(CAREFUL).install, signs_messages=True))),
    on_chain("list-incomplete", replace(session_of(CAREFUL), targets_complete=False)),
    on_chain(
        "leftovers",
        replace(
            session_of(CAREFUL),
            leftovers=(
                Leftover(ALLOWLIST, 5, target=ROUTER),
                Leftover(ALLOWLIST, 5, target=None, selector=MOVE),
                Leftover(ALLOWLIST, 77, target=GOLD, amount=12),
                Leftover(SINGLE_SIGNER, 5, target=OTHER),
            ),
        ),
        stands=True,
    ),
    on_chain("entry-point", session_of(draft(ContractAccess(Address.parse("0x0000000071727De22E5E9d8BAf0edAc6f37da032"))))),
)

if __name__ == "__main__":
    (FOLDER / "sessions.txt").write_text(written(SESSIONS))
