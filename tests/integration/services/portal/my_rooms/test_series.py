"""A series that lost its room on some dates: one card for them, one room for all, and no other date touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from shared.contracts.meeting_state import RoomState
from shared.contracts.meeting_state_version_1 import RoomMemory
from shared.domain.instants import DAY_MS
from shared.domain.sighting import Access, Availability
from tests.integration.services.portal.my_rooms.series import event_on, show_series
from tests.integration.services.portal.my_rooms.test_api import takes_asked
from tests.integration.services.portal.office import Browser, Office

pytestmark = pytest.mark.proves("B8")
LOST = (2, 5)
STATES = [RoomState.DECLINED if date in LOST else RoomState.ACCEPTED for date in range(10)]


@pytest.fixture
def rooms(office: Office, ada: Browser) -> list[str]:
    office.calendar.said = {f"{name}@rooms.test": Availability.FREE for name in ("two", "three")}
    return office.enter_rooms(ada.tenant, "one", "two", "three")


@pytest.fixture
def series(office: Office, ada: Browser, rooms: list[str]) -> list[RoomMemory]:
    """Ten dates, two declined."""
    return show_series(office, ada, rooms[0], STATES)


@pytest.fixture
def lost(series: list[RoomMemory]) -> list[str]:
    """Ids of the two prompts."""
    return [series[date].decline_id for date in LOST]


def choices(browser: Browser, first: str, *also: str) -> list[str]:
    answer = browser.client.get(f"/v1/me/prompts/{first}/choices", query_string={"also": also})
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json["choices"]]


def test_two_declines_of_a_series_are_one_card_that_says_how_many_dates_have_the_room(
    ada: Browser, lost: list[str]
) -> None:
    page = ada.client.get("/").text.split("<template")[0]
    assert page.count("data-prompt=") == 1
    assert "said no<span data-count> on 2 dates</span>" in page
    assert "8 of 10 dates have the room." in page
    assert page.count("data-date=") == 2
    prompts = ada.client.get("/v1/me/prompts").json["prompts"]
    assert [each["id"] for each in prompts] == lost
    assert {each["series"]["id"] for each in prompts} == {prompts[0]["series"]["id"]}
    assert prompts[0]["series"] | {"id": ""} == {
        "id": "", "dates": 10, "accepted": 8, "pending": 0, "words": "8 of 10 dates have the room.",
    }  # fmt: skip


def test_moved_date_is_counted_as_one_without_an_answer(office: Office, ada: Browser, rooms: list[str]) -> None:
    show_series(office, ada, rooms[0], [*STATES[:9], RoomState.PENDING])
    assert "7 of 10 dates have the room. 1 has no answer yet." in ada.client.get("/").text


def test_meeting_of_one_date_says_nothing_of_dates(office: Office, ada: Browser, rooms: list[str]) -> None:
    show_series(office, ada, rooms[0], [RoomState.DECLINED])
    page = ada.client.get("/").text.split("<template")[0]
    assert "said no<span data-count></span>" in page
    assert "dates have the room" not in page


def test_room_is_offered_for_a_series_if_it_is_free_on_every_date_that_lost_its_own(
    office: Office, ada: Browser, series: list[RoomMemory], lost: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    busy_from_ms = series[LOST[1]].start_ms

    def availability(
        _access: Access, addresses: Sequence[str], start_ms: int, _end_ms: int
    ) -> Mapping[str, Availability]:
        return {
            address: Availability.BUSY if address.startswith("two") and start_ms >= busy_from_ms else Availability.FREE
            for address in addresses
        }

    monkeypatch.setattr(office.calendar, "availability", availability)
    assert choices(ada, lost[0]) == ["Room three", "Room two"]
    assert choices(ada, *lost) == ["Room three"]
    assert "Room two" not in ada.client.get(f"/prompts/{lost[1]}").text.split("<template")[0].split("Upcoming")[0]


def test_choices_for_several_dates_read_the_persons_meetings_once(
    office: Office, ada: Browser, lost: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    choices(ada, *lost)  # how rooms are doing in the organisation is counted now, and known from here on
    rows, read = office.engine.view.rows, []
    monkeypatch.setattr(office.engine.view, "rows", lambda owner: read.append(owner) or rows(owner))

    choices(ada, *lost, *lost)
    assert len(read) == 1
    refused = ada.client.get(f"/v1/me/prompts/{lost[0]}/choices", query_string={"also": [f"d-{n}" for n in range(10)]})

    assert (refused.status_code, refused.json["code"]) == (422, "not-one-series")
    assert len(read) == 1, "what is too many is refused before anything is read"


def test_it_says_beforehand_how_many_mails_each_guest_gets(office: Office, ada: Browser, lost: list[str]) -> None:
    def mails(first: str, *also: str) -> Any:
        answer = ada.client.get(f"/v1/me/prompts/{first}/choices", query_string={"also": also})
        return answer.json["mails"]

    assert mails(lost[0]) == {"guests": 1, "each": 1, "words": "The guest gets 1 mail."}
    both = {"guests": 1, "each": 2, "words": "The guest gets 2 mails, one for each date."}
    assert mails(*lost) == both
    assert both["words"] in ada.client.get(f"/prompts/{lost[0]}").text


@pytest.mark.parametrize("by", ["api", "form"])
def test_one_click_takes_the_room_on_the_lost_dates_and_on_no_other(
    office: Office, ada: Browser, rooms: list[str], lost: list[str], by: str
) -> None:
    for _ in range(2):  # a double click
        if by == "api":
            answer = ada.post(
                f"/v1/me/prompts/{lost[0]}/take", {"roomId": rooms[1], "also": lost[1:]}, Idempotency_Key="k"
            )
            assert answer.status_code == 202, answer.text
            assert [answer.json["promptId"], *(each["promptId"] for each in answer.json["also"])] == lost
        else:
            form = {"csrf": ada.csrf, "key": "k", "roomId": rooms[1], "also": lost[1:]}
            assert ada.client.post(f"/prompts/{lost[0]}/take", data=form).status_code == 303
    wishes = {wish.take_id: wish for wish in takes_asked(office)}
    assert {wish.event_id for wish in wishes.values()} == {event_on(date) for date in LOST}
    assert {wish.room_id for wish in wishes.values()} == {rooms[1]}
    assert len(wishes) == 2


def test_date_that_found_a_room_meanwhile_is_left_alone(
    office: Office, ada: Browser, rooms: list[str], lost: list[str]
) -> None:
    show_series(office, ada, rooms[0], [*STATES[:5], RoomState.ACCEPTED, *STATES[6:]])
    answer = ada.post(f"/v1/me/prompts/{lost[0]}/take", {"roomId": rooms[1], "also": lost[1:]}, Idempotency_Key="k")
    assert (answer.status_code, answer.json["also"]) == (202, [])
    assert [wish.event_id for wish in takes_asked(office)] == [event_on(LOST[0])]


def test_no_room_needed_puts_all_its_dates_away(ada: Browser, lost: list[str]) -> None:
    page = ada.client.post(
        f"/prompts/{lost[0]}/dismiss", data={"csrf": ada.csrf, "also": lost[1:]}, follow_redirects=True
    )
    assert "put away" in page.text
    assert ada.client.get("/v1/me/prompts").json["prompts"] == []


def test_prompts_of_two_meetings_are_two_cards_and_go_together_in_no_wish(
    office: Office, ada: Browser, rooms: list[str], lost: list[str]
) -> None:
    other = office.room(ada, rooms[0], RoomState.DECLINED, meeting="m-other", occurrence="o-other")
    office.show(office.meeting(ada, other, meeting="m-other"), ada.tenant)
    assert ada.client.get("/").text.split("<template")[0].count("data-prompt=") == 2
    for answer in (
        ada.client.get(f"/v1/me/prompts/{lost[0]}/choices", query_string={"also": other.decline_id}),
        ada.post(
            f"/v1/me/prompts/{lost[0]}/take", {"roomId": rooms[1], "also": [other.decline_id]}, Idempotency_Key="k"
        ),
        ada.post(f"/v1/me/prompts/{lost[0]}/dismiss", {"also": [other.decline_id]}),
    ):
        assert (answer.status_code, answer.json["code"]) == (422, "not-one-series")
    assert takes_asked(office) == []


@pytest.mark.parametrize("also", ["d-one", [1], [["d"]], ["ä"], {"a": 1}])
def test_odd_lists_of_dates_are_refused_as_such(ada: Browser, rooms: list[str], lost: list[str], also: Any) -> None:
    answer = ada.post(f"/v1/me/prompts/{lost[0]}/take", {"roomId": rooms[1], "also": also}, Idempotency_Key="k")
    assert (answer.status_code, answer.json["code"]) == (400, "also-not-a-list")


def test_twelve_lost_dates_are_two_cards(office: Office, ada: Browser, rooms: list[str]) -> None:
    declined = show_series(office, ada, rooms[0], [RoomState.DECLINED] * 12)
    page = ada.client.get("/").text.split("<template")[0]
    assert "on 10 dates" in page
    assert "on 2 dates" in page
    ids = [each.decline_id for each in declined]
    assert len(choices(ada, *ids[:10])) == 2
    assert ada.client.get(f"/v1/me/prompts/{ids[0]}/choices", query_string={"also": ids[1:]}).status_code == 422
    assert declined[11].start_ms - declined[0].start_ms == 11 * DAY_MS
