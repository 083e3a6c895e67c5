"""Tables as CSV (RFC 4180), which a spreadsheet opens without running anything that stands in a cell. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""
A spreadsheet takes a cell that begins with one of these for a formula, or strips it and looks at what follows
(https://owasp.org/www-community/attacks/CSV_Injection).
"""
_DEFUSED = "'"
MEDIA_TYPE = "text/csv; charset=utf-8"

Cell = str | int | float | None


def write_sheet(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """
    Write a table as CSV: a line of column names, then a line a row, each ending in CRLF.

    Numbers stay numbers; text that a spreadsheet would run begins with an apostrophe, which `read_cell` takes away again.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([[_write_cell(each) for each in row] for row in rows])
    return text.getvalue()


def read_cell(text: str) -> str:
    """A cell as it was before `write_sheet` made it harmless."""
    return text[1:] if text.startswith(_DEFUSED) and text[1:].startswith(FORMULA_SIGNS) else text


def _write_cell(value: Cell) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA_SIGNS):
        return _DEFUSED + value
    return value
