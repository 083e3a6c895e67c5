"""Destroying a tenant's keys so that no restore brings them back: first the durable record, then the key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from shared.contracts import envelope as envelopes
from shared.contracts import erasure
from shared.contracts.envelope import Envelope
from shared.contracts.erasure import Erasure, KeyClass
from shared.contracts.topics import ERASURES
from shared.domain.identity import partition_of
from shared.domain.keys import era_of
from shared.errors import KeyDestroyedError
from shared.ports.engine import Engine
from shared.ports.keyring import Keyring
from shared.ports.log import Log, NewRecord


def erase_data(engine: Engine, tenant: str, *, now_ms: int) -> None:
    """
    Destroy the tenant's data and hash key: references, snapshots, states and pseudonyms mean nothing any more.

    Idempotent: repeat it after any error. A crash in between leaves a record of a key that still stands; repeating, or
    the next restore, destroys it.

    Raises:
        LogUnavailableError: nothing was destroyed.
        StoreUnavailableError: the record stands, the key perhaps as well.
    """
    _erase(engine, tenant, KeyClass.DATA, now_ms)
    engine.keyring.destroy_data(tenant)


def erase_consents(engine: Engine, tenant: str, *, now_ms: int) -> None:
    """Destroy the tenant's consent key: its people's grants and addresses become unreadable. Otherwise as `erase_data`."""
    _erase(engine, tenant, KeyClass.CONSENT, now_ms)
    engine.keyring.destroy_consent(tenant)


def current_era(keyring: Keyring, tenant: str, key_class: KeyClass) -> str:
    """The era of the tenant's key as it stands; "" when there is none (any more). Raises StoreUnavailableError."""
    find: dict[KeyClass, Callable[[], bytes]] = {
        KeyClass.DATA: lambda: keyring.keys(tenant).data_key,
        KeyClass.CONSENT: lambda: keyring.consent_key(tenant),
    }
    try:
        return era_of(find[key_class]())
    except KeyDestroyedError:
        return ""


def read_erasures(log: Log) -> Iterator[tuple[str, Erasure]]:
    """Every key that was ever destroyed, with its tenant. Raises LogUnavailableError, MalformedRecordError."""
    for partition in range(log.partitions):
        offset = log.span(ERASURES.name, partition).begin
        while page := log.read(ERASURES.name, partition, offset):
            for record in page:
                envelope = envelopes.decode(record.value or b"")
                yield envelope.tenant, envelopes.payload_of(envelope, Erasure)
            offset = page[-1].offset + 1


def find_resurrected_keys(keyring: Keyring, erasures: Iterable[tuple[str, Erasure]]) -> list[tuple[str, KeyClass]]:
    """Keys that stand although their destruction is on record: an old copy of the keyring's file was brought back."""
    return [
        (tenant, erasure.key_class)
        for tenant, erasure in erasures
        if current_era(keyring, tenant, erasure.key_class) == erasure.era
    ]


def destroy_again(keyring: Keyring, keys: Iterable[tuple[str, KeyClass]]) -> None:
    """Destroy them once more; their records stand. Raises StoreUnavailableError."""
    for tenant, key_class in keys:
        (keyring.destroy_data if key_class is KeyClass.DATA else keyring.destroy_consent)(tenant)


def _erase(engine: Engine, tenant: str, key_class: KeyClass, now_ms: int) -> None:
    """The record. A key that is gone already has its own; destroying is repeated all the same, to wipe the file."""
    era = current_era(engine.keyring, tenant, key_class)
    if era:
        engine.log.append([erasure_record(tenant, key_class, era, now_ms, engine.log.partitions)])


def erasure_record(tenant: str, key_class: KeyClass, era: str, at_ms: int, partitions: int) -> NewRecord:
    """What stands on `erasures`: one record a destroyed key, never superseded by that of a later key."""
    name = f"{tenant}/{key_class}/{era}"
    payload = msgspec.json.encode(Erasure(key_class=key_class, era=era, at_ms=at_ms))
    envelope = Envelope(id=f"erasure-{name}", type=erasure.TYPE, tenant=tenant, payload=msgspec.Raw(payload))
    return NewRecord(
        ERASURES.name, partition_of(tenant.encode(), partitions), name.encode(), envelopes.encode(envelope)
    )
