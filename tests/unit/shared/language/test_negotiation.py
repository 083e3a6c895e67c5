"""Which language, clock and week somebody gets: from their choice, else from what their browser asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.language.deciding.negotiation import LANGUAGES, PSEUDO, Manner, choose_manner


@pytest.mark.proves("P3")
@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", Manner("en", "en_GB", twelve_hours=False, first_day=0)),
        ("ja,es;q=0.9", Manner("en", "en_GB", twelve_hours=False, first_day=0)),
        ("en-US,en;q=0.9", Manner("en", "en_US", twelve_hours=True, first_day=6)),
        ("en-AU", Manner("en", "en_GB", twelve_hours=True, first_day=0)),
        ("de-CH,de;q=0.9,en;q=0.8", Manner("de", "de_CH", twelve_hours=False, first_day=0)),
        ("de", Manner("de", "de_DE", twelve_hours=False, first_day=0)),
        ("es,fr-CA;q=0.7,en;q=0.5", Manner("fr", "fr_CA", twelve_hours=False, first_day=6)),
        ("en;q=0.1,nl-BE;q=0.9", Manner("nl", "nl_BE", twelve_hours=False, first_day=0)),
        ("nl;q=0,de;q=0.1", Manner("de", "de_DE", twelve_hours=False, first_day=0)),
        ("de-XX", Manner("de", "de_DE", twelve_hours=False, first_day=0)),
        ("*", Manner("en", "en_GB", twelve_hours=False, first_day=0)),
    ],
)
def test_the_browser_is_followed_as_far_as_there_are_words(accept: str, expected: Manner) -> None:
    assert choose_manner(accept) == expected


@pytest.mark.proves("P3")
def test_a_choice_is_stronger_than_the_browser_and_keeps_its_country() -> None:
    assert choose_manner("en-US,de-AT;q=0.5", "de") == Manner("de", "de_AT", twelve_hours=False, first_day=0)
    assert choose_manner("en-US", "nl") == Manner("nl", "nl_NL", twelve_hours=False, first_day=0)
    assert choose_manner("en-US", clock="24", week="monday") == Manner("en", "en_US", twelve_hours=False, first_day=0)
    assert choose_manner("de", clock="12", week="sunday") == Manner("de", "de_DE", twelve_hours=True, first_day=6)


def test_no_choice_marks_every_sentence_when_the_browser_asks_for_it() -> None:
    assert choose_manner(PSEUDO).pseudo
    assert not choose_manner(PSEUDO, "de").pseudo
    assert not choose_manner("en-GB").pseudo


@given(accept=st.text(max_size=300), language=st.text(max_size=5), clock=st.text(max_size=3), week=st.text(max_size=9))
def test_whatever_is_sent_leads_to_one_of_the_languages(accept: str, language: str, clock: str, week: str) -> None:
    assert choose_manner(accept, language, clock, week).language in LANGUAGES
