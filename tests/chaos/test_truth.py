"""The campaign's truth knows dates of a series: what is said to all of it, to one date, and to those that stand apart."""

from __future__ import annotations

from typing import Any

from tests.chaos.truth import truth_of

FIRST, SECOND = 1_800_000_000_000, 1_800_086_400_000
TITLE = "Series 001"
STARTS = {FIRST: "2027-01-15T08:00:00.000Z", SECOND: "2027-01-16T08:00:00.000Z"}
LABELS = {key: f"{TITLE} on {start}" for key, start in STARTS.items()}
ROOMS = {"r-aare": "Aare", "r-birs": "Birs"}


def fact(kind: str, room: str = "r-aare", occurrence: int | None = None, answer: str = "") -> dict[str, Any]:
    return {"kind": kind, "meeting": "m", "room": room, "occurrence": occurrence, "answer": answer}


def read(*facts: dict[str, Any], answer: str = "declined") -> Any:
    room = {"id": "r-aare", "answer": answer}
    dates = [{"occurrence": key, "start": start, "rooms": [room]} for key, start in STARTS.items()]
    meeting = {"id": "m", "title": TITLE, "cancelled": False, "startMs": FIRST, "rooms": [room], "occurrences": dates}
    return truth_of([meeting], facts, ROOMS, {})


def test_answer_to_a_series_is_one_to_each_date_that_does_not_stand_apart() -> None:
    asked = fact("room-asked")
    truth = read(asked, fact("room-answered", answer="declined"))
    assert truth.declines == {(LABELS[FIRST], "Aare"): (FIRST,), (LABELS[SECOND], "Aare"): (SECOND,)}
    assert truth.starts == {LABELS[FIRST]: FIRST, LABELS[SECOND]: SECOND}
    assert truth.states[LABELS[SECOND], "Aare"] == {"declined"}
    apart = fact("room-answered", occurrence=SECOND, answer="accepted")
    truth = read(asked, apart, fact("room-answered", answer="declined"))
    assert truth.declines == {(LABELS[FIRST], "Aare"): (FIRST,)}


def test_no_that_is_said_once_more_to_one_date_is_no_other_decline() -> None:
    again = fact("room-answered", occurrence=SECOND, answer="declined")
    truth = read(fact("room-asked"), fact("room-answered", answer="declined"), again)
    assert truth.declines[LABELS[SECOND], "Aare"] == (SECOND,)


def test_exchange_of_a_series_leaves_out_the_date_that_stands_apart() -> None:
    swapped, answered = fact("room-swapped", "r-birs"), fact("room-answered", occurrence=SECOND, answer="declined")
    truth = read(fact("room-asked"), answered, swapped, fact("room-asked", "r-birs"))
    assert truth.swaps == {LABELS[FIRST]: 1}
    assert truth.states[LABELS[FIRST], "Birs"] == {"gone", "released"}
    assert (LABELS[SECOND], "Birs") not in truth.states
    whole = read(fact("room-asked"), answered, swapped, fact("room-swapped", "r-birs", SECOND))
    assert whole.swaps == {LABELS[FIRST]: 1, LABELS[SECOND]: 1}
