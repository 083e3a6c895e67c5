"""One line a thing, for people or (`--json`) for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence

import click
import msgspec


def print_fields(fields: Mapping[str, object], *, as_json: bool) -> None:
    """Print a line: the values, or with `as_json` an object with their names."""
    text = "  ".join(str(value) for value in fields.values())
    click.echo(msgspec.json.encode(fields).decode() if as_json else text)


def print_table(rows: Iterable[Mapping[str, object]], *, as_json: bool) -> None:
    """
    Print rows that have the same fields: on a terminal as a table with headings, else a line each, as `print_fields` does.

    Whoever reads the lines in a script reads what earlier versions printed.
    """
    if as_json or not sys.stdout.isatty():
        for row in rows:
            print_fields(row, as_json=as_json)
        return
    heading, *lines = format_table(list(rows)) or [""]
    if lines:
        click.secho(heading, bold=True)
    for line in lines:
        click.echo(line)


def format_table(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """The headings, then a line a row, each column as wide as the longest that stands in it; nothing for no rows."""
    if not rows:
        return []
    cells = [[name.upper() for name in rows[0]], *([_as_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _as_cell(value: object) -> str:
    return "-" if value is None else str(value)
