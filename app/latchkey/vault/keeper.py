"""The keeper: the open vault inside the signer process, and everything that changes it.

Every change leaves the file's new bytes in `unsaved`; the client writes them, for the signer writes no files.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from math import ceil

from latchkey.core.phrases import Finding, Level, Part, Phrase, Style, Words
from latchkey.core.types import Address
from latchkey.core.words_pieces import say
from latchkey.errors import BadInput, Locked, Refused, SignerError, VaultError, WrongPassphrase
from latchkey.language import tr
from latchkey.vault import file, keys, passphrase
from latchkey.vault.contents import MAX_API_KEY, Contents, Master, Mnemonic, RawKey, Session
from latchkey.vault.file import FLOOR, Cost, Vault, measured
from latchkey.vault.model import MasterKey, SessionKey, Status
from latchkey.vault.os_keyring import OsKeyring
from latchkey.vault.questions import Confirmation, Given, GivenKey, GivenKeystore, GivenWords, Questions
from latchkey.vault.secret import SecretBytes
from latchkey.vault.test_keys import is_public_test_key

MAX_LABEL = 64
LONGEST_WAIT = 30
_CHECKED_WORDS = 3
_EXPORT = Finding(
    "export-key", Level.WARNING, tr("Whoever has the file and its passphrase has the key."), tr("Keep the two apart.")
)
_EXPERT = Finding(
    "expert-switch", Level.WARNING, tr("One careless grant can then cost everything."), tr("Turn it off again when you are done.")
)

_GONE = tr("Nothing can be signed for the accounts it owns any more: no session of theirs granted, and none ended.")
_BACK_FROM_WORDS = Finding(
    "remove-key", Level.DANGER, _GONE, tr("Only its recovery words bring it back. Look whether you have them.")
)
_BACK_FROM_COPY = Finding(
    "remove-key", Level.DANGER, _GONE, tr("Only a copy that you exported brings it back. Look whether you have one.")
)


def is_test_only(contents: Contents) -> bool:
    """Does it hold nothing but public test keys? Computed from the keys, never a flag; an empty vault does not count."""
    held: tuple[Master | Session, ...] = (*contents.masters, *contents.sessions)
    return bool(contents.masters) and all(is_public_test_key(key.address) for key in held)


class Keeper:
    """`script`: nobody can be asked; then only a vault of public test keys is opened or made. `cost`: of deriving the key of a vault
    that is made here; a script's is the floor. `steady`: a clock nobody can set."""

    def __init__(
        self,
        sealed: bytes | None,
        questions: Questions,
        *,
        script: bool = False,
        keyring: OsKeyring | None = None,
        cost: Callable[[], Cost] = measured,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.questions = questions
        self.unsaved: bytes | None = None
        self._sealed, self._script = sealed, script
        self._keyring = keyring or OsKeyring()
        self._cost = cost if not script else lambda: FLOOR
        self._clock, self._steady, self._sleep = clock, steady, sleep
        self._vault: Vault | None = None
        self._by_keyring = False  # nobody has typed the passphrase yet
        self._failures = 0
        self._next_attempt = 0.0

    # --- what is there

    @property
    def contents(self) -> Contents:
        if self._vault is None:
            raise Locked(tr("The vault is locked. Unlock it first."))
        return self._vault.contents

    @property
    def test_only(self) -> bool:
        return self._vault is not None and is_test_only(self._vault.contents)

    def now(self) -> int:
        return int(self._clock())

    def status(self) -> Status:
        if self._vault is None:
            return Status(exists=self._sealed is not None, unlocked=False)
        return Status(
            exists=True,
            unlocked=True,
            test_only=self.test_only,
            keyring=self._vault.item is not None,
            expert=self.contents.expert,
            keys=tuple(_shown(master) for master in self.contents.masters),
            session_keys=tuple(_shown_session(session) for session in self.contents.sessions),
            has_api_key=self.contents.api_key is not None,
        )

    def master(self, address: Address) -> Master:
        for master in self.contents.masters:
            if master.address == address:
                return master
        raise Refused(tr("The key of this address is not in the vault."), code="UnknownKey", path="owner")

    # --- opening

    def unlock(self) -> None:
        """From the keyring, where that was switched on; or ask for the passphrase until it is right or the person gives up."""
        if self._vault is None and (reason := self._open_by_keyring()) is not None:
            vault, given = self._open_asking(tr("Unlock your vault."), reason)
            if file.is_cheap(vault.cost):  # made when computers were slower: the passphrase is at hand, so its protection grows
                vault = file.dearer(vault, given, FLOOR)
                self.unsaved = self._sealed = file.seal(vault)
            self._vault = vault

    def _open_by_keyring(self) -> str | None:
        """None when it did; or why the person has to be asked, "" where there is nothing to say. Passphrases that come through a descriptor
        are there to be used."""
        if self._sealed is None or not self.questions.retries or (item := file.item_of(self._sealed)) is None:
            return ""
        try:
            self._vault = file.open_by_keyring(self._sealed, self._keyring.fetch(item))
        except VaultError as error:
            return tr("{reason} Your passphrase opens the vault as ever.", reason=error.text)
        self._by_keyring = True
        return None

    def _open_asking(self, purpose: str, retry: str = "") -> tuple[Vault, SecretBytes]:
        if self._sealed is None:
            raise VaultError(tr("There is no vault yet: create or import a master key."), code="NoVault")
        file.check(self._sealed)  # damage is told before anybody types
        while True:
            given = self.questions.passphrase(purpose, retry=retry, wait=ceil(self._wait()))
            self._sleep(self._wait())
            try:
                vault = file.open_vault(self._sealed, given)
            except WrongPassphrase as error:
                self._count_failure()
                if not self.questions.retries:
                    raise
                retry = error.text
            else:
                self._failures, self._by_keyring = 0, False
                self._check_script(vault.contents)
                return vault, given

    def _wait(self) -> float:
        """Seconds until another attempt is taken."""
        return max(0.0, self._next_attempt - self._steady()) if self._failures else 0.0

    def _count_failure(self) -> None:
        """The first failure costs nothing, then 1, 2, 4 ... seconds."""
        self._failures += 1
        pause = min(2 ** (self._failures - 2), LONGEST_WAIT) if self._failures > 1 else 0
        self._next_attempt = self._steady() + pause

    def _check_script(self, contents: Contents) -> None:
        if self._script and not is_test_only(contents):
            raise SignerError(
                tr("A script may use nothing but the public test keys; a person has to do this."), code="PersonNeeded"
            )

    # --- changing

    def change(self, contents: Contents) -> None:
        """Put other contents into the open vault."""
        if self._vault is None:
            raise Locked(tr("The vault is locked. Unlock it first."))
        self._check_script(contents)
        self._replace(self._vault.holding(contents))

    def _replace(self, vault: Vault) -> None:
        sealed = file.seal(vault)
        self._vault, self._sealed, self.unsaved = vault, sealed, sealed

    def create_key(self, words: int, label: str) -> Address:
        """Make a key; its recovery words are shown once and asked for again."""
        if words not in (12, 24):
            raise BadInput(tr("A new key has 12 or 24 recovery words."), path="words")
        label = _label(label)
        self._before_adding()
        entropy = keys.new_entropy(words)
        self._make_sure_written(keys.words_of(entropy))
        return self._add(Mnemonic(entropy, SecretBytes(b""), keys.DEFAULT_PATH), label)

    def import_key(self, label: str, source: bytes | None = None, path: str | None = None) -> Address:
        """Bring a key in: from the person, or from `source` (recovery words with their passphrase on a second line, a raw key, or
        a keystore). `path`: derivation path of words; asked for when not given and a person brings the words."""
        label = _label(label)
        self._before_adding()
        if source is not None:
            return self._add(self._secret_of(self._read_source(source), path or keys.DEFAULT_PATH), label)
        return self._add(self._ask_for_secret(path), label)

    def _before_adding(self) -> None:
        if self._sealed is not None:
            self.unlock()

    def _make_sure_written(self, words: list[str]) -> None:
        retry = ""
        while True:
            self.questions.show_mnemonic(words, retry=retry)
            positions = sorted(secrets.SystemRandom().sample(range(1, len(words) + 1), _CHECKED_WORDS))
            if self.questions.check_mnemonic(positions) == [words[position - 1] for position in positions]:
                return
            retry = tr("Those were not the words. Look at your paper again.")

    def _read_source(self, source: bytes) -> Given:
        try:
            text = source.decode().lstrip()
        except UnicodeDecodeError:
            raise BadInput(tr("The key to import is not UTF-8 text."), path="source") from None
        if text.startswith("{"):
            return GivenKeystore(source.strip(), self.questions.passphrase(tr("Password of the keystore file.")))
        if len(text.split()) == 1:
            return GivenKey(text)
        words, _, phrase = text.partition("\n")
        return GivenWords(words, SecretBytes(phrase.strip("\r\n").encode()))

    def _ask_for_secret(self, path: str | None) -> Mnemonic | RawKey:
        retry = ""
        while True:
            try:
                return self._secret_of(self.questions.import_secret(retry=retry), path)
            except BadInput as error:
                retry = error.text

    def _secret_of(self, given: Given, path: str | None) -> Mnemonic | RawKey:
        match given:
            case GivenKey(text):
                return keys.raw_key(text)
            case GivenKeystore(json, password):
                return keys.from_keystore(json, password)
            case GivenWords(words, phrase):
                secret = Mnemonic(keys.entropy_of(words), _utf8(phrase), keys.check_path(path or keys.DEFAULT_PATH))
                return secret if path else self._choose_address(secret)

    def _choose_address(self, secret: Mnemonic) -> Mnemonic:
        while True:
            rows = keys.preview(secret)
            answer = self.questions.choose_address(rows)
            if isinstance(answer, int):
                return replace(secret, path=rows[answer][0])
            secret = replace(secret, path=keys.check_path(answer))

    def _add(self, secret: Mnemonic | RawKey, label: str) -> Address:
        address = keys.address_of(keys.private_key(secret))
        master = Master(address, label, self.now(), secret)
        if self._vault is None:
            contents = Contents(masters=(master,))
            self._check_script(contents)
            given = self.new_passphrase(tr("Choose the passphrase of your vault."), label)
            self._replace(file.create(contents, given, self._cost()))
        elif any(known.address == address for known in self.contents.masters):
            raise Refused(tr("This key is in the vault already."), code="KnownKey")
        else:
            self.change(replace(self.contents, masters=(*self.contents.masters, master)))
        return address

    def new_passphrase(self, purpose: str, label: str = "") -> SecretBytes:
        """One that passes the floor; asked again where a person can be. `label`: of a key that is about to come in."""
        own, retry = self._own_words(label), ""
        while True:
            given = self.questions.new_passphrase(purpose, own=own, retry=retry)
            fault = passphrase.weakness(given, own)
            if fault is None:
                return given
            if not self.questions.retries:
                raise BadInput(fault, code="WeakPassphrase", path="passphrase")
            retry = fault

    def _own_words(self, label: str) -> tuple[str, ...]:
        """Names that somebody who knows this vault would guess with."""
        held = () if self._vault is None else self._vault.contents.masters
        return tuple(name for name in (label, *(master.label for master in held)) if name)

    def export_keystore(self, address: Address) -> bytes:
        """The key as a V3 keystore under a passphrase chosen for it."""
        master = self.master(address)
        what = Phrase((Part(tr("The file will hold the key of ")), Part(str(address), Style.ADDRESS), Part(".")))
        self.ask_plainly(tr("Export this key?"), what, _EXPORT, tr("Export"), address)
        return keys.to_keystore(
            keys.private_key(master.secret), self.new_passphrase(tr("Choose a passphrase for the exported file."))
        )

    def rename_key(self, address: Address, label: str) -> None:
        """What a person calls a key; it changes nothing else."""
        renamed = replace(self.master(address), label=_label(label))
        self.change(replace(self.contents, masters=tuple(renamed if m.address == address else m for m in self.contents.masters)))

    def remove_key(self, address: Address) -> None:
        """Forget a key, after a typed yes. Not the only one: what has no key is no vault any more."""
        master = self.master(address)
        if len(self.contents.masters) == 1:
            raise Refused(tr("This is the only key of the vault: bring another one in first."), code="LastKey")
        what = say(tr("The vault forgets the key of {address}."), address=Part(str(address), Style.ADDRESS))
        back = _BACK_FROM_WORDS if isinstance(master.secret, Mnemonic) else _BACK_FROM_COPY
        self.ask_plainly(tr("Remove this key?"), what, back, tr("Remove"), address, "remove")
        self.change(replace(self.contents, masters=tuple(m for m in self.contents.masters if m.address != address)))

    def set_expert(self, on: bool) -> None:
        if on and not self.contents.expert:
            what = Phrase((Part(tr("Full control, keys that never end and functions of the account itself may then be granted.")),))
            self.ask_plainly(
                tr("Turn the expert switch on?"), what, _EXPERT, tr("Turn on"), self.contents.masters[0].address, "expert"
            )
        if on != self.contents.expert:
            self.change(replace(self.contents, expert=on))

    def keep_api_key(self, key: str) -> None:
        """What a service knows this program by; "" forgets it. It is kept here because a file beside the vault would be read by anybody
        who copies the folder. It moves no money, so it goes back to the window that asks for it while the vault is open."""
        if len(key) > MAX_API_KEY or not all("!" <= letter <= "~" for letter in key):
            raise BadInput(
                tr("An API key has at most {max_api_key} letters, digits and signs, and no spaces.", max_api_key=MAX_API_KEY),
                path="apiKey",
            )
        self.change(replace(self.contents, api_key=SecretBytes(key.encode()) if key else None))

    def api_key(self) -> str:
        """ "" when none is kept."""
        kept = self.contents.api_key
        return kept.reveal().decode() if kept is not None else ""

    def change_passphrase(self) -> str:
        """A new passphrase, and with it a new data key: the old file and the old passphrase open nothing written later, nor does what the
        keyring held before. Returns what a person should know besides, "" for nothing."""
        contents, wrap, news = self.contents, None, ""
        vault, _ = self._open_asking(tr("Type the passphrase the vault has now."))
        given = self.new_passphrase(tr("Choose the new passphrase."))
        if vault.item is not None:
            try:
                wrap = self._keyring.keep(vault.item)
            except VaultError as error:
                news = tr("The keyring of this computer no longer opens the vault. {reason}", reason=error.text)
        self._replace(file.create(contents, given, vault.cost, wrap))
        return news

    def set_keyring(self, on: bool) -> str:
        """Let the keyring of this computer open the vault too, or no longer; the passphrase is asked for either way. Returns what a person
        should know besides, "" for nothing. Raises VaultError when the keyring will not; then all is as before."""
        contents = self.contents
        if on:
            self._keyring.check()
            vault, given = self._open_asking(
                tr("Let the keyring of this computer open the vault? Every program that runs as you can then read what opens it.")
            )
            wrap = self._keyring.keep(vault.item or secrets.token_bytes(16))
            self._replace(file.create(contents, given, vault.cost, wrap))
            return ""
        vault, given = self._open_asking(tr("From now on, let only the passphrase open the vault?"))
        self._replace(file.create(contents, given, vault.cost))
        try:
            if vault.item is not None:
                self._keyring.forget(vault.item)
        except VaultError as error:
            return tr("What the keyring still holds opens nothing any more, but could not be removed. {reason}", reason=error.text)
        return ""

    def ask_plainly(self, title: str, what: Phrase, warning: Finding, verb: str, address: Address, typed: str = "") -> None:
        """A yes to something that is not a signature: what happens, and what follows from it. Where the keyring opened the vault, whoever
        sits there has to know the passphrase too."""
        self.questions.confirm(Confirmation(title, address, "", Words(what, (), (), ()), (warning,), b"", verb, typed))
        if self._by_keyring:
            self._open_asking(tr("The keyring opened the vault. For this, type your passphrase."))


def _shown(master: Master) -> MasterKey:
    match master.secret:
        case Mnemonic(_, _, path):
            return MasterKey(master.address, master.label, "mnemonic", path, is_public_test_key(master.address))
        case RawKey():
            return MasterKey(master.address, master.label, "raw", "", is_public_test_key(master.address))


def _shown_session(session: Session) -> SessionKey:
    bound = session.bound
    if bound is None:
        return SessionKey(session.address, session.created)
    return SessionKey(session.address, session.created, bound.request_id, bound.chain_id, bound.account)


def _label(label: str) -> str:
    if not isinstance(label, str) or len(label) > MAX_LABEL or not label.isprintable():
        raise BadInput(tr("A name has at most {max_label} printable characters.", max_label=MAX_LABEL), path="label")
    return label.strip()


def _utf8(phrase: SecretBytes) -> SecretBytes:
    try:
        phrase.reveal().decode()
    except UnicodeDecodeError:
        raise BadInput(tr("The words' passphrase is not UTF-8 text."), path="passphrase") from None
    return phrase
