"""One watch for all live streams of a process: a page that nothing concerns is not called, and asks the stores nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

import pytest

from services.portal.my_rooms import stream_watch
from services.portal.my_rooms.stream_seats import Seat
from services.portal.my_rooms.stream_watch import StreamWatch, Watched
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import SessionRow
from shared.errors import StoreUnavailableError
from shared.organisations import decline_incidents
from shared.registry import tables
from tests.integration.services.portal.admin.test_incident import begin as begin_incident
from tests.integration.services.portal.office import Browser, Office
from tests.support.patience import PATIENCE_S

OTHERS = 50


class CountingView:
    """The office's view, and how often it was asked for what."""

    def __init__(self, office: Office) -> None:
        view = office.engine.view
        self._newest_revision, self._revisions = view.newest_revision, view.revisions
        self.newest, self.compared = 0, 0
        self.away = threading.Event()
        self._asked = threading.Condition()

    def newest_revision(self) -> int:
        with self._asked:
            self.newest += 1
            self._asked.notify_all()
        if self.away.is_set():
            message = "away"
            raise StoreUnavailableError(message)
        return self._newest_revision()

    def revisions(self, owners: Collection[str]) -> Mapping[str, int]:
        self.compared += 1
        return self._revisions(owners)

    def wait_for_turns(self, count: int) -> None:
        """Until the watch has come round so many times from now on."""
        with self._asked:
            until = self.newest + count
            assert self._asked.wait_for(lambda: self.newest >= until, PATIENCE_S)


@pytest.fixture
def view(office: Office, monkeypatch: pytest.MonkeyPatch) -> CountingView:
    counting = CountingView(office)
    for name in ("newest_revision", "revisions"):
        monkeypatch.setattr(office.engine.view, name, getattr(counting, name))
    return counting


Watch = Callable[..., Watched]


@pytest.fixture
def watch(office: Office, view: CountingView) -> Iterator[Watch]:
    """Have a stream watched that has come to the revision at which its owner stands."""
    watching = StreamWatch(office.deps)

    def add(tenant: str, owner: str, user: str = "") -> Watched:
        revision, of_tenant = office.engine.view.revision(owner), sessions_of(office, tenant)
        session, row = next((session, row) for session, row in of_tenant if user in {"", row.user})
        watched = Watched(Seat(owner), owner, tenant, row.user, session, revision=revision, many=False)
        watching.add(watched)
        return watched

    yield add
    office.deps.stop.set()


def sessions_of(office: Office, tenant: str) -> Iterator[tuple[str, SessionRow]]:
    return tables.sessions(office.engine.registry).scan(tenant)


@contextmanager
def called(watched: Watched) -> Iterator[None]:
    """What is done in the block calls this stream."""
    watched.seat.called.clear()
    yield
    assert watched.seat.called.wait(PATIENCE_S)


def test_a_change_calls_whom_it_concerns_and_nobody_else_and_rest_is_one_question_for_all(
    office: Office, ada: Browser, view: CountingView, watch: Watch
) -> None:
    (room,) = office.enter_rooms(ada.tenant, "one")
    hers = watch(ada.tenant, f"{ada.tenant}/{ada.mailbox}")
    others = [watch(ada.tenant, f"{ada.tenant}/m-{n}") for n in range(OTHERS)]
    view.wait_for_turns(2)
    before = view.compared
    view.wait_for_turns(8)
    assert view.compared == before, "nothing was written"

    with called(hers):
        office.show(office.meeting(ada, office.room(ada, room, RoomState.PENDING)), ada.tenant)

    view.wait_for_turns(2)
    assert view.compared == before + 1
    assert not any(each.seat.called.is_set() for each in others)


def test_the_clock_calls_a_stream_at_its_moment_alone(
    office: Office, ada: Browser, view: CountingView, watch: Watch
) -> None:
    watched, later = (watch(ada.tenant, f"{ada.tenant}/m-{n}") for n in range(2))
    watched.due_ms, later.due_ms = office.clock.now_ms() + 60_000, office.clock.now_ms() + 60_001
    view.wait_for_turns(12)  # the clock is followed once a second
    assert not watched.seat.called.is_set()

    with called(watched):
        office.clock.advance(60_000)

    assert not later.seat.called.is_set()


@pytest.mark.proves("B17")
def test_an_incident_calls_the_streams_of_its_organisation_when_it_begins_and_when_it_is_over(
    office: Office, ada: Browser, watch: Watch
) -> None:
    watched = watch(ada.tenant, f"{ada.tenant}/m-1")
    with called(watched):
        begin_incident(office, ada.tenant)
    assert watched.many is True

    with called(watched):
        decline_incidents.release(office.engine.registry, ada.tenant, office.clock.now_ms())
    assert watched.many is False


def test_a_store_that_is_away_calls_all_and_its_return_calls_those_who_lost_their_place(
    ada: Browser, view: CountingView, watch: Watch
) -> None:
    lost, kept = (watch(ada.tenant, f"{ada.tenant}/m-{n}") for n in range(2))
    view.wait_for_turns(2)
    with called(lost), called(kept):
        view.away.set()
    lost.revision = -1

    view.away.clear()
    view.wait_for_turns(2)
    with called(lost):
        kept.seat.called.clear()

    view.wait_for_turns(2)
    assert not kept.seat.called.is_set()


def test_session_that_has_ended_ends_its_streams_and_no_others(
    office: Office, ada: Browser, ben: Browser, watch: Watch, view: CountingView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_watch, "WELCOME_S", 0.0)
    watched = {user: watch(ada.tenant, f"{ada.tenant}/{user}", user) for user in (ada.user, ben.user)}
    view.wait_for_turns(2)
    assert all(each.welcome for each in watched.values())

    with called(watched[ada.user]):
        ada.client.post("/auth/logout", data={"csrf": ada.csrf})

    assert not watched[ada.user].welcome
    view.wait_for_turns(2)
    assert watched[ben.user].welcome


def test_registry_that_is_away_ends_nobodys_stream(
    office: Office, ada: Browser, watch: Watch, view: CountingView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_watch, "WELCOME_S", 0.0)
    asked = threading.Event()

    def away(*_: object) -> set[str]:
        asked.set()
        message = "away"
        raise StoreUnavailableError(message)

    monkeypatch.setattr(stream_watch, "find_unwelcome", away)
    watched = watch(ada.tenant, f"{ada.tenant}/m-1")
    assert asked.wait(PATIENCE_S)
    view.wait_for_turns(2)
    assert watched.welcome


def test_a_process_that_stops_calls_everybody(office: Office, ada: Browser, view: CountingView, watch: Watch) -> None:
    watched = watch(ada.tenant, f"{ada.tenant}/m-1")
    view.wait_for_turns(1)
    with called(watched):
        office.deps.stop.set()


def test_nobody_watches_for_streams_that_are_gone(office: Office, ada: Browser, view: CountingView) -> None:
    watching = StreamWatch(office.deps)
    watched = Watched(Seat("u-ada"), f"{ada.tenant}/m-1", ada.tenant, ada.user, "")
    watching.add(watched)
    view.wait_for_turns(1)
    watching.remove(watched)
    watching.remove(watched)

    thread = next(each for each in threading.enumerate() if each.name == "stream-watch")
    thread.join(PATIENCE_S)
    assert not thread.is_alive()

    again = Watched(Seat("u-ada"), f"{ada.tenant}/m-1", ada.tenant, ada.user, "")
    with called(again):
        watching.add(again)
    office.deps.stop.set()
