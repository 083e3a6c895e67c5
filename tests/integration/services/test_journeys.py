"""One journey can be followed by its trace from the push to the decline, over every topic in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.room_status.deciding.decision import decide
from shared.contracts.topics import OBSERVATIONS, ROOM_REJECTIONS, ROOM_STATUS
from shared.domain import trace
from shared.domain.trace import Trace
from shared.ports.log import Record
from tests.support.office import AARE, Office

PUSHED = Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")


def last(office: Office, topic: str) -> Record:
    return list(office.engine.log.read(topic, 0, 0, limit=5000))[-1]


def step(office: Office, topic: str) -> Trace:
    found = trace.from_headers(last(office, topic).headers)
    assert found is not None, f"the last record of {topic} names no journey"
    return found


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.fixture
def declined(office: Office) -> Office:
    """A push came, and with it a decline."""
    office.connect()
    office.calendar.book(**{AARE: "declined"})
    office.hint(headers=trace.headers(PUSHED))
    office.settle()
    assert len(office.declines()) == 1
    return office


def test_decline_stands_in_the_journey_of_the_push_that_led_to_it(declined: Office) -> None:
    steps = [PUSHED, step(declined, OBSERVATIONS.name), step(declined, ROOM_REJECTIONS.name)]
    assert {each.trace_id for each in steps} == {PUSHED.trace_id}
    assert len({each.span_id for each in steps}) == 3
    assert step(declined, ROOM_STATUS.name) == steps[-1]


def test_decision_that_is_made_anew_is_the_same_step(declined: Office) -> None:
    seen = last(declined, OBSERVATIONS.name)
    batch = decide([seen], {}, partition=0, keys_of=lambda _: declined.keys, told=frozenset())
    assert batch.decisions[0].headers == last(declined, ROOM_REJECTIONS.name).headers


def test_look_that_no_push_asked_for_begins_a_journey(office: Office) -> None:
    office.connect()
    office.calendar.book(**{AARE: "declined"})
    office.hint()
    office.settle()
    assert step(office, ROOM_REJECTIONS.name).trace_id == step(office, OBSERVATIONS.name).trace_id
