"""The keeper, its previews and its session keys, with a person who answers from a list."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account as EthAccount

from latchkey.accounts.system import system
from latchkey.core.account import Account, Mode
from latchkey.core.digest_words import digest_words
from latchkey.core.draft import draft_from_json
from latchkey.core.request import Claims
from latchkey.core.types import Address
from latchkey.errors import (
    BadInput,
    CannotDecode,
    Declined,
    LatchkeyError,
    Locked,
    Mismatch,
    Refused,
    SignerError,
    VaultError,
    WrongPassphrase,
)
from latchkey.vault import file, keys, seal
from latchkey.vault.keeper import Keeper
from latchkey.vault.model import Status
from latchkey.vault.previews import MOST_PREVIEWS, VALID_SECONDS
from latchkey.vault.questions import Fields, Questions
from latchkey.vault.sessions import Sessions
from latchkey.vault.signing import TYPED, Signing
from latchkey.vault.test_keys import MASTERS, MNEMONIC, SESSIONS
from tests.vault.material import (
    OWNER,
    PASSPHRASE,
    REAL_KEY,
    REAL_WORDS,
    Person,
    grant_named,
    public_master,
    public_raw,
    real_master,
    says,
    sealed,
    secret,
    sma,
    unsigned,
)

pytestmark = pytest.mark.usefixtures("derived_once")

NEVER: tuple[str, None] = ("never asked", None)
YES: tuple[str, Fields] = ("confirm", {})
NO: tuple[str, None] = ("confirm", None)
NOW = 1_790_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def public_vault() -> bytes:
    return sealed(public_master(0), public_raw(1), cost=file.FLOOR)


@pytest.fixture(scope="module")
def mixed_vault() -> bytes:
    return sealed(public_master(0), real_master(), cost=file.FLOOR)


def keeper(vault: bytes | None, *answers: Any, clock: Clock, script: bool = False, retries: bool = True) -> tuple[Keeper, Person]:
    person = Person(*answers, retries=retries)
    return Keeper(vault, Questions(person), script=script, clock=clock, steady=clock, sleep=clock.sleep), person


def opened(vault: bytes, *answers: Any, clock: Clock) -> tuple[Keeper, Person]:
    made, person = keeper(vault, ("passphrase", says()), *answers, clock=clock)
    made.unlock()
    return made, person


# --- opening


def test_locked_until_unlocked(public_vault: bytes, clock: Clock) -> None:
    made, person = keeper(public_vault, ("passphrase", says()), clock=clock)
    assert made.status() == Status(exists=True, unlocked=False)
    for locked in (
        lambda: made.contents,
        lambda: made.export_keystore(OWNER),
        lambda: made.set_expert(True),
        lambda: made.change_passphrase(),
        lambda: Sessions(made).make(),
    ):
        with pytest.raises(Locked):
            locked()
    made.unlock()
    made.unlock()
    assert person.done
    status = made.status()
    assert status.unlocked
    assert status.test_only
    assert [(key.address, key.kind, key.path, key.public_test) for key in status.keys] == [
        (MASTERS[0], "mnemonic", "m/44'/60'/0'/0/0", True),
        (MASTERS[1], "raw", "", True),
    ]


def test_without_a_vault_there_is_nothing_to_unlock(clock: Clock) -> None:
    made, _ = keeper(None, clock=clock)
    assert made.status() == Status(exists=False, unlocked=False)
    with pytest.raises(VaultError, match="create or import"):
        made.unlock()


def test_wrong_passphrases_wait_longer_and_longer(public_vault: bytes, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    open_vault = file.open_vault

    def quickly(data: bytes, given: Any) -> file.Vault:
        if given.reveal() != PASSPHRASE.encode():
            raise WrongPassphrase("This passphrase does not open the vault.")
        return open_vault(data, given)

    monkeypatch.setattr(file, "open_vault", quickly)
    wrong = ("passphrase", says("not this one"))
    made, person = keeper(public_vault, *[wrong] * 8, ("passphrase", says()), clock=clock)
    made.unlock()
    assert [fields.get("wait", 0) for _, fields in person.asked] == [0, 0, 1, 2, 4, 8, 16, 30, 30]
    assert [seconds for seconds in clock.slept if seconds] == [1, 2, 4, 8, 16, 30, 30]
    assert {fields.get("retry") for _, fields in person.asked[1:]} == {"This passphrase does not open the vault."}


def test_the_wait_is_kept_by_the_signer_not_by_the_desk(public_vault: bytes, clock: Clock) -> None:
    made, _ = keeper(public_vault, *[("passphrase", says("not this one"))] * 3, clock=clock, retries=False)
    for _ in range(3):
        with pytest.raises(WrongPassphrase):
            made.unlock()
    assert [seconds for seconds in clock.slept if seconds] == [1]


def test_damage_is_told_before_anybody_types(public_vault: bytes, clock: Clock) -> None:
    made, _ = keeper(public_vault[:-1] + b"\x00", NEVER, clock=clock)
    with pytest.raises(VaultError) as caught:
        made.unlock()
    assert caught.value.code == "DamagedVault"


def test_a_cheaper_vault_is_made_dearer_when_opened(clock: Clock) -> None:
    made, _ = opened(sealed(public_master(0), cost=file.LEAST), clock=clock)
    assert made.unsaved is not None
    again = file.open_vault(made.unsaved, secret(PASSPHRASE))
    assert again.cost == file.FLOOR
    assert [master.address for master in again.contents.masters] == [OWNER]


def test_a_script_opens_nothing_but_public_keys(mixed_vault: bytes, public_vault: bytes, clock: Clock) -> None:
    made, _ = keeper(mixed_vault, ("passphrase", says()), clock=clock, script=True)
    with pytest.raises(SignerError) as caught:
        made.unlock()
    assert caught.value.code == "PersonNeeded"
    assert not made.status().unlocked
    made, _ = keeper(public_vault, ("passphrase", says()), clock=clock, script=True)
    made.unlock()
    with pytest.raises(SignerError):
        made.import_key("real", REAL_KEY.encode())
    assert made.test_only


# --- creating and importing


def shown_to(answer: Callable[[list[str], list[int]], list[str]]) -> list[Any]:
    """A person who writes the words down and answers the check from the paper."""
    paper: list[str] = []

    def look(ask: Fields) -> Fields:
        paper[:] = ask["words"]
        return {}

    return [("show-mnemonic", look), ("check-mnemonic", lambda ask: {"words": answer(paper, ask["positions"])})]


def from_paper(words: list[str], positions: list[int]) -> list[str]:
    return [words[position - 1] for position in positions]


@pytest.mark.parametrize("words", [12, 24])
def test_create(words: int, clock: Clock) -> None:
    made, person = keeper(None, *shown_to(from_paper), ("new-passphrase", says()), clock=clock)
    address = made.create_key(words, "savings")
    shown = person.asked[0][1]["words"]
    positions = person.asked[1][1]["positions"]
    assert len(shown) == words
    assert len(set(positions)) == 3
    assert set(positions) <= set(range(1, words + 1))
    assert positions == sorted(positions)
    EthAccount.enable_unaudited_hdwallet_features()
    assert EthAccount.from_mnemonic(" ".join(shown)).address == address
    assert made.unsaved is not None
    kept = file.open_vault(made.unsaved, secret(PASSPHRASE)).contents.masters
    assert [(master.address, master.label) for master in kept] == [(address, "savings")]
    assert not made.test_only


def test_create_shows_again_what_was_not_written_down(clock: Clock) -> None:
    careless = shown_to(lambda words, positions: ["abandon"] * len(positions))
    made, person = keeper(None, *careless, *shown_to(from_paper), ("new-passphrase", says()), clock=clock)
    made.create_key(12, "")
    assert [name for name, _ in person.asked] == [
        "show-mnemonic",
        "check-mnemonic",
        "show-mnemonic",
        "check-mnemonic",
        "new-passphrase",
    ]
    assert "not the words" in person.asked[2][1]["retry"], "said where the words are shown again"


def test_a_no_leaves_nothing_behind(clock: Clock) -> None:
    for answers in ([("show-mnemonic", None)], [*shown_to(from_paper), ("new-passphrase", None)]):
        made, _ = keeper(None, *answers, clock=clock)
        with pytest.raises(Declined):
            made.create_key(12, "")
        assert made.unsaved is None
        assert not made.status().exists
    with pytest.raises(BadInput):
        keeper(None, clock=clock)[0].create_key(15, "")


def test_a_weak_passphrase_is_asked_for_again(clock: Clock) -> None:
    answers = [("import", {"kind": "raw", "key": REAL_KEY}), ("new-passphrase", says("short")), ("new-passphrase", says())]
    made, person = keeper(None, *answers, clock=clock)
    made.import_key("")
    assert "at least 10" in person.asked[2][1]["retry"]
    made, _ = keeper(None, ("new-passphrase", says("short")), clock=clock, retries=False)
    with pytest.raises(BadInput) as caught:
        made.import_key("", REAL_KEY.encode())
    assert caught.value.code == "WeakPassphrase"


def test_import_words_and_choose_the_address(clock: Clock) -> None:
    answers = [
        ("import", {"kind": "mnemonic", "words": "legal winner", "passphrase": b""}),
        ("import", {"kind": "mnemonic", "words": REAL_WORDS.upper(), "passphrase": b"TREZOR"}),
        ("choose-address", {"path": "m/44'/60'/3'/0/0"}),
        ("choose-address", {"index": 2}),
        ("new-passphrase", says()),
    ]
    made, person = keeper(None, *answers, clock=clock)
    address = made.import_key("words")
    assert "12, 15, 18, 21 or 24" in person.asked[1][1]["retry"]
    assert [row["path"] for row in person.asked[3][1]["rows"]] == [f"m/44'/60'/3'/0/{index}" for index in range(5)]
    EthAccount.enable_unaudited_hdwallet_features()
    expected = EthAccount.from_mnemonic(REAL_WORDS, passphrase="TREZOR", account_path="m/44'/60'/3'/0/2")
    assert address == expected.address == person.asked[3][1]["rows"][2]["address"]
    assert made.status().keys[0].path == "m/44'/60'/3'/0/2"


@pytest.mark.parametrize(
    ("source", "path", "answers"),
    [
        (MNEMONIC, "m/44'/60'/0'/0/2", []),
        (f"{MNEMONIC}\r\n\n", "m/44'/60'/0'/0/2", []),
        (f"  {keys.private_key(public_master(2).secret).reveal().hex()} \n", None, []),
        (json.dumps(EthAccount.encrypt(keys.private_key(public_master(2).secret).reveal(), "file", "pbkdf2", 10)), None,
         [("passphrase", says("file"))]),
    ],
)  # fmt: skip
def test_import_from_a_source(source: str, path: str | None, answers: list[Any], public_vault: bytes, clock: Clock) -> None:
    made, person = opened(public_vault, *answers, clock=clock)
    assert made.import_key("third", source.encode(), path) == MASTERS[2]
    assert person.done
    assert made.test_only
    with pytest.raises(Refused) as caught:
        made.import_key("third", keys.private_key(public_master(2).secret).reveal().hex().encode())
    assert caught.value.code == "KnownKey"


def test_a_source_may_carry_the_words_passphrase(public_vault: bytes, clock: Clock) -> None:
    made, _ = opened(public_vault, clock=clock)
    EthAccount.enable_unaudited_hdwallet_features()
    address = made.import_key("", f"{REAL_WORDS}\n with spaces \n".encode())
    assert address == EthAccount.from_mnemonic(REAL_WORDS, passphrase=" with spaces ").address
    assert not made.test_only


@pytest.mark.parametrize("source", [b"", b"\xff\xfe", b"not a key", b"{}", b"a " * 12, b"{" * 99])
def test_a_source_that_is_no_key(source: bytes, public_vault: bytes, clock: Clock) -> None:
    made, _ = opened(public_vault, ("passphrase", says("x")), clock=clock)
    with pytest.raises(BadInput):
        made.import_key("", source)
    assert made.unsaved is None


@pytest.mark.parametrize("label", ["x" * 65, "new\nline", "\u202eturned", 7])
def test_names_that_are_none(label: Any, public_vault: bytes, clock: Clock) -> None:
    made, _ = opened(public_vault, clock=clock)
    with pytest.raises(BadInput):
        made.import_key(label, REAL_KEY.encode())


def test_importing_unlocks_first(public_vault: bytes, clock: Clock) -> None:
    made, person = keeper(public_vault, ("passphrase", says()), clock=clock)
    made.import_key("", REAL_KEY.encode())
    assert person.done
    assert len(made.status().keys) == 3


# --- exporting and settings


def test_export(mixed_vault: bytes, clock: Clock) -> None:
    answers = [NO, YES, ("new-passphrase", says("a passphrase for the file"))]
    made, person = opened(mixed_vault, *answers, clock=clock)
    real = real_master().address
    with pytest.raises(Declined):
        made.export_keystore(real)
    exported = json.loads(made.export_keystore(real))
    assert bytes(EthAccount.decrypt(exported, "a passphrase for the file")).hex() == REAL_KEY[2:]
    assert person.asked[2][1]["account"] == real
    with pytest.raises(Refused):
        made.export_keystore(MASTERS[5])


def test_a_key_gets_another_name(public_vault: bytes, clock: Clock) -> None:
    made, _ = opened(public_vault, clock=clock)
    made.rename_key(MASTERS[1], " savings ")
    assert [key.label for key in made.status().keys] == ["anvil 0", "savings"]
    assert made.unsaved is not None
    assert file.open_vault(made.unsaved, secret(PASSPHRASE)).contents.masters[1].label == "savings"
    with pytest.raises(BadInput):
        made.rename_key(MASTERS[1], "two\nlines")
    with pytest.raises(Refused) as caught:
        made.rename_key(MASTERS[5], "nobody")
    assert caught.value.code == "UnknownKey"


def test_a_key_is_removed_after_a_typed_yes(mixed_vault: bytes, clock: Clock) -> None:
    made, person = opened(mixed_vault, NO, YES, clock=clock)
    real = real_master().address
    with pytest.raises(Declined):
        made.remove_key(real)
    assert made.unsaved is None
    made.remove_key(real)
    assert person.asked[-1][1]["typed"] == "remove"
    assert "a copy that you exported" in person.asked[-1][1]["findings"][0]["advice"]
    assert [key.address for key in made.status().keys] == [OWNER]
    assert made.unsaved is not None
    assert [master.address for master in file.open_vault(made.unsaved, secret(PASSPHRASE)).contents.masters] == [OWNER]
    with pytest.raises(Refused) as caught:
        made.remove_key(OWNER)
    assert caught.value.code == "LastKey"


def test_the_expert_switch_needs_a_typed_yes(public_vault: bytes, clock: Clock) -> None:
    made, person = opened(public_vault, NO, YES, clock=clock)
    with pytest.raises(Declined):
        made.set_expert(True)
    assert not made.status().expert
    made.set_expert(True)
    assert made.status().expert
    assert person.asked[-1][1]["typed"] == "expert"
    assert made.unsaved is not None
    assert file.open_vault(made.unsaved, secret(PASSPHRASE)).contents.expert
    made.set_expert(True)
    made.set_expert(False)
    assert not made.status().expert
    assert person.done


def test_changing_the_passphrase_changes_every_key(public_vault: bytes, clock: Clock) -> None:
    answers = [
        ("passphrase", says("wrong, I forgot")),
        ("passphrase", says()),
        ("new-passphrase", says("quite another passphrase")),
    ]
    made, person = opened(public_vault, *answers, clock=clock)
    made.change_passphrase()
    assert person.done
    assert made.unsaved is not None
    with pytest.raises(WrongPassphrase):
        file.open_vault(made.unsaved, secret(PASSPHRASE))
    after = file.open_vault(made.unsaved, secret("quite another passphrase"))
    before = file.open_vault(public_vault, secret(PASSPHRASE))
    assert not after.data_key.same_as(before.data_key)
    assert [master.address for master in after.contents.masters] == [MASTERS[0], MASTERS[1]]


# --- previewing and signing

CAREFUL = "contract-access, expiry"


@pytest.fixture
def careful(ma_vectors: dict[str, Any]) -> dict[str, Any]:
    return grant_named(ma_vectors, CAREFUL)


def built(ma_vectors: dict[str, Any], **changes: Any) -> bytes:
    """The unsigned bytes of a careful draft with changed fields."""
    draft = {
        "system": "modular_account", "chainId": 31337, "account": ma_vectors["meta"]["account"], "entityId": 1, "nonceKey": "0x0",
        "sequence": 0, "expiry": 1893456000, "sessionKey": "0x1111111111111111111111111111111111111111",
        "permissions": [
            {"type": "native-token-transfer", "data": {"allowance": "0x0"}},
            {"type": "contract-access", "data": {"address": "0x2222222222222222222222222222222222222222"}},
        ],
    }  # fmt: skip
    return system("modular_account").build(draft_from_json({**draft, **changes})).unsigned


def test_preview_then_sign(careful: dict[str, Any], ma_vectors: dict[str, Any], public_vault: bytes, clock: Clock) -> None:
    made, person = opened(public_vault, YES, clock=clock)
    signing = Signing(made)
    preview = signing.preview_grant(unsigned(careful), sma(ma_vectors), OWNER, Claims())
    assert preview.digest.hex() == careful["expected"]["deferredActionDigest"][2:]
    assert "0x" + signing.sign(preview.token).hex() == careful["expected"]["ownerSignature"]
    asked = person.asked[-1][1]
    assert asked["digest"] == careful["expected"]["deferredActionDigest"]
    assert asked["account"] == ma_vectors["meta"]["account"]
    assert "31337" in asked["network"]
    assert asked["words"]["headline"] == [[str(part.style), part.text] for part in preview.words.headline.parts]
    assert [tuple(field) for field in asked["signed"]] == list(preview.words.signed)
    assert asked["typed"] == TYPED  # any amount of ETH: a danger
    with pytest.raises(Refused) as caught:
        signing.sign(preview.token)
    assert caught.value.code == "PreviewGone"


def test_the_desk_shows_the_words_of_what_is_signed_not_the_windows(
    careful: dict[str, Any], ma_vectors: dict[str, Any], public_vault: bytes, clock: Clock
) -> None:
    """Nothing a window sends along changes them: they follow from the bytes, in the process that signs."""
    made, person = opened(public_vault, YES, clock=clock)
    signing = Signing(made)
    lies = Claims("Its digest is abandon abandon abandon", functions=("abandon()",))
    token = signing.preview_grant(unsigned(careful), sma(ma_vectors), OWNER, lies).token
    signing.sign(token)
    ask = person.asked[-1][1]
    digest = bytes.fromhex(careful["expected"]["deferredActionDigest"][2:])
    assert ask["digest"] == "0x" + digest.hex()
    assert ask["digest_words"] == list(digest_words(digest))


def test_a_careful_grant_needs_no_typed_word(ma_vectors: dict[str, Any], public_vault: bytes, clock: Clock) -> None:
    made, person = opened(public_vault, YES, clock=clock)
    signing = Signing(made)
    signing.sign(signing.preview_grant(built(ma_vectors), sma(ma_vectors), OWNER, Claims()).token)
    assert "typed" not in person.asked[-1][1]


def test_a_no_spends_the_preview(careful: dict[str, Any], ma_vectors: dict[str, Any], public_vault: bytes, clock: Clock) -> None:
    made, _ = opened(public_vault, NO, clock=clock)
    signing = Signing(made)
    token = signing.preview_grant(unsigned(careful), sma(ma_vectors), OWNER, Claims()).token
    with pytest.raises(Declined):
        signing.sign(token)
    with pytest.raises(Refused):
        signing.sign(token)


def test_previews_grow_old_and_are_few(
    careful: dict[str, Any], ma_vectors: dict[str, Any], public_vault: bytes, clock: Clock
) -> None:
    made, _ = opened(public_vault, YES, clock=clock)
    signing = Signing(made, clock)
    tokens = [signing.preview_grant(unsigned(careful), sma(ma_vectors), OWNER, Claims()).token for _ in range(MOST_PREVIEWS + 1)]
    assert len(set(tokens)) == len(tokens)
    with pytest.raises(Refused):
        signing.sign(tokens[0])
    signing.sign(tokens[1])
    clock.now += VALID_SECONDS + 1
    with pytest.raises(Refused):
        signing.sign(tokens[2])
    with pytest.raises(Refused):
        signing.sign(b"")


def test_never_a_bare_hash(careful: dict[str, Any], ma_vectors: dict[str, Any], public_vault: bytes, clock: Clock) -> None:
    made, _ = opened(public_vault, NEVER, clock=clock)
    signing = Signing(made)
    digest = bytes.fromhex(careful["expected"]["deferredActionDigest"][2:])
    whole = unsigned(careful)
    changed = bytes.fromhex("01") + whole[1:]
    for data in (digest, b"\x19\x01" + digest, b"", whole[:-1], whole + b"\x00", changed, whole[:40] + b"\xff" + whole[41:]):
        with pytest.raises((CannotDecode, Mismatch)):
            signing.preview_grant(data, sma(ma_vectors), OWNER, Claims())


@pytest.mark.parametrize("mode", [Mode.SMA, Mode.ADDRESS])
def test_public_keys_sign_on_the_practice_chain_alone(
    mode: Mode, careful: dict[str, Any], ma_vectors: dict[str, Any], public_vault: bytes, clock: Clock
) -> None:
    made, _ = opened(public_vault, NEVER, clock=clock)
    for chain_id in (1, 8453, 11155111, 31338):
        with pytest.raises(Refused) as caught:
            Signing(made).preview_grant(unsigned(careful), replace(sma(ma_vectors, chain_id), mode=mode), OWNER, Claims())
        assert caught.value.code == "PublicTestKey"


def test_a_real_key_does_not_let_a_public_one_in(ma_vectors: dict[str, Any], mixed_vault: bytes, clock: Clock) -> None:
    made, _ = opened(mixed_vault, NEVER, clock=clock)
    real = real_master().address
    account = system("modular_account").predict(1, real, 0, Mode.SMA)
    signing = Signing(made)
    signing.preview_grant(built(ma_vectors, account=account.address, chainId=1), account, real, Claims())
    for public in (MASTERS[1], SESSIONS[0]):
        with pytest.raises(Refused) as caught:
            signing.preview_grant(built(ma_vectors, account=account.address, chainId=1, sessionKey=public), account, real, Claims())
        assert caught.value.code == "PublicTestKey"


def other_owners(account: Account) -> list[Account]:
    return [
        replace(account, salt=1),
        replace(account, salt=None),
        replace(account, mode=Mode.MA),
        replace(account, mode=Mode.EIP7702),
        replace(account, owner=MASTERS[1]),
        replace(account, mode=Mode.ADDRESS, owner=MASTERS[1]),
        replace(account, address=MASTERS[3], mode=Mode.SMA),
    ]


def test_the_account_has_to_be_the_owners(
    careful: dict[str, Any], ma_vectors: dict[str, Any], public_vault: bytes, clock: Clock
) -> None:
    made, _ = opened(public_vault, NEVER, clock=clock)
    for account in other_owners(sma(ma_vectors)):
        with pytest.raises(Refused) as caught:
            Signing(made).preview_grant(unsigned(careful), account, OWNER, Claims())
        assert caught.value.code == "WrongOwner"
    with pytest.raises(Refused) as caught:
        Signing(made).preview_grant(unsigned(careful), replace(sma(ma_vectors), owner=None), MASTERS[9], Claims())
    assert caught.value.code == "UnknownKey"


def test_every_mode_whose_address_follows_from_the_owner(ma_vectors: dict[str, Any], public_vault: bytes, clock: Clock) -> None:
    made, _ = opened(public_vault, NEVER, clock=clock)
    for mode in (Mode.SMA, Mode.EIP7702):
        account = system("modular_account").predict(31337, MASTERS[1], 7 if mode is Mode.SMA else 0, mode)
        Signing(made).preview_grant(built(ma_vectors, account=account.address), account, MASTERS[1], Claims())


EXPERT_ONLY: list[dict[str, Any]] = [
    {"permissions": [{"type": "root"}]},
    {"expiry": 0},
    {"selectors": ["0x12345678"]},
    {"permissions": [{"type": "account-functions", "data": {"functions": ["0x12345678"]}}]},
]


@pytest.mark.parametrize("changes", EXPERT_ONLY, ids=lambda changes: next(iter(changes)))
def test_what_only_experts_may_sign(changes: dict[str, Any], ma_vectors: dict[str, Any], public_vault: bytes, clock: Clock) -> None:
    made, _ = opened(public_vault, YES, YES, clock=clock)
    data = built(ma_vectors, **changes)
    with pytest.raises(Refused):
        Signing(made).preview_grant(data, sma(ma_vectors), OWNER, Claims())
    made.set_expert(True)
    signing = Signing(made)
    signing.sign(signing.preview_grant(data, sma(ma_vectors), OWNER, Claims()).token)


def test_what_nobody_may_sign(ma_vectors: dict[str, Any], public_vault: bytes, clock: Clock) -> None:
    """aa-sdk lets it through, and so does --compat; the signer never does."""
    made, _ = opened(public_vault, YES, clock=clock)
    made.set_expert(True)
    names = [
        "account-functions updateFallbackSignerData (accepted by SDK; dangerous)",
        "erc20 same token twice (SDK accepts; last wins on chain)",
    ]
    for name in names:
        with pytest.raises(Refused):
            Signing(made).preview_grant(unsigned(grant_named(ma_vectors, name)), sma(ma_vectors), OWNER, Claims())


@pytest.mark.parametrize(
    "claims",
    [
        Claims(dapp_name="safe\u202e"),
        Claims(dapp_url="x" * 257),
        Claims(names=((MASTERS[1], "a\nb", "", None),)),
        Claims(names=((MASTERS[1], "", "S" * 21, None),)),
        Claims(functions=("f()\x1b[2J",)),
        Claims(functions=("f()",) * 600),
    ],
    ids=range(6),
)
def test_claims_that_would_mislead_are_refused(
    claims: Claims, ma_vectors: dict[str, Any], public_vault: bytes, clock: Clock
) -> None:
    made, _ = opened(public_vault, NEVER, clock=clock)
    with pytest.raises(BadInput) as caught:
        Signing(made).preview_grant(built(ma_vectors), sma(ma_vectors), OWNER, claims)
    assert caught.value.path == "claims"


def test_claims_are_shown_as_claims(ma_vectors: dict[str, Any], public_vault: bytes, clock: Clock) -> None:
    made, person = opened(public_vault, YES, clock=clock)
    claims = Claims("Skirmish", "https://skirmish.example", ((Address.parse("0x" + "22" * 20), "Arena", "ARN", 18),))
    signing = Signing(made)
    signing.sign(signing.preview_grant(built(ma_vectors), sma(ma_vectors), OWNER, claims).token)
    styles = [style for phrase in person.asked[-1][1]["words"]["can"] for style, text in phrase if "Arena" in text or "ARN" in text]
    assert styles == ["claim"]


# --- session keys made here

HAND_OVER_KEY = bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")


def test_session_keys_of_a_practice_vault_are_public(public_vault: bytes, ma_vectors: dict[str, Any], clock: Clock) -> None:
    made, _ = opened(public_vault, clock=clock)
    sessions = Sessions(made)
    assert [sessions.make() for _ in range(3)] == list(SESSIONS[:3])
    assert made.test_only
    for _ in range(len(SESSIONS) - 3):
        sessions.make()
    with pytest.raises(Refused) as caught:
        sessions.make()
    assert caught.value.code == "NoTestKeyLeft"


def test_session_keys_of_a_real_vault_are_random(mixed_vault: bytes, clock: Clock) -> None:
    made, _ = opened(mixed_vault, clock=clock)
    sessions = Sessions(made)
    two = {sessions.make(), sessions.make()}
    assert len(two) == 2
    assert not two & set(SESSIONS)
    assert made.unsaved is not None
    assert {session.address for session in file.open_vault(made.unsaved, secret(PASSPHRASE)).contents.sessions} == two


def test_sealed_once_for_one_request(public_vault: bytes, ma_vectors: dict[str, Any], clock: Clock) -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    made, _ = opened(public_vault, clock=clock)
    sessions, account = Sessions(made), sma(ma_vectors)
    private = bytes(range(32))
    public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    address = sessions.make()
    bound = seal.info("request-1", account.chain_id, account.address)
    for _ in range(2):
        opened_key = seal.open_sealed(sessions.seal(address, public, "request-1", account), private, bound)
        assert keys.address_of(opened_key) == address
    assert made.status().session_keys[0].request_id == "request-1"
    others: list[tuple[bytes, str, Account]] = [
        (HAND_OVER_KEY, "request-1", account),
        (public, "request-2", account),
        (public, "request-1", replace(account, chain_id=1)),
        (public, "request-1", replace(account, address=MASTERS[3])),
    ]
    for key, request, other in others:
        with pytest.raises(Refused) as caught:
            sessions.seal(address, key, request, other)
        assert caught.value.code == "AlreadySealed"


def test_what_cannot_be_sealed(public_vault: bytes, ma_vectors: dict[str, Any], clock: Clock) -> None:
    made, _ = opened(public_vault, clock=clock)
    sessions, account = Sessions(made), sma(ma_vectors)
    address = sessions.make()
    hopeless: list[tuple[Address, bytes, Any]] = [
        (address, bytes(32), "request"),
        (address, b"short", "request"),
        (address, HAND_OVER_KEY, ""),
        (address, HAND_OVER_KEY, "x" * 65),
        (address, HAND_OVER_KEY, "new\nline"),
        (MASTERS[0], HAND_OVER_KEY, "request"),
    ]
    for key_of, public, request in hopeless:
        with pytest.raises(LatchkeyError):
            sessions.seal(key_of, public, request, account)
    assert made.status().session_keys[0].request_id is None


def test_a_session_keystore_and_its_code(mixed_vault: bytes, clock: Clock) -> None:
    answers = [("show-code", {}), YES, ("reveal", {})]
    made, person = opened(mixed_vault, *answers, clock=clock)
    sessions = Sessions(made)
    address = sessions.make()
    with pytest.raises(Refused) as caught:
        sessions.show_code(address)
    assert caught.value.code == "NoCode"
    keystore = json.loads(sessions.keystore(address))
    sessions.show_code(address)
    code = person.asked[-1][1]["words"]
    raw = bytes(EthAccount.decrypt(keystore, " ".join(code)))
    assert EthAccount.from_key(raw).address == address
    sessions.reveal(address)
    assert person.asked[-2][1]["typed"] == "reveal"
    assert person.asked[-1][1] == {"address": address, "secret": "0x" + raw.hex()}


def test_a_raw_session_key_is_not_shown_without_a_yes(mixed_vault: bytes, clock: Clock) -> None:
    made, _ = opened(mixed_vault, NO, clock=clock)
    sessions = Sessions(made)
    address = sessions.make()
    with pytest.raises(Declined):
        sessions.reveal(address)


# --- answers that are none


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        ("passphrase", {}),
        ("passphrase", {"passphrase": "text"}),
        ("passphrase", {"passphrase": b"x" * 70000}),
    ],
)
def test_misshapen_answers_are_refused(ask: str, answer: Fields, public_vault: bytes, clock: Clock) -> None:
    made, _ = keeper(public_vault, (ask, answer), clock=clock)
    with pytest.raises(SignerError) as caught:
        made.unlock()
    assert caught.value.code == "BrokenAnswer"


@pytest.mark.parametrize(
    "answer",
    [{}, {"kind": "seed"}, {"kind": "raw"}, {"kind": "raw", "key": 1}, {"kind": "mnemonic", "words": ["a"], "passphrase": b""},
     {"kind": "keystore", "json": "{}", "password": b""}],
)  # fmt: skip
def test_misshapen_imports_are_refused(answer: Fields, clock: Clock) -> None:
    made, _ = keeper(None, ("import", answer), clock=clock)
    with pytest.raises(SignerError) as caught:
        made.import_key("")
    assert caught.value.code == "BrokenAnswer"


@pytest.mark.parametrize("answer", [{}, {"index": -1}, {"index": 5}, {"index": True}, {"index": "0"}, {"path": 3}])
def test_misshapen_choices_are_refused(answer: Fields, clock: Clock) -> None:
    words = {"kind": "mnemonic", "words": REAL_WORDS, "passphrase": b""}
    made, _ = keeper(None, ("import", words), ("choose-address", answer), clock=clock)
    with pytest.raises(SignerError):
        made.import_key("")
