"""A series at Graph as it is now: its master, its dates in a stretch of time, and which of them stand apart. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from shared.contracts.envelope import read_json
from shared.domain.sighting import EventKind, LiveMeeting, LiveSeries
from shared.providers.microsoft import wire
from shared.providers.microsoft.parse import live_meeting


def parse_series(master: LiveMeeting, pages: Iterable[bytes]) -> LiveSeries:
    """
    Read the dates of a series beside its master.

    An exception has recipients of its own: they are copied from the series when it is made, and it is sent to them apart
    ([MS-OXOCAL] 3.1.4.6.2 and 3.1.4.7.3.5).

    Args:
        master: The series itself.
        pages: Of `instances`, as Graph's JSON.

    Raises:
        MalformedRecordError: one of them cannot be read.
    """
    events = [event for page in pages for event in read_json(page, wire.AgendaPage).value]
    apart = frozenset(event.id for event in events if event.type == EventKind.EXCEPTION)
    return LiveSeries(master, tuple(live_meeting(event) for event in events), apart)
