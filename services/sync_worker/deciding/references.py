"""From what a look returned to what is kept: references without content, and total observations of the meetings. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import msgspec

from services.sync_worker.deciding.listed_rooms import ListedRooms
from services.sync_worker.deciding.opened_answers import NOTHING_OPENED, OpenedAnswers, keep_opened, mark_opened
from shared.contracts.calendar_state import EventReference, snapshot_of
from shared.contracts.copy_observation import CopyDate, CopyObservation, Sight
from shared.domain.attendees import Answer, AttendeeKind, CopyRole, SeenAttendee, weight_of
from shared.domain.keys import TenantKeys
from shared.domain.sighting import EventKind, KnownEvent, Look, SeenEvent, SeenRemoval, Window

References = Mapping[str, EventReference]
"""Event id → reference, of one mailbox."""


@dataclass(frozen=True, slots=True)
class Merge:
    """What a look changes in a mailbox's references."""

    references: dict[str, EventReference]
    """All of them, afterwards."""
    changed: tuple[str, ...]
    """Event ids written or removed. One of which the version alone is another stays on record as it is."""
    meetings: tuple[str, ...]
    """Meetings that the look said something about: each gets a new total observation."""
    people: dict[str, dict[str, Answer]]
    """Event id → the people that the look named there, of those events whose people stand apart from their references."""


def known_events(references: References) -> dict[str, KnownEvent]:
    """Say what a provider needs to know of earlier looks: event id → series, time, and whether its absence is confirmed."""
    return {
        event_id: KnownEvent(
            series=reference.master_id,
            start_ms=reference.start_ms,
            end_ms=reference.end_ms,
            all_day=reference.all_day,
            is_master=reference.kind == EventKind.MASTER,
            confirm=reference.is_organizer and has_rooms(reference, references),
        )
        for event_id, reference in references.items()
    }


def merge(
    known: References,
    look: Look,
    *,
    window: Window,
    provider: str,
    keys: TenantKeys,
    rooms: ListedRooms,
    opened: OpenedAnswers = NOTHING_OPENED,
) -> Merge:
    """
    Apply a look to a mailbox's references.

    Where people stand in a reference itself, as earlier versions wrote it, they stay there until it changes.

    Args:
        known: As they were.
        look: What was seen.
        window: What a full look covered: an event that is known to begin after it was not to be expected there.
        provider: Names meetings together with their uid.
        keys: Of the tenant.
        rooms: The organisation's list: what is not in it is no room.
        opened: The answers of rooms that were opened when others were taken, before the look: they count until others come.
    """
    marked = mark_opened(known, opened)
    before = {**known, **marked}
    after = dict(before)
    drafts = _drafted_series(known, look)
    touched: set[str] = {event_id for event_id, reference in known.items() if reference.master_id in drafts}
    people: dict[str, dict[str, Answer]] = {}
    person = cache(keys.person)  # the same people stand in every date of a series
    for seen in look.seen:
        if _waits_for_series(seen, known, drafts):
            continue
        if isinstance(seen, SeenRemoval) or seen.cancelled:
            touched.add(seen.event_id)
            people.pop(seen.event_id, None)
            after.pop(seen.event_id, None)
        elif seen.is_draft and seen.event_id in known:
            touched.add(seen.event_id)  # neither its new time nor an answer beside it counts before it is sent
            is_series = seen.kind is EventKind.MASTER
            after[seen.event_id] = msgspec.structs.replace(known[seen.event_id], is_draft=is_series)
        else:
            touched.add(seen.event_id)
            people.pop(seen.event_id, None)
            found = keep_opened(reference_of(seen, provider=provider, keys=keys, rooms=rooms, person=person), before)
            if found.people is not None and _has_news(known.get(seen.event_id), found):
                people[seen.event_id] = found.people
                found = msgspec.structs.replace(found, people=None, people_apart=True)
            after[seen.event_id] = found
    if look.full:
        for event_id in known.keys() - touched:
            if known[event_id].start_ms < window.end_ms:
                touched.add(event_id)
                del after[event_id]
    touched |= marked.keys()
    changed = tuple(sorted(event_id for event_id in touched if _has_news(known.get(event_id), after.get(event_id))))
    said = {meeting_of(known, event_id) for event_id in touched} | {meeting_of(after, event_id) for event_id in touched}
    return Merge(after, changed, tuple(sorted(said - {""})), people)


def _drafted_series(known: References, look: Look) -> set[str]:
    """
    Find the series that were sent once, and have been changed by their organiser and not sent since: event ids.

    A later look may name a date alone: that its series is a draft is known from the look that showed it.
    """
    remembered = {one for one, reference in known.items() if reference.is_draft and reference.kind == EventKind.MASTER}
    named = {seen.event_id: seen for seen in look.seen}
    shown = {
        one for one, seen in named.items()
        if isinstance(seen, SeenEvent) and seen.kind is EventKind.MASTER and seen.is_draft and not seen.cancelled
    }  # fmt: skip
    return (remembered - named.keys()) | (shown & known.keys())


def _waits_for_series(seen: SeenEvent | SeenRemoval, known: References, drafts: Collection[str]) -> bool:
    """
    Whether a date is what the draft of its series makes of it: not sent, so that nobody but its organiser knows.

    A date that is no exception is computed from its series (MS-OXOCAL 2.2.1.44), whatever it says of `isDraft`, and a draft that
    moves gives it another id. An exception has a word of its own.
    """
    if isinstance(seen, SeenRemoval):
        reference = known.get(seen.event_id)
        return reference is not None and reference.master_id in drafts
    return seen.master_id in drafts and seen.kind is EventKind.OCCURRENCE and not seen.cancelled


def merge_in_turn(
    known: References,
    looks: Sequence[Look],
    *,
    window: Window,
    provider: str,
    keys: TenantKeys,
    rooms: ListedRooms,
    opened: OpenedAnswers = NOTHING_OPENED,
) -> Sequence[Merge]:
    """
    Apply looks one after another; each merge says what has changed since `known`, not since the look before it.

    Args:
        known: As they were before the first.
        looks: In their order.
        window: See `merge`; so are the others.
        provider: Names meetings together with their uid.
        keys: Of the tenant.
        rooms: The organisation's list.
        opened: See `merge`.
    """
    merges: list[Merge] = []
    for look in looks:
        held, news = (merges[-1].references, NOTHING_OPENED) if merges else (known, opened)
        found = merge(held, look, window=window, provider=provider, keys=keys, rooms=rooms, opened=news)
        merges.append(_since(known, merges[-1], found) if merges else found)
    return merges


def _since(known: References, earlier: Merge, later: Merge) -> Merge:
    """What both merges change together, the later one's word counting."""
    after = later.references
    touched = {*earlier.changed, *later.changed}
    people = {one: said for one, said in (earlier.people | later.people).items() if one in after}
    return Merge(
        after,
        tuple(sorted(one for one in touched if _has_news(known.get(one), after.get(one)))),
        tuple(sorted({*earlier.meetings, *later.meetings})),
        people,
    )


def _has_news(before: EventReference | None, after: EventReference | None) -> bool:
    """Whether anything is different but the version: a title or a guest's answer changes that of every date of a series."""
    if before is None or after is None:
        return before is not after
    return msgspec.structs.replace(before, version=after.version) != after


def reference_of(
    seen: SeenEvent, *, provider: str, keys: TenantKeys, rooms: ListedRooms, person: Callable[[str], str] | None = None
) -> EventReference:
    """
    An event without addresses: rooms and the organiser become pseudonyms, and people a number.

    The organiser's copy has its people besides, as pseudonyms with their answers, so that this snapshot stands once a meeting
    and not in every guest's copy; of a larger crowd than `SNAPSHOT_PEOPLE` the number alone is kept.

    Args:
        seen: As the look brought it.
        provider: Names the meeting together with its uid.
        keys: Of the tenant.
        rooms: The organisation's list.
        person: Address → pseudonym, where the caller knows them already; None: `keys.person`.
    """
    person = person or keys.person
    organizer = person(seen.organizer) if seen.organizer else ""
    named = None if seen.attendees is None else _split(seen.attendees, person, rooms)
    return EventReference(
        event_id=seen.event_id,
        uid=keys.meeting(provider, seen.uid) if seen.uid else "",
        kind=seen.kind,
        master_id=seen.master_id,
        slot=seen.slot,
        start_ms=seen.start_ms,
        end_ms=seen.end_ms,
        organizer=organizer,
        is_organizer=seen.is_organizer,
        shows_guests=seen.shows_guests,
        rooms={room: answer for room, (answer, _) in named[0].items()} if named else None,
        answered={room: at_ms for room, (_, at_ms) in named[0].items() if at_ms} if named else {},
        people=snapshot_of(named[1]) if named and seen.is_organizer else None,
        seats=len({*named[1], organizer} - {""}) if named else None,
        version=seen.version,
        all_day=seen.all_day,
        begins_ms=seen.begins_ms,
        ends_ms=seen.ends_ms,
        sequence=seen.sequence,
        can_change=seen.can_change,
    )


def meeting_of(references: References, event_id: str) -> str:
    """
    The meeting an event belongs to; "" while unknown.

    A date of a series belongs to its master's meeting: at Microsoft each date's own iCalUId differs.
    """
    reference = references.get(event_id)
    if reference is None:
        return ""
    master = references.get(reference.master_id) if reference.master_id else None
    return master.uid if master else reference.uid


def observe(
    references: References, meetings: Iterable[str], *, provider: str, mailbox: str, keys: TenantKeys, now_ms: int,
    baseline: bool, window: Window, left: Collection[str] = (), unchanged_until_ms: int = 0,
) -> list[CopyObservation]:  # fmt: skip
    """
    Make one total observation for each of `meetings`, as this mailbox shows them; no dates left means gone.

    Args:
        references: All of the mailbox.
        meetings: Pseudonyms.
        provider: Of the mailbox.
        mailbox: Its id.
        keys: Of the tenant: dates become pseudonyms.
        now_ms: When the look began, later than any earlier look of the mailbox.
        baseline: Whether it is the first look after a consent.
        window: What the look covered: a date that is absent from it was let go.
        left: Meetings that the mailbox' person organised when it left. They are observed too: one that is absent is gone.
        unchanged_until_ms: When the look before began: until then what was observed last was shown; 0: not known.
    """
    wanted: dict[str, list[EventReference]] = {meeting: [] for meeting in (*meetings, *left)}
    for event_id, reference in references.items():
        meeting = meeting_of(references, event_id)
        if meeting in wanted:
            wanted[meeting].append(reference)
    return [
        CopyObservation(
            provider=provider,
            mailbox=mailbox,
            meeting=meeting,
            organizer=next((part.organizer for part in parts if part.organizer), ""),
            role=_role(parts, left=meeting in left),
            baseline=baseline,
            observed_at_ms=now_ms,
            unchanged_until_ms=unchanged_until_ms,
            window_start_ms=window.start_ms,
            window_end_ms=window.end_ms,
            dates=tuple(
                _date(part, references, meeting, keys)
                for part in sorted(parts, key=lambda part: (part.start_ms, part.event_id))
                if part.kind != EventKind.MASTER
            ),
        )
        for meeting, parts in sorted(wanted.items())
    ]


def changed_meetings(
    before: References, after: References, meetings: Collection[str], *, keys: TenantKeys
) -> tuple[str, ...]:
    """
    Say of which meetings this mailbox shows something else than it did: another role, organiser, date, room or answer.

    A person's answer, a title or a reminder changes an event and nothing that is observed of it.

    Args:
        before: The references that the last committed observations were made from.
        after: What they are now, under the same window.
        meetings: Pseudonyms; of others nothing is said.
        keys: Of the tenant.
    """
    earlier, now = _shown(before, meetings, keys), _shown(after, meetings, keys)
    return tuple(meeting for meeting in meetings if earlier[meeting] != now[meeting])


def _shown(references: References, meetings: Collection[str], keys: TenantKeys) -> dict[str, CopyObservation]:
    """What the mailbox shows of each meeting, leaving out whose it is and when it was looked at."""
    observations = observe(
        references, meetings, provider="", mailbox="", keys=keys, now_ms=0, baseline=False, window=Window(0, 0)
    )
    return {one.meeting: one for one in observations}


def _role(parts: Collection[EventReference], *, left: bool) -> CopyRole:
    """An absent meeting shows nothing to tell its organiser by; what was kept of it when the mailbox left does."""
    organizes = any(part.is_organizer for part in parts) or (left and not parts)
    return CopyRole.ORGANIZER if organizes else CopyRole.GUEST


def has_rooms(part: EventReference, references: References) -> bool:
    """Whether an event, or else its series, names a room."""
    return bool(rooms_of(part, references))


def organized_meetings(references: References) -> set[str]:
    """Find the meetings that the mailbox's person organises, by their pseudonyms."""
    return {meeting_of(references, one) for one, part in references.items() if part.is_organizer} - {""}


def meetings_with_rooms(references: References) -> set[str]:
    """Find the meetings of which some event asks for a room, by their pseudonyms."""
    return {meeting_of(references, one) for one, part in references.items() if has_rooms(part, references)} - {""}


def find_room_starts(references: References, now_ms: int) -> Sequence[int]:
    """Find when each room that the mailbox's person asks for is needed, rising, in epoch milliseconds; past dates left out."""
    return sorted(
        part.begins_ms or part.start_ms
        for part in references.values()
        if part.is_organizer and part.kind != EventKind.MASTER and part.end_ms > now_ms
        for _ in rooms_of(part, references)
    )


def blind(
    references: References, *, provider: str, mailbox: str, now_ms: int, unchanged_until_ms: int = 0
) -> list[CopyObservation]:
    """
    Nobody can look at the mailbox for a while: its copies of the meetings that its person organises say nothing.

    Args:
        references: All of the mailbox.
        provider: Of the mailbox.
        mailbox: Its id.
        now_ms: The moment, later than any look of the mailbox.
        unchanged_until_ms: When its last look began; 0: not known.
    """
    meetings = organized_meetings(references)
    return _without_dates(meetings, Sight.BLIND, provider, mailbox, now_ms, unchanged_until_ms)


def withdraw(
    references: References,
    owed: Iterable[str] = (),
    *,
    provider: str,
    mailbox: str,
    now_ms: int,
    unchanged_until_ms: int = 0,
) -> list[CopyObservation]:
    """
    The mailbox is no longer connected: its copies of all meetings have no word any more.

    Args:
        references: All of the mailbox.
        owed: Meetings of which an observation was lost: theirs are withdrawn as well.
        provider: Of the mailbox.
        mailbox: Its id.
        now_ms: The moment, later than any look of the mailbox.
        unchanged_until_ms: When its last look began; 0: not known.
    """
    meetings = {meeting_of(references, event_id) for event_id in references} | {*owed}
    return _without_dates(meetings - {""}, Sight.WITHDRAWN, provider, mailbox, now_ms, unchanged_until_ms)


def _without_dates(
    meetings: Iterable[str], sight: Sight, provider: str, mailbox: str, now_ms: int, unchanged_until_ms: int
) -> list[CopyObservation]:
    return [
        CopyObservation(
            provider=provider,
            mailbox=mailbox,
            meeting=meeting,
            sight=sight,
            observed_at_ms=now_ms,
            unchanged_until_ms=unchanged_until_ms,
        )
        for meeting in sorted(meetings)
    ]


def answers(references: References) -> dict[tuple[str, str], Answer]:
    """Event id and room → answer, where it is said."""
    return {
        (event_id, room): answer
        for event_id, reference in references.items()
        for room, answer in (reference.rooms or {}).items()
    }


def _split(
    attendees: Iterable[SeenAttendee], person: Callable[[str], str], rooms: ListedRooms
) -> tuple[dict[str, tuple[Answer, int]], dict[str, Answer]]:
    """Room → its greatest answer with when it was given, and person → answer."""
    places: dict[str, tuple[Answer, int]] = {}
    people: dict[str, Answer] = {}
    for attendee in attendees:
        if not attendee.address:
            continue
        room = rooms.room_at(attendee.address)
        if room:
            said = attendee.answer, attendee.answered_at_ms
            places[room] = max(places.get(room, said), said, key=lambda one: (weight_of(one[0]), one[1]))
        elif attendee.kind is AttendeeKind.PERSON:
            people[person(attendee.address)] = attendee.answer
    return places, people


def _date(part: EventReference, references: References, meeting: str, keys: TenantKeys) -> CopyDate:
    """One date as this copy shows it; what a sparse date does not say, its series says."""
    master = references.get(part.master_id)
    said_by = master if part.rooms is None and master is not None else part
    seats = part.seats if part.seats is not None else (master.seats if master else None)
    return CopyDate(
        ref=keys.occurrence(meeting, part.slot),
        event_id=part.event_id,
        start_ms=part.start_ms,
        end_ms=part.end_ms,
        begins_ms=part.begins_ms,
        ends_ms=part.ends_ms,
        rooms=rooms_of(part, references),
        answered=said_by.answered,
        seats=seats or 0,
        credible=part.shows_guests and said_by.shows_guests,
        sequence=part.sequence,
        can_change=part.can_change or said_by.can_change or part.is_organizer or said_by.is_organizer,
    )


def rooms_of(part: EventReference, references: References) -> dict[str, Answer]:
    """The rooms of an event with their answers: its own, or its series' where it says none."""
    master = references.get(part.master_id)
    return (part.rooms if part.rooms is not None else master.rooms if master else None) or {}
