"""What a signed-in person is told, and what they can have done."""

from __future__ import annotations

import re

import msgspec
import pytest

from services.portal.deps import Deps
from services.portal.meetings import room_habits
from services.portal.meetings.answer_history import Memories
from services.portal.meetings.takes import UNDER_WAY_MS
from shared.contracts import envelope
from shared.contracts.command import Command, TakeRoom
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import ConsentState, TakeRow, TakeState
from shared.contracts.topics import MEETING_STATE
from shared.crypto.commands import event_of
from shared.domain.identity import Mailbox
from shared.domain.instants import to_rfc3339
from shared.domain.sighting import Availability
from shared.errors import LogUnavailableError, StoreUnavailableError
from shared.ports.log import NewRecord
from shared.registry import tables
from tests.integration.services.portal.office import TITLE, Browser, Office


@pytest.fixture
def declined(office: Office, ada: Browser) -> str:
    """Ada's meeting, whose room has declined; three others are known, two of them free. The prompt's id."""
    first, *_ = office.enter_rooms(ada.tenant, "one", "two", "three", "four")
    room = office.room(ada, first, RoomState.DECLINED)
    office.show(office.meeting(ada, room), ada.tenant)
    office.calendar.said = {
        "two@rooms.test": Availability.FREE,
        "three@rooms.test": Availability.BUSY,
        "four@rooms.test": Availability.FREE,
    }
    return room.decline_id


def takes_asked(office: Office) -> list[TakeRoom]:
    """The takes on the log, with the event that each seals: in clear it stands on none."""
    found = []
    for _, _, value in office.commands():
        read = envelope.decode(value)
        wish = envelope.payload_of(read, Command)
        if isinstance(wish, TakeRoom):
            assert wish.event_id == ""
            keys = office.deps.engine.keyring.keys(read.tenant)
            found.append(msgspec.structs.replace(wish, event_id=event_of(keys, wish)))
    return found


@pytest.mark.proves("E42")
def test_room_that_has_not_answered_is_pending_on_page_and_api_and_nothing_says_booked(
    office: Office, ada: Browser
) -> None:
    [room] = office.enter_rooms(ada.tenant, "one")
    office.show(office.meeting(ada, office.room(ada, room, RoomState.PENDING)), ada.tenant)

    [shown] = ada.client.get("/v1/me/rooms").json["rooms"]
    page = ada.client.get("/").text

    assert (shown["state"], shown["roomName"], shown["title"]) == ("pending", "Room one", TITLE)
    assert '<span class="badge pending" data-state>Pending</span>' in page
    assert "booked" not in page.lower()
    assert "accepted" not in page.split("<template")[0].lower()


@pytest.mark.proves("E43")
def test_room_that_declined_gives_one_prompt_with_a_way_to_choose_another(
    office: Office, ada: Browser, declined: str
) -> None:
    [prompt] = ada.client.get("/v1/me/prompts").json["prompts"]
    page = ada.client.get("/").text

    assert (prompt["id"], prompt["title"], prompt["open"]) == (declined, TITLE, True)
    assert page.count(f'data-prompt="{declined}"') == 1
    assert "Choose another room" in page
    assert "The room gave no reason." in page


def test_choices_are_the_free_rooms_and_are_not_promised(ada: Browser, declined: str) -> None:
    found = ada.client.get(f"/v1/me/prompts/{declined}/choices").json

    assert [choice["name"] for choice in found["choices"]] == ["Room four", "Room two"]
    assert {choice["label"] for choice in found["choices"]} == {"free now, not confirmed"}


@pytest.mark.proves("D8")
def test_room_that_declined_this_person_or_everybody_comes_last_and_says_why(
    office: Office, ada: Browser, ben: Browser, declined: str
) -> None:
    four, two = (office.keys(ada.tenant).room(f"{name}@rooms.test") for name in ("four", "two"))
    for number in range(3):
        name = f"m-ben-{number}"
        refused = office.room(ben, four, RoomState.DECLINED, meeting=name, occurrence=f"o-ben-{number}")
        office.show(office.meeting(ben, refused, meeting=name), ben.tenant)

    found = ada.client.get(f"/v1/me/prompts/{declined}/choices").json["choices"]
    assert [(each["name"], each["doubt"]) for each in found] == [("Room two", None), ("Room four", "always-declines")]
    assert found[1]["reasons"][0] == "has declined everybody so far"

    refused = office.room(ada, two, RoomState.DECLINED, meeting="m-other", occurrence="o-other")
    office.show(office.meeting(ada, refused, meeting="m-other"), ada.tenant)
    found = ada.client.get(f"/v1/me/prompts/{declined}/choices").json["choices"]
    assert {each["name"]: each["doubt"] for each in found} == {
        "Room two": "declined-you",
        "Room four": "always-declines",
    }
    assert "has declined you before" in ada.client.get(f"/prompts/{declined}").text


def test_meetings_of_the_organisation_are_looked_through_once_in_five_minutes(
    office: Office, ada: Browser, declined: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    monkeypatch.setattr(room_habits, "memories", lambda _deps, tenant: counted.append(tenant) or {})
    path = f"/v1/me/prompts/{declined}/choices"
    assert [ada.client.get(path).status_code for _ in range(5)] == [200] * 5
    assert len(counted) == 1
    office.clock.advance(room_habits.KEPT_MS)
    ada.client.get(path)
    assert len(counted) == 2


def test_what_is_known_of_rooms_is_said_on_while_the_view_cannot_be_looked_through(
    office: Office, ada: Browser, ben: Browser, declined: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    four = office.keys(ada.tenant).room("four@rooms.test")
    for number in range(3):
        name = f"m-ben-{number}"
        refused = office.room(ben, four, RoomState.DECLINED, meeting=name, occurrence=f"o-ben-{number}")
        office.show(office.meeting(ben, refused, meeting=name), ben.tenant)
    path = f"/v1/me/prompts/{declined}/choices"
    doubts = [each["doubt"] for each in ada.client.get(path).json["choices"]]
    assert "always-declines" in doubts

    def away(_deps: Deps, _tenant: str) -> Memories:
        message = "the view is away"
        raise StoreUnavailableError(message)

    monkeypatch.setattr(room_habits, "memories", away)
    office.clock.advance(room_habits.KEPT_MS)
    for _ in range(2):
        assert [each["doubt"] for each in ada.client.get(path).json["choices"]] == doubts


def test_choices_say_why_there_is_none(office: Office, ada: Browser, declined: str) -> None:
    office.calendar.said = dict.fromkeys(office.calendar.said, Availability.BUSY)
    assert ada.client.get(f"/v1/me/prompts/{declined}/choices").json["empty"] == "none-free"

    office.calendar.away = True
    found = ada.client.get(f"/v1/me/prompts/{declined}/choices").json
    assert found["empty"] == "not-readable"
    assert found["words"]


@pytest.mark.proves("E43")
def test_where_no_room_is_free_the_nearest_times_are_said_and_the_meeting_is_moved_by_its_person(
    office: Office, ada: Browser, declined: str
) -> None:
    office.calendar.said = dict.fromkeys(office.calendar.said, Availability.BUSY)
    office.calendar.busy = {address: [] for address in office.calendar.said}
    path = f"/v1/me/prompts/{declined}/choices?zone=UTC"
    asked = len(office.calendar.asked_by)
    found = ada.client.get(path).json
    assert len(office.calendar.asked_by) == asked + 2, "one free/busy of a week and one agenda"
    assert len(found["times"]) == 3
    assert all(each["start"] > to_rfc3339(office.clock.now_ms()) for each in found["times"])
    assert {each["name"] for each in found["times"]} <= {
        row.name for _, row in tables.rooms(office.engine.registry).scan(ada.tenant)
    }
    page = ada.client.get(f"/prompts/{declined}?titles=wait").text
    assert "You and a room are free" in page
    assert page.partition('class="times"')[2].partition("</ul>")[0].count("<li>") == 3
    assert re.search(r"<p class=\"hint\" data-move>Meetings are not moved from here", page)
    office.calendar.said = dict.fromkeys(office.calendar.said, Availability.FREE)
    assert "times" not in ada.client.get(path).json


@pytest.mark.proves("E11")
def test_another_persons_prompt_is_as_if_it_were_not_there(ada: Browser, ben: Browser, declined: str) -> None:
    room = ada.client.get(f"/v1/me/prompts/{declined}/choices").json["choices"][0]["roomId"]

    answers = [
        ben.client.get(f"/v1/me/prompts/{declined}/choices"),
        ben.post(f"/v1/me/prompts/{declined}/take", {"roomId": room}, Idempotency_Key="k"),
        ben.post(f"/v1/me/prompts/{declined}/dismiss"),
        ben.client.get("/v1/me/prompts/d-nobodys/choices"),
    ]

    assert [(answer.status_code, answer.json["code"]) for answer in answers] == [(404, "no-such-prompt")] * 4
    assert "Yours stand on the page of your rooms" in ben.client.get(f"/prompts/{declined}").text
    assert ben.client.get("/v1/me/rooms").json["rooms"] == []
    assert ada.client.get("/v1/me/prompts").json["prompts"][0]["open"]


@pytest.mark.proves("E11")
def test_titles_are_read_as_the_person_who_looks_and_as_nobody_else(
    office: Office, ada: Browser, ben: Browser, declined: str
) -> None:
    row = tables.consents(office.engine.registry).get(ada.tenant, ada.mailbox)
    assert row is not None

    ada.client.get("/v1/me/rooms")
    ben.client.get("/v1/me/rooms")

    assert {subject for subject, _ in office.calendar.reads} == {row.subject}


@pytest.mark.proves("D8")
def test_taking_a_room_sends_one_wish_to_the_owner_of_the_mailbox(office: Office, ada: Browser, declined: str) -> None:
    room = ada.client.get(f"/v1/me/prompts/{declined}/choices").json["choices"][0]["roomId"]

    answer = ada.post(f"/v1/me/prompts/{declined}/take", {"roomId": room}, Idempotency_Key="key-1")

    assert (answer.status_code, answer.json["state"]) == (202, "asked")
    [wish] = takes_asked(office)
    assert (wish.room_id, wish.event_id, wish.take_id) == (room, "event-of-m-planning", answer.json["takeId"])
    row = tables.takes(office.engine.registry).get(ada.tenant, wish.take_id)
    assert row is not None
    assert row.state is TakeState.ASKED
    assert ada.client.get(answer.json["href"]).json["state"] == "asked"


def test_same_key_gives_the_same_answer_whatever_became_of_it(office: Office, ada: Browser, declined: str) -> None:
    room = ada.client.get(f"/v1/me/prompts/{declined}/choices").json["choices"][0]["roomId"]
    path = f"/v1/me/prompts/{declined}/take"
    first = ada.post(path, {"roomId": room}, Idempotency_Key="key-1")
    settle(office, ada, first.json["takeId"], TakeState.DONE)
    old = office.room(ada, office.keys(ada.tenant).room("one@rooms.test"), RoomState.DECLINED)
    new = office.room(ada, room, RoomState.ACCEPTED, asked_at_ms=office.clock.now_ms())
    office.show(office.meeting(ada, old, new), ada.tenant)
    wishes = len(takes_asked(office))

    again = ada.post(path, {"roomId": room}, Idempotency_Key="key-1")

    assert (again.status_code, again.json) == (first.status_code, first.json)
    assert len(takes_asked(office)) == wishes
    assert ada.client.get(first.json["href"]).json["state"] == "done"


def test_wish_that_could_not_be_sent_is_sent_by_its_repetition(
    office: Office, ada: Browser, declined: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = ada.client.get(f"/v1/me/prompts/{declined}/choices").json["choices"][0]["roomId"]
    path = f"/v1/me/prompts/{declined}/take"

    def away(_records: object) -> None:
        raise LogUnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(office.engine.log, "append", away)
        refused = ada.post(path, {"roomId": room}, Idempotency_Key="key-1")
    again = ada.post(path, {"roomId": room}, Idempotency_Key="key-1")

    assert (refused.status_code, refused.json["code"]) == (503, "log-unavailable")
    assert "Retry-After" in refused.headers
    assert again.status_code == 202
    assert len(takes_asked(office)) == 1


@pytest.mark.parametrize(
    ("key", "body", "status", "code"),
    [
        ("", {"roomId": "{room}"}, 400, "idempotency-key-missing"),
        ("k" * 201, {"roomId": "{room}"}, 400, "idempotency-key-missing"),
        ("k", {}, 400, "room-missing"),
        ("k", [], 400, "room-missing"),
        ("k", {"roomId": 7}, 400, "room-missing"),
        ("k", {"roomId": "r-of-nowhere"}, 404, "no-such-room"),
    ],
)
def test_wish_that_makes_no_sense_is_a_problem_with_a_code_and_a_next_step(
    key: str, body: object, status: int, code: str, office: Office, ada: Browser, declined: str
) -> None:
    room = office.keys(ada.tenant).room("two@rooms.test")
    filled = {"roomId": room} if body == {"roomId": "{room}"} else body

    answer = ada.post(f"/v1/me/prompts/{declined}/take", filled, Idempotency_Key=key)

    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["next"]
    assert takes_asked(office) == []


@pytest.mark.parametrize(
    ("name", "paired"),
    [pytest.param("one", True, id="the one that declined"), pytest.param("two", False, id="unpaired")],
)
def test_room_that_is_not_offered_any_more_is_not_taken_from_an_old_page(
    office: Office, ada: Browser, declined: str, name: str, *, paired: bool
) -> None:
    room = office.keys(ada.tenant).room(f"{name}@rooms.test")
    tables.rooms(office.engine.registry).change(
        ada.tenant, room, lambda row: msgspec.structs.replace(row, paired=paired) if row else None
    )

    answer = ada.post(f"/v1/me/prompts/{declined}/take", {"roomId": room}, Idempotency_Key="k")

    assert (answer.status_code, answer.json["code"]) == (422, "room-not-offered")
    assert takes_asked(office) == []


def test_key_is_good_for_one_wish(office: Office, ada: Browser, declined: str) -> None:
    path = f"/v1/me/prompts/{declined}/take"
    two, four = (office.keys(ada.tenant).room(f"{name}@rooms.test") for name in ("two", "four"))
    ada.post(path, {"roomId": two}, Idempotency_Key="key-1")

    other = ada.post(path, {"roomId": four}, Idempotency_Key="key-1")

    assert (other.status_code, other.json["code"]) == (422, "idempotency-key-reused")


def test_second_room_waits_for_the_first_ones_outcome(office: Office, ada: Browser, declined: str) -> None:
    path = f"/v1/me/prompts/{declined}/take"
    two, four = (office.keys(ada.tenant).room(f"{name}@rooms.test") for name in ("two", "four"))
    first = ada.post(path, {"roomId": two}, Idempotency_Key="key-1")

    early = ada.post(path, {"roomId": four}, Idempotency_Key="key-2")
    settle(office, ada, first.json["takeId"], TakeState.FAILED)
    later = ada.post(path, {"roomId": four}, Idempotency_Key="key-2")

    assert (early.status_code, early.json["code"]) == (409, "take-under-way")
    assert later.status_code == 202
    assert [wish.room_id for wish in takes_asked(office)] == [two, four]


def test_take_that_failed_tells_why_and_not_more_than_is_known(office: Office, ada: Browser, declined: str) -> None:
    two = office.keys(ada.tenant).room("two@rooms.test")
    made = ada.post(f"/v1/me/prompts/{declined}/take", {"roomId": two}, Idempotency_Key="key-1")
    table, take_id = tables.takes(office.engine.registry), made.json["takeId"]
    table.change(
        ada.tenant,
        take_id,
        lambda row: (
            msgspec.structs.replace(row, state=TakeState.FAILED, reason="change it in Google Calendar") if row else None
        ),
    )
    page = ada.client.get("/").text
    assert "Asking for Room two did not work. Change it in Google Calendar." in page
    assert "as it was" not in page


def test_outcome_that_never_comes_does_not_lock_the_prompt(office: Office, ada: Browser, declined: str) -> None:
    path = f"/v1/me/prompts/{declined}/take"
    two, four = (office.keys(ada.tenant).room(f"{name}@rooms.test") for name in ("two", "four"))
    ada.post(path, {"roomId": two}, Idempotency_Key="key-1")

    office.clock.advance(UNDER_WAY_MS)

    assert ada.post(path, {"roomId": four}, Idempotency_Key="key-2").status_code == 202


@pytest.mark.proves("D8")
def test_prompt_closes_itself_once_the_meeting_has_asked_for_another_room(
    office: Office, ada: Browser, declined: str
) -> None:
    one, two = (office.keys(ada.tenant).room(f"{name}@rooms.test") for name in ("one", "two"))
    first = office.room(ada, one, RoomState.DECLINED, since_ms=office.clock.now_ms() - 1_000)
    second = office.room(ada, two, RoomState.PENDING, asked_at_ms=office.clock.now_ms())
    office.show(office.meeting(ada, first, second), ada.tenant)

    assert ada.client.get("/v1/me/prompts").json["prompts"] == []
    [closed] = ada.client.get("/v1/me/prompts?include=closed").json["prompts"]
    assert (closed["id"], closed["closed"]) == (declined, "rebooked")
    late = ada.post(f"/v1/me/prompts/{declined}/take", {"roomId": two}, Idempotency_Key="k")
    assert (late.status_code, late.json["code"]) == (409, "prompt-rebooked")
    assert takes_asked(office) == []


@pytest.mark.proves("D8")
def test_dismissed_prompt_is_gone_for_good_and_dismissing_again_changes_nothing(
    office: Office, ada: Browser, declined: str
) -> None:
    first = ada.post(f"/v1/me/prompts/{declined}/dismiss")
    again = ada.post(f"/v1/me/prompts/{declined}/dismiss")

    assert [(answer.status_code, answer.json["closed"]) for answer in (first, again)] == [(200, "dismissed")] * 2
    assert ada.client.get("/v1/me/prompts").json["prompts"] == []
    assert ada.client.get("/v1/me/rooms").json["rooms"][0]["state"] == "declined"


@pytest.mark.proves("B13")
def test_room_that_declined_before_the_person_connected_is_shown_with_those_words(office: Office, ada: Browser) -> None:
    [room] = office.enter_rooms(ada.tenant, "one")
    office.show(office.meeting(ada, office.room(ada, room, RoomState.DECLINED, quiet=True)), ada.tenant)

    assert "Declined before you connected." in ada.client.get("/").text
    assert ada.client.get("/v1/me/prompts").json["prompts"] == []


def test_calendar_that_cannot_be_read_costs_the_title_and_nothing_else(
    office: Office, ada: Browser, declined: str
) -> None:
    office.calendar.away = True

    [room] = ada.client.get("/v1/me/rooms").json["rooms"]
    page = ada.client.get("/").text

    assert (room["title"], room["read"], room["state"]) == (None, False, "declined")
    assert room["start"].endswith("Z")
    assert "could not be read just now" in page


def test_nothing_that_a_page_has_shown_is_found_at_rest(office: Office, ada: Browser, declined: str) -> None:
    assert TITLE in ada.client.get("/?titles=wait").text
    assert ada.client.get("/v1/me/rooms").json["rooms"][0]["title"] == TITLE
    ada.post(
        f"/v1/me/prompts/{declined}/take",
        {"roomId": office.keys(ada.tenant).room("two@rooms.test")},
        Idempotency_Key="key-1",
    )

    files = [path for path in office.home.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if TITLE.encode() in path.read_bytes()]


def test_lost_view_is_said_and_not_taken_for_an_empty_calendar(office: Office, ada: Browser, declined: str) -> None:
    record = NewRecord(MEETING_STATE.name, 0, f"{ada.tenant}/m-planning".encode(), b"{}")
    office.engine.log.append([record])
    assert ada.client.get("/v1/me/rooms").json["rebuilding"] is False

    office.engine.view.reset(0)

    assert ada.client.get("/v1/me/rooms").json == {"rooms": [], "rebuilding": True}
    assert ada.client.get("/v1/me/prompts").json == {"prompts": [], "rebuilding": True}
    assert '<p class="notice" id="rebuilding">' in ada.client.get("/").text


def test_connection_goes_from_connecting_over_first_sync_to_connected_with_a_time(office: Office, ada: Browser) -> None:
    table = tables.consents(office.engine.registry)

    def shown() -> tuple[str, bool]:
        connection = ada.client.get("/v1/me").json["connection"]
        return connection["state"], connection["since"] is not None

    assert shown()[0] == "connecting"
    assert "Connecting" in ada.client.get("/").text
    row = table.get(ada.tenant, ada.mailbox)
    assert row is not None
    office.deps.broker.first_look_done(Mailbox(ada.tenant, ada.mailbox))
    assert shown() == ("connected", True)
    assert "since <time" in ada.client.get("/").text


def test_revoked_grant_shows_as_disconnected_with_a_way_back(office: Office, ada: Browser) -> None:
    office.deps.broker.revoked(Mailbox(ada.tenant, ada.mailbox), "AADSTS50173")

    assert ada.client.get("/v1/me").json["connection"]["state"] == "revoked"
    page = ada.client.get("/").text
    assert "Disconnected" in page
    assert "Connect again" in page


def test_page_allows_no_script_but_ours_and_no_frame(ada: Browser) -> None:
    answer = ada.client.get("/")

    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in answer.text
    assert " style=" not in answer.text
    assert " onclick=" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_room_is_taken_and_a_prompt_dismissed_without_any_script(office: Office, ada: Browser, declined: str) -> None:
    page = ada.client.get(f"/prompts/{declined}").text
    room = office.keys(ada.tenant).room("four@rooms.test")
    assert "Free now, not confirmed" in page
    assert f'name="roomId" value="{room}"' in page

    taken = ada.client.post(f"/prompts/{declined}/take", data={"csrf": ada.csrf, "roomId": room, "key": "form-1"})
    after = ada.client.get("/").text
    put_away = ada.client.post(f"/prompts/{declined}/dismiss", data={"csrf": ada.csrf})

    assert taken.status_code == put_away.status_code == 303
    assert "Asking for Room four" in after
    assert [wish.room_id for wish in takes_asked(office)] == [room]
    assert declined not in ada.client.get("/").text.split("<template")[0]


def test_unknown_address_is_a_page_for_people_and_a_problem_for_programs(ada: Browser) -> None:
    page, document = ada.client.get("/nowhere"), ada.client.get("/v1/nowhere")

    assert (page.status_code, document.status_code) == (404, 404)
    assert "<html" in page.text
    assert document.json["code"] == "not-found"


def test_health_is_told_without_signing_in(office: Office) -> None:
    client = office.app.test_client()

    assert [client.get(path).status_code for path in ("/livez", "/readyz", "/version", "/metrics")] == [200] * 4


def settle(office: Office, browser: Browser, take_id: str, state: TakeState) -> None:
    """Write a take's outcome, as the sync worker does."""
    table = tables.takes(office.engine.registry)
    row: TakeRow | None = table.get(browser.tenant, take_id)
    assert row is not None
    table.put(browser.tenant, take_id, msgspec.structs.replace(row, state=state))


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (ConsentState.ACTIVE, "No upcoming meeting of yours has a room."),
        (ConsentState.REVOKED, "Nothing is known of your meetings while your calendar is not connected."),
    ],
)
def test_page_without_meetings_claims_that_there_are_none_only_where_they_are_read(
    office: Office, ada: Browser, state: ConsentState, says: str
) -> None:
    tables.consents(office.engine.registry).change(
        ada.tenant,
        ada.mailbox,
        lambda row: msgspec.structs.replace(row, state=state, first_look_at_ms=1) if row else None,
    )
    page = ada.client.get("/").text
    assert says in page
    assert ("No upcoming meeting" in page) is (state is ConsentState.ACTIVE)
