"""What a consent row becomes when its tokens are refreshed, refused or refreshed elsewhere. Pure."""

from __future__ import annotations

import msgspec

from shared.contracts.rows import ConsentRow, ConsentState
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from shared.errors import ConsentRevokedError, GrantSuspendedError, RefusedError
from shared.grants.oauth import Lost
from shared.providers.catalogue import PROFILES
from shared.providers.token_refusal import Mender

ENOUGH_LIFE_MS = 4 * MINUTE_MS  # a look may page for a while; google-auth renews at 3:45 as well


DISCONNECTING = "disconnecting"
"""The code of a grant whose person has taken it back here: it is deleted once its subscription has been ended."""


IN_USE = frozenset((ConsentState.CONNECTING, ConsentState.ACTIVE, ConsentState.FAILING, ConsentState.SUSPENDED))
"""The states in which a grant is in use, or would be."""
RETRY_AFTER_MS = (HOUR_MS, 6 * HOUR_MS, DAY_MS)
"""After the first, second and every further refusal of a grant: when the token endpoint is asked again."""
GIVEN_UP_AFTER_MS = 14 * DAY_MS
ENDS_SOON_MS = 8 * DAY_MS
"""Before then a grant's own end is warned of: a little more than the seven days of a consent screen in *Testing*."""
_LOOK_AGAIN_MS = HOUR_MS
"""How long a caller of a suspended grant waits at most: it may have been released meanwhile."""


def check_callable(row: ConsentRow | None, *, now_ms: int, ending: bool = False) -> ConsentRow:
    """
    The row, if the provider may be called with it.

    Args:
        row: As it stands.
        now_ms: The time.
        ending: Take one that sleeps or is taken back too: to end a subscription, and for nothing else.

    Raises:
        ConsentRevokedError: there is no grant (`no_consent`), it is gone, or its person took it back (`disconnecting`).
        GrantSuspendedError: it is suspended, and not yet to be tried again.
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
    if row.state is ConsentState.SUSPENDED:
        if ending:
            message = f"the grant is suspended ({row.reason}): nothing can be ended with it"
            raise ConsentRevokedError(message, code=row.reason)
        if now_ms < row.retry_at_ms:
            raise suspended_error(row, now_ms)
    if row.state is ConsentState.SLEEPING and not ending:
        message = "the integration is switched off, so the grant sleeps; an administrator switches it on"
        raise RefusedError(message)
    return row


def begin_connecting(row: ConsentRow | None, fresh: ConsentRow) -> ConsentRow:
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


def end_of(lasts_s: float, now_ms: int) -> int:
    """When a grant that lasts so many seconds ends, in epoch milliseconds; 0 for one whose end was not named."""
    return now_ms + int(lasts_s * SECOND_MS) if lasts_s else 0


def ends_soon(row: ConsentRow, now_ms: int) -> bool:
    """Whether a grant in use ends by itself within `ENDS_SOON_MS`, or is past its end."""
    return row.state in IN_USE and 0 < row.ends_at_ms <= now_ms + ENDS_SOON_MS


def is_usable(row: ConsentRow, now_ms: int) -> bool:
    """Whether the sealed access token is there and will last."""
    return bool(row.access_sealed) and row.access_expires_at_ms - now_ms > ENOUGH_LIFE_MS


def store_refreshed(
    row: ConsentRow, used: bytes, access: bytes, expires_at_ms: int, refresh: bytes, now_ms: int
) -> ConsentRow:
    """
    The row after a successful refresh.

    Args:
        row: As it stands now.
        used: The sealed refresh token that was used; if another stands in the row, somebody reconnected and it stays.
        access: The new access token, sealed.
        expires_at_ms: Until when it is good.
        refresh: The new refresh token, sealed; b"" when the old one stays good.
        now_ms: The time.
    """
    if row.refresh_sealed != used or row.state is ConsentState.REVOKED:
        return msgspec.structs.replace(row, refreshing_until_ms=0)
    return msgspec.structs.replace(
        row,
        access_sealed=access,
        access_expires_at_ms=expires_at_ms,
        refresh_sealed=refresh or used,
        refreshed_at_ms=now_ms,
        refreshing_until_ms=0,
        state=_well(row),
        reason="",
        **_NOT_SUSPENDED,
    )


def mark_failing(row: ConsentRow, used: bytes, reason: str) -> ConsentRow:
    """The row after a refresh that must be tried again: an active grant shows as failing."""
    idle = msgspec.structs.replace(row, refreshing_until_ms=0)
    if row.refresh_sealed != used or row.state not in {ConsentState.ACTIVE, ConsentState.FAILING}:
        return idle
    return msgspec.structs.replace(idle, state=ConsentState.FAILING, reason=reason)


def mark_accepted(row: ConsentRow) -> ConsentRow:
    """The row once the calendar takes its token again."""
    return msgspec.structs.replace(row, state=_well(row), reason="") if row.state is ConsentState.FAILING else row


def mark_lost(row: ConsentRow, used: bytes, code: str) -> ConsentRow:
    """The row after the provider said that the grant is gone. A grant given meanwhile is another one, and stays."""
    if row.refresh_sealed != used:
        return msgspec.structs.replace(row, refreshing_until_ms=0)
    return revoke(row, code)


def suspend(row: ConsentRow, used: bytes, code: str, now_ms: int) -> ConsentRow:
    """
    The row after a refusal for a reason that can pass: its tokens are kept, and tried again ever more rarely.

    After two weeks of refusals the grant is given up.
    """
    idle = msgspec.structs.replace(row, refreshing_until_ms=0)
    if row.refresh_sealed != used or row.state not in IN_USE:
        return idle
    since_ms = row.suspended_at_ms or now_ms
    if now_ms - since_ms >= GIVEN_UP_AFTER_MS:
        return revoke(row, code)
    return msgspec.structs.replace(
        idle,
        state=ConsentState.SUSPENDED,
        reason=code,
        suspended_at_ms=since_ms,
        refusals=row.refusals + 1,
        retry_at_ms=now_ms + RETRY_AFTER_MS[min(row.refusals, len(RETRY_AFTER_MS) - 1)],
    )


def hold_back(row: ConsentRow, code: str, until_ms: int) -> ConsentRow:
    """The row while nobody is asked for, since many are refused: no refusal of its own is counted."""
    if row.state not in IN_USE:
        return row
    return msgspec.structs.replace(row, state=ConsentState.SUSPENDED, reason=code, retry_at_ms=until_ms)


def waits_for_others(row: ConsentRow) -> bool:
    """Whether the grant itself was not refused, and is not asked for since many others were."""
    return row.state is ConsentState.SUSPENDED and not row.refusals


def release(row: ConsentRow, code: str, now_ms: int) -> ConsentRow:
    """The row once another grant that was suspended for the same reason is good again: it is tried at once."""
    if row.state is not ConsentState.SUSPENDED or row.reason != code:
        return row
    return msgspec.structs.replace(row, retry_at_ms=min(row.retry_at_ms, now_ms))


def suspended_error(row: ConsentRow, now_ms: int, *, status: int = 0) -> GrantSuspendedError:
    """The error for a caller that asks for a suspended grant; `status` is that of an answer just had, 0 without one."""
    wait_ms = min(max(row.retry_at_ms - now_ms, 0), _LOOK_AGAIN_MS)
    message = f"the provider refuses this grant for now ({row.reason}); it is kept, and tried again"
    return GrantSuspendedError(
        message,
        code=row.reason,
        retry_after_s=wait_ms / SECOND_MS,
        provider_status=status,
        provider_code=row.reason,
    )


def mark_reading(row: ConsentRow) -> ConsentRow:
    """The subscription stands; the calendar is being read for the first time."""
    return msgspec.structs.replace(row, state=ConsentState.ACTIVE) if row.state is ConsentState.CONNECTING else row


def mark_connected(row: ConsentRow, now_ms: int) -> ConsentRow:
    """The first look has been committed."""
    if row.state is ConsentState.REVOKED or row.first_look_at_ms:
        return row
    state = ConsentState.ACTIVE if row.state is ConsentState.CONNECTING else row.state
    return msgspec.structs.replace(row, state=state, first_look_at_ms=now_ms)


def put_to_sleep(row: ConsentRow, until_ms: int) -> ConsentRow:
    """The row once the integration is switched off; one that is revoked has nothing that could sleep."""
    if row.state is ConsentState.REVOKED:
        return row
    return msgspec.structs.replace(row, state=ConsentState.SLEEPING, asleep_until_ms=until_ms, refreshing_until_ms=0)


def wake_up(row: ConsentRow, now_ms: int) -> ConsentRow:
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
        **_NOT_SUSPENDED,
    )


def mark_leaving(row: ConsentRow, now_ms: int) -> ConsentRow:
    """The row once its person asked to disconnect."""
    return row if row.leaving_at_ms else msgspec.structs.replace(row, leaving_at_ms=now_ms)


def deadline(row: ConsentRow) -> int | None:
    """From when on the row is refused at read."""
    return row.asleep_until_ms or None


def revoke(row: ConsentRow, code: str) -> ConsentRow:
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
        **_NOT_SUSPENDED,
    )


def who_mends(code: str) -> str:
    """
    Who can bring a refused grant back, by the providers' tables: a word of `Mender`.

    Args:
        code: A provider's error code; one that no table holds is for the grant's person.
    """
    found = (profile.token_codes.table.get(code) for profile in PROFILES.values())
    return next((each.mender.value for each in found if each is not None), Mender.PERSON.value)


def lost_error(outcome: Lost) -> ConsentRevokedError:
    """The error for a grant that the token endpoint ended."""
    return ConsentRevokedError(
        f"the grant is gone ({outcome.code}); the person reconnects",
        code=outcome.code,
        provider_status=outcome.status,
        provider_code=outcome.code if outcome.status else "",  # without an answer the word is one of ours
    )


_NOT_SUSPENDED: dict[str, int] = {"suspended_at_ms": 0, "refusals": 0, "retry_at_ms": 0}


def _well(row: ConsentRow) -> ConsentState:
    if row.state is ConsentState.SUSPENDED:
        return ConsentState.ACTIVE if row.first_look_at_ms else ConsentState.CONNECTING
    return ConsentState.ACTIVE if row.state is ConsentState.FAILING else row.state
