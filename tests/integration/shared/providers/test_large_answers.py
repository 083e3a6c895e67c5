"""An answer of a provider is read up to a bound, as it comes and decompressed; beyond it the call fails for later."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shared.domain.answer_body import CALENDAR_BYTES, IDENTITY_BYTES
from shared.domain.identity import Provider
from shared.domain.sighting import Access, Window
from shared.errors import RetryableError
from shared.grants.oauth import Busy, Outcome, TokenRequest
from shared.grants.token_endpoint import TokenEndpoint
from shared.providers.google.client import GoogleCalendar
from shared.providers.microsoft.client import GraphCalendar
from tests.support.large_answers import KINDS, MIB, SMALL, LargeAnswers, large_answers

ANA = Access("token-ana", "oid-ana", "ana@contoso.example")
BEN = Access("token-ben", "oid-ben", "ben@contoso.example")
WINDOW = Window(1_795_000_000_000, 1_800_000_000_000)
TIMEOUT_S = 120.0
"""Beyond what unpacking takes on a busy machine: it is the bound that has to end the call."""
EMPTY = b'{"value": [], "items": [], "nextSyncToken": "s", "@odata.deltaLink": "{base}/v1.0/me/calendarView/delta?$deltatoken=1"}'
BUFFERS = 24 * MIB
"""What sockets of both sides may hold of an answer that is not read on."""
GROWTH = 6 * CALENDAR_BYTES
"""A body, its copies while it is put together, and the process itself; the answers are more than twice as long."""

Made = type[GraphCalendar] | type[GoogleCalendar]
CALENDARS: dict[str, tuple[Made, str]] = {
    "graph": (GraphCalendar, "/v1.0"),
    "google": (GoogleCalendar, "/calendar/v3"),
}


@pytest.fixture
def server() -> Iterator[LargeAnswers]:
    with large_answers() as found:
        found.small = EMPTY.replace(b"{base}", found.url.encode())
        yield found


@pytest.fixture(params=CALENDARS)
def calendar(request: pytest.FixtureRequest, server: LargeAnswers) -> Iterator[GraphCalendar | GoogleCalendar]:
    made, path = CALENDARS[request.param]
    found = made(f"{server.url}{path}", TIMEOUT_S)
    yield found
    found.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_calendars_answer_is_not_read_beyond_the_bound_and_the_next_look_goes_well(
    kind: str, calendar: GraphCalendar | GoogleCalendar, server: LargeAnswers
) -> None:
    server.kind = kind
    with pytest.raises(RetryableError, match="longer than 32 MiB"):
        calendar.look(ANA, "", WINDOW)
    assert server.sent < CALENDAR_BYTES + BUFFERS
    assert len(server.asked) == 1
    server.kind = SMALL
    assert calendar.look(ANA, "", WINDOW).cursor


def test_others_are_looked_at_while_one_answer_has_no_end(
    calendar: GraphCalendar | GoogleCalendar, server: LargeAnswers
) -> None:
    server.kind, server.small_for = "endless", BEN.token
    server.go_on.clear()
    with ThreadPoolExecutor(1) as pool:
        endless = pool.submit(calendar.look, ANA, "", WINDOW)
        assert server.began.wait(TIMEOUT_S)
        assert calendar.look(BEN, "", WINDOW).cursor
        assert not endless.done()
        server.go_on.set()
        assert isinstance(endless.exception(TIMEOUT_S), RetryableError)


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_endpoints_answer_is_not_read_beyond_the_bound(kind: str, server: LargeAnswers) -> None:
    server.kind = kind
    endpoint = TokenEndpoint(TIMEOUT_S)
    outcome: Outcome = endpoint.ask(TokenRequest(f"{server.url}/token", {"refresh_token": "r"}, Provider.GOOGLE))
    endpoint.close()
    assert isinstance(outcome, Busy)
    assert "longer than 1 MiB" in outcome.reason
    assert server.sent < IDENTITY_BYTES + BUFFERS


@pytest.mark.parametrize("name", CALENDARS)
def test_memory_stays_bounded_whatever_is_answered(name: str, server: LargeAnswers) -> None:
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    child = context.Process(target=measure_growth, args=(name, server.url, theirs))
    child.start()
    while (wanted := mine.recv()) is not None and not isinstance(wanted, int):
        server.kind = wanted
        mine.send("set")
    child.join(TIMEOUT_S)
    assert wanted is not None, "the child failed"
    assert wanted < GROWTH, f"grew by {wanted // MIB} MiB"


def measure_growth(name: str, url: str, parent: Any) -> None:
    """In a process of its own: by how many bytes its greatest size grows over looks at large answers."""
    result: int | None = None
    try:
        made, path = CALENDARS[name]
        calendar = made(f"{url}{path}", TIMEOUT_S)
        _look(calendar, SMALL, parent)
        before = _greatest_size()
        for kind in KINDS:
            _look(calendar, kind, parent)
        result = _greatest_size() - before
        calendar.close()
    finally:
        parent.send(result)


def _look(calendar: GraphCalendar | GoogleCalendar, kind: str, parent: Any) -> None:
    parent.send(kind)
    parent.recv()
    look: Callable[[], object] = lambda: calendar.look(ANA, "", WINDOW)  # noqa: E731  # beside its `with`
    if kind == SMALL:
        look()
        return
    with pytest.raises(RetryableError):
        look()
    gc.collect()


def _greatest_size() -> int:
    """In bytes, since this program began; `getrusage` counts what its parent had as well."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024
