"""What a directory says of a room in its own words, cut to what a card and a table can show. Pure."""

from __future__ import annotations

MAX_SECTION_CHARS = 60
MAX_DESCRIPTION_CHARS = 200
CUT = "…"


def one_line(text: str | None, most: int) -> str:
    """Text without line breaks and doubled blanks; what is longer than `most` characters ends in an ellipsis."""
    line = " ".join((text or "")[: 10 * most].split())
    return line if len(line) <= most else line[: most - len(CUT)].rstrip() + CUT
