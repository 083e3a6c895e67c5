"""What people really type: every kind of blank, marks of other scripts, apostrophes in addresses."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services.portal.admin.rooms.deciding.room_form import read_room
from services.portal.frame.deciding.forms import MAX_TEXT_CHARS, FieldError, plain, single_spaced
from services.portal.frame.problems import ProblemError
from services.portal.my_day.deciding.booking_form import read_booking
from shared.domain.email_addresses import is_address

NOW_MS = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp() * 1000)
BOOKING = {"date": "2026-11-24", "from": "10:00", "to": "11:00"}
NO_BREAK, IDEOGRAPHIC, RIGHT_TO_LEFT = "\u00a0", "\u3000", "\u200f"
JOINED = "\U0001f469\u200d\U0001f4bb"  # a woman, a joiner, a computer: one picture

NAMES = [
    (f"Salle 12{NO_BREAK}bis", "Salle 12 bis"),
    (f"会議室{IDEOGRAPHIC}\uff12", "会議室 \uff12"),
    (f"חדר{RIGHT_TO_LEFT} 4", f"חדר{RIGHT_TO_LEFT} 4"),
    (f"Hack {JOINED}", f"Hack {JOINED}"),
    ("  two \t blanks ", "two blanks"),
]


@pytest.mark.parametrize(("typed", "kept"), NAMES)
def test_names_of_rooms_and_titles_of_meetings_keep_their_script_and_lose_odd_blanks(typed: str, kept: str) -> None:
    assert read_room({"address": "a@b.example", "name": typed, "building": typed}).name == kept
    assert read_booking({**BOOKING, "title": typed}, ZoneInfo("UTC"), NOW_MS).title == kept


@pytest.mark.parametrize("sign", ["\x07", "\n", "\x00", "\x1b", "\x85", "\ud800"])
def test_a_control_character_is_refused_in_words_that_name_it(sign: str) -> None:
    for read in (
        lambda text: read_room({"address": "a@b.example", "name": text}),
        lambda text: read_booking({**BOOKING, "title": text}, ZoneInfo("UTC"), NOW_MS),
    ):
        with pytest.raises(ProblemError) as refused:
            read(f"Aare{sign}4")
        assert f"control character U+{ord(sign):04X}" in refused.value.title


@pytest.mark.parametrize("address", ["mary.o'brien@corp.example", "o'connell@rooms.corp.example"])
def test_an_apostrophe_is_part_of_an_address(address: str) -> None:
    assert read_room({"address": address}).address == address
    booking = {**BOOKING, "title": "T"}
    assert read_booking({**booking, "guests": f"{address}, b@x.example"}, ZoneInfo("UTC"), NOW_MS).guests == (
        address,
        "b@x.example",
    )
    assert read_booking({**booking, "guests": [address]}, ZoneInfo("UTC"), NOW_MS).guests == (address,)


@pytest.mark.parametrize(
    "text",
    ["Mary <m@x.example>", '"m"@x.example', "m@x", "a b@x.example", "m@x.example\n", "\x07@x.example", "m@@x.example"],
)
def test_what_is_more_or_less_than_an_address_is_none(text: str) -> None:
    assert not is_address(text)


@pytest.mark.parametrize("sign", ["a", " ", "\t", "@", ".", NO_BREAK, "-", "٣"])
def test_no_input_however_long_keeps_a_form_busy(sign: str) -> None:
    """Twice as long takes at most about twice as long; the product's own bound is far below."""
    text = sign * 60_000
    began = time.perf_counter()
    is_address(text)
    is_address(f"a@{text}")
    single_spaced(text)
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    "value", ["x" * (MAX_TEXT_CHARS + 1), 10**5_000, float("inf")], ids=["text", "number", "infinity"]
)
def test_what_no_field_takes_is_refused_before_anything_reads_it(value: object) -> None:
    with pytest.raises(FieldError):
        plain("name", value)
