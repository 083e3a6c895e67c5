"""Prints what the probe found: a belief a line, and under it what was seen and what the product does about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click
import msgspec

from shared.providers.beliefs.table import TABLE
from shared.providers.trials.trial import TrialOutcome, TrialResult

_WIDTH = max(len(outcome) for outcome in TrialOutcome)
_UNDER = " " * (_WIDTH + 2)


def print_result(result: TrialResult, *, as_json: bool) -> None:
    """Print one belief with its outcome."""
    belief = TABLE[result.key]
    if as_json:
        line = {
            "key": result.key,
            "belief": belief.text,
            "outcome": result.outcome.value,
            "detail": result.detail,
            "product": belief.otherwise,
        }
        click.echo(msgspec.json.encode(line).decode())
        return
    click.echo(f"{result.outcome:{_WIDTH}}  {result.key}: {belief.text}")
    if result.outcome is TrialOutcome.NOT_TRIED:
        click.echo(f"{_UNDER}why not: {result.detail}")
    if result.outcome is TrialOutcome.CONTRADICTED:
        click.echo(f"{_UNDER}seen: {result.detail}")
    if result.outcome is not TrialOutcome.HOLDS:
        click.echo(f"{_UNDER}if it does not hold: {belief.otherwise}")


def print_summary(results: Sequence[TrialResult], *, as_json: bool) -> None:
    """Print how many held; nothing with `as_json`, where every line is a belief."""
    counted = Counter(result.outcome for result in results)
    if not as_json:
        click.echo("\n" + ", ".join(f"{counted[outcome]} {outcome}" for outcome in TrialOutcome))
