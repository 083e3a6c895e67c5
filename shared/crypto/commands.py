"""What a command names of somebody's calendar, sealed like a fact: it stands on its topic for days after switching off."""

from __future__ import annotations

from shared.contracts.command import TakeRoom
from shared.crypto.sealing import seal, unseal
from shared.domain.keys import TenantKeys


def sealed_event(keys: TenantKeys, take_id: str, event_id: str) -> bytes:
    """The event of the take `take_id`, under the tenant's data key."""
    return seal(keys.data_key, event_id.encode(), purpose=_purpose(keys.tenant, take_id))


def event_of(keys: TenantKeys, take: TakeRoom) -> str:
    """
    The event in which a room is to be swapped; a command of version 0.1.0 names it in clear.

    Raises:
        MalformedRecordError: another key, or another take's.
    """
    if not take.event_sealed:
        return take.event_id
    return unseal(keys.data_key, take.event_sealed, purpose=_purpose(keys.tenant, take.take_id)).decode()


def _purpose(tenant: str, take_id: str) -> str:
    return f"take-room/{tenant}/{take_id}"
