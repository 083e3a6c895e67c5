"""Looks at a calendar by Graph's delta: one round to its last page, then what the round leaves unsaid."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from shared.contracts.envelope import read_json
from shared.domain.instants import to_rfc3339
from shared.domain.sighting import Access, KnownEvent, Look, Seen, SeenEvent, SeenRemoval, Window
from shared.errors import CursorExpiredError, EventGoneError, RetryableError
from shared.providers.failures import Doing
from shared.providers.microsoft import wire
from shared.providers.microsoft.graph_reads import PAGE_SIZE, GraphReads, with_prefer
from shared.providers.microsoft.parse import SEEN_FIELDS, all_day_series, latest, parse_page, read_events
from shared.providers.microsoft.sdk import DeltaRequestBuilder, RequestConfiguration, RequestInformation
from shared.providers.microsoft.series import to_confirm, touched_series, with_series
from shared.providers.microsoft.transport import GraphTransport

_Window = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters


class DeltaRounds:
    """Looks at one person's calendar. Thread-safe; one per process."""

    def __init__(self, transport: GraphTransport, reads: GraphReads) -> None:
        """Look through `transport`; `reads` is for what a round leaves unsaid."""
        self._transport = transport
        self._delta = transport.client.me.calendar_view.delta
        self._reads = reads

    def look(self, access: Access, cursor: str, window: Window, known: Mapping[str, KnownEvent]) -> Look:
        """As `CalendarProvider.look`: the round, then each series that it touches, then what it says is gone."""
        events, delta_link = self._round(access, cursor, window)
        all_day = {event_id for event_id, event in known.items() if event.is_master and event.all_day}
        seen = latest(list(read_events(events, all_day)))
        full = not cursor
        series = {
            master: self._dates(access, master, window, all_day_series(events, all_day))
            for master in touched_series(seen, known, window, full=full)
        }
        whole = with_series(seen, series, known)
        ended = [master for master, dates in series.items() if dates is None]
        for event_id in to_confirm(whole, known, window, full=full):
            whole.append(self._where_it_is_now(access, event_id, all_day))
        return Look(latest([*whole, *self._masters(access, whole, known, ended)]), delta_link, full=full)

    def _round(self, access: Access, cursor: str, window: Window) -> tuple[list[wire.GraphEvent], str]:
        """One delta round to its last page, and its delta link. Empty pages with a next link are ordinary."""
        events: list[wire.GraphEvent] = []
        link, visited = cursor, set[str]()
        if cursor and not self._transport.owns(cursor):
            message = "the cursor belongs to another Graph address; a full look makes a new one"
            raise CursorExpiredError(message)
        while True:
            page = parse_page(self._transport.send(Doing.LOOK, access, self._page_request(link, window)))
            events += page.events
            if not page.next_link:
                break
            link = self._reads.follow(page.next_link, visited)
        if not page.delta_link:
            message = "the last page of a delta round has no delta link; looking again later"
            raise RetryableError(message)
        return events, self._reads.follow(page.delta_link, visited)

    def _page_request(self, link: str, window: Window) -> RequestInformation:
        if link:
            request = self._delta.with_url(link).to_get_request_information()
        else:
            times = _Window(start_date_time=to_rfc3339(window.start_ms), end_date_time=to_rfc3339(window.end_ms))
            request = self._delta.to_get_request_information(RequestConfiguration(query_parameters=times))
        # The SDK sends none with a link; the page size would otherwise fall back to ten.
        return with_prefer(request, f"odata.maxpagesize={PAGE_SIZE}")

    def _dates(
        self, access: Access, master: str, window: Window, all_day: Mapping[str, bool]
    ) -> Sequence[SeenEvent] | None:
        """The dates of a series in the window; None when Graph does not know it any more."""
        events: list[wire.GraphEvent] = []
        try:
            for body in self._reads.list_dates(access, master, window, SEEN_FIELDS):
                events += read_json(body, wire.InstancePage).value
        except EventGoneError:
            return None
        known = {master} if all_day.get(master) else set[str]()
        return [item for item in read_events(events, known) if isinstance(item, SeenEvent) and not item.cancelled]

    def _where_it_is_now(self, access: Access, event_id: str, all_day: Collection[str]) -> Seen:
        """The event by its id: a removal in delta says only that it is not in the window any more."""
        try:
            event = read_json(self._reads.read_event(access, event_id, SEEN_FIELDS), wire.GraphEvent)
        except EventGoneError:
            return SeenRemoval(event_id)
        (found,) = read_events([event], all_day)
        return SeenRemoval(event_id) if isinstance(found, SeenRemoval) or found.cancelled else found

    def _masters(
        self, access: Access, seen: Sequence[Seen], known: Mapping[str, KnownEvent], ended: Collection[str]
    ) -> list[Seen]:
        """The masters of dates that came without one: it alone carries the name that all copies share."""
        dated = {item.master_id for item in seen if isinstance(item, SeenEvent)} - {""}
        missing = dated - {item.event_id for item in seen} - known.keys() - set(ended)
        return [self._where_it_is_now(access, master, ()) for master in sorted(missing)]
