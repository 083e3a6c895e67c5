"""The pages' script has no words of its own: it reads the table that templates and JSON read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import services.portal
from services.portal.meetings.deciding.words import (
    CLOSING_WORDS,
    PAGE_WORDS,
    STATE_BADGES,
    STATE_WORDS,
    TAKE_WORDS,
    share_words,
)
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import TakeState
from shared.meetings.prompts import Closing

PORTAL = Path(services.portal.__file__).parent
SCRIPT = "\n".join(path.read_text() for path in sorted((PORTAL / "static" / "my_rooms").glob("*.js")))
SEVERAL_WORDS = re.compile(r"""["'`][A-Z][a-z]{2,40}[ .:,…][^"'`]{0,200}["'`]""")


def texts(table: Mapping[str, Any]) -> Iterator[str]:
    for value in table.values():
        if isinstance(value, str):
            yield value
        else:
            yield from texts(value)


def test_every_state_closing_and_take_has_its_words() -> None:
    assert set(STATE_BADGES) == set(STATE_WORDS) == set(RoomState)
    assert set(CLOSING_WORDS) == set(Closing)
    assert set(TAKE_WORDS) == set(TakeState)


def test_the_script_says_nothing_that_does_not_stand_in_the_table() -> None:
    code = "\n".join(line.partition("//")[0] for line in SCRIPT.splitlines())
    assert [text for text in texts(PAGE_WORDS) if f'"{text}"' in code or f"`{text}`" in code] == []
    assert SEVERAL_WORDS.findall(code) == []


def test_every_word_that_the_script_reads_stands_in_the_table_and_none_is_left_over() -> None:
    read = set(re.findall(r"WORDS\.([a-zA-Z]{1,40})", SCRIPT))
    templates = "".join(path.read_text() for path in (PORTAL / "templates").glob("*.html"))
    shown = set(re.findall(r"\bwords\.([a-zA-Z]{1,40})", templates))
    assert read - set(PAGE_WORDS) == set()
    assert set(PAGE_WORDS) - read - shown == set()


def test_a_share_is_said_for_several_dates_only() -> None:
    assert share_words(8, 0, 10) == "8 of 10 dates have the room."
    assert share_words(8, 1, 10) == "8 of 10 dates have the room. 1 has no answer yet."
    assert share_words(0, 2, 2) == "0 of 2 dates have the room. 2 have no answer yet."
    assert share_words(1, 0, 1) == ""
