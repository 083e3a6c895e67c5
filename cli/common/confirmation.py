"""What commands share that end something of an organisation: they count it first, and ask before they do it."""

from __future__ import annotations

from collections.abc import Mapping

import click
import msgspec


def require_no_question(*, as_json: bool, yes: bool, dry_run: bool) -> None:
    """Refuse `--json` where somebody would be asked. Raises UsageError."""
    if as_json and not (yes or dry_run):
        message = "--json asks nothing: give --yes or --dry-run with it"
        raise click.UsageError(message)


def print_counts(heading: str, counts: Mapping[str, int], answer: Mapping[str, object], *, as_json: bool) -> None:
    """
    Print what would end.

    Args:
        heading: The line above, for a person.
        counts: What is counted → how many there are, a line each.
        answer: The same for a program.
        as_json: Print `answer`, as one JSON object, instead of the lines.
    """
    if as_json:
        click.echo(msgspec.json.encode(answer).decode())
        return
    click.echo(heading)
    for what, count in counts.items():
        click.echo(f"{count:6} {what}")


def is_agreed(question: str) -> bool:
    """Ask a person yes or no; after a no, say that nothing was changed."""
    if click.confirm(question, default=False, err=True):
        return True
    click.echo("nothing was changed", err=True)
    return False
