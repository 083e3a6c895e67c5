"""What a directory says of a room in its own words, cut to what a card and a table can show. Pure."""

from __future__ import annotations

import unicodedata

MAX_LINE_CHARS = 120
"""Of a name, a building or a floor, whoever says it."""
MAX_SEATS = 10_000
MAX_SECTION_CHARS = 60
MAX_DESCRIPTION_CHARS = 200
CUT = "…"
_UNSEEN = ("Cc", "Cs")
"""Control characters, and halves of a character, which no store can write."""


def one_line(text: str | None, most: int) -> str:
    """
    Text without line breaks, doubled blanks, control characters and halves of characters.

    What is longer than `most` characters ends in an ellipsis. Marks and joiners belong to words, and stay.
    """
    words = (text or "")[: 10 * most].split()
    line = " ".join("".join(sign for sign in word if unicodedata.category(sign) not in _UNSEEN) for word in words)
    return line if len(line) <= most else line[: most - len(CUT)].rstrip() + CUT
