"""Whether many of an organisation's grants are refused for one reason at the moment, of the rows as they stand. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from shared.contracts.rows import ConsentRow, ConsentState
from shared.grants.grant import IN_USE
from shared.grants.refusals import LEAST_REFUSED, LEAST_SHARE


@dataclass(frozen=True, slots=True)
class CommonRefusal:
    """What many grants of one calendar system are refused for."""

    provider: str
    code: str
    """The calendar system's."""
    people: int
    """Whose grants it concerns: refused, or held back since others are."""
    of: int
    """How many are in use."""


def find_common_refusal(rows: Iterable[ConsentRow]) -> CommonRefusal | None:
    """
    What most of those are suspended for that are, where they are as many as open the circuit of `RefusalBreaker`.

    Any process says so, since it reads what the one that was refused has written; None while it is no matter of many.

    Args:
        rows: The grants of one organisation.
    """
    used = [row for row in rows if row.state in IN_USE]
    reasons = Counter((row.provider, row.reason) for row in used if row.state is ConsentState.SUSPENDED)
    for (provider, code), people in reasons.most_common(1):
        of = sum(row.provider == provider for row in used)
        if people >= max(LEAST_REFUSED, LEAST_SHARE * of):
            return CommonRefusal(provider, code, people, of)
    return None
