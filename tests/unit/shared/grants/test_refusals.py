"""Many refusals at once: whose they are, how many are many, and how asking begins again."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.identity import Mailbox
from shared.domain.instants import HOUR_MS, MINUTE_MS
from shared.grants.refusals import PAUSE_MS, PROBE_MS, WITHIN_MS, Opened, RefusalBreaker
from tests.unit.shared.grants.conftest import ManualClock

CODE = "AADSTS53003"


def boxes(tenant: str, count: int, start: int = 0) -> list[Mailbox]:
    return [Mailbox(tenant, f"m-{number}") for number in range(start, start + count)]


class Watched:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.open: dict[str, int] = {}
        self.opened: list[Opened] = []
        self.breaker = RefusalBreaker(self.clock, self.observe)

    def observe(self, provider: str, count: int, opened: Sequence[Opened]) -> None:
        self.open[provider] = count
        self.opened += opened

    def refuse(self, mailboxes: list[Mailbox], provider: str = "microsoft") -> None:
        for mailbox in mailboxes:
            self.breaker.answered(mailbox, provider, CODE)

    def grant(self, mailboxes: list[Mailbox], provider: str = "microsoft") -> None:
        for mailbox in mailboxes:
            self.breaker.answered(mailbox, provider)

    def is_open(self, tenant: str = "t", provider: str = "microsoft") -> bool:
        return self.breaker.pause(Mailbox(tenant, "m-x"), provider) is not None


def test_four_refusals_are_not_many_and_five_are() -> None:
    house = Watched()
    house.refuse(boxes("t", 4))
    assert not house.is_open()
    house.refuse(boxes("t", 1, start=4))
    assert house.is_open()
    assert house.open == {"microsoft": 1}


def test_five_of_thirty_are_not_a_fifth() -> None:
    house = Watched()
    house.grant(boxes("t", 25))
    house.refuse(boxes("t", 5, start=25))
    assert not house.is_open()
    house.refuse(boxes("t", 2, start=30))
    assert house.is_open()


def test_one_grant_that_is_refused_over_and_over_is_one() -> None:
    house = Watched()
    house.refuse(boxes("t", 1) * 50)
    assert not house.is_open()


def test_refusals_of_another_hour_do_not_count() -> None:
    house = Watched()
    house.refuse(boxes("t", 4))
    house.clock.at_ms += WITHIN_MS
    house.refuse(boxes("t", 4, start=4))
    assert not house.is_open()


def test_one_organisation_stops_nobody_elses_grants() -> None:
    house = Watched()
    house.refuse(boxes("t", 50))
    assert house.is_open("t")
    assert not house.is_open("other")
    assert not house.is_open("t", "google")


def test_many_organisations_at_once_stop_the_deployment() -> None:
    house = Watched()
    for tenant in ("a", "b", "c", "d"):
        house.refuse(boxes(tenant, 3))
    assert house.is_open("somebody-else")


def test_after_a_pause_one_is_asked_and_a_refusal_doubles_the_pause() -> None:
    house = Watched()
    house.refuse(boxes("t", 5))
    house.clock.at_ms += PAUSE_MS
    assert not house.is_open()
    assert house.is_open(), "the second one waits for the first one's answer"
    house.refuse(boxes("t", 1))
    house.clock.at_ms += PAUSE_MS
    assert house.is_open()
    house.clock.at_ms += PAUSE_MS
    assert not house.is_open()


def test_a_probe_that_is_never_answered_lets_another_one_through() -> None:
    house = Watched()
    house.refuse(boxes("t", 5))
    house.clock.at_ms += PAUSE_MS
    assert not house.is_open()
    house.clock.at_ms += PROBE_MS
    assert not house.is_open()


def test_a_probe_that_is_granted_closes_the_circuit() -> None:
    house = Watched()
    house.refuse(boxes("t", 5))
    house.clock.at_ms += PAUSE_MS
    assert not house.is_open()
    house.grant(boxes("t", 1))
    assert not house.is_open()
    assert house.open == {"microsoft": 0}


def test_answers_to_what_was_asked_before_the_pause_do_not_prolong_it() -> None:
    house = Watched()
    house.refuse(boxes("t", 30))
    house.clock.at_ms += PAUSE_MS
    assert not house.is_open()


def test_the_pause_never_grows_beyond_an_hour() -> None:
    house = Watched()
    house.refuse(boxes("t", 5))
    for _ in range(12):
        house.clock.at_ms += HOUR_MS
        assert not house.is_open()
        house.refuse(boxes("t", 1))
    pause = house.breaker.pause(Mailbox("t", "m"), "microsoft")
    assert pause is not None
    assert HOUR_MS - MINUTE_MS < pause.left_ms <= HOUR_MS
    assert pause.code == CODE


def test_it_says_whose_circuit_opens_why_and_for_how_long_each_time() -> None:
    house = Watched()
    house.refuse(boxes("t", 8))
    assert house.opened == [Opened("t", CODE, PAUSE_MS)]
    house.clock.at_ms += PAUSE_MS
    assert not house.is_open()
    house.refuse(boxes("t", 1))
    assert house.opened[1:] == [Opened("t", CODE, 2 * PAUSE_MS)]
    house = Watched()
    for tenant in ("a", "b", "c", "d"):
        house.refuse(boxes(tenant, 3))
    assert house.opened == [Opened("", CODE, PAUSE_MS)]


def test_an_organisation_in_trouble_of_its_own_does_not_keep_the_others_waiting_when_theirs_is_over() -> None:
    """It is the largest, so that one of its people nearly always comes first."""
    house = Watched()
    house.refuse(boxes("large", 20))
    for tenant in ("a", "b", "c"):
        house.refuse(boxes(tenant, 2))
    assert house.is_open("d")
    house.clock.at_ms += PAUSE_MS
    assert not house.is_open("large")
    house.refuse(boxes("large", 1))
    house.clock.at_ms += 2 * PAUSE_MS
    assert house.is_open("large"), "others are let through first"
    assert not house.is_open("b")
    house.grant(boxes("b", 1))
    assert not house.is_open("d")
    assert not house.is_open("a")


def test_an_organisation_that_asks_alone_is_let_through_again() -> None:
    house = Watched()
    for tenant in ("a", "b", "c", "d"):
        house.refuse(boxes(tenant, 2))
    house.clock.at_ms += PAUSE_MS
    assert not house.is_open("a")
    house.refuse(boxes("a", 1))
    house.clock.at_ms += 2 * PAUSE_MS
    assert house.is_open("a")
    house.clock.at_ms += PAUSE_MS
    assert not house.is_open("a"), "nobody else has come meanwhile"
