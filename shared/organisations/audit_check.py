"""Checks the chain of an organisation's audit: what is missing, stands in another's place, or is somebody else's. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.contracts.rows import AuditHeadRow, AuditRow
from shared.domain.instants import DAY_MS
from shared.language.deciding.sentences import say

KEPT_MS = 366 * DAY_MS
"""How long an act is kept."""
_CLOCKS_MS = DAY_MS
"""By how much the clocks of two processes may differ before a row that one has let go counts as missing for the other."""


class ChainFault(StrEnum):
    """What is wrong at a place of the chain."""

    MISSING = "missing"
    ALTERED = "altered"
    ANOTHER = "another"
    """It is a row of ours, and not the one that was written there."""
    BEGUN_ANEW = "begun-anew"
    """The chain was begun anew here, since its head was gone: what stands before it may lack its end."""
    NO_HEAD = "no-head"
    """The note of how far the chain reaches is gone or altered: its end may be missing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the chain, and its digest."""

    row: AuditRow
    digest: str


@dataclass(frozen=True, slots=True)
class Chain:
    """What stands of the chain of one organisation."""

    head: AuditHeadRow | None
    entries: Mapping[int, Entry]
    """Number → what stands there and can be read."""
    refused: Collection[int] = ()
    """Numbers of rows that are refused; 0 for rows that have none."""
    head_refused: bool = False


@dataclass(frozen=True, slots=True, order=True)
class ChainFinding:
    """Where the chain is broken: from one number to another, both included."""

    first: int
    last: int
    fault: ChainFault

    def as_text(self) -> str:
        """As a sentence for an administrator."""
        alone = self.first == self.last
        words = _OF_ONE if alone else _OF_SEVERAL
        if alone and not self.first and self.fault is ChainFault.ALTERED:
            return say("An entry of before the numbering was altered, or put there by somebody else.")
        return words[self.fault].format(first=self.first, last=self.last)


_OF_ONE = {
    ChainFault.MISSING: say("Entry {first} is missing."),
    ChainFault.ALTERED: say("Entry {first} was altered, or put there by somebody else, and is not shown."),
    ChainFault.ANOTHER: say("Entry {first} is not the one that was written there."),
    ChainFault.BEGUN_ANEW: say("The record was begun anew with entry {first}: entries before it may be missing."),
    ChainFault.NO_HEAD: say(
        "The note of which entry is the newest is gone or was altered: entries after {last} may be missing."
    ),
}
_OF_SEVERAL = {
    **_OF_ONE,
    ChainFault.MISSING: say("Entries {first} to {last} are missing."),
    ChainFault.ALTERED: say(
        "Entries {first} to {last} were altered, or put there by somebody else, and are not shown."
    ),
    ChainFault.ANOTHER: say("Entries {first} to {last} are not those that were written there."),
}


@dataclass(frozen=True, slots=True)
class _Link:
    """What is known of the row at a number from the one behind it. A digest of None: nothing."""

    number: int
    digest: str | None
    at_ms: int = 0

    @property
    def begins(self) -> bool:
        """Whether the row behind it begins a chain."""
        return self.digest == ""


@dataclass(slots=True)
class _Walk:
    """Down the chain from its newest row."""

    now_ms: int
    link: _Link
    found: list[ChainFinding] = field(default_factory=list)

    def pass_refused(self, number: int) -> None:
        self._pass_gap(number)
        self.found.append(ChainFinding(number, number, ChainFault.ALTERED))
        self.link = _Link(number - 1, None)

    def pass_entry(self, number: int, entry: Entry) -> None:
        self._pass_gap(number)
        if self.link.digest not in {None, entry.digest}:
            self.found.append(ChainFinding(number, number, ChainFault.ANOTHER))
            self.link = _Link(number - 1, None)  # what it says of the one before it is of another chain
            return
        self.link = _Link(number - 1, entry.row.before, entry.row.before_at_ms)

    def end(self) -> None:
        self._pass_gap(0)

    def _pass_gap(self, number: int) -> None:
        """From the last number to the next that stands: well where none is between, or it has ended its time."""
        link = self.link
        if not link.number:
            return
        if link.begins:
            self.found.append(ChainFinding(link.number + 1, link.number + 1, ChainFault.BEGUN_ANEW))
        elif link.number == number:
            return
        elif self._is_missed(link, number):
            self.found.append(ChainFinding(number + 1, link.number, ChainFault.MISSING))
        self.link = _Link(number, None)

    def _is_missed(self, link: _Link, number: int) -> bool:
        """Whether the rows between were taken away; of what stands behind a refused row nothing is known but that it stood."""
        if link.digest is None:
            return number > 0
        return link.at_ms + KEPT_MS - _CLOCKS_MS > self.now_ms


def check_chain(chain: Chain, now_ms: int) -> list[ChainFinding]:
    """
    Say where the chain of an organisation is broken, from its beginning to its end.

    Rows beyond the head that follow it are whole: the process that wrote the last one died before it moved the head. What has ended
    its time at the beginning is not missing.

    Args:
        chain: What stands.
        now_ms: The time.
    """
    newest = max((*chain.entries, *chain.refused), default=0)
    if chain.head is None:
        walk = _Walk(now_ms, _Link(newest, None))
        if newest or chain.head_refused:
            walk.found.append(ChainFinding(newest, newest, ChainFault.NO_HEAD))
    else:
        walk = _Walk(now_ms, _follow(chain, chain.head))
    walk.found += _beyond(chain, walk.link.number)
    top = walk.link.number
    for number in sorted({*chain.entries, *chain.refused} - {0}, reverse=True):
        if number > top:
            continue
        if number in chain.refused:
            walk.pass_refused(number)
        else:
            walk.pass_entry(number, chain.entries[number])
    walk.end()
    unnumbered = [ChainFinding(0, 0, ChainFault.ALTERED)] if 0 in chain.refused else []
    return sorted([*walk.found, *unnumbered])


def fitting_numbers(chain: Chain, offered: Mapping[int, Entry]) -> set[int]:
    """
    Numbers of offered rows that continue what stands, upwards or downwards from its head, without a break.

    Args:
        chain: What stands; it has a head.
        offered: Rows of a backup, by number.
    """
    if chain.head is None:
        return set(offered)
    both = {**offered, **chain.entries}
    top = _follow(Chain(chain.head, both), chain.head)
    fits = set(range(chain.head.number + 1, top.number + 1))
    number, digest = chain.head.number, chain.head.digest
    while digest and (entry := both.get(number)) is not None and entry.digest == digest:
        fits.add(number)
        number, digest = number - 1, entry.row.before
    return fits & (offered.keys() - chain.entries.keys())


def _follow(chain: Chain, head: AuditHeadRow) -> _Link:
    """The newest row that follows the head without a break."""
    link = _Link(head.number, head.digest, head.at_ms)
    while (entry := chain.entries.get(link.number + 1)) is not None and entry.row.before == link.digest:
        link = _Link(link.number + 1, entry.digest, entry.row.at_ms)
    return link


def _beyond(chain: Chain, top: int) -> Iterator[ChainFinding]:
    for number in {*chain.entries, *chain.refused}:
        if number > top:
            fault = ChainFault.ALTERED if number in chain.refused else ChainFault.ANOTHER
            yield ChainFinding(number, number, fault)
