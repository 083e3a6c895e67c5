"""When a room usually answers, and from when on its silence is unusual."""

from __future__ import annotations

import pytest

from services.portal.meetings.deciding.forecast import forecast, usual_wait_s


@pytest.mark.proves("M6")
def test_usual_is_what_nine_of_ten_answers_kept_to() -> None:
    assert usual_wait_s({"5": 9, "3600": 1}) == 5
    assert usual_wait_s({"5": 8, "3600": 2}) == 3600
    assert usual_wait_s({"345600": 5}) == 345600


def test_few_answers_say_nothing() -> None:
    assert forecast({}, 1) is None
    assert forecast({"5": 4}, 1) is None


@pytest.mark.parametrize(
    ("silent_s", "words"),
    [
        (3, "Usually answers within 5 s."),
        (10, "Usually answers within 5 s."),
        (540, "Usually answers within 5 s; silent for 9 min, unusual."),
        (-1, "Usually answers within 5 s."),
    ],
)
def test_silence_is_unusual_from_twice_the_usual_on(silent_s: int, words: str) -> None:
    found = forecast({"2": 4, "5": 6}, silent_s * 1_000)
    assert found is not None
    assert found.words == words
