"""A store that is away for a moment costs time, and nothing of what was due meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest

from cli.common.records import read_newest
from services.room_status import worker
from services.room_status.deciding.batch import Batch, PendingLook
from shared.contracts.topics import MEETING_STATE
from shared.domain.instants import HOUR_MS
from shared.errors import LogUnavailableError, StoreUnavailableError
from tests.support.office import AARE, START_MS, Office

LATER_MS = START_MS + 3 * HOUR_MS


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.calendar.book(**{AARE: "accepted"})
    office.connect()
    return office


@contextmanager
def keyring_away(office: Office) -> Iterator[None]:
    """For as long as the block lasts, in which the owner of meetings takes a step."""
    with patch.object(office.engine.keyring, "keys", side_effect=StoreUnavailableError("the keyring is away")):
        with pytest.raises(StoreUnavailableError):
            office.status.step()
        yield


def decline_at_two_times(office: Office) -> None:
    """The room says no, the meeting moves, and the answer that stands beside the new time has to be confirmed by another look."""
    for start_ms in (START_MS, LATER_MS):
        office.calendar.book(start_ms=start_ms, **{AARE: "declined"})
        office.hint()
        office.settle()


@pytest.mark.proves("D7", "B13")
def test_a_decline_beside_a_new_time_is_confirmed_though_the_keyring_was_away_when_its_look_was_due(
    office: Office,
) -> None:
    decline_at_two_times(office)
    assert len(office.declines()) == 1, "nothing tells yet whether the second answer is to the new time"

    office.clock.at_ms += 6_000
    with keyring_away(office):
        pass
    office.after(1)
    office.after(10)

    assert len(office.declines()) == 2


@pytest.mark.proves("D7", "B13")
def test_a_decline_beside_a_new_time_is_confirmed_though_the_log_took_no_command_when_its_look_was_due(
    office: Office,
) -> None:
    decline_at_two_times(office)

    office.clock.at_ms += 6_000
    with patch.object(office.engine.log, "append", side_effect=LogUnavailableError("the log is away")):
        office.status.step()
    office.settle()
    office.settle()

    assert len(office.declines()) == 2


def test_what_waits_for_the_log_is_bounded(office: Office) -> None:
    looks = [PendingLook(office.mailbox, f"m-{number}") for number in range(3)]
    with patch.object(worker, "MOST_OWED", 2):
        for each in looks:
            office.status._after(Batch(owed=[each]))
    assert list(office.status._owed) == looks[:2]


@pytest.mark.proves("D7")
def test_keys_that_were_destroyed_are_noticed_though_the_keyring_was_away_at_the_hourly_look(office: Office) -> None:
    assert list(read_newest(office.engine.log, MEETING_STATE.name))
    office.engine.keyring.destroy_data(office.tenant)
    office.clock.at_ms += HOUR_MS
    with keyring_away(office):
        pass

    for _ in range(3):
        office.clock.at_ms += 2_000
        office.status.step()

    assert list(read_newest(office.engine.log, MEETING_STATE.name)) == []
