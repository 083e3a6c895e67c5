"""Whatever an endpoint takes and refuses, and whenever: each event is sent until it is taken, and little waits meanwhile."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifier.webhooks.deciding import backlog as rules
from services.notifier.webhooks.deciding.backlog import LAST_RETRY_MS, MOST_WAITING, retry_after_ms
from shared.contracts.webhook_records import EndpointBacklog, EventPlace
from shared.domain.instants import MINUTE_MS

pytestmark = pytest.mark.proves("B21")
TOPICS = ("room-rejections", "room-outcomes")
ROUNDS = st.lists(st.tuples(st.integers(0, 160), st.integers(0, 30), st.booleans()), min_size=1, max_size=12)
"""Of each: how many events come, how many attempts are made, and whether the endpoint takes anything."""


class Endpoint:
    """An endpoint, the topics, and the backlog as its owner keeps it: committed as bytes after each step."""

    def __init__(self) -> None:
        self.backlog = EndpointBacklog()
        self.topics: dict[str, list[EventPlace]] = {topic: [] for topic in TOPICS}
        self.taken: list[EventPlace] = []
        self.now_ms = 0

    def publish(self, count: int) -> None:
        for number in range(count):
            topic = TOPICS[number % 2]
            place = EventPlace(
                event=f"{topic}/{len(self.topics[topic])}", type="x", topic=topic, offset=len(self.topics[topic])
            )
            self.topics[topic].append(place)
            self.keep(rules.add_event(self.backlog, place, self.now_ms))

    def keep(self, backlog: EndpointBacklog) -> None:
        self.backlog = msgspec.json.decode(msgspec.json.encode(backlog), type=EndpointBacklog)
        assert len(self.backlog.waiting) <= MOST_WAITING
        numbers = [each.number for each in self.backlog.waiting]
        assert len(set(numbers)) == len(numbers)

    def refill(self) -> None:
        for topic, first in list(self.backlog.unread.items()):
            if rules.wants_more(self.backlog):
                end = len(self.topics[topic])
                read_to = min(end, first + 200)
                places = self.topics[topic][first:read_to]
                self.keep(rules.add_unread(self.backlog, topic, places, read_to, end, self.now_ms))

    def attempt(self, *, takes: bool) -> bool:
        """Whether anything was due."""
        self.refill()
        delivery = rules.next_delivery(self.backlog, self.now_ms)
        if delivery is None:
            return False
        if takes:
            self.taken.append(delivery.place)
            self.keep(rules.make_due(rules.after_success(self.backlog, delivery.number), self.now_ms))
        else:
            after, _ = rules.after_failure(self.backlog, delivery.number, self.now_ms, keep=True)
            self.keep(after)
        return True


@given(ROUNDS)
@settings(max_examples=60, deadline=None)
def test_every_event_is_taken_once_the_endpoint_is_back_and_each_once(rounds: list[tuple[int, int, bool]]) -> None:
    endpoint = Endpoint()
    for count, attempts, takes in rounds:
        endpoint.publish(count)
        for _ in range(attempts):
            endpoint.attempt(takes=takes)
        endpoint.now_ms += 20 * MINUTE_MS
    endpoint.now_ms += 2 * LAST_RETRY_MS
    while rules.next_at_ms(endpoint.backlog) is not None:
        assert endpoint.attempt(takes=True), "something waits and is never due"
    published = [place for topic in TOPICS for place in endpoint.topics[topic]]
    assert sorted(place.event for place in endpoint.taken) == sorted(place.event for place in published)


@given(st.text(max_size=20), st.integers(1, 2_000))
def test_waits_grow_to_an_hour_and_are_spread_by_a_quarter(event: str, attempts: int) -> None:
    assert 3_750 <= retry_after_ms(event, attempts) <= 1.25 * LAST_RETRY_MS
    assert retry_after_ms(event, attempts) == retry_after_ms(event, attempts)
    if attempts > 8:
        assert retry_after_ms(event, attempts) >= 0.75 * LAST_RETRY_MS
