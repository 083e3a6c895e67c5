"""Whether what was told, what was shown and what is remembered agree with each other, whatever really happened. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from tests.chaos.employees import Line
from tests.chaos.topic_records import PublishedDecline, PublishedRoomState

Ask = tuple[str, str, str, str, str]
"""Tenant, meeting, occurrence, room and ask."""


def missing_decisions(told: Iterable[PublishedDecline], remembered: Mapping[Ask, int]) -> list[str]:
    """Declines that the state remembers and no committed reader finds. The other way round is the truth's business."""
    found = Counter(asked(each) for each in told)
    return [
        f"{ask}: the state remembers {n} declines, {found[ask]} were told"
        for ask, n in remembered.items()
        if found[ask] < n
    ]


def wrong_ends(told: Iterable[str], ended: Iterable[str], open_declines: Collection[str]) -> list[str]:
    """
    Whatever was told has ended, once, or is open.

    Args:
        told: The ids of the declines on the topic.
        ended: The ids of the declines that outcomes name, each as often as it is named.
        open_declines: The ids of those that the state remembers as open.
    """
    known, ends = set(told), Counter(ended)
    return [
        *(f"{decline} ended {count} times" for decline, count in ends.items() if count > 1),
        *(f"{decline} ended, and was never told" for decline in ends.keys() - known),
        *(f"{decline} ended, and the state remembers it as open" for decline in ends.keys() & set(open_declines)),
        *(
            f"{decline} is not open any more, and nothing says how it ended"
            for decline in known - ends.keys() - set(open_declines)
        ),
    ]


def room_order(told: Iterable[PublishedDecline], states: Iterable[PublishedRoomState]) -> list[str]:
    """
    Per room of an occurrence, declines are told in the order in which its states turned to declined.

    `room-status` is compacted: turns may be missing from it, never read_declines.
    """
    announced: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for each in told:
        announced[asked(each)[:4]].append(each.ask)
    turned: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    last: dict[tuple[str, str, str, str], PublishedRoomState] = {}
    for state in states:
        before = last.get(state.where)
        if state.state == "declined" and not (before and (before.since, before.state, before.ask) == _turn(state)):
            turned[state.where].append(state.ask)
        last[state.where] = state
    return [
        f"{where}: told {announced[where]}, shown declined {turned[where]}"
        for where in announced.keys() | turned.keys()
        if not _is_subsequence(turned[where], announced[where])
    ]


def ahead_of_the_log(lines: Iterable[Line], states: Sequence[PublishedRoomState]) -> list[str]:
    """What a page shows and no committed record says, although nobody could commit anything in between."""
    committed = {(*each.where, each.state, each.since) for each in states}
    newest = {each.where: each.since for each in states}
    return [
        f"{line.title} {line.room}: the page says {line.state} since {line.since}, the log {newest.get(where(line))}"
        for line in lines
        if (*where(line), line.state, line.since) not in committed and line.since >= newest.get(where(line), "")
    ]


def _is_subsequence(part: Sequence[str], whole: Sequence[str]) -> bool:
    rest = iter(whole)
    return all(each in rest for each in part)


def where(line: Line) -> tuple[str, str, str, str]:
    """Which room of which occurrence a page speaks of."""
    return line.tenant, line.meeting_ref, line.occurrence_ref, line.room_id


def asked(each: PublishedDecline) -> Ask:
    """Which ask was declined."""
    return each.tenant, each.meeting, each.occurrence, each.room, each.ask


def _turn(state: PublishedRoomState) -> tuple[str, str, str]:
    return state.since, state.state, state.ask
