"""Builders for meetings as the fold remembers them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.contracts.meeting_state import RoomState
from shared.contracts.meeting_state_version_1 import MeetingState, RoomMemory
from shared.contracts.observation import Observation, ObservedOccurrence
from shared.domain.attendees import Answer, CopyRole
from shared.domain.keys import TenantKeys

NOW_MS = 1_763_650_000_000
HOUR_MS = 3_600_000
START_MS = NOW_MS + 5 * HOUR_MS
MEETING = "m-meeting"
VOICE = "m-voice"
GUEST = "m-guest"


@pytest.fixture
def keys() -> TenantKeys:
    return TenantKeys("t-one", b"d" * 32, b"h" * 32, b"c" * 32)


@pytest.fixture
def a_room(keys: TenantKeys) -> Callable[..., RoomMemory]:
    """Build a room of the meeting; one that declined is announced unless it is quiet."""

    def build(
        room: str = "r-one",
        state: RoomState = RoomState.PENDING,
        *,
        occurrence: str = "o-one",
        since_ms: int = NOW_MS - 60_000,
        asked_at_ms: int = NOW_MS - 120_000,
        start_ms: int = START_MS,
        quiet: bool = False,
        declines: int | None = None,
    ) -> RoomMemory:
        ask = keys.ask(start_ms, start_ms + HOUR_MS)
        declined = state is RoomState.DECLINED and not quiet
        count = declines if declines is not None else int(declined)
        return RoomMemory(
            occurrence=occurrence,
            room=room,
            state=state,
            ask=ask,
            start_ms=start_ms,
            end_ms=start_ms + HOUR_MS,
            asked_at_ms=asked_at_ms,
            since_ms=since_ms,
            quiet=quiet,
            repeats={ask: count} if count else {},
            decline_id=keys.decline(MEETING, occurrence, room, ask, count - 1) if declined else "",
        )

    return build


@pytest.fixture
def a_meeting() -> Callable[..., MeetingState]:
    """Build a meeting that the voice organises and a guest attends; both copies show every room unless told otherwise."""

    def build(*rooms: RoomMemory, guest_sees: tuple[str, ...] | None = None, voice: str = VOICE) -> MeetingState:
        def copy(mailbox: str, role: CopyRole, visible: tuple[str, ...] | None) -> Observation:
            dates = {room.occurrence: room for room in rooms if room.state is not RoomState.GONE}
            return Observation(
                provider="microsoft",
                mailbox=mailbox,
                meeting=MEETING,
                organizer="p-organizer",
                role=role,
                observed_at_ms=NOW_MS - 60_000,
                occurrences=tuple(
                    ObservedOccurrence(
                        ref=ref,
                        event_id=f"event-of-{mailbox}",
                        start_ms=room.start_ms,
                        end_ms=room.end_ms,
                        rooms={
                            each.room: Answer.NONE
                            for each in rooms
                            if each.occurrence == ref and (visible is None or each.room in visible)
                        },
                        people={"p-organizer": Answer.ACCEPTED, "p-guest": Answer.NONE, "p-other": Answer.NONE},
                    )
                    for ref, room in dates.items()
                ),
            )

        copies = {VOICE: copy(VOICE, CopyRole.ORGANIZER, None), GUEST: copy(GUEST, CopyRole.GUEST, guest_sees)}
        return MeetingState(provider="microsoft", meeting=MEETING, copies=copies, voice=voice, rooms=rooms)

    return build
