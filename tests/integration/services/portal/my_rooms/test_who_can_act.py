"""Who is prompted, what the others are told, and what becomes of a choice or a dismissal when things change meanwhile."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from shared.contracts.meeting_state import RoomState
from shared.contracts.meeting_state_version_1 import MeetingState, RoomMemory
from shared.contracts.rows import DismissalRow, TakeState
from shared.domain.attendees import CopyRole
from shared.domain.instants import HOUR_MS
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office


@pytest.fixture
def declined(office: Office, ada: Browser) -> RoomMemory:
    """Room one has declined Ada's meeting."""
    one, *_ = office.enter_rooms(ada.tenant, "one", "two")
    return office.room(ada, one, RoomState.DECLINED)


def as_guest(office: Office, meeting: MeetingState, guest: Browser, organizer: str) -> MeetingState:
    """The same meeting, its organiser not connected: the copy of `guest` speaks for it."""
    [event] = office.calendar.events.values()
    office.calendar.events[event.event_id] = dataclasses.replace(event, is_organizer=False, organizer=organizer)
    copies = {name: msgspec.structs.replace(copy, role=CopyRole.GUEST) for name, copy in meeting.copies.items()}
    return msgspec.structs.replace(meeting, copies=copies, voice=guest.mailbox)


@pytest.mark.proves("E43")
@pytest.mark.parametrize(("organizer", "who"), [("Olga Orga", "Olga Orga"), ("", "whoever organises the meeting")])
def test_a_guest_who_cannot_change_the_room_is_told_who_can_and_is_offered_nothing(
    office: Office, ada: Browser, declined: RoomMemory, organizer: str, who: str
) -> None:
    office.show(as_guest(office, office.meeting(ada, declined), ada, organizer), ada.tenant)
    assert ada.client.get("/v1/me/prompts").json["prompts"] == []
    [room] = ada.client.get("/v1/me/rooms").json["rooms"]
    assert room["state"] == "declined"
    assert room["words"] == f"The room has declined. Only {who} can choose another one."
    page = ada.client.get("/?titles=wait").text
    assert room["words"] in page
    assert "Choose another room" not in page.split("<template")[0]
    refused = ada.post(f"/v1/me/prompts/{declined.decline_id}/take", {"roomId": room["roomId"]}, Idempotency_Key="k")
    assert refused.status_code == 404


@pytest.mark.proves("D8")
def test_what_one_person_puts_away_stays_with_another(
    office: Office, ada: Browser, ben: Browser, declined: RoomMemory
) -> None:
    office.show(office.meeting(ada, declined), ada.tenant)
    row = DismissalRow(user=ben.user, at_ms=office.clock.now_ms())
    tables.dismissals(office.engine.registry).put(ada.tenant, declined.decline_id, row)  # as 0.1.0 wrote it for a guest
    assert len(ada.client.get("/v1/me/prompts").json["prompts"]) == 1
    assert ada.post(f"/v1/me/prompts/{declined.decline_id}/dismiss").json["closed"] == "dismissed"
    assert ada.client.get("/v1/me/prompts").json["prompts"] == []


@pytest.mark.proves("D8")
def test_a_dismissal_of_the_first_version_counts_for_its_person(
    office: Office, ada: Browser, declined: RoomMemory
) -> None:
    office.show(office.meeting(ada, declined), ada.tenant)
    row = DismissalRow(user=ada.user, at_ms=office.clock.now_ms())
    tables.dismissals(office.engine.registry).put(ada.tenant, declined.decline_id, row)
    assert ada.client.get("/v1/me/prompts").json["prompts"] == []


def test_a_take_that_waited_too_long_shows_its_reason_after_its_prompt_has_closed(
    office: Office, ada: Browser, declined: RoomMemory
) -> None:
    soon_ms = office.clock.now_ms() + HOUR_MS
    keys = office.keys(ada.tenant)
    ask = keys.ask(soon_ms, soon_ms + HOUR_MS)
    declined = msgspec.structs.replace(
        declined,
        start_ms=soon_ms,
        end_ms=soon_ms + HOUR_MS,
        ask=ask,
        repeats={ask: 1},
        decline_id=keys.decline("m-planning", declined.occurrence, declined.room, ask, 0),
    )
    office.show(office.meeting(ada, declined), ada.tenant)
    two = keys.room("two@rooms.test")
    made = ada.post(f"/v1/me/prompts/{declined.decline_id}/take", {"roomId": two}, Idempotency_Key="k").json
    tables.takes(office.engine.registry).change(
        ada.tenant,
        made["takeId"],
        lambda row: (
            msgspec.structs.replace(row, state=TakeState.FAILED, reason="the meeting is over by now") if row else None
        ),
    )
    assert "The meeting is over by now." in ada.client.get("/").text
    office.clock.advance(declined.end_ms - office.clock.now_ms())  # it is over, and the prompt is closed
    page = ada.client.get("/").text
    assert "Asking for Room two did not work. The meeting is over by now." in page
    [prompt] = ada.client.get("/v1/me/prompts?include=closed").json["prompts"]
    assert (prompt["closed"], prompt["take"]["reason"]) == ("past", "the meeting is over by now")
