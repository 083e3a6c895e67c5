from __future__ import annotations

import contextlib
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.identity import Provider
from shared.domain.sighting import SeenEvent, SeenRemoval, Window
from shared.errors import MalformedRecordError
from shared.grants.oauth import Busy, Granted, Lost, OurFault, Suspended, classify
from shared.providers.google import parse as google
from shared.providers.microsoft import parse as graph

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
MOMENT = (
    st.datetimes().map(lambda at: at.isoformat())
    | st.text(max_size=25)
    | st.sampled_from(["0001-01-01T00:00:00", "9999-12-31T23:59:59.9999999"])
)
WORD = st.sampled_from(
    ["accepted", "declined", "none", "needsAction", "organizer", "confirmed", "cancelled", "exception", "occurrence"]
)


def _shaped(*names: str) -> st.SearchStrategy[object]:
    """Objects that look like the real ones here and there, and are anything elsewhere."""
    when = st.fixed_dictionaries(
        {}, optional={"dateTime": MOMENT, "timeZone": st.text(max_size=8) | st.just("UTC"), "date": MOMENT}
    )
    attendee = st.dictionaries(
        st.sampled_from(["type", "status", "emailAddress", "email", "responseStatus", "resource"]),
        JSON | WORD,
        max_size=4,
    )
    values = JSON | WORD | when | MOMENT | st.lists(attendee, max_size=3) | st.just({"reason": "deleted"})
    loose = st.dictionaries(st.sampled_from(names), values, max_size=len(names))
    timed = st.fixed_dictionaries({"id": st.text(min_size=1, max_size=4), "start": when, "end": when})
    return loose | st.builds(lambda left, right: {**left, **right}, loose, timed)


GRAPH = _shaped(
    "id", "@removed", "@odata.etag", "iCalUId", "type", "seriesMasterId", "originalStart", "start", "end", "isOrganizer",
    "isCancelled", "isDraft", "organizer", "attendees",
)  # fmt: skip
GOOGLE = _shaped(
    "id", "status", "etag", "iCalUID", "recurringEventId", "originalStartTime", "recurrence", "start", "end", "organizer",
    "attendees", "attendeesOmitted", "guestsCanSeeOtherGuests",
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(GRAPH | JSON)
def test_a_graph_item_is_read_or_malformed_and_nothing_else(item: object) -> None:
    with contextlib.suppress(MalformedRecordError):
        assert isinstance(graph.parse_item(json.dumps(item).encode()), SeenEvent | SeenRemoval)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | st.lists(GRAPH, max_size=3).map(lambda items: json.dumps({"value": items}).encode()))
def test_a_graph_answer_is_read_or_malformed_and_nothing_else(body: bytes) -> None:
    for read in (graph.parse_page, graph.parse_live, graph.parse_availability):
        with contextlib.suppress(MalformedRecordError):
            read(body)


@settings(max_examples=300, deadline=None)
@given(GOOGLE | JSON)
def test_a_google_item_is_read_or_malformed_and_nothing_else(item: object) -> None:
    with contextlib.suppress(MalformedRecordError):
        assert isinstance(google.parse_item(item), SeenEvent | SeenRemoval)


@settings(max_examples=100, deadline=None)
@given(JSON | st.lists(GOOGLE, max_size=3).map(lambda items: {"items": items}))
def test_a_google_answer_is_read_or_malformed_and_nothing_else(answer: object) -> None:
    window = Window(0, 2**42)
    with contextlib.suppress(MalformedRecordError):
        google.parse_page(answer, window)
    with contextlib.suppress(MalformedRecordError):
        google.parse_live(answer)
    with contextlib.suppress(MalformedRecordError):
        google.parse_channel(answer, 0)
    with contextlib.suppress(MalformedRecordError):
        google.parse_availability(answer, 0, 1)


TOKEN_WORDS = st.dictionaries(
    st.sampled_from(["error", "error_codes", "access_token", "expires_in", "refresh_token", "scope"]), JSON, max_size=6
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(Provider), st.sampled_from([200, 302, 400, 401, 403, 408, 429, 500, 503]), TOKEN_WORDS | JSON)
def test_every_token_answer_means_something(provider: Provider, status: int, answer: object) -> None:
    outcome = classify(provider, status, json.dumps(answer).encode())
    assert isinstance(outcome, Granted | Lost | Suspended | Busy | OurFault)
    assert not isinstance(outcome, Granted) or (outcome.access_token and outcome.expires_in_s >= 0)
