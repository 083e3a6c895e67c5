"""On an ordinary Monday at nine nothing is held: a month of bookings with its rush hours, and not one incident."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from services.notifier.deciding.brake import in_window, is_incident
from shared.contracts.decline_incident import OrganisationDecline
from shared.contracts.published import samples
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, to_rfc3339
from shared.organisations import decline_incidents
from shared.ports.log import NewRecord
from tests.integration.services.notifier.conftest import Desk

pytestmark = pytest.mark.proves("B17")
MONDAY_MS = 1_790_553_600_000
"""Midnight UTC."""
DAYS = 28
BOOKED_A_DAY = 0.5
"""Rooms that a person asks for on a working day; on Mondays twice as many."""
RUSH = 0.2
"""The part of a day's requests that is made within ten minutes after nine."""
DECLINED = 0.08
"""Rooms that say no, most within seconds of being asked."""
AHEAD_DAYS = 7


def declines(people: int, seed: int) -> Iterator[int]:
    """When a room says no, over the month."""
    chance = random.Random(seed)
    for day in range(DAYS):
        weekday = day % 7
        asked = int(people * BOOKED_A_DAY * (0 if weekday > 4 else 2 if weekday == 0 else 1))
        for _ in range(asked):
            if chance.random() >= DECLINED:
                continue
            rush = chance.random() < RUSH
            since_ms = chance.randrange(10 * MINUTE_MS) if rush else chance.randrange(9 * HOUR_MS)
            yield MONDAY_MS + day * DAY_MS + 9 * HOUR_MS + since_ms + chance.randrange(20 * SECOND_MS)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("people", "most"), [(200, 6), (2_000, 15), (20_000, 90)])
def test_no_minute_of_the_month_is_an_incident(people: int, most: int, seed: int) -> None:
    upcoming = int(people * BOOKED_A_DAY * AHEAD_DAYS * 5 / 7)
    fullest, window = 0, list[OrganisationDecline]()
    for number, at_ms in enumerate(sorted(declines(people, seed))):
        event = OrganisationDecline(
            prompt=f"d-{number}", observed_at_ms=at_ms, room="r", organizer="p", provider="google"
        )
        window = in_window([*window, event])
        fullest = max(fullest, len(window))
        assert not is_incident(len(window), upcoming)
    print(f"{people} people, seed {seed}: at most {fullest} declines within a minute, {upcoming} rooms to come")
    assert 2 <= fullest <= most


def test_a_month_of_declines_on_the_topic_holds_nothing(desk: Desk) -> None:
    by_minute = Counter(at_ms // MINUTE_MS for at_ms in declines(500, seed=1))
    number = 0
    for minute in sorted(by_minute):
        desk.clock.at_ms = (minute + 1) * MINUTE_MS
        for _ in range(by_minute[minute]):
            number += 1
            event = json.loads(samples()["RoomDeclined"])
            event["id"] = f"d-month-{number}"
            event["data"] |= {"tenantId": desk.tenant, "observedAt": to_rfc3339(desk.clock.at_ms - SECOND_MS)}
            desk.engine.log.append([NewRecord("room-rejections", 0, b"t/m", json.dumps(event).encode())])
        for _ in range(3):
            desk.notifier.step()
        assert desk.notifier._ledger.incidents == {}
    assert number > 100
    assert max(by_minute.values()) > 1
    assert decline_incidents.read_latest(desk.engine.registry, desk.tenant) is None
    desk.clock.at_ms += 2 * MINUTE_MS
    desk.notifier.step()
    assert desk.notifier._ledger.counted == {}
