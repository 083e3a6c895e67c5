"""`events.list`: full and incremental, in pages, with sync tokens that expire and tombstones that say little."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from simulator.google.access import ReachedCalendar
from simulator.google.cursors import Cursors, ListEntry, Listing, SyncToken
from simulator.google.errors import ApiError, full_sync_required
from simulator.google.event_lookup import Found, find
from simulator.google.history import GoneDates
from simulator.google.query import Query, TimeSpan
from simulator.google.render import GoogleRenderer
from simulator.google.times import utc_text
from simulator.world import Copy, Instance, Mailbox, Meeting, World

TOMBSTONES = "tombstones"
PAGE_CAP = "pageCap"
TOKEN_LIFE = "syncTokenLifeS"  # noqa: S105 (the name of a switch)
_TOMBSTONE_FORMS = ("thin", "plain", "full")


class EventList:
    """Called inside the world's lock; raises ApiError."""

    def __init__(self, world: World, cursors: Cursors, dates_gone: GoneDates) -> None:
        self._world = world
        self._cursors = cursors
        self._dates_gone = dates_gone
        world.faults.declare(TOMBSTONES, "mixed", "what increments say of deleted events: thin, plain, full or mixed")
        world.faults.declare(PAGE_CAP, 0, "most events on a page, whatever was asked for; 0 is off")
        world.faults.declare(TOKEN_LIFE, 0, "seconds after which a sync token is refused with 410; 0 is off")

    def page(self, reached: ReachedCalendar, query: Query) -> dict[str, Any]:
        """One page; the last one carries the next sync token."""
        number, listing, offset = self._listing(reached.mailbox, query)
        size = min(query.page_size, self._world.faults.get(PAGE_CAP, "google") or query.page_size)
        if self._comes_empty(reached.mailbox, number, offset):
            size = 0
        renderer = GoogleRenderer(self._world, reached.mailbox, max_attendees=query.max_attendees, zone=query.zone)
        entries = listing.entries[offset : offset + size]
        items = [item for entry in entries for item in self._item(reached.mailbox, listing, entry, query, renderer)]
        body = self.head(reached, query.zone) | {"items": items}
        if offset + size < len(listing.entries):
            body["nextPageToken"] = self._cursors.page_token(number, offset + size)
        if self._gives_sync_token(query, is_last="nextPageToken" not in body):
            token = SyncToken(reached.mailbox.id, listing.seq, query.parameters, self._world.now_ms())
            body["nextSyncToken"] = self._cursors.sync_token(token)
        return body

    def _gives_sync_token(self, query: Query, *, is_last: bool) -> bool:
        windowed = query.time_min_ms is not None or query.time_max_ms is not None
        if windowed and self._world.faults.contradicts("google.windowed-sync-token"):
            return False
        return query.gives_sync_token and (is_last or self._world.faults.contradicts("google.sync-token-last-page"))

    def _listing(self, mailbox: Mailbox, query: Query) -> tuple[int, Listing, int]:
        if query.page_token:
            return self._cursors.read_page_token(query.page_token, mailbox.id, query.page_parameters)
        seen_by_ms = self._world.now_ms() - self._world.faults.get("deltaLagMs", "google")
        seq = self._world.feed.position(mailbox.id, seen_by_ms=seen_by_ms)
        if query.sync_token:
            token = self._token(mailbox, query)
            entries = tuple(self._list_changed(mailbox, query, token.seq, seen_by_ms))
            seq = max(seq, token.seq)
        else:
            entries = tuple(self._all(mailbox, query))
        listing = Listing(mailbox.id, query.page_parameters, entries, seq, bool(query.sync_token))
        return self._cursors.remember(listing), listing, 0

    def _token(self, mailbox: Mailbox, query: Query) -> SyncToken:
        try:
            token = self._cursors.read_sync_token(query.sync_token, mailbox.id, query.parameters)
        except ApiError as error:
            if self._world.faults.contradicts("google.bad-sync-token"):
                raise ApiError(403, "forbidden", "Forbidden") from error
            raise
        life_s = self._world.faults.get(TOKEN_LIFE, "google")
        late = bool(life_s) and self._world.now_ms() - token.issued_ms > life_s * 1000
        if late or self._world.feed.is_expired(mailbox.id, token.seq):
            full_sync_required()
        return token

    # What is listed

    def _all(self, mailbox: Mailbox, query: Query) -> list[ListEntry]:
        if query.updated_min_ms is not None and query.updated_min_ms < self._world.now_ms() - 28 * 86_400_000:
            message = "The requested minimum modification time lies too far in the past."
            raise ApiError(410, "updatedMinTooLongAgo", message, domain="calendar", location="updatedMin")
        rows: list[tuple[int, int, ListEntry]] = []
        for copy, meeting in self._world.calendar.copies(mailbox.id):
            if self._matches(copy, meeting, query):
                rows += self._rows(copy, meeting, query)
        if query.order_by:
            rows.sort(key=lambda row: row[0] if query.order_by == "startTime" else row[1])
        found = [entry for _, _, entry in rows]
        if query.show_deleted:
            found += [ListEntry(event_id) for event_id in self._deleted(mailbox)]
        return found

    def _rows(self, copy: Copy, meeting: Meeting, query: Query) -> Iterator[tuple[int, int, ListEntry]]:
        dates = [date for date in self._world.calendar.dates(copy) if _overlaps(date, query)]
        if meeting.recurrence is None or not query.single_events:
            if dates:
                yield meeting.start_ms, copy.modified_ms, ListEntry(copy.event_id)
            dates = [date for date in dates if date.is_exception]
        else:
            dates = [date for date in dates if not date.cancelled or query.show_deleted]
        for date in dates:
            if date.key is not None:
                yield date.start_ms, copy.modified_ms, ListEntry(copy.event_id, date.key)

    def _matches(self, copy: Copy, meeting: Meeting, query: Query) -> bool:
        if query.event_types and "default" not in query.event_types:
            return False
        if query.ical_uid and query.ical_uid != meeting.ical_uid:
            return False
        if query.updated_min_ms is not None and copy.modified_ms < query.updated_min_ms:
            return False
        text = f"{meeting.title} {meeting.details.get('description', '')} {meeting.details.get('location', '')}"
        if query.text.lower() not in text.lower():
            return False
        held = {
            "private": copy.private.get("extendedProperties") or {},
            "shared": meeting.details.get("sharedExtendedProperties") or {},
        }
        return all(held[kind].get(name) == value for kind, name, value in query.properties)

    def _deleted(self, mailbox: Mailbox) -> list[str]:
        touched = dict.fromkeys(one.event_id for one in self._world.feed.after(mailbox.id, -1))
        return [event_id for event_id in touched if self._world.calendar.removed(mailbox.id, event_id) is not None]

    def _list_changed(self, mailbox: Mailbox, query: Query, seq: int, seen_by_ms: int) -> Iterator[ListEntry]:
        """Every event that changed, once; what changed of a series is that date, or the series with its dates."""
        if query.event_types and "default" not in query.event_types:
            return
        changes = self._world.feed.after(mailbox.id, seq, seen_by_ms=seen_by_ms)
        touched: dict[str, set[int | None]] = {}
        for change in changes:
            touched.setdefault(change.event_id, set()).add(change.occurrence)
        for event_id, keys in touched.items():
            yield from self._entries(find(self._world, mailbox, event_id), keys, seq, query)

    def _entries(self, found: Found, keys: set[int | None], seq: int, query: Query) -> Iterator[ListEntry]:
        event_id = found.copy.event_id
        if found.meeting.recurrence is None:
            yield ListEntry(event_id)
            return
        if not found.alive:
            gone = self._dates_gone.known(found.meeting.id) if query.single_events else set()
            yield from (
                [ListEntry(event_id)] if not query.single_events else [ListEntry(event_id, key) for key in sorted(gone)]
            )
            return
        dated = {key for key in keys if key is not None}
        if None in keys:
            if not query.single_events:
                yield ListEntry(event_id)
            dates = self._world.calendar.dates(found.copy)
            dated |= {date.key for date in dates if date.key is not None and (query.single_events or date.is_exception)}
            dated |= self._dates_gone.after(found.meeting.id, seq, exceptions_only=not query.single_events)
        yield from (ListEntry(event_id, key) for key in sorted(dated))

    # How it is written

    def _item(
        self, mailbox: Mailbox, listing: Listing, entry: ListEntry, query: Query, renderer: GoogleRenderer
    ) -> Iterable[dict[str, Any]]:
        found = self._find(mailbox, entry)
        if found is not None and found.alive:
            return [found.render(renderer)]
        dead_exception = entry.key is not None and not query.single_events
        if not (listing.incremental or query.show_deleted or dead_exception):
            return []  # it went while the caller was paging: the next increment tells
        unnamed = "google.deleted-event-named" if entry.key is None else "google.cancelled-date-named"
        if self._world.faults.contradicts(unnamed):
            return []
        copy, meeting = self._whole(mailbox, entry)
        event_id = entry.event_id if entry.key is None else renderer.instance_id(copy, meeting, entry.key)
        form = self._tombstone_form(event_id) if listing.incremental else "full"
        if form == "full":
            return [_remains(renderer, copy, meeting, entry)]
        if form == "plain":
            return [{"kind": "calendar#event", "etag": f'"{copy.version}"', "id": event_id, "status": "cancelled"}]
        return [renderer.thin(event_id)]

    def _find(self, mailbox: Mailbox, entry: ListEntry) -> Found | None:
        whole = find(self._world, mailbox, entry.event_id)
        if entry.key is None or not whole.alive:
            return whole if entry.key is None else None
        dates = {date.key: date for date in self._world.calendar.dates(whole.copy)}
        date = dates.get(entry.key)
        return Found(whole.copy, whole.meeting, not date.cancelled, date) if date else None

    def _whole(self, mailbox: Mailbox, entry: ListEntry) -> tuple[Copy, Meeting]:
        found = find(self._world, mailbox, entry.event_id)
        return found.copy, found.meeting

    def _tombstone_form(self, event_id: str) -> str:
        wanted = self._world.faults.get(TOMBSTONES, "google")
        if wanted in _TOMBSTONE_FORMS:
            return str(wanted)
        return self._world.ids.random("tombstone", event_id).choice(_TOMBSTONE_FORMS)

    def _comes_empty(self, mailbox: Mailbox, number: int, offset: int) -> bool:
        """An empty page repeats its own offset; the next roll differs because every such page is counted."""
        share = self._world.faults.get("emptyPageShare", "google")
        if not share:
            return False
        rolled = self._world.ids.count(f"empty page {mailbox.id} {number} {offset}")
        dice = self._world.ids.random("empty page", mailbox.id, number, offset, rolled)
        return dice.random() < float(share)

    def head(self, reached: ReachedCalendar, zone: str | None) -> dict[str, Any]:
        """What stands above the items of any list of events."""
        position = self._world.feed.position(reached.mailbox.id)
        return {
            "kind": "calendar#events",
            "etag": f'"p{position}"',
            "summary": reached.mailbox.address if reached.is_own else reached.mailbox.name,
            "description": "",
            "updated": utc_text(self._world.now_ms()),
            "timeZone": zone or reached.mailbox.time_zone,
            "accessRole": "owner" if reached.is_own else "reader",
            "defaultReminders": [],
        }


def _overlaps(date: Instance, query: Query) -> bool:
    return TimeSpan(query.time_min_ms, query.time_max_ms).touches(date.start_ms, date.end_ms)


def _remains(renderer: GoogleRenderer, copy: Copy, meeting: Meeting, entry: ListEntry) -> dict[str, Any]:
    if entry.key is not None:
        return renderer.cancelled_instance(copy, meeting, entry.key)
    return renderer.cancelled(copy, meeting)
