"""
Envelopes with something sealed inside: how facts and states of a tenant stand on topics and in views.

What is sealed opens for one type, one tenant and one record key alone (`shared.crypto.places`).
"""

from __future__ import annotations

import zlib
from typing import TypeVar

import msgspec

from shared.contracts import envelope as envelopes
from shared.contracts.envelope import Envelope
from shared.contracts.meeting_dictionary import MEETING_DICTIONARY
from shared.crypto.places import bind, unbind
from shared.crypto.sealing import seal, unseal
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError, NewerRecordError

T = TypeVar("T", bound=msgspec.Struct)

MAX_PLAIN_BYTES = 32 * 1024 * 1024
"""What a compressed payload may come to."""
_COMPRESSED = b"\x78"
"""How zlib's format begins (RFC 1950 §2.2); JSON of ours begins with a brace."""


def sealed_envelope(
    keys: TenantKeys,
    payload: msgspec.Struct,
    *,
    key: bytes,
    type: str,
    id: str,
    correlation: str = "",
    causation: str = "",
    version: int = 1,
    rules: int = 0,
    compress: bool = False,
    dictionary: bytes = b"",
) -> bytes:
    """
    A record's value: `payload` sealed under the tenant's data key, in an envelope that names type, tenant and causes.

    Args:
        key: The record's key on its topic: the value opens under no other.
        type: The payload's type name; part of what the seal is bound to.
        id: Unique for the fact; readers that see uncommitted records deduplicate by it.
        version: The payload's schema version; readers that know only earlier ones refuse it.
        rules: The version of the rules that decided the payload; 0 where none did.
        compress: Whether the payload is compressed before it is sealed.
        dictionary: What it is compressed against: b"", or `MEETING_DICTIONARY`, the one that readers have.
    """
    plain = bind(msgspec.json.encode(payload), key)
    sealed = seal(
        keys.data_key, _compressed(plain, dictionary) if compress else plain, purpose=_purpose(type, keys.tenant)
    )
    return envelopes.encode(
        Envelope(
            id=id,
            type=type,
            v=version,
            tenant=keys.tenant,
            correlation=correlation,
            causation=causation,
            sealed=sealed,
            era=keys.era,
            rules=rules,
        )
    )


def open_envelope(envelope: Envelope, keys: TenantKeys, kind: type[T], *, key: bytes, newest: int = 1) -> T:
    """
    Open what an envelope seals.

    Args:
        key: The key that the record stands under, on its topic or in the view.
        newest: The newest schema version of `kind` that the caller reads.

    Raises:
        KeyDestroyedError: an earlier key of the tenant sealed it, which was destroyed: it is to be forgotten.
        NewerRecordError: its schema version is above `newest`.
        MalformedRecordError: another shape, damage, nothing sealed, or it was written under another key than `key`.
    """
    require_era(envelope, keys)
    if envelope.v > newest:
        message = (
            f"{envelope.type} {envelope.id} has version {envelope.v}, and this process reads up to {newest}:"
            f" replace it by the version of roomsync that wrote the record"
        )
        raise NewerRecordError(message)
    if envelope.sealed is None:
        message = f"{envelope.type} {envelope.id} has nothing sealed in it"
        raise MalformedRecordError(message)
    plain = unseal(keys.data_key, envelope.sealed, purpose=_purpose(envelope.type, envelope.tenant))
    payload = unbind(_decompressed(plain), key, refuse_unbound=keys.refuse_unbound)
    return envelopes.read_json(payload, kind)


def require_era(envelope: Envelope, keys: TenantKeys) -> None:
    """Raise KeyDestroyedError if an earlier key of the tenant sealed `envelope`."""
    if envelope.era not in {"", keys.era}:
        message = (
            f"{envelope.type} {envelope.id} was sealed by an earlier key of {envelope.tenant}, destroyed on purpose"
        )
        raise KeyDestroyedError(message)


def open_record(key: bytes, value: bytes, keys: TenantKeys, kind: type[T], *, newest: int = 1) -> T:
    """Decode a record's value and open it, as `open_envelope` does."""
    return open_envelope(envelopes.decode(value), keys, kind, key=key, newest=newest)


def _compressed(plain: bytes, dictionary: bytes) -> bytes:
    deflater = zlib.compressobj(zdict=dictionary) if dictionary else zlib.compressobj()
    return deflater.compress(plain) + deflater.flush()


def _decompressed(plain: bytes) -> bytes:
    if not plain.startswith(_COMPRESSED):
        return plain
    inflater = zlib.decompressobj(zdict=MEETING_DICTIONARY)  # looked at only where the stream says that it needs one
    try:
        found = inflater.decompress(plain, MAX_PLAIN_BYTES)
    except zlib.error as error:
        message = f"sealed bytes do not decompress: {error}"
        raise MalformedRecordError(message) from error
    if not inflater.eof:
        message = f"sealed bytes decompress to more than {MAX_PLAIN_BYTES} bytes, or are cut off"
        raise MalformedRecordError(message)
    return found


def _purpose(type_name: str, tenant: str) -> str:
    return f"{type_name}/{tenant}"
