"""Tables as CSV (RFC 4180), which a spreadsheet opens without running anything that stands in a cell. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""
A spreadsheet takes a cell that begins with one of these for a formula, or strips it and looks at what follows; the last four are
those of East Asian keyboards (https://owasp.org/www-community/attacks/CSV_Injection).
"""
_DEFUSED = "'"
_BEGINS = r"(?:^|(?<=[;\t\r\n]))"
"""
Of a cell, whatever a spreadsheet takes for the end of the one before: in many languages a semicolon, although the file has commas,
and then no quotation mark keeps the text of a cell together.
"""
_FORMULA = rf"(?=[ \"']{{0,1000}}[{re.escape(''.join(FORMULA_SIGNS))}])"
_TO_DEFUSE = re.compile(_BEGINS + _FORMULA)
_TO_READ = re.compile(_BEGINS + _DEFUSED + _FORMULA)
MEDIA_TYPE = "text/csv; charset=utf-8"

Cell = str | int | float | None


def write_sheet(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """
    Write a table as CSV: a line of column names, then a line a row, each ending in CRLF.

    Numbers stay numbers; what a spreadsheet would run of a text has an apostrophe before it, which `read_cell` takes away again.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([[_write_cell(each) for each in row] for row in rows])
    return text.getvalue()


def read_cell(text: str) -> str:
    """A cell as it was before `write_sheet` made it harmless."""
    return _TO_READ.sub("", text)


def _write_cell(value: Cell) -> str | int | float:
    if value is None:
        return ""
    return _TO_DEFUSE.sub(_DEFUSED, value) if isinstance(value, str) else value
