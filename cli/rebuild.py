"""`roomsync rebuild`: empties the view, has it filled again from the topics, and compares it with them."""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from cli.common.engine import connect_engine
from cli.common.exit_codes import FINDING
from services.room_status.operations import KeysOf, end_of, is_behind, rows_at
from shared.contracts.topics import MEETING_STATE
from shared.ports.engine import Engine
from shared.ports.view import Applied, digest_of

OWNER_S = 3.0
"""How long the owner of a partition may take to notice that its rows are gone: it looks once a second."""
CATCH_UP_S = 5.0
"""How long the view may take to show what stood on the topics when it was asked."""
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class ViewComparison:
    """The digests of the view and of the rows that the topics give."""

    view: str
    topics: str
    rows: int

    @property
    def equal(self) -> bool:
        """Whether the view shows what the topics say, byte for byte."""
        return self.view == self.topics


@click.command()
@click.option("--partition", "number", type=click.IntRange(min=0), default=None, help="Only this partition.")
@click.option("--all", "everything", is_flag=True, help="Every partition, one after the other.")
@click.option("--verify", is_flag=True, help="Only compare the view with the topics; change nothing.")
@click.option("--dry-run", is_flag=True, help="Say what would be rebuilt, and compare; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(number: int | None, everything: bool, verify: bool, dry_run: bool, as_json: bool) -> int:
    """
    Rebuild the view. Safe while everything runs: pages of a partition say "rebuilding" for about a second.

    Exit codes: 0 the view shows what the topics say, 1 it does not, 2 usage, 3 a dependency is away.
    """
    if everything and number is not None:
        message = "--partition N or --all, not both"
        raise click.UsageError(message)
    with connect_engine() as (engine, _):
        keys_of = functools.cache(engine.keyring.keys)
        partitions = choose_partitions(engine.log.partitions, number, everything=everything or verify)
        changing = not (verify or dry_run)
        filled = list(rebuild_partitions(engine, partitions, keys_of, quiet=as_json)) if changing else []
        comparison = compare_view(engine, keys_of)
    found = {
        "partitions": partitions,
        "rebuilt": changing,
        "filledHere": filled,
        "rows": comparison.rows,
        "view": comparison.view,
        "topics": comparison.topics,
        "equal": comparison.equal,
    }
    click.echo(json.dumps(found) if as_json else _result_as_text(found, dry_run=dry_run))
    return 0 if comparison.equal else FINDING


def choose_partitions(there: int, number: int | None, *, everything: bool) -> list[int]:
    """Return the partitions that the options name. Raises UsageError."""
    if number is None and not everything:
        message = "say --partition N, --all, or --verify to compare only"
    elif number is not None and number >= there:
        message = f"--partition {number}: there are {there}, from 0 to {there - 1}"
    else:
        return list(range(there)) if number is None else [number]
    raise click.UsageError(message)


def rebuild_partitions(engine: Engine, partitions: Sequence[int], keys_of: KeysOf, *, quiet: bool) -> Iterator[int]:
    """
    Empty each partition of the view and wait until its owner has filled it; yields those that had to be filled here.

    Nobody's rows can be overtaken: rows are taken only above the offset that stands, and an owner that finds an older
    one than it has applied replaces the partition.
    """
    topic_id = engine.log.topic_id(MEETING_STATE.name)
    with click.progressbar(partitions, label="rebuilding", file=sys.stderr, hidden=quiet) as shown:
        for partition in shown:
            engine.view.reset(partition)
            if not _wait_until_filled(engine, partition, topic_id):
                end = end_of(engine.log, partition)
                rows = rows_at(engine.log, partition, end, keys_of)
                engine.view.apply(partition, Applied(topic_id, end), rows, whole=True)
                yield partition


def compare_view(engine: Engine, keys_of: KeysOf, *, catch_up_s: float = CATCH_UP_S) -> ViewComparison:
    """
    Compare the whole view with the topics, at one and the same offset of every partition.

    The view may come after the topics by a moment; what it has not shown by then counts as a difference.
    """
    log, deadline = engine.log, time.monotonic() + catch_up_s
    partitions = range(log.partitions)
    ends = [end_of(log, partition) for partition in partitions]
    while True:
        offsets = _read_offsets(engine)
        view = engine.view.digest()
        still = offsets == _read_offsets(engine)
        behind = [number for number in partitions if is_behind(log, number, offsets[number], ends[number])]
        if (still and not behind) or time.monotonic() > deadline:
            break
        time.sleep(_POLL_S)
    reach = [
        max(offset, end) if number in behind else offset
        for number, (offset, end) in enumerate(zip(offsets, ends, strict=True))
    ]
    rows = [row for number, offset in enumerate(reach) for row in rows_at(log, number, offset, keys_of)]
    return ViewComparison(view, digest_of(rows), len(rows))


def _read_offsets(engine: Engine) -> list[int]:
    """Return the offset that each partition of the view has applied; -1: none, or of another topic of that name."""
    topic_id = engine.log.topic_id(MEETING_STATE.name)
    found = [engine.view.applied(partition) for partition in range(engine.log.partitions)]
    return [each.offset if each and each.topic_id == topic_id else -1 for each in found]


def _wait_until_filled(engine: Engine, partition: int, topic_id: str) -> bool:
    deadline = time.monotonic() + OWNER_S
    while time.monotonic() < deadline:
        applied = engine.view.applied(partition)
        if applied and applied.topic_id == topic_id:
            return True
        time.sleep(_POLL_S)
    return False


def _result_as_text(found: dict[str, object], *, dry_run: bool) -> str:
    lines = []
    partitions = ", ".join(map(str, found["partitions"])) if isinstance(found["partitions"], list) else ""
    if dry_run:
        lines.append(f"would rebuild partitions {partitions}")
    if found["rebuilt"]:
        lines.append(f"rebuilt partitions {partitions}")
    if found["filledHere"]:
        lines.append(
            f"filled from here, as no room-status did: {found['filledHere']}; start `roomsync run room-status`"
        )
    lines.append(f"view    {found['view']}")
    lines.append(f"topics  {found['topics']} ({found['rows']} meetings)")
    lines.append("equal" if found["equal"] else "not equal: `roomsync rebuild --all` makes it so")
    return "\n".join(lines)
