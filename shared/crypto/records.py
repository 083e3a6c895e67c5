"""Envelopes with something sealed inside: how facts and states of a tenant stand on topics and in views."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from shared.contracts import envelope as envelopes
from shared.contracts.envelope import Envelope
from shared.crypto.sealing import seal, unseal
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError

T = TypeVar("T", bound=msgspec.Struct)


def sealed_envelope(
    keys: TenantKeys,
    payload: msgspec.Struct,
    *,
    type: str,
    id: str,
    correlation: str = "",
    causation: str = "",
) -> bytes:
    """
    A record's value: `payload` sealed under the tenant's data key, in an envelope that names type, tenant and causes.

    Args:
        type: The payload's type name; part of what the seal is bound to.
        id: Unique for the fact; readers that see uncommitted records deduplicate by it.
    """
    sealed = seal(keys.data_key, msgspec.json.encode(payload), purpose=_purpose(type, keys.tenant))
    return envelopes.encode(
        Envelope(
            id=id,
            type=type,
            tenant=keys.tenant,
            correlation=correlation,
            causation=causation,
            sealed=sealed,
            era=keys.era,
        )
    )


def open_envelope(envelope: Envelope, keys: TenantKeys, kind: type[T]) -> T:
    """
    Open what an envelope seals.

    Raises:
        KeyDestroyedError: an earlier key of the tenant sealed it, which was destroyed: it is to be forgotten.
        MalformedRecordError: another shape, damage, or nothing sealed.
    """
    if envelope.sealed is None:
        message = f"{envelope.type} {envelope.id} has nothing sealed in it"
        raise MalformedRecordError(message)
    if envelope.era not in {"", keys.era}:
        message = (
            f"{envelope.type} {envelope.id} was sealed by an earlier key of {envelope.tenant}, destroyed on purpose"
        )
        raise KeyDestroyedError(message)
    plain = unseal(keys.data_key, envelope.sealed, purpose=_purpose(envelope.type, envelope.tenant))
    return envelopes.read_json(plain, kind)


def opened(value: bytes, keys: TenantKeys, kind: type[T]) -> T:
    """Decode a record's value and open it. Raises KeyDestroyedError, MalformedRecordError."""
    return open_envelope(envelopes.decode(value), keys, kind)


def _purpose(type_name: str, tenant: str) -> str:
    return f"{type_name}/{tenant}"
