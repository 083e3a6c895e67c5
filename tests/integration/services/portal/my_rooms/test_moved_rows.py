"""Somebody who can write to the view puts one meeting's row under another's key: nobody is shown it there."""

from __future__ import annotations

import pytest

from shared.contracts.meeting_state import COPY_TYPE, MEETING_TYPE, VERSION, copy_key, meeting_key
from shared.contracts.meeting_state_version_1 import RoomState, from_version_1
from shared.crypto.records import sealed_envelope
from shared.ports.view import Row
from tests.integration.services.portal.office import Browser, Office


def shown(browser: Browser) -> list[str]:
    """The declines that a person is prompted for."""
    return sorted(prompt["id"] for prompt in browser.client.get("/v1/me/prompts").json["prompts"])


def rows_of(office: Office, browser: Browser, name: str) -> dict[str, Row]:
    """The rows of a meeting of its own, whose room has declined: the meeting's and its one copy's, by type."""
    [room] = office.enter_rooms(browser.tenant, name)
    keys = office.keys(browser.tenant)
    declined = office.room(browser, room, RoomState.DECLINED, meeting=f"m-{name}")
    record, copies = from_version_1(office.meeting(browser, declined, meeting=f"m-{name}"))
    owner = f"{browser.tenant}/{browser.mailbox}"
    key = meeting_key(browser.tenant, record.meeting)
    places = {MEETING_TYPE: (key, record), COPY_TYPE: (copy_key(key, browser.mailbox), copies[browser.mailbox])}
    return {
        kind: Row(
            at.decode(),
            (owner,),
            sealed_envelope(keys, found, key=at, type=kind, id="observations/0/0", version=VERSION),
        )
        for kind, (at, found) in places.items()
    }


@pytest.mark.proves("E11")
@pytest.mark.parametrize("kind", [MEETING_TYPE, COPY_TYPE])
def test_values_that_change_places_are_shown_under_neither_key(office: Office, ada: Browser, kind: str) -> None:
    one, two = rows_of(office, ada, "one"), rows_of(office, ada, "two")
    office.apply(*one.values(), *two.values())
    before = shown(ada)
    assert len(before) == 2

    office.apply(
        Row(one[kind].key, one[kind].owners, two[kind].value), Row(two[kind].key, two[kind].owners, one[kind].value)
    )
    assert shown(ada) == []

    office.apply(one[kind], two[kind])
    assert shown(ada) == before


@pytest.mark.proves("E11")
def test_meeting_that_is_put_in_the_place_of_somebody_elses_is_not_shown_to_them(
    office: Office, ada: Browser, ben: Browser
) -> None:
    one, two = rows_of(office, ada, "one"), rows_of(office, ben, "two")
    office.apply(*one.values(), *two.values())
    assert [len(shown(each)) for each in (ada, ben)] == [1, 1]
    mine, foreign = two[MEETING_TYPE], one[MEETING_TYPE]

    office.apply(Row(mine.key, mine.owners, foreign.value))

    assert shown(ben) == []
    assert "Room one" not in ben.client.get("/").text
