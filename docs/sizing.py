"""
Computes how many partitions, processes and bytes so many mailboxes need: the table of docs/sizing.md.

Nothing here is measured. Each figure is one of docs/figures.md, which is quoted word for word so that a test notices when it
has changed, or an assumption about people, or a bound of the code.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import NamedTuple

from services.sync_worker.housekeeping.sweep import AT_ONCE, EVERY_S
from services.sync_worker.main import LOOKS_AT_ONCE
from shared.contracts.topics import RETENTION_MS
from shared.domain.instants import DAY_MS


class MeasuredFigure(NamedTuple):
    """A figure, and the words of docs/figures.md that give it."""

    value: float
    quote: str


TAKEN_A_SECOND = MeasuredFigure(1_880, "| 202s a second, as many as it takes | 1,880 |")
BROKER_US_A_NOTIFICATION = MeasuredFigure(1_106, "| the brokers' CPU µs a 202, 800/s | 1,106 |")
BROKER_MS_A_COMMIT = MeasuredFigure(13, "a transaction costs the three of them 13 ms of processor time")
COMMITS_A_PARTITION = MeasuredFigure(30, "commits about thirty times a second")
CHANGE_KB = MeasuredFigure(5.8, "5.8 kB: piece, mailbox and position 4.4 kB")
ROOM_ANSWER_KB = MeasuredFigure(40, "40 kB: the meeting's record 16.5 kB")
REFERENCE_KB = MeasuredFigure(1.3, "1.3 kB while a claim is taken over (100,000 references")
SEALED_REFERENCE_KB = MeasuredFigure(0.9, "0.9 kB as restored and sealed")
MEETING_KB = MeasuredFigure(1.3, "| memory of room_status, per meeting with two copies | 1.3 kB")
VIEW_KB = MeasuredFigure(1.5, "| memory of the Redis view, per meeting with two copies | 1.5 kB")
RESTORED_S = MeasuredFigure(1.8, "three brokers 0.8 s; then 1.0 s to open and read them")
MEASURED = (
    TAKEN_A_SECOND, BROKER_US_A_NOTIFICATION, BROKER_MS_A_COMMIT, COMMITS_A_PARTITION, CHANGE_KB, ROOM_ANSWER_KB,
    REFERENCE_KB, SEALED_REFERENCE_KB, MEETING_KB, VIEW_KB, RESTORED_S,
)  # fmt: skip

CHANGES_A_DAY = 30
ROOM_ANSWERS_A_DAY = 1
CALLS_A_DAY = 250
"""Of one mailbox on a busy day; docs/try-microsoft.md and docs/try-google.md count them."""
CALL_S = 0.2
WORKING_DAY_S = 8 * 3600
BUSY_HOUR = 0.15
"""The share of a day's changes that falls into its busiest hour."""
REFERENCES = 200
PEOPLE_A_MEETING = 4
USED = 0.5
"""The share of what a process or a core can do that is planned for."""
BROKER_CORES = 8
COPIES = 3
LEAST_PARTITIONS = 4
ORGANISATIONS = ((1, 500), (10, 5_000), (100, 50_000), (1_000, 200_000), (10_000, 1_000_000))
KB_A_GB = 1e6
_WHOLE = 10
GOOGLE_CALLS_A_DAY = 1_000_000
"""https://developers.google.com/workspace/calendar/api/guides/quota: of a new project; more has to be asked for."""
REDIS_GB = 64
"""Of one large server."""


@dataclass(frozen=True, slots=True)
class Sizing:
    """What so many mailboxes of so many organisations need. All properties are formulas."""

    organisations: int
    mailboxes: int

    @property
    def notifications_a_second(self) -> float:
        """In the busiest hour."""
        return self.mailboxes * CHANGES_A_DAY * BUSY_HOUR / 3600

    @property
    def receivers(self) -> int:
        """Processes; two at least, so that one may end."""
        return max(2, math.ceil(self.notifications_a_second / (TAKEN_A_SECOND.value * USED)))

    @property
    def calls_a_day(self) -> float:
        """At the providers, all mailboxes together."""
        return self.mailboxes * CALLS_A_DAY

    @property
    def sync_workers(self) -> int:
        """Processes, by how many looks one has under way at a time."""
        looks_a_second = LOOKS_AT_ONCE / CALL_S * USED
        return max(2, math.ceil(self.calls_a_day / WORKING_DAY_S / looks_a_second))

    @property
    def partitions(self) -> int:
        """One for each sync worker at least; doubled, since they are fixed once made."""
        return max(LEAST_PARTITIONS, 2 ** math.ceil(math.log2(self.sync_workers)))

    @property
    def commits_a_second(self) -> float:
        """Of sync workers and room_status, in the busiest hour; a partition groups what comes faster."""
        return 2 * min(self.notifications_a_second, COMMITS_A_PARTITION.value * self.partitions)

    @property
    def broker_cores(self) -> float:
        """Of all brokers together."""
        commits = self.commits_a_second * BROKER_MS_A_COMMIT.value / 1e3
        return commits + self.notifications_a_second * BROKER_US_A_NOTIFICATION.value / 1e6

    @property
    def brokers(self) -> int:
        """Three at least: every record has as many copies."""
        return max(COPIES, math.ceil(self.broker_cores / (BROKER_CORES * USED)))

    @property
    def disk_gb(self) -> float:
        """On all brokers together: what is deleted after days, and references, which stay."""
        daily = CHANGES_A_DAY * CHANGE_KB.value + ROOM_ANSWERS_A_DAY * ROOM_ANSWER_KB.value
        kept = REFERENCES * SEALED_REFERENCE_KB.value * COPIES
        return self.mailboxes * (daily * RETENTION_MS / DAY_MS + kept) / KB_A_GB

    @property
    def worker_gb(self) -> float:
        """Memory of a sync worker that takes over everything at once, as after a start; afterwards it needs a third of it."""
        return self.mailboxes * REFERENCES * REFERENCE_KB.value / self.sync_workers / KB_A_GB

    @property
    def meetings(self) -> float:
        """Which several mailboxes share."""
        return self.mailboxes * REFERENCES / PEOPLE_A_MEETING

    @property
    def room_status_gb(self) -> float:
        """Memory of all room_status processes together."""
        return self.meetings * MEETING_KB.value / KB_A_GB

    @property
    def view_gb(self) -> float:
        """Memory of the view's Redis."""
        return self.meetings * VIEW_KB.value / KB_A_GB

    @property
    def take_over_s(self) -> float:
        """How long a partition is away when its worker has died, once another has it."""
        return self.mailboxes * REFERENCES / self.partitions / 100_000 * RESTORED_S.value

    @property
    def found_after_s(self) -> float:
        """How long what a dead process has left of a switching off may wait for one of the sweeps."""
        return math.ceil(self.organisations / AT_ONCE) * EVERY_S


LINES: tuple[tuple[str, str, Callable[[Sizing], float]], ...] = (
    ("notifications a second, busiest hour", "mailboxes x $changes x $hour ÷ 3,600", lambda s: s.notifications_a_second),
    ("receivers", "÷ ($taken x $used), two at least", lambda s: s.receivers),
    ("provider calls a day", "mailboxes x $calls", lambda s: s.calls_a_day),
    ("sync workers", "calls a second of an 8-hour day ÷ ($looks ÷ $call s x $used)", lambda s: s.sync_workers),
    ("partitions", "the next power of two", lambda s: s.partitions),
    ("transactions a second", "2 x notifications, at most 2 x $commits a partition", lambda s: s.commits_a_second),
    ("cores of all brokers", "transactions x $commit ms + notifications x $taking µs", lambda s: s.broker_cores),
    ("brokers of $cores cores", "÷ ($cores x $used), three at least", lambda s: s.brokers),
    ("disk of all brokers, GB", "5 days x ($changes x $change kB + $answer kB) + $references x $rest kB x 3", lambda s: s.disk_gb),
    ("memory of a sync worker, GB", "mailboxes x $references x $reference kB ÷ workers", lambda s: s.worker_gb),
    ("memory of all room_status, GB", "meetings x $meeting kB", lambda s: s.room_status_gb),
    ("memory of the view's Redis, GB", "meetings x $view kB", lambda s: s.view_gb),
    ("take-over of a partition, s", "references of a partition x $restored s ÷ 100,000", lambda s: s.take_over_s),
    ("what a dead process left is found within, s", "organisations ÷ $turns x $every s", lambda s: s.found_after_s),
)  # fmt: skip
_NAMES = {
    "changes": CHANGES_A_DAY, "hour": BUSY_HOUR, "taken": f"{TAKEN_A_SECOND.value:,}", "used": USED, "calls": CALLS_A_DAY,
    "looks": LOOKS_AT_ONCE, "call": CALL_S, "commits": COMMITS_A_PARTITION.value, "commit": BROKER_MS_A_COMMIT.value,
    "taking": f"{BROKER_US_A_NOTIFICATION.value:,}", "cores": BROKER_CORES, "change": CHANGE_KB.value,
    "answer": ROOM_ANSWER_KB.value, "references": REFERENCES, "rest": SEALED_REFERENCE_KB.value,
    "reference": REFERENCE_KB.value, "meeting": MEETING_KB.value,
    "view": VIEW_KB.value, "restored": RESTORED_S.value, "turns": AT_ONCE, "every": EVERY_S, "people": PEOPLE_A_MEETING,
    "google": f"{GOOGLE_CALLS_A_DAY:,}", "google_mailboxes": f"{GOOGLE_CALLS_A_DAY // CALLS_A_DAY:,}", "redis": REDIS_GB,
    "redis_mailboxes": f"{int(REDIS_GB / Sizing(1, 1).view_gb):,}", "working": WORKING_DAY_S // 3600,
}  # fmt: skip
_TEXT = Path(__file__).with_suffix(".template")


def sizing_md() -> str:
    """The whole document."""
    return Template(_TEXT.read_text()).substitute(_NAMES, table=_table())


def _table() -> str:
    sizes = [Sizing(*size) for size in ORGANISATIONS]
    heads = ["organisations", *(f"{one.organisations:,}" for one in sizes), "how"]
    lines = [_row(heads), _row(["---"] * len(heads)), _row(["mailboxes", *(f"{one.mailboxes:,}" for one in sizes), ""])]
    for name, how, figure in LINES:
        cells = [_shown(figure(one)) for one in sizes]
        lines.append(_row([Template(name).substitute(_NAMES), *cells, Template(how).substitute(_NAMES)]))
    return "\n".join(lines)


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _shown(figure: float) -> str:
    """Two digits: more are not known."""
    if figure >= _WHOLE or isinstance(figure, int):
        return f"{figure:,.0f}"
    return f"{figure:.2g}"
