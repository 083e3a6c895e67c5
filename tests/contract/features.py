"""What an engine declares of itself to the contract suite: deadlines that are its own, and differences with their reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Features:
    """
    One engine's declaration.

    `declared` says in words where it may differ without breaking a promise; it is printed at the head of a run.
    `differences` is where it does not keep one: a fragment of a test's name → why. Such a test is expected to fail,
    strictly: it rings on the day the gap closes.
    """

    engine: str
    takeover_s: float
    """How long after a member's death its partitions may take to move. A deadline for waiting, not a target."""
    visible_s: float
    """How long after a commit returned its records may take to become visible to committed readers."""
    transactions_optional: bool = False
    """Whether tests can have it commit without transactions."""
    declared: tuple[str, ...] = ()
    differences: Mapping[str, str] = field(default_factory=dict)


EMBEDDED = Features(
    engine="embedded",
    takeover_s=10.0,
    visible_s=0.0,
    declared=(
        "one machine, one local disk",
        "aborted records are never visible, not even uncommitted: a commit is one transaction",
        "membership is a lease of two seconds",
    ),
)
