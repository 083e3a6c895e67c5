"""Wishes that meet a provider which is away: an appointment answers a hint, but a wish has to be kept until it is done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.contracts.command import Disconnect, TakeRoom
from shared.contracts.rows import TakeRow, TakeState
from shared.domain.sighting import Access, LiveAttendee, LiveSeries
from shared.errors import EventGoneError, PreconditionFailedError, RefusedError, RetryableError
from shared.registry.tables import takes
from tests.support.office import AARE, BIRS, Office

ADA_ACCESS = Access("token", "ada", "ada@contoso.test")
FAR_S = 300
SAVED_S = 61
"""After that, the position moves on even when nothing else is committed."""


def take(office: Office) -> None:
    room, at_ms = office.keys.room(BIRS), office.clock.at_ms
    row = TakeRow(user="u-ada", prompt="d", room=room, state=TakeState.ASKED, at_ms=at_ms)
    takes(office.engine.registry).put(office.tenant, "take-1", row)
    office.send(
        TakeRoom(at_ms=at_ms, take_id="take-1", event_id="e1", declined_room_id=office.keys.room(AARE), room_id=room)
    )


def swaps(office: Office) -> list[str]:
    return [call for call in office.calendar.calls if call.startswith("swap")]


@pytest.mark.proves("D8")
def test_room_is_taken_by_the_successor_of_a_worker_that_was_told_to_come_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = RetryableError("503", retry_after_s=5)

    def away(*_: Any) -> None:
        raise later

    with monkeypatch.context() as provider:
        provider.setattr(office.calendar, "read", away)
        take(office)
        office.settle()
    office.restart()
    office.after(6)
    assert swaps(office) == [f"swap {AARE} {BIRS}"]
    office.restart()
    office.after(FAR_S)
    assert len(swaps(office)) == 1


def test_room_that_is_wished_for_before_an_appointment_is_taken_at_it(office: Office) -> None:
    office.calendar.look_failures = [RetryableError("429", retry_after_s=FAR_S)]
    office.hint()
    office.settle()
    take(office)
    office.after(SAVED_S)
    office.restart()
    office.after(FAR_S)
    assert swaps(office) == [f"swap {AARE} {BIRS}"]


def test_disconnecting_waits_for_no_appointment(office: Office) -> None:
    office.calendar.look_failures = [RetryableError("429", retry_after_s=FAR_S)]
    office.hint()
    office.settle()
    office.send(Disconnect(at_ms=office.clock.at_ms))
    office.settle()
    assert office.calendar.subscriptions == {}
    assert office.consent() is None


def test_disconnecting_before_an_appointment_is_not_forgotten(office: Office) -> None:
    office.calendar.look_failures = [RetryableError("429", retry_after_s=FAR_S)]
    office.hint()
    office.settle()
    office.send(Disconnect(at_ms=office.clock.at_ms))
    office.after(SAVED_S)
    office.restart()
    office.after(FAR_S)
    assert office.calendar.subscriptions == {}
    assert office.consent() is None


@pytest.mark.proves("D8")
def test_room_that_accepted_while_its_page_was_open_is_not_given_away(office: Office) -> None:
    office.calendar.book(**{AARE: "accepted"})
    take(office)
    office.settle()
    assert swaps(office) == []
    row = takes(office.engine.registry).get(office.tenant, "take-1")
    assert row is not None
    assert (row.state, row.reason) == (
        TakeState.FAILED,
        "the room that had declined has accepted after all; your meeting is as it was",
    )


@pytest.mark.proves("S6")
@pytest.mark.parametrize(
    ("failure", "as_it_was"),
    [
        (RefusedError("only the organiser can change the rooms of a meeting; ask them"), True),
        (EventGoneError("gone"), False),
        (PreconditionFailedError("changed in between"), False),
    ],
)
def test_meeting_is_called_as_it_was_only_where_that_is_certain(
    office: Office, monkeypatch: pytest.MonkeyPatch, failure: Exception, *, as_it_was: bool
) -> None:
    def fail(*_: Any) -> None:
        raise failure

    monkeypatch.setattr(office.calendar, "swap_room", fail)
    take(office)
    office.settle()
    row = takes(office.engine.registry).get(office.tenant, "take-1")
    assert row is not None
    assert row.state is TakeState.FAILED
    assert ("your meeting is as it was" in row.reason) is as_it_was


def test_refusal_after_a_write_that_met_anothers_does_not_say_that_nothing_was_written(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Exception] = [PreconditionFailedError("changed in between"), RefusedError("no longer invited")]

    def fail(*_: Any) -> None:
        raise answers.pop(0)

    monkeypatch.setattr(office.calendar, "swap_room", fail)
    take(office)
    office.settle()
    row = takes(office.engine.registry).get(office.tenant, "take-1")
    assert row is not None
    assert row.reason == "the calendar refused: no longer invited"


@pytest.mark.proves("B8")
@pytest.mark.parametrize(("answer", "state"), [("declined", TakeState.DONE), ("accepted", TakeState.FAILED)])
def test_series_is_taken_with_one_change_and_all_its_takes_have_one_outcome(
    office: Office, answer: str, state: TakeState
) -> None:
    names, table = ("take-1", "take-2", "take-3"), takes(office.engine.registry)
    room, at_ms = office.keys.room(BIRS), office.clock.at_ms
    office.calendar.book(**{AARE: "declined"})
    date = office.calendar.read(ADA_ACCESS, "e1")
    refusing = (LiveAttendee(AARE, AARE, is_room=True, answer=answer),)
    master = replace(date, event_id="series", attendees=refusing)
    office.calendar.series = LiveSeries(master, (date,), frozenset())
    for name in names:
        asked = TakeRow(
            user="u-ada", prompt=f"d-{name}", room=room, state=TakeState.ASKED, at_ms=at_ms, whole_series=True
        )
        table.put(office.tenant, name, asked)
    first, *others = names
    wish = TakeRoom(
        at_ms=at_ms, take_id=first, event_id="e1", declined_room_id=office.keys.room(AARE), room_id=room,
        series=tuple(others),
    )  # fmt: skip
    office.send(wish)
    office.settle()
    office.send(wish)
    office.settle()
    assert len(swaps(office)) == (state is TakeState.DONE)
    rows = [table.get(office.tenant, name) for name in names]
    assert {row.state for row in rows if row is not None} == {state}
    assert len(rows) == len(names)
