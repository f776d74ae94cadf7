"""What is signed, field by field, as it stands in the bytes: label and value, for whoever looks closer than the words go."""

from __future__ import annotations

from collections.abc import Iterator

from latchkey.core.account import Account
from latchkey.core.moments import utc
from latchkey.core.networks import network
from latchkey.core.permissions import Permission, permission_to_json
from latchkey.core.reading import Action, Batch, Call, Deferred, Install, Reading, Uninstall, unknown_in
from latchkey.core.types import keccak, to_hex
from latchkey.language import tr


def signed_fields(reading: Reading, account: Account | None) -> Iterator[tuple[str, str]]:
    """Every field, as it stands in the bytes."""
    if account is not None:
        yield tr("Network"), tr("{name} (chain id {chain_id})", name=network(account.chain_id).name, chain_id=account.chain_id)
        yield tr("Account"), str(account.address)
    if isinstance(reading, Deferred):
        if reading.account is not None and (account is None or account.address != reading.account):
            yield tr("Account named in the data"), str(reading.account)
        if reading.chain_id is not None and (account is None or account.chain_id != reading.chain_id):
            yield tr("Chain id named in the data"), str(reading.chain_id)
        yield tr("Kind"), tr("DeferredAction: an action you sign now and the session key carries in its first call")
        yield tr("Nonce"), f"0x{reading.nonce:064x}"
        yield tr("Nonce key"), hex(reading.nonce_key)
        yield tr("Nonce sequence"), str(reading.sequence)
        yield tr("Nonce entity id"), str(reading.entity_id)
        yield tr("Nonce options"), f"{reading.options} ({_options(reading.options)})"
        yield tr("Deadline"), _time(reading.deadline)
        if reading.signer_entity_id is not None:
            yield (
                tr("Signed by"),
                tr("the owner (entity 0)")
                if reading.signer_entity_id == 0
                else tr("entity {signer_entity_id}", signer_entity_id=reading.signer_entity_id),
            )
        if reading.needs_execute_user_op is not None:
            yield tr("Calls wrapped in executeUserOp"), tr("yes") if reading.needs_execute_user_op else tr("no")
        if reading.signature is not None:
            yield tr("Signature"), to_hex(reading.signature)
        yield (
            tr("Call"),
            tr(
                "{call}, {count} bytes, hash {keccak}",
                call=to_hex(reading.call[:4]),
                count=len(reading.call),
                keccak=to_hex(keccak(reading.call)),
            ),
        )
        yield from _signed_action(reading.action)
    else:
        yield from _signed_action(reading)
    for unknown in unknown_in(reading):
        yield tr("Not understood: {where}", where=unknown.where), f"{to_hex(unknown.data)} ({unknown.why})"


def _signed_action(action: Action) -> Iterator[tuple[str, str]]:
    if isinstance(action, Install):
        yield tr("Function"), "installValidation"
        yield tr("Entity id"), str(action.entity_id)
        yield tr("Validation module"), str(action.module)
        yield tr("Session key"), str(action.session_key) if action.session_key else tr("not readable")
        rights = {
            "operations": action.is_user_op,
            "messages (ERC-1271)": action.signs_messages,
            "everything (global)": action.is_global,
        }
        yield tr("May validate"), ", ".join(name for name, given in rights.items() if given) or tr("nothing")
        yield tr("Expiry"), _time(action.expiry)
        if action.valid_after:
            yield tr("Not before"), _time(action.valid_after)
        yield tr("Limits at execution"), tr("yes") if action.has_execution_hooks else tr("no")
        for index, permission in enumerate(action.permissions):
            yield tr("Permission {index}", index=index + 1), _permission(permission)
    elif isinstance(action, Uninstall):
        yield tr("Function"), "uninstallValidation"
        yield tr("Entity id"), str(action.entity_id)
        yield tr("Validation module"), str(action.module)
        yield tr("Data for the module"), to_hex(action.uninstall_data)
        for index, data in enumerate(action.hook_data):
            yield tr("Data for hook {index}", index=index + 1), to_hex(data)
    else:
        for index, call in enumerate(action.calls if isinstance(action, Batch) else (action,)):
            yield from _signed_call(tr("Call {index}", index=index + 1), call)


def _signed_call(label: str, call: Call) -> Iterator[tuple[str, str]]:
    yield (
        label,
        tr(
            "{target}, value {call} wei, {data}",
            target=call.target or tr("the account itself"),
            call=call.value,
            data=to_hex(call.data),
        ),
    )
    if call.signature is not None:
        yield tr("{label} reads as", label=label), f"{call.signature} {', '.join(f'{k} = {v}' for k, v in call.arguments)}".rstrip()
    if call.inner is not None:
        yield from ((tr("{label}, inside: {name}", label=label, name=name), value) for name, value in _signed_action(call.inner))


def _permission(permission: Permission) -> str:
    value = permission_to_json(permission)
    data = value.get("data", {})
    fields = ", ".join(f"{k} {' '.join(v) if isinstance(v, list) else v}" for k, v in data.items())
    return f"{value['type']}: {fields}" if fields else str(value["type"])


def _options(options: int) -> str:
    names = [name for bit, name in ((1, tr("global")), (2, tr("deferred action")), (4, tr("direct call"))) if options & bit]
    return ", ".join(names) or tr("none")


def _time(seconds: int) -> str:
    return f"{seconds} ({utc(seconds)})" if seconds else tr("0 (none)")
