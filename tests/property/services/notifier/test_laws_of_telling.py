"""Laws of what a person is told, over any prompts that open and close at any time."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.notifier.deciding.plan import CROWD_SPAN_MS
from services.notifier.deciding.rungs import FIRST_AFTER_MS, Rung, due_at, quiet_until
from shared.contracts.rows import NotificationRow
from shared.domain.instants import DAY_MS, MINUTE_MS, SECOND_MS
from tests.support.notified_people import Declined, Person

NOW_MS = 1_795_000_000_000
AT_ANY_HOUR = NotificationRow(quiet=False)
pytestmark = pytest.mark.proves("B16")


@st.composite
def prompts(draw: st.DrawFn) -> list[Declined]:
    """A dozen prompts that open within some minutes or days, of meetings within a week, some of which close."""
    span_ms = draw(st.sampled_from([MINUTE_MS, 10 * MINUTE_MS, 2 * DAY_MS]))
    found = []
    for number in range(draw(st.integers(0, 12))):
        opened = NOW_MS + draw(st.integers(0, span_ms // SECOND_MS)) * SECOND_MS
        starts = opened + draw(st.integers(1, 3 * 24 * 60)) * MINUTE_MS
        life = draw(st.one_of(st.just(1 << 60), st.integers(0, 3 * 24 * 60).map(lambda each: each * MINUTE_MS)))
        found.append(Declined(f"d-{number}", opened, starts, opened + life))
    return found


@st.composite
def preferences(draw: st.DrawFn) -> NotificationRow:
    hours = st.integers(0, 23).map(lambda hour: f"{hour:02}:00")
    return NotificationRow(
        mail=draw(st.sampled_from([True, True, True, False])),
        first=draw(st.booleans()),
        day_before=draw(st.booleans()),
        hours_before=draw(st.booleans()),
        quiet=draw(st.booleans()),
        quiet_from=draw(hours),
        quiet_until=draw(hours),
        zone=draw(st.sampled_from(["", "Europe/Zurich", "America/Los_Angeles", "Asia/Kathmandu", "Nowhere/At_All"])),
    )


def lived(declined: list[Declined], row: NotificationRow) -> Person:
    person = Person(declined, row)
    person.live()
    return person


# Two messages wait for the end of the quiet hours; a reminder of one of the two is due forty seconds later.
AFTER_THE_NIGHT = [
    Declined("d-0", NOW_MS, NOW_MS + 114 * MINUTE_MS),
    Declined("d-1", NOW_MS, NOW_MS + 234 * MINUTE_MS),
]
UNTIL_TWO = NotificationRow(quiet=True, quiet_from="00:00", quiet_until="14:00", zone="Europe/Zurich")


@settings(max_examples=300, deadline=None)
@given(prompts(), preferences())
@example(AFTER_THE_NIGHT, UNTIL_TWO)
def test_everybody_is_told_at_most_twice_in_five_minutes_and_each_rung_once(
    declined: list[Declined], row: NotificationRow
) -> None:
    person = lived(declined, row)
    moments = [told.at_ms for told in person.told]
    assert all(later - first >= CROWD_SPAN_MS for first, later in zip(moments, moments[2:], strict=False))
    steps = [step for told in person.told for step in told.steps]
    assert len(steps) == len(set(steps))


@settings(max_examples=300, deadline=None)
@given(prompts(), preferences())
def test_nobody_is_told_in_quiet_hours_of_a_closed_prompt_or_of_a_meeting_that_has_begun(
    declined: list[Declined], row: NotificationRow
) -> None:
    known = {each.name: each for each in declined}
    wanted = {Rung.FIRST: row.first, Rung.DAY_BEFORE: row.day_before, Rung.HOURS_BEFORE: row.hours_before}
    for told in lived(declined, row).told:
        assert quiet_until(row, told.at_ms) == told.at_ms
        for step in told.steps:
            prompt = known[step.prompt]
            assert row.mail
            assert wanted[step.rung]
            assert prompt.opened_at_ms <= told.at_ms < min(prompt.closed_at_ms, prompt.starts_ms)
            early_ms = FIRST_AFTER_MS if len(told.steps) > 1 and step.rung is Rung.FIRST else 0
            assert told.at_ms >= due_at(prompt.ladder, step.rung) - early_ms


@settings(max_examples=300, deadline=None)
@given(prompts())
def test_a_prompt_that_stays_open_is_told_after_a_minute_and_at_the_latest_with_the_next_digest(
    declined: list[Declined],
) -> None:
    person = lived(declined, AT_ANY_HOUR)
    first = {step.prompt: told.at_ms for told in person.told for step in told.steps if step.rung is Rung.FIRST}
    for each in declined:
        latest_ms = each.opened_at_ms + FIRST_AFTER_MS + CROWD_SPAN_MS
        if min(each.closed_at_ms, each.starts_ms) > latest_ms:
            assert first[each.name] <= latest_ms
        if len(declined) < 3 and min(each.closed_at_ms, each.starts_ms) > each.opened_at_ms + FIRST_AFTER_MS:
            assert first[each.name] == each.opened_at_ms + FIRST_AFTER_MS


@settings(max_examples=200, deadline=None)
@given(prompts(), preferences())
def test_the_ladder_ends_in_silence_and_is_forgotten(declined: list[Declined], row: NotificationRow) -> None:
    person = lived(declined, row)
    assert person.ladders == {}
    assert not lived(declined, msgspec.structs.replace(row, mail=False)).told
