"""One line a thing, for people or (`--json`) for programs."""

from __future__ import annotations

from collections.abc import Mapping

import click
import msgspec


def print_fields(fields: Mapping[str, object], *, as_json: bool) -> None:
    """Print a line: the values, or with `as_json` an object with their names."""
    text = "  ".join(str(value) for value in fields.values())
    click.echo(msgspec.json.encode(fields).decode() if as_json else text)
