"""One person's requests to a slow calendar hold a bounded number of threads: everybody else is answered meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import pytest

from shared.domain.sighting import Access, AgendaItem, Window
from tests.integration.services.portal.office import Browser, Office
from tests.support.patience import PATIENCE_S

AT_ONCE = 20
HELD = 3  # one is answered, two wait


class SlowAgenda:
    """A calendar system that does not answer for one person until it is told to."""

    def __init__(self, office: Office, subject: str) -> None:
        self._answer = office.calendar.agenda
        self._subject = subject
        self.asked = 0
        self.released = threading.Event()

    def __call__(self, access: Access, window: Window) -> Sequence[AgendaItem]:
        if access.subject == self._subject:
            self.asked += 1
            assert self.released.wait(PATIENCE_S)
        return self._answer(access, window)


@pytest.fixture
def people() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield pool


@pytest.fixture
def slow(
    people: ThreadPoolExecutor, office: Office, ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SlowAgenda]:
    """Of Ada; it lets go before the pool waits for whom it holds."""
    ada.client.get("/v1/me/agenda")
    agenda = SlowAgenda(office, office.calendar.asked_by[-1])
    monkeypatch.setattr(office.calendar, "agenda", agenda)
    yield agenda
    agenda.released.set()


def ask_at_once(people: ThreadPoolExecutor, browser: Browser, path: str) -> list[Future[Any]]:
    """From many windows of one browser: the test client itself is not to be shared by threads."""
    cookie = browser.client.get_cookie("roomsync_session")
    assert cookie is not None

    def ask() -> Any:
        client = browser.client.application.test_client()
        client.set_cookie("roomsync_session", cookie.value)
        return client.get(path)

    return [people.submit(ask) for _ in range(AT_ONCE)]


def first_answers(requests: list[Future[Any]], count: int) -> tuple[list[Any], set[Future[Any]]]:
    """The first `count` answers, and the requests that are still held."""
    pending, answers = set(requests), []
    while len(answers) < count:
        done, pending = wait(pending, PATIENCE_S, FIRST_COMPLETED)
        assert done, f"{len(answers)} of {AT_ONCE} were answered; the others hold threads"
        answers += [each.result() for each in done]
    return answers, pending


def test_more_requests_than_may_wait_for_one_calendar_are_refused_at_once_and_others_are_answered(
    ada: Browser, ben: Browser, slow: SlowAgenda, people: ThreadPoolExecutor
) -> None:
    requests = ask_at_once(people, ada, "/v1/me/agenda")
    refused, held = first_answers(requests, AT_ONCE - HELD)
    assert {answer.status_code for answer in refused} == {503}
    assert {answer.json["code"] for answer in refused} == {"calendar-busy"}
    assert all(answer.json["next"] and int(answer.headers["Retry-After"]) > 0 for answer in refused)
    assert all(answer.content_type == "application/problem+json" for answer in refused)
    assert len(held) == HELD
    assert slow.asked == 1

    assert ben.client.get("/v1/me/agenda").status_code == 200
    assert ada.client.get("/v1/me/prompts").status_code == 200

    slow.released.set()
    assert {request.result(PATIENCE_S).status_code for request in held} == {200}


def test_a_page_that_asks_the_calendar_says_so_instead_of_waiting(
    ada: Browser, slow: SlowAgenda, people: ThreadPoolExecutor
) -> None:
    answers, _ = first_answers(ask_at_once(people, ada, "/day"), AT_ONCE - HELD)
    assert all(answer.status_code == 200 and "could not be asked just now" in answer.text for answer in answers)
