"""Compares a replay with the published declines and outcomes, and reports the differences for a person and as JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.room_status.operations import (
    RULES_VERSION,
    Comparison,
    PublicEvent,
    Redone,
    compare,
    compare_outcomes,
    identity,
    outcome_identity,
    recollection,
)
from shared.domain.instants import to_rfc3339
from shared.ports.log import Log

KINDS = ("missing", "spurious", "differing", "repeated", "undecided", "erased")
MEANING = {
    "missing": "the facts give it, the topic lacks it: `--apply` asks room_status to publish it",
    "spurious": "it was published, the facts do not give it: it cannot be taken back",
    "differing": "published with other bytes",
    "repeated": "published more than once",
    "undecided": "room_status has not come so far: see `roomsync status`",
    "erased": "published for an organisation whose key was destroyed since: it cannot be replayed",
}
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class OffsetRange:
    """The range in one partition: observations [begin, end)."""

    partition: int
    begin: int
    end: int


@dataclass(slots=True)
class ReplayReport:
    """One replay."""

    from_ms: int
    to_ms: int
    tenant: str | None
    redone: list[tuple[OffsetRange, Redone]]
    asked: int = 0
    """How many events room_status was asked to publish."""
    compared: list[Comparison] = field(default_factory=list)
    """The declines, by partition."""
    compared_outcomes: list[Comparison] = field(default_factory=list)
    """How declines ended, by partition."""

    @property
    def equal(self) -> bool:
        """Whether every published event is what the replay gives."""
        return all(each.equal for each in [*self.compared, *self.compared_outcomes])

    def declines_of(self, kind: str) -> Iterator[PublicEvent]:
        """Yield the declines of one kind (see `KINDS`), of every partition."""
        for each in self.compared:
            yield from getattr(each, kind)

    def outcomes_of(self, kind: str) -> Iterator[PublicEvent]:
        """Yield how declines ended, of one kind (see `KINDS`), of every partition."""
        for each in self.compared_outcomes:
            yield from getattr(each, kind)

    def missing(self) -> Iterator[tuple[OffsetRange, Sequence[PublicEvent]]]:
        """Yield the events that their topics lack, by partition."""
        for (offsets, _), each, ended in zip(self.redone, self.compared, self.compared_outcomes, strict=True):
            if each.missing or ended.missing:
                yield offsets, [*each.missing, *ended.missing]

    def compare_until_settled(self, log: Log, wait_s: float, *, until: Sequence[str] = ("undecided",)) -> None:
        """Compare with the published declines until room_status has caught up. Raises LogUnavailableError."""
        deadline = time.monotonic() + wait_s
        self._compare(log)
        while self._has(until) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
            self._compare(log)

    def _has(self, kinds: Sequence[str]) -> bool:
        return any(getattr(each, kind) for each in [*self.compared, *self.compared_outcomes] for kind in kinds)

    def _compare(self, log: Log) -> None:
        both = [self._compare_partition(log, offsets, redone) for offsets, redone in self.redone]
        self.compared = [declines for declines, _ in both]
        self.compared_outcomes = [outcomes for _, outcomes in both]

    def _compare_partition(self, log: Log, offsets: OffsetRange, redone: Redone) -> tuple[Comparison, Comparison]:
        # read first: what the owner has decided up to here stands on the topics by then
        reached = recollection.first_unpassed_offset(log, offsets.partition)
        declines = self._chosen(recollection.read_declines(log, offsets.partition))
        outcomes = self._chosen(recollection.read_outcomes(log, offsets.partition))
        begin, end = offsets.begin, offsets.end
        return (
            compare(redone, declines, begin=begin, end=end, reached=reached),
            compare_outcomes(redone, outcomes, begin=begin, end=end, reached=reached),
        )

    def _chosen(self, published: Sequence[PublicEvent]) -> list[PublicEvent]:
        return [each for each in published if self.tenant in {None, each.tenant}]


def as_dict(report: ReplayReport) -> dict[str, Any]:
    """The report as JSON."""
    return {
        "from": to_rfc3339(report.from_ms),
        "to": to_rfc3339(report.to_ms),
        "tenant": report.tenant,
        "rulesVersion": RULES_VERSION,
        "equal": report.equal,
        "asked": report.asked,
        "observations": sum(redone.observations for _, redone in report.redone),
        "unreadable": sum(redone.unreadable for _, redone in report.redone),
        "counts": {kind: len(list(report.declines_of(kind))) for kind in ("same", *KINDS)},
        **{kind: [identity(each) for each in report.declines_of(kind)] for kind in KINDS},
        "outcomes": {
            "counts": {kind: len(list(report.outcomes_of(kind))) for kind in ("same", *KINDS)},
            **{kind: [outcome_identity(each) for each in report.outcomes_of(kind)] for kind in KINDS},
        },
        "partitions": [
            {"partition": offsets.partition, "begin": offsets.begin, "end": offsets.end} for offsets, _ in report.redone
        ],
    }


def as_text(report: ReplayReport) -> str:
    """The report for a person."""
    found = as_dict(report)
    whose = report.tenant or "every organisation"
    lines = [
        f"{found['from']} to {found['to']}, {whose}",
        f"{found['observations']:6} observations decided again, by rules {RULES_VERSION}",
        f"{found['counts']['same']:6} declines the same, byte for byte",
        f"{found['outcomes']['counts']['same']:6} outcomes the same, byte for byte",
    ]
    if not found["observations"]:
        lines.append("       nothing was observed in this range: is it the right one? Times without an offset are UTC")
    for kind in KINDS:
        if found[kind]:
            lines.append(f"{len(found[kind]):6} {kind}: {MEANING[kind]}")
            lines += [
                f"         {each['id']} {each['tenant']} {each['room']} {each['observedAt']}" for each in found[kind]
            ]
        if found["outcomes"][kind]:
            lines.append(f"{len(found['outcomes'][kind]):6} outcomes {kind}: {MEANING[kind]}")
            lines += [
                f"         {each['id']} {each['tenant']} {each['room']} {each['reason']} {each['at']}"
                for each in found["outcomes"][kind]
            ]
    if found["unreadable"]:
        lines.append(f"{found['unreadable']:6} observations cannot be read: see `roomsync dead-letters`")
    if report.asked:
        unheard = (
            found["missing"] or found["outcomes"]["missing"]
        ) and ", and not published yet: `roomsync status`, `roomsync dead-letters list`"
        lines.append(f"{report.asked:6} asked of room_status{unheard or ''}")
    return "\n".join([*lines, "equal" if report.equal else "not equal"])
