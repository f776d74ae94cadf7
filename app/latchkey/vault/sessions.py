"""Session keys made here: they stay in the vault and leave sealed, or at the desk behind a typed yes."""

from __future__ import annotations

from dataclasses import replace

from latchkey.core.account import Account
from latchkey.core.phrases import Finding, Level, Part, Phrase, Style
from latchkey.core.types import Address
from latchkey.errors import BadInput, Refused
from latchkey.language import tr
from latchkey.vault import keys, seal
from latchkey.vault.contents import Binding, Session
from latchkey.vault.keeper import Keeper
from latchkey.vault.secret import SecretBytes
from latchkey.vault.test_keys import MNEMONIC, SESSION_PATH, SESSIONS

MAX_REQUEST_ID = 64
_REVEAL = Finding(
    "reveal-key",
    Level.WARNING,
    tr("Whoever sees it can do all that was granted to this key."),
    tr("Make sure that nobody looks on."),
)


class Sessions:
    """The six-word codes of keystores live as long as this process."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._codes: dict[Address, list[str]] = {}

    def make(self) -> Address:
        """A new session key. In a test-only vault the next public one, so that nothing in it is worth anything."""
        contents = self._keeper.contents
        key = self._next_public() if self._keeper.test_only else keys.new_key()
        session = Session(keys.address_of(key), self._keeper.now(), key)
        self._keeper.change(replace(contents, sessions=(*contents.sessions, session)))
        return session.address

    def seal(self, address: Address, hand_over_key: bytes, request_id: str, account: Account) -> bytes:
        """Seal to the request's key. The first seal binds the session key to that request, account and recipient for good."""
        session = self._session(address)
        if not isinstance(request_id, str) or not 0 < len(request_id) <= MAX_REQUEST_ID or not request_id.isprintable():
            raise BadInput(
                tr("A request id has 1 to {max_request_id} printable characters.", max_request_id=MAX_REQUEST_ID), path="requestId"
            )
        binding = Binding(account.chain_id, account.address, request_id, hand_over_key)
        if session.bound not in (None, binding):
            raise Refused(tr("This session key was sealed for another request; make a new one."), code="AlreadySealed")
        sealed = seal.seal(session.key, hand_over_key, seal.info(request_id, account.chain_id, account.address))
        if session.bound is None:
            contents = self._keeper.contents
            others = tuple(replace(s, bound=binding) if s.address == address else s for s in contents.sessions)
            self._keeper.change(replace(contents, sessions=others))
        return sealed

    def keystore(self, address: Address) -> bytes:
        """As a V3 keystore under a code of six words, which `show_code` shows."""
        session = self._session(address)
        code = self._codes.setdefault(address, seal.new_code())
        return keys.to_keystore(session.key, seal.password_of(code))

    def show_code(self, address: Address) -> None:
        code = self._codes.get(address)
        if code is None:
            raise Refused(
                tr("There is no code for this key: its file was made before the vault was locked. Make the file again."),
                code="NoCode",
            )
        self._keeper.questions.show_code(code, tr("These six words open the file of session key {address}.", address=address))

    def reveal(self, address: Address) -> None:
        """Show the raw key to the person, never to the caller."""
        session = self._session(address)
        what = Phrase(
            (Part(tr("The private key of ")), Part(str(address), Style.ADDRESS), Part(tr(" will be shown on the screen.")))
        )
        self._keeper.ask_plainly(tr("Show this session key?"), what, _REVEAL, tr("Show"), address, "reveal")
        self._keeper.questions.reveal(address, "0x" + session.key.reveal().hex())

    def _session(self, address: Address) -> Session:
        for session in self._keeper.contents.sessions:
            if session.address == address:
                return session
        raise Refused(tr("This session key is not in the vault."), code="UnknownKey", path="sessionKey")

    def _next_public(self) -> SecretBytes:
        held = {session.address for session in self._keeper.contents.sessions}
        index = next((number for number, address in enumerate(SESSIONS) if address not in held), None)
        if index is None:
            raise Refused(
                tr("All {count} public session keys are used; start a fresh practice vault.", count=len(SESSIONS)),
                code="NoTestKeyLeft",
            )
        return keys.derive(keys.seed_of(MNEMONIC), f"{SESSION_PATH}{index}")
