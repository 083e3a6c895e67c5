"""What a consent row becomes when its tokens are refreshed, refused or refreshed elsewhere. Pure."""

from __future__ import annotations

import msgspec

from shared.contracts.rows import ConsentRow, ConsentState
from shared.domain.instants import MINUTE_MS
from shared.errors import ConsentRevokedError, RefusedError
from shared.grants.oauth import Lost

ENOUGH_LIFE_MS = 4 * MINUTE_MS  # a look may page for a while; google-auth renews at 3:45 as well


DISCONNECTING = "disconnecting"
"""The code of a grant whose person has taken it back here: it is deleted once its subscription has been ended."""


def checked(row: ConsentRow | None, *, ending: bool = False) -> ConsentRow:
    """
    The row, if the provider may be called with it.

    Args:
        ending: Take one that sleeps or is taken back too: to end a subscription, and for nothing else.

    Raises:
        ConsentRevokedError: there is no grant (`no_consent`), it is gone, or its person took it back (`disconnecting`).
        RefusedError: it sleeps, since the integration is switched off.
    """
    if row is None:
        message = "this calendar is not connected; its person connects it on their page"
        raise ConsentRevokedError(message, code="no_consent")
    if row.state is ConsentState.REVOKED:
        message = f"the grant is gone ({row.reason}); the person reconnects on their page"
        raise ConsentRevokedError(message, code=row.reason or "invalid_grant")
    if row.leaving_at_ms and not ending:
        message = "its person has disconnected this calendar; they connect it again on their page"
        raise ConsentRevokedError(message, code=DISCONNECTING)
    if row.state is ConsentState.SLEEPING and not ending:
        message = "the integration is switched off, so the grant sleeps; an administrator switches it on"
        raise RefusedError(message)
    return row


def connecting(row: ConsentRow | None, fresh: ConsentRow) -> ConsentRow:
    """
    The row after a person connected: the fresh one, with the refresh token at hand if none came along.

    Raises:
        RefusedError: there is no refresh token at all.
    """
    if fresh.refresh_sealed:
        return fresh
    if row is None or not row.refresh_sealed:  # Google sends one at the first consent only
        message = "the provider sent no refresh token; connect again (offline_access, or access_type=offline with prompt=consent)"
        raise RefusedError(message)
    return msgspec.structs.replace(fresh, refresh_sealed=row.refresh_sealed)


def is_usable(row: ConsentRow, now_ms: int) -> bool:
    """Whether the sealed access token is there and will last."""
    return bool(row.access_sealed) and row.access_expires_at_ms - now_ms > ENOUGH_LIFE_MS


def refreshed(row: ConsentRow, used: bytes, access: bytes, expires_at_ms: int, refresh: bytes) -> ConsentRow:
    """
    The row after a successful refresh.

    Args:
        row: As it stands now.
        used: The sealed refresh token that was used; if another stands in the row, somebody reconnected and it stays.
        access: The new access token, sealed.
        expires_at_ms: Until when it is good.
        refresh: The new refresh token, sealed; b"" when the old one stays good.
    """
    if row.refresh_sealed != used or row.state is ConsentState.REVOKED:
        return msgspec.structs.replace(row, refreshing_until_ms=0)
    return msgspec.structs.replace(
        row,
        access_sealed=access,
        access_expires_at_ms=expires_at_ms,
        refresh_sealed=refresh or used,
        refreshing_until_ms=0,
        state=_well(row),
        reason="",
    )


def failing(row: ConsentRow, used: bytes, reason: str) -> ConsentRow:
    """The row after a refresh that must be tried again: an active grant shows as failing."""
    idle = msgspec.structs.replace(row, refreshing_until_ms=0)
    if row.refresh_sealed != used or row.state not in {ConsentState.ACTIVE, ConsentState.FAILING}:
        return idle
    return msgspec.structs.replace(idle, state=ConsentState.FAILING, reason=reason)


def lost(row: ConsentRow, used: bytes, code: str) -> ConsentRow:
    """The row after the provider said that the grant is gone. A grant given meanwhile is another one, and stays."""
    if row.refresh_sealed != used:
        return msgspec.structs.replace(row, refreshing_until_ms=0)
    return revoked(row, code)


def reading(row: ConsentRow) -> ConsentRow:
    """The subscription stands; the calendar is being read for the first time."""
    return msgspec.structs.replace(row, state=ConsentState.ACTIVE) if row.state is ConsentState.CONNECTING else row


def connected(row: ConsentRow, now_ms: int) -> ConsentRow:
    """The first look has been committed."""
    if row.state is ConsentState.REVOKED or row.first_look_at_ms:
        return row
    state = ConsentState.ACTIVE if row.state is ConsentState.CONNECTING else row.state
    return msgspec.structs.replace(row, state=state, first_look_at_ms=now_ms)


def asleep(row: ConsentRow, until_ms: int) -> ConsentRow:
    """The row once the integration is switched off; one that is revoked has nothing that could sleep."""
    if row.state is ConsentState.REVOKED:
        return row
    return msgspec.structs.replace(row, state=ConsentState.SLEEPING, asleep_until_ms=until_ms, refreshing_until_ms=0)


def awake(row: ConsentRow, now_ms: int) -> ConsentRow:
    """A sleeping row once the integration is enabled again: as if its person had connected just now."""
    if row.state is not ConsentState.SLEEPING:
        return row
    return msgspec.structs.replace(
        row,
        state=ConsentState.CONNECTING,
        asleep_until_ms=0,
        refreshing_until_ms=0,
        connected_at_ms=now_ms,
        first_look_at_ms=0,
        reason="",
    )


def leaving(row: ConsentRow, now_ms: int) -> ConsentRow:
    """The row once its person asked to disconnect."""
    return row if row.leaving_at_ms else msgspec.structs.replace(row, leaving_at_ms=now_ms)


def deadline(row: ConsentRow) -> int | None:
    """From when on the row is refused at read."""
    return row.asleep_until_ms or None


def revoked(row: ConsentRow, code: str) -> ConsentRow:
    """The row without its tokens."""
    return msgspec.structs.replace(
        row,
        state=ConsentState.REVOKED,
        reason=code,
        refresh_sealed=b"",
        access_sealed=b"",
        access_expires_at_ms=0,
        refreshing_until_ms=0,
        asleep_until_ms=0,
    )


def who_mends(code: str) -> str:
    """Who can bring a lost grant back: `person`, or `administrator` where a policy or an approval stands before it."""
    return "administrator" if code in _ADMINISTRATORS else "person"


def lost_error(outcome: Lost) -> ConsentRevokedError:
    """The error for a grant that the token endpoint refuses."""
    whom = "an administrator approves it" if who_mends(outcome.code) == "administrator" else "the person reconnects"
    return ConsentRevokedError(f"the grant is gone ({outcome.code}); {whom}", code=outcome.code)


_ADMINISTRATORS = {
    "AADSTS90094", "AADSTS700016", "AADSTS700011", "AADSTS70001", "AADSTS50057", "AADSTS53000", "AADSTS53001",
    "AADSTS53002", "AADSTS53003", "admin_policy_enforced", "unauthorized_client", "org_internal",
}  # fmt: skip


def _well(row: ConsentRow) -> ConsentState:
    if row.state is ConsentState.FAILING:
        return ConsentState.ACTIVE
    return row.state
