"""What is said before a room is taken."""

from __future__ import annotations

import pytest

from services.portal.meetings.deciding.words import mail_words, series_mail_words


@pytest.mark.parametrize(
    ("guests", "dates", "words"),
    [
        (0, 3, ""),
        (1, 1, "The guest gets 1 mail."),
        (12, 1, "Each of the 12 guests gets 1 mail."),
        (12, 10, "Each of the 12 guests gets 10 mails, one for each date."),
    ],
)
def test_mails_are_counted_for_each_guest_and_date(guests: int, dates: int, words: str) -> None:
    assert mail_words(guests, dates) == words


@pytest.mark.parametrize(
    ("guests", "apart", "words"),
    [
        (0, 2, ""),
        (1, 0, "The guest gets 1 mail for the whole series."),
        (12, 0, "Each of the 12 guests gets 1 mail for the whole series."),
        (
            12,
            2,
            "Each of the 12 guests gets 1 mail. 2 dates stand apart from the series, and each is mailed for itself.",
        ),
    ],
)
def test_mails_for_a_whole_series_are_one_and_one_for_each_date_apart(guests: int, apart: int, words: str) -> None:
    assert series_mail_words(guests, apart) == words
