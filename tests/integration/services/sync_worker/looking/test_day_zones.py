"""A day whose zone the provider does not say is a day where its person's browser is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.contracts.rows import NotificationRow
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.registry import tables
from tests.support.office import AARE, START_MS, Office

DAY = START_MS // DAY_MS * DAY_MS + DAY_MS


def all_day(office: Office, **fields: int) -> None:
    office.calendar.book("d1", **{AARE: "accepted"})
    event = office.calendar.events["d1"]
    office.calendar.events["d1"] = replace(event, all_day=True, start_ms=DAY, end_ms=DAY + DAY_MS, **fields)
    office.hint()
    office.settle()


def instants(office: Office) -> tuple[int, int]:
    """When the day begins and ends, after the start of its day in UTC."""
    kept = office.sync._held[office.mailbox].references["d1"]
    return (kept.begins_ms - DAY, kept.ends_ms - DAY) if kept.ends_ms else (0, 0)


def names_zone(office: Office, zone: str) -> None:
    consent = tables.consents(office.engine.registry).get(office.tenant, office.mailbox.id)
    assert consent
    tables.notifications(office.engine.registry).put(office.tenant, consent.user, NotificationRow(zone=zone))


@pytest.mark.proves("D7")
@pytest.mark.parametrize(("zone", "hours"), [("America/Phoenix", 7), ("Asia/Tokyo", -9), ("UTC", 0)])
def test_day_of_an_unknown_zone_begins_and_ends_where_its_person_is(office: Office, zone: str, hours: int) -> None:
    names_zone(office, zone)
    all_day(office)
    assert instants(office) == (hours * HOUR_MS, hours * HOUR_MS + DAY_MS)


def test_word_of_the_provider_counts_before_the_browsers(office: Office) -> None:
    names_zone(office, "Asia/Tokyo")
    all_day(office, begins_ms=DAY + HOUR_MS, ends_ms=DAY + DAY_MS + HOUR_MS)
    assert instants(office) == (HOUR_MS, DAY_MS + HOUR_MS)


@pytest.mark.parametrize("zone", ["", "Nowhere/Else", "../../etc/passwd"])
def test_without_a_zone_that_is_one_nothing_is_invented(office: Office, zone: str) -> None:
    names_zone(office, zone)
    all_day(office)
    assert instants(office) == (0, 0)
