"""What a replay found: the declines of a range by what became of them, for a person and as JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.room_status.deciding.fold import RULES_VERSION
from services.room_status.replaying import recollection
from services.room_status.replaying.replay import Comparison, Decline, Redone, compare, identity
from shared.domain.instants import to_rfc3339
from shared.ports.log import Log

KINDS = ("missing", "spurious", "differing", "repeated", "undecided", "erased")
MEANING = {
    "missing": "the facts give it, the topic lacks it: `--apply` asks room_status to tell it",
    "spurious": "it was told, the facts do not give it: it cannot be taken back",
    "differing": "told with other bytes",
    "repeated": "told more than once",
    "undecided": "room_status has not come so far: see `roomsync status`",
    "erased": "told by an organisation whose key was destroyed since: it cannot be replayed",
}
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Stretch:
    """The range in one partition: observations [begin, end)."""

    partition: int
    begin: int
    end: int


@dataclass(slots=True)
class Report:
    """One replay."""

    from_ms: int
    to_ms: int
    tenant: str | None
    redone: list[tuple[Stretch, Redone]]
    asked: int = 0
    """How many declines room_status was asked to tell again."""
    compared: list[Comparison] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether everything is as it was told."""
        return all(each.equal for each in self.compared)

    def of(self, kind: str) -> Iterator[Decline]:
        """The declines of one kind, of every partition."""
        for each in self.compared:
            yield from getattr(each, kind)

    def missing(self) -> Iterator[tuple[Stretch, Sequence[Decline]]]:
        """What the topic lacks, by partition."""
        for (stretch, _), each in zip(self.redone, self.compared, strict=True):
            if each.missing:
                yield stretch, each.missing

    def settle(self, log: Log, wait_s: float, *, until: Sequence[str] = ("undecided",)) -> None:
        """Compare with what is told, again and again while room_status catches up. Raises LogUnavailableError."""
        deadline = time.monotonic() + wait_s
        self.compared = [self._compared(log, stretch, redone) for stretch, redone in self.redone]
        while any(next(self.of(kind), None) for kind in until) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
            self.compared = [self._compared(log, stretch, redone) for stretch, redone in self.redone]

    def _compared(self, log: Log, stretch: Stretch, redone: Redone) -> Comparison:
        reached = recollection.reached(log, stretch.partition)  # first: what is told of it stands on the topic by then
        told = [each for each in recollection.told(log, stretch.partition) if self.tenant in {None, each.tenant}]
        return compare(redone, told, begin=stretch.begin, end=stretch.end, reached=reached)


def as_dict(report: Report) -> dict[str, Any]:
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
        "counts": {kind: len(list(report.of(kind))) for kind in ("same", *KINDS)},
        **{kind: [identity(each) for each in report.of(kind)] for kind in KINDS},
        "partitions": [
            {"partition": stretch.partition, "begin": stretch.begin, "end": stretch.end} for stretch, _ in report.redone
        ],
    }


def as_text(report: Report) -> str:
    """The report for a person."""
    found = as_dict(report)
    whose = report.tenant or "every organisation"
    lines = [
        f"{found['from']} to {found['to']}, {whose}",
        f"{found['observations']:6} observations decided again, by rules {RULES_VERSION}",
        f"{found['counts']['same']:6} the same, byte for byte",
    ]
    if not found["observations"]:
        lines.append("       nothing was observed in this range: is it the right one? Times without an offset are UTC")
    for kind in KINDS:
        if found[kind]:
            lines.append(f"{len(found[kind]):6} {kind}: {MEANING[kind]}")
            lines += [
                f"         {each['id']} {each['tenant']} {each['room']} {each['observedAt']}" for each in found[kind]
            ]
    if found["unreadable"]:
        lines.append(f"{found['unreadable']:6} observations cannot be read: see `roomsync dead-letters`")
    if report.asked:
        unheard = found["missing"] and ", and not told yet: `roomsync status`, `roomsync dead-letters list`"
        lines.append(f"{report.asked:6} asked of room_status{unheard or ''}")
    return "\n".join([*lines, "equal" if report.equal else "not equal"])
