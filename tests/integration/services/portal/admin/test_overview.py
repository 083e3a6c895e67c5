"""The administrators' overview: counts that are there already, as a page with charts, as CSV and as JSON."""

from __future__ import annotations

import re

import msgspec
import pytest

from services.portal.admin.overview.deciding.charts import HEIGHT, WIDTH, lay_out_bars
from services.portal.admin.overview.reading import KEPT_MS
from shared.contracts.day_tally import DayTally
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import ConsentState, FreshnessRow, IntegrationState
from shared.domain.instants import MINUTE_MS
from shared.registry import tables
from tests.integration.services.portal.admin.test_report import appointed, count
from tests.integration.services.portal.office import TITLE, Browser, Office


@pytest.fixture
def chief(office: Office, ada: Browser) -> Browser:
    """Two weeks lie behind Ada's organisation; one of its rooms said no twice, and yes once."""
    tally = DayTally(asked=5, accepted=2, declined=3, noticed=2, noticed_after_ms=90 * MINUTE_MS)
    count(office, ada.tenant, 0, 0, tally)
    count(office, ada.tenant, 1, 0, DayTally(declined=1))
    count(office, ada.tenant, 1, 7, DayTally(asked=100, declined=40))
    room, _ = office.enter_rooms(ada.tenant, "one", "two")
    for number, state in enumerate((RoomState.DECLINED, RoomState.DECLINED, RoomState.ACCEPTED)):
        record = office.room(ada, room, state, meeting=f"m-{number}", occurrence=f"o-{number}")
        office.show(office.meeting(ada, record, meeting=f"m-{number}"), ada.tenant)
    return appointed(office, ada, "building-admin")


@pytest.mark.proves("P7")
def test_the_overview_counts_weeks_and_rooms_and_shows_nobodys_meeting(chief: Browser) -> None:
    found = chief.client.get("/v1/admin/overview").json
    assert found["connected"] == 1
    last, this = found["weeks"][-2:]
    assert (last["declined"], this["declined"], this["rebooked"], this["rebookedAfterMinutes"]) == (40, 4, 2, 45.0)
    assert [(room["name"], room["declinedPercent"]) for room in found["rooms"]] == [("Room one", 67)]

    page = chief.client.get("/admin").text
    assert '<a href="/admin" aria-current="page">Overview</a>' in page
    assert re.search(r'<rect class="series-0"[^>]*></rect><text [^>]*>40</text>', page)
    assert ">45<" in page, "as numbers are written in one's language, not as programs write them"
    assert TITLE not in page
    assert " style=" not in page
    lines = chief.client.get("/admin/overview.csv").text.splitlines()
    assert lines[-1] == f"{this['monday']},5,2,4,2,45.0,0"


@pytest.mark.proves("M5")
def test_the_overview_says_how_many_room_states_were_confirmed_a_moment_ago(office: Office, chief: Browser) -> None:
    """Three rooms are asked for within a day, in one calendar."""
    unchecked = chief.client.get("/v1/admin/overview").json["confirmed"]
    assert unchecked == {"upcoming": 3, "confirmed": 0, "percent": 0.0, "outOfSight": 0}
    checked(office, chief)
    office.clock.advance(KEPT_MS)
    confirmed = chief.client.get("/v1/admin/overview").json["confirmed"]
    assert confirmed == {"upcoming": 3, "confirmed": 3, "percent": 100.0, "outOfSight": 0}
    assert "100 % of upcoming room states confirmed in the last 15 minutes" in chief.client.get("/admin").text
    office.clock.advance(15 * MINUTE_MS)
    assert "0 % of upcoming room states confirmed in the last 15 minutes" in chief.client.get("/admin").text


@pytest.mark.proves("M5")
def test_the_overview_says_when_nothing_is_upcoming_and_what_is_out_of_sight(office: Office, chief: Browser) -> None:
    checked(office, chief)
    tables.consents(office.engine.registry).change(
        chief.tenant,
        chief.mailbox,
        lambda row: msgspec.structs.replace(row, state=ConsentState.REVOKED) if row else None,
    )
    confirmed = chief.client.get("/v1/admin/overview").json["confirmed"]
    assert confirmed == {"upcoming": 0, "confirmed": 0, "percent": None, "outOfSight": 3}
    page = chief.client.get("/admin").text
    assert "Nothing to confirm" in page
    assert "Of 3 more rooms on such dates nothing is known" in page


def checked(office: Office, chief: Browser) -> None:
    """Their calendar was looked at just now."""
    row = FreshnessRow(heard_at_ms=0, checked_at_ms=office.clock.now_ms())
    tables.freshness(office.engine.registry).put(chief.tenant, chief.mailbox, row)


@pytest.mark.proves("P7")
def test_failing_mailboxes_are_counted_by_reason_and_nobody_is_named(office: Office, chief: Browser) -> None:
    tables.consents(office.engine.registry).change(
        chief.tenant,
        chief.mailbox,
        lambda row: (
            msgspec.structs.replace(row, state=ConsentState.SUSPENDED, reason="AADSTS50105", suspended_at_ms=1)
            if row
            else None
        ),
    )
    found = chief.client.get("/v1/admin/overview").json
    assert found["failing"] == [{"state": "suspended", "reason": "AADSTS50105", "mailboxes": 1}]
    assert "ada@" not in chief.client.get("/admin").text.partition("<main")[2]


@pytest.mark.proves("B25")
@pytest.mark.parametrize(
    ("code", "mends", "words"),
    [
        ("AADSTS53003", "administrator", "your IT department mends that"),
        ("invalid_client", "operator", "whoever runs it mends that"),
        ("invalid_grant", "person", "trouble of the calendar system itself"),
    ],
)
def test_pages_say_what_it_is_when_many_are_refused_at_once(
    office: Office, chief: Browser, code: str, mends: str, words: str
) -> None:
    table = tables.consents(office.engine.registry)
    mine = table.get(chief.tenant, chief.mailbox)
    assert mine is not None
    refused = msgspec.structs.replace(mine, state=ConsentState.SUSPENDED, reason=code)
    for number in range(5):
        assert chief.client.get("/v1/admin/overview").json["refusedAtOnce"] is None
        table.put(chief.tenant, f"m-{number}", refused)
        office.clock.advance(KEPT_MS)

    found = chief.client.get("/v1/admin/overview").json["refusedAtOnce"]

    assert found == {"provider": mine.provider, "reason": code, "people": 5, "of": 6, "mends": mends}
    assert chief.client.get("/v1/admin/integration").json["refusedAtOnce"] == found
    for path in ("/admin", "/admin/integration"):
        notice = chief.client.get(path).text.partition('id="refused-at-once"')[2].partition("</p>")[0]
        assert f"5 of 6 people for one reason (<code>{code}</code>)" in notice
        assert "kept" in notice
    assert words in chief.client.get("/admin").text


@pytest.mark.proves("P7")
def test_what_was_counted_is_kept_for_a_moment_and_apart_by_organisation(
    office: Office, chief: Browser, domain: str
) -> None:
    other = appointed(office, office.signed_in(f"ada@g.{domain}", "google"), "building-admin")
    before = chief.client.get("/v1/admin/overview").json
    count(office, chief.tenant, 0, 0, DayTally(asked=50))
    assert chief.client.get("/v1/admin/overview").json == before
    office.clock.advance(KEPT_MS)
    assert chief.client.get("/v1/admin/overview").json["weeks"][-1]["asked"] == 50
    assert other.client.get("/v1/admin/overview").json["weeks"][-1]["asked"] == 0


@pytest.mark.proves("P7", "E30")
def test_there_is_no_overview_while_the_integration_is_off(office: Office, chief: Browser, ben: Browser) -> None:
    assert ben.client.get("/admin").status_code == 403
    assert chief.client.get("/v1/admin/overview").status_code == 200
    tables.tenants(office.engine.registry).change(
        chief.tenant,
        "tenant",
        lambda row: msgspec.structs.replace(row, integration=IntegrationState.DISABLED) if row else None,
    )
    assert chief.client.get("/admin").headers["Location"] == "/admin/integration"
    refused = chief.client.get("/v1/admin/overview")
    assert (refused.status_code, refused.json["code"]) == (409, "not-enabled"), "what was kept is not shown either"
    assert chief.client.get("/admin/overview.csv").status_code == 409


@pytest.mark.proves("P7")
def test_every_bar_of_a_chart_lies_inside_it() -> None:
    chart = lay_out_bars([("a", (0, 4000)), ("b", (None, 1)), ("c", (2000, 4000))])
    assert [(bar.series, bar.text) for bar in chart.bars] == [(0, "0"), (1, "4000"), (1, "1"), (0, "2000"), (1, "4000")]
    for bar in chart.bars:
        assert 0 <= bar.x < bar.x + bar.width <= WIDTH
        assert 0 < bar.y <= bar.y + bar.height <= HEIGHT
    assert chart.bars[2].height >= 1, "a value above none is seen"
    assert lay_out_bars([]).bars == []
