"""Compares what was told with what happened: lost, twice, invented, out of order, wrongly shown. Pure; knows no product code."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.agreement import room_order
from tests.chaos.employees import Line
from tests.chaos.topic_records import PublishedDecline, PublishedRoomState, newest
from tests.chaos.truth import DECLINED, OVER, Spot, Truth

NOT_SEEN = OVER | {"unknown"}
"""What a meeting that no page shows may be. A guest's copy at Microsoft is not believed: was the meeting cancelled before its
organiser's calendar was looked at, then nobody could ever say anything else of its room (docs/design.md, states)."""
Where = tuple[str, Spot]
"""A tenant and what happened where in it."""


@dataclass(slots=True)
class Names:
    """Which pseudonym is whom, as the organisers' own pages have shown so far."""

    meetings: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """Tenant, meeting and date → its title, or the label of the date."""
    rooms: dict[tuple[str, str], str] = field(default_factory=dict)

    def learn(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self.meetings[line.tenant, line.meeting_ref, line.occurrence_ref] = line.title
            self.rooms[line.tenant, line.room_id] = line.room

    def spot(self, each: PublishedDecline | PublishedRoomState) -> Spot | None:
        """None when its meeting was over before any page showed it."""
        title = self.meetings.get((each.tenant, each.meeting, each.occurrence))
        return (title, self.rooms.get((each.tenant, each.room), "?")) if title else None


@dataclass(frozen=True, slots=True)
class Boundary:
    """How things stood when the last round had settled."""

    declined: Mapping[Where, int] = field(default_factory=dict)
    """What was declined, and the start that was asked for."""
    told: Mapping[tuple[Where, str], int] = field(default_factory=dict)
    """How often each ask had been told as declined."""
    starts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Tenant and ask → the start it stands for, as learnt so far."""


@dataclass(slots=True)
class Verdict:
    """Every difference, in words."""

    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """A state on the topic, or on a page, that is not the truth."""
    told: int = 0
    happened: int = 0
    due: int = 0
    """Declines of this round that still stand: each of them has to have been told."""
    boundary: Boundary = field(default_factory=Boundary)

    @property
    def settled(self) -> bool:
        """Whether waiting longer can only make it worse."""
        return not (self.lost or self.wrong)

    @property
    def ok(self) -> bool:
        return self.settled and not (self.twice or self.invented or self.disordered)

    def __str__(self) -> str:
        counts = f"declines {self.happened}, told {self.told}, due {self.due}, lost {len(self.lost)}, twice {len(self.twice)}"
        return f"{counts}, invented {len(self.invented)}, out of order {len(self.disordered)}, wrong {len(self.wrong)}"

    def findings(self) -> str:
        """Each difference on a line."""
        kinds = ("lost", "twice", "invented", "disordered", "wrong")
        return "\n".join(f"{kind}: {each}" for kind in kinds for each in getattr(self, kind)[:8])


def check(
    told: Sequence[PublishedDecline],
    states: Sequence[PublishedRoomState],
    lines: Sequence[Line],
    truths: Mapping[str, Truth],
    names: Names,
    before: Boundary,
) -> Verdict:
    """
    Compare.

    Args:
        told: Every decline event, per partition in log order.
        states: Every state on `room-status`, per partition in log order.
        lines: What all organisers' pages show.
        truths: Tenant → what happened there.
        names: What the pages have taught so far.
        before: The last verdict's boundary.
    """
    verdict = Verdict(told=len(told), happened=sum(len(d) for t in truths.values() for d in t.declines.values()))
    by_spot = _by_spot(told, names)
    shown = newest(states)
    current = {(each.tenant, spot): each for each in shown if (spot := names.spot(each))}
    starts = _learnt(current, truths, before)
    _ids(told, verdict)
    verdict.disordered += room_order(told, states)
    _mailbox_order(told, verdict)
    _nobody_unknown(told, names, truths, verdict)
    for tenant, truth in truths.items():
        for spot in truth.states.keys() | truth.declines.keys() | {s for t, s in by_spot if t == tenant}:
            where = (tenant, spot)
            _state(where, truth, current.get(where), verdict)
            _enough(where, truth, current.get(where), by_spot.get(where, []), before, verdict)
            _not_too_much(where, truth, by_spot.get(where, []), starts, verdict)
    _strangers(shown, names, truths, verdict)
    _pages(lines, truths, verdict)
    verdict.boundary = _boundary(truths, by_spot, starts)
    return verdict


def _by_spot(told: Iterable[PublishedDecline], names: Names) -> dict[Where, list[PublishedDecline]]:
    found: dict[Where, list[PublishedDecline]] = defaultdict(list)
    for each in told:
        spot = names.spot(each)
        if spot:
            found[each.tenant, spot].append(each)
    return found


def _learnt(
    current: Mapping[Where, PublishedRoomState], truths: Mapping[str, Truth], before: Boundary
) -> dict[tuple[str, str], int]:
    """What each ask stands for: the current state names the ask of the start that stands."""
    starts = dict(before.starts)
    for (tenant, spot), each in current.items():
        truth = truths[tenant]
        if each.ask and each.state not in OVER and truth.states.get(spot) == frozenset({each.state}):
            starts.setdefault((tenant, each.ask), truth.starts[spot[0]])
    return starts


def _ids(told: Sequence[PublishedDecline], verdict: Verdict) -> None:
    verdict.twice += [f"id {one} {n} times" for one, n in Counter(each.id for each in told).items() if n > 1]
    repeats: dict[tuple[str, str, str, str], list[int]] = defaultdict(list)
    for each in told:
        repeats[each.meeting, each.occurrence, each.room, each.ask].append(each.repeat)
    verdict.twice += [f"{key}: repeats {found}" for key, found in repeats.items() if len(set(found)) < len(found)]
    verdict.disordered += [f"{key}: repeats {found}" for key, found in repeats.items() if found != sorted(found)]
    verdict.lost += [f"{key}: repeats {sorted(found)}" for key, found in repeats.items() if max(found) >= len(found)]


def _mailbox_order(told: Sequence[PublishedDecline], verdict: Verdict) -> None:
    """
    Within a partition, what one mailbox says is told in the order of its looks.

    At Google a guest's copy may speak for a meeting until the organiser's has been seen, so only Microsoft can be judged.
    """
    latest: dict[tuple[int, str], str] = {}
    for each in (one for one in told if one.provider == "microsoft"):
        lane = (each.partition, each.organizer)
        if each.observed_at < latest.get(lane, ""):
            verdict.disordered.append(
                f"partition {each.partition} at {each.offset}: {each.observed_at} after {latest[lane]}"
            )
        latest[lane] = max(latest.get(lane, ""), each.observed_at)


def _nobody_unknown(
    told: Sequence[PublishedDecline], names: Names, truths: Mapping[str, Truth], verdict: Verdict
) -> None:
    """Tellings of meetings that no page ever showed are no more than what happened to cancelled ones."""
    unknown = Counter(each.tenant for each in told if not names.spot(each))
    named = set(names.meetings.values())
    for tenant, count in unknown.items():
        truth = truths[tenant]
        possible = sum(len(d) for spot, d in truth.declines.items() if spot[0] in truth.cancelled - named)
        if count > possible:
            verdict.invented.append(f"{count} of meetings that nobody knows, {possible} were possible")


def _state(where: Where, truth: Truth, current: PublishedRoomState | None, verdict: Verdict) -> None:
    allowed = truth.states.get(where[1])
    if allowed is None:
        verdict.invented.append(f"{where[1]} was never asked for")
    elif current is None and not allowed <= OVER:
        verdict.wrong.append(f"{where[1]} is {set(allowed)}; nothing is shown")
    elif current is not None and current.state not in allowed:
        verdict.wrong.append(f"{where[1]} is {set(allowed)}; shown is {current.state}")


def _enough(
    where: Where,
    truth: Truth,
    current: PublishedRoomState | None,
    told: Sequence[PublishedDecline],
    before: Boundary,
    verdict: Verdict,
) -> None:
    """A decline that stands now and did not stand before has been told since."""
    if truth.states.get(where[1]) != DECLINED:
        return
    start = truth.starts[where[1][0]]
    if before.declined.get(where) == start:
        return  # it may have been withdrawn and said again between two looks
    verdict.due += 1
    ask = current.ask if current and current.state == "declined" else None
    now = sum(1 for each in told if ask in {None, each.ask})
    earlier = sum(count for (spot, known), count in before.told.items() if spot == where and ask in {None, known})
    if now <= earlier:
        verdict.lost.append(f"{where[1]} declined, {now} told ({earlier} of them earlier)")


def _not_too_much(
    where: Where,
    truth: Truth,
    told: Sequence[PublishedDecline],
    starts: Mapping[tuple[str, str], int],
    verdict: Verdict,
) -> None:
    happened = truth.declines.get(where[1], ())
    if len(told) > len(happened):
        (verdict.twice if happened else verdict.invented).append(
            f"{where[1]}: {len(told)} told, {len(happened)} happened"
        )
    known = [start for each in told if (start := starts.get((where[0], each.ask))) is not None]
    for start, count in Counter(known).items():
        if count > happened.count(start):
            verdict.twice.append(f"{where[1]} at {start}: {count} told, {happened.count(start)} happened")
    if not _is_subsequence(known, happened):
        verdict.disordered.append(f"{where[1]}: told {known}, happened {happened}")


def _is_subsequence(part: Sequence[int], whole: Sequence[int]) -> bool:
    rest = iter(whole)
    return all(each in rest for each in part)


def _strangers(
    shown: Sequence[PublishedRoomState], names: Names, truths: Mapping[str, Truth], verdict: Verdict
) -> None:
    for each in shown:
        if not names.spot(each) and each.state not in NOT_SEEN:
            verdict.wrong.append(f"a meeting that no page shows is {each.state}")
    for tenant, truth in truths.items():
        known = {title for (owner, _, _), title in names.meetings.items() if owner == tenant}
        verdict.wrong += [f"{title} is on no page" for title in truth.starts.keys() - known]


def _pages(lines: Sequence[Line], truths: Mapping[str, Truth], verdict: Verdict) -> None:
    pages = {(line.tenant, (line.title, line.room)): line.state for line in lines}
    for tenant, truth in truths.items():
        for spot, allowed in truth.states.items():
            state = pages.get((tenant, spot))
            if (state is None and not allowed <= OVER) or (state is not None and state not in allowed):
                verdict.wrong.append(f"{spot} is {set(allowed)}; its page says {state}")


def _boundary(
    truths: Mapping[str, Truth],
    by_spot: Mapping[Where, Sequence[PublishedDecline]],
    starts: Mapping[tuple[str, str], int],
) -> Boundary:
    declined = {
        (tenant, spot): truth.starts[spot[0]]
        for tenant, truth in truths.items()
        for spot, states in truth.states.items()
        if states == DECLINED
    }
    told = Counter((where, each.ask) for where, found in by_spot.items() for each in found)
    return Boundary(declined, told, dict(starts))
