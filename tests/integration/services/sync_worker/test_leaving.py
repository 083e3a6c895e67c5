"""A person disconnects and connects again: what went meanwhile is said to be gone, and nothing else of them is kept."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from services.sync_worker import worker
from shared.contracts import envelope as envelopes
from shared.contracts.calendar_state import LEFT_TYPE, LeftMailbox
from shared.contracts.command import Connect, Disconnect
from shared.contracts.topics import POSITION_KEY
from shared.crypto.records import open_record
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.grants.oauth import Lost
from tests.support.office import AARE, ADA, GRANTED, START_MS, Office

DAY_S = 24 * 3600


def latest(office: Office) -> dict[bytes, bytes]:
    """What stands on `calendar-state`, by key, but for the position."""
    found: dict[bytes, bytes | None] = {}
    for record in office.engine.log.read("calendar-state", 0, 0, limit=5000):
        found[record.key] = record.value
    return {key: value for key, value in found.items() if value is not None and key != POSITION_KEY}


def disconnect(office: Office) -> None:
    office.send(Disconnect(at_ms=office.clock.at_ms))
    office.settle()


@pytest.mark.proves("B13")
@pytest.mark.parametrize("restarts", [False, True], ids=["same owners", "other owners"])
@pytest.mark.parametrize("seconds", [5, 5 * 3600])
def test_meeting_that_was_deleted_while_nobody_looked_is_gone_on_return(
    office: Office, restarts: bool, seconds: int
) -> None:
    disconnect(office)
    assert office.states()[-1] == "unknown"
    del office.calendar.events["e1"]
    if restarts:
        office.restart()
    office.after(seconds)
    office.connect()
    assert office.states()[-1] == "gone"
    assert not [key for key in latest(office) if key.endswith(b"/left")]


@pytest.mark.proves("B13")
def test_meeting_that_lost_its_room_while_nobody_looked_is_gone_on_return(office: Office) -> None:
    disconnect(office)
    office.calendar.book()
    office.connect()
    assert office.states()[-1] == "gone"


@pytest.mark.proves("B13")
def test_meeting_that_still_stands_is_as_it_was(office: Office) -> None:
    told = office.declines()
    disconnect(office)
    office.connect()
    assert office.states()[-1] == "declined"
    assert office.declines() == told


def test_person_who_leaves_before_the_first_look_of_a_return_still_returns(office: Office) -> None:
    disconnect(office)
    del office.calendar.events["e1"]
    office.send(Connect(at_ms=office.clock.at_ms))
    office.send(Disconnect(at_ms=office.clock.at_ms))
    office.settle()
    office.connect()
    assert office.states()[-1] == "gone"


def test_grant_that_ended_at_the_provider_keeps_the_same(office: Office) -> None:
    office.endpoint.outcome = Lost("invalid_grant")
    office.after(2 * 3600)
    assert office.states()[-1] == "unknown"
    del office.calendar.events["e1"]
    office.endpoint.outcome = GRANTED
    office.connect()
    assert office.states()[-1] == "gone"


@pytest.mark.proves("S9")
def test_nothing_is_kept_but_pseudonyms_and_ends(office: Office) -> None:
    disconnect(office)
    ((key, value),) = latest(office).items()
    assert envelopes.decode(value).type == LEFT_TYPE
    assert key == office.mailbox.key + b"/left"
    meeting = office.keys.meeting("microsoft", "uid-e1")
    assert open_record(key, value, office.keys, LeftMailbox) == LeftMailbox(meetings={meeting: START_MS + HOUR_MS})
    plain: dict[str, Any] = msgspec.to_builtins(open_record(key, value, office.keys, LeftMailbox))
    assert ADA not in str(plain)
    assert "e1" not in str(plain).replace(meeting, "")


def test_nothing_is_kept_beyond_a_day_after_the_end(office: Office) -> None:
    office.calendar.book("e2", start_ms=START_MS + 5 * DAY_MS, **{AARE: "none"})
    office.hint()
    office.settle()
    disconnect(office)
    office.after(2 * DAY_S + 3 * 3600)
    ((key, value),) = latest(office).items()
    assert list(open_record(key, value, office.keys, LeftMailbox).meetings) == [
        office.keys.meeting("microsoft", "uid-e2")
    ]
    office.restart()
    office.after(5 * DAY_S)
    assert latest(office) == {}


def test_meeting_without_a_room_is_not_kept(office: Office) -> None:
    office.calendar.book()
    office.hint()
    office.settle()
    disconnect(office)
    assert latest(office) == {}


@pytest.mark.proves("M7")
def test_what_a_destroyed_key_named_is_forgotten(office: Office) -> None:
    disconnect(office)
    office.engine.keyring.destroy_data(office.tenant)
    office.after(3 * DAY_S)
    assert latest(office) == {}


def test_idle_step_looks_at_nobody_who_left(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    disconnect(office)
    monkeypatch.setattr(worker.SyncOwner, "_commit", None)
    monkeypatch.setattr(office.sync._left, "_left", None)
    office.sync.step()
