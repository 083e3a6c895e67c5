"""The administrators' report: counts of the organisation's days, as a page and as JSON, and for administrators alone."""

from __future__ import annotations

import msgspec
import pytest

from shared.contracts.day_tally import TYPE, DayTally, day_of, tally_key, tally_owner
from shared.contracts.meeting_state import RoomState
from shared.crypto.records import sealed_envelope
from shared.domain.instants import DAY_MS, MINUTE_MS
from shared.ports.view import Row
from shared.registry import tables
from tests.integration.services.portal.office import TITLE, Browser, Office


def appointed(office: Office, browser: Browser, *roles: str) -> Browser:
    tables.users(office.engine.registry).change(
        browser.tenant, browser.user, lambda row: msgspec.structs.replace(row, roles=roles) if row else None
    )
    return browser


def count(office: Office, tenant: str, partition: int, days_ago: int, tally: DayTally) -> None:
    """Put a day's counts into the view, as room_status does."""
    key = tally_key(tenant, day_of(office.clock.now_ms() - days_ago * DAY_MS), partition)
    value = sealed_envelope(office.keys(tenant), tally, key=key, type=TYPE, id="test")
    office.apply(Row(key.decode(), (tally_owner(tenant),), value))


@pytest.fixture
def chief(office: Office, ada: Browser) -> Browser:
    """Ada administers buildings; her organisation has some days behind it, and a room that has not answered."""
    count(
        office, ada.tenant, 0, 1, DayTally(asked=5, accepted=2, declined=3, noticed=2, noticed_after_ms=90 * MINUTE_MS)
    )
    count(office, ada.tenant, 1, 1, DayTally(asked=1, quiet=1, meetings=4, roomless=3, unanswered=1))
    count(office, ada.tenant, 1, 20, DayTally(asked=100, declined=100))
    [room] = office.enter_rooms(ada.tenant, "one")
    office.show(office.meeting(ada, office.room(ada, room, RoomState.PENDING)), ada.tenant)
    return appointed(office, ada, "building-admin")


@pytest.mark.proves("B19")
def test_the_counts_of_the_period_are_summed_over_days_and_partitions(chief: Browser) -> None:
    found = chief.client.get("/v1/admin/report").json
    days = found.pop("days")
    assert found == {
        "from": days[0]["day"], "to": days[-1]["day"], "asked": 6, "accepted": 2, "declined": 3, "declinedBefore": 1,
        "noticed": 2, "noticedAfterMinutes": 45.0, "meetings": 4, "roomless": 3, "unanswered": 1, "pending": 1,
        "writes": "on", "rebuilding": False,
    }  # fmt: skip
    assert len(days) == 14
    assert (days[-2]["asked"], days[-1]["asked"]) == (6, 0)
    assert chief.client.get("/v1/admin/report?days=28").json["declined"] == 103


@pytest.mark.proves("B19")
def test_the_page_says_the_same_and_nothing_of_anybodys_meeting(chief: Browser) -> None:
    page = chief.client.get("/admin/report").text
    for words in ("What became of the rooms", "45 minutes", "1 more stood declined", "1 room never answered"):
        assert words in page
    assert '<a href="/admin/report" aria-current="page">Report</a>' in page
    assert TITLE not in page


@pytest.mark.parametrize("days", ["0", "63", "-1", "two", "9999999999", "7.5", ""])
def test_other_periods_are_refused(chief: Browser, days: str) -> None:
    answer = chief.client.get(f"/v1/admin/report?days={days}")
    assert (answer.status_code, answer.json["code"]) == (400, "report-days")


@pytest.mark.proves("E9")
def test_it_is_for_administrators_and_of_their_own_organisation(
    office: Office, chief: Browser, ben: Browser, domain: str
) -> None:
    appointed(office, ben)
    for path in ("/admin/report", "/v1/admin/report"):
        assert ben.client.get(path).status_code == 403
    other = appointed(office, office.signed_in(f"ada@g.{domain}", "google"), "building-admin")
    assert other.tenant != chief.tenant
    assert other.client.get("/v1/admin/report").json["asked"] == 0
