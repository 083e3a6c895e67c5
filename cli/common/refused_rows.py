"""Names rows of the registry that are not what was written in their place; the command goes on with the others."""

from __future__ import annotations

import click

from shared.errors import RowRefusedError


class RefusedRows:
    """Says each refused row once on standard error, and counts them."""

    def __init__(self) -> None:
        """None yet."""
        self._named: set[tuple[str, str, str]] = set()

    @property
    def count(self) -> int:
        """How many rows were refused."""
        return len(self._named)

    def __call__(self, error: RowRefusedError) -> None:
        """Name the row, with what to do."""
        if error.place in self._named:
            return
        self._named.add(error.place)
        click.echo(
            f"left out: {error}; docs/operate.md says what to do, `roomsync doctor` lists all such rows", err=True
        )
