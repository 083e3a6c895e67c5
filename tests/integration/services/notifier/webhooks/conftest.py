"""An office whose events are sent as webhooks, step by step, to a receiver in another process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.notifier.channels.port import NoticeChannel
from services.notifier.notices import NoticeWriter
from services.notifier.outbox import Outbox
from services.notifier.webhooks.courier import Courier
from services.notifier.webhooks.pause_mails import PauseMails
from services.notifier.webhooks.worker import WebhookOwner
from shared.contracts.published import samples
from shared.contracts.topics import ROOM_REJECTIONS, WEBHOOKS
from shared.contracts.webhook_records import EventPlace, RequestedAct, WebhookRequest
from shared.contracts.webhook_rows import PAGES, WebhookDelivery, deliveries_id
from shared.crypto.links import LinkSigner
from shared.domain.instants import SECOND_MS
from shared.organisations.webhooks import add_webhook, find_webhook
from shared.ports.log import NewRecord
from shared.registry import tables
from shared.runtime.http_post import HttpPost
from shared.runtime.webhook_requests import webhook_request_record
from tests.support.office import Inline, Office
from tests.support.webhook_receiver import Receiver, start_receiver

WAIT_S = 30.0
ALLOWED = frozenset({"127.0.0.1"})


class Bureau(Office):
    """The office, with somebody who sends its events."""

    def __init__(self, home: Path, receiver: Receiver) -> None:
        super().__init__(home)
        self.receiver = receiver
        self.secrets: dict[str, str] = {}
        self.channels: dict[str, NoticeChannel] = {}
        self.take_over()

    def take_over(self, post: HttpPost | None = None) -> None:
        """Another notifier claims the partition."""
        self.courier = Courier(post or HttpPost(ALLOWED, connect_s=1.0, whole_s=2.0))
        writer = NoticeWriter(self.engine, self.clock, LinkSigner([b"l" * 32]), "https://rooms.contoso.test")
        pauses = PauseMails(self.engine, self.clock, writer, Outbox(self.channels, lambda _: Inline()))
        claim = self.engine.log.claim(WEBHOOKS, 0)
        self.owner = WebhookOwner(claim, self.engine, self.clock, self.courier, pauses, poll_s=0.0)

    def add_endpoint(self, path: str, url: str = "", types: tuple[str, ...] = ()) -> str:
        """Add one; its id."""
        address = url or f"{self.receiver.url}{path}"
        made, secret = add_webhook(
            self.engine.registry, self.engine.keyring, self.tenant, address, types, self.clock.at_ms
        )
        self.secrets[made.id] = secret
        return made.id

    def publish(self, *ids: str, tenant: str = "") -> dict[str, bytes]:
        """Put decline events on their topic; id → bytes."""
        sample = msgspec.json.decode(samples()["RoomDeclined"])
        bodies = {each: msgspec.json.encode(sample | {"id": each}) for each in ids}
        key = f"{tenant or self.tenant}/m-1".encode()
        self.engine.log.append([NewRecord(ROOM_REJECTIONS.name, 0, key, body) for body in bodies.values()])
        return bodies

    def ask(self, endpoint: str, act: RequestedAct, *events: str, since_ms: int = 0) -> None:
        """As an administrator does."""
        known = {each.event: each for each in self.deliveries(endpoint)}
        places = tuple(
            EventPlace(event=each, type=known[each].type, topic=known[each].topic, offset=known[each].offset)
            for each in events
        )
        request = WebhookRequest(act=act, at_ms=self.clock.at_ms, events=places, since_ms=since_ms)
        self.engine.log.append([webhook_request_record(self.tenant, endpoint, request, 0)])

    def deliver(self, passes: int = 3) -> None:
        """Step until nothing is on its way and nothing is due."""
        deadline_s, quiet = time.monotonic() + WAIT_S, 0
        while quiet < passes:
            assert time.monotonic() < deadline_s, "it does not come to rest"
            before = self.owner._passed
            self.owner.step()
            moving = self.owner._on_the_way or self.owner._passed != before
            quiet = 0 if moving or self._is_due() else quiet + 1

    def step_until_arrived(self, path: str, count: int) -> None:
        """Step until so many requests have arrived at a path."""
        deadline_s = time.monotonic() + WAIT_S
        while len(self.receiver.got(path)) < count:
            assert time.monotonic() < deadline_s, f"fewer than {count} requests at {path}"
            self.owner.step()

    def _is_due(self) -> bool:
        heap = self.owner._appointments._heap
        return bool(heap) and heap[0][0] <= self.clock.at_ms

    def pass_time(self, seconds: float, step_s: float = 600.0) -> None:
        """Time passes in steps, at each of which everything is delivered."""
        end_ms = self.clock.at_ms + int(seconds * SECOND_MS)
        while self.clock.at_ms < end_ms:
            self.clock.at_ms = min(end_ms, self.clock.at_ms + int(step_s * SECOND_MS))
            self.deliver()

    def deliveries(self, endpoint: str) -> list[WebhookDelivery]:
        """As the administrators' page reads them."""
        table = tables.webhook_deliveries(self.engine.registry)
        rows = (table.get(self.tenant, deliveries_id(endpoint, 0, page)) for page in range(PAGES))
        return sorted((each for row in rows if row for each in row.deliveries), key=lambda each: each.number)

    def webhook(self, endpoint: str) -> Any:
        """As it stands."""
        found = find_webhook(self.engine.registry, self.tenant, endpoint)
        assert found is not None
        return found


@pytest.fixture(scope="session")
def shared_receiver() -> Iterator[Receiver]:
    with start_receiver() as found:
        yield found


@pytest.fixture
def path(request: pytest.FixtureRequest) -> str:
    """A path of the receiver of this test's own."""
    return f"/{abs(hash(request.node.nodeid))}"


@pytest.fixture
def bureau(tmp_path: Path, shared_receiver: Receiver) -> Iterator[Bureau]:
    """Nobody has an endpoint yet."""
    found = Bureau(tmp_path / "home", shared_receiver)
    yield found
    found.engine.close()
