"""The whole system on servers that may be broken: what people do in it, what really happened, and what was told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from cli.common.mailboxes import find_connected_mailboxes
from cli.demo.processes import RunningSystem
from deploy.local.kafka import Brokers
from deploy.local.redis import RedisServer
from shared.contracts.topics import ROOM_REJECTIONS
from shared.domain.identity import Mailbox, Provider, partition_of
from shared.runtime.settings import load
from shared.runtime.wiring import open_engine
from tests.chaos.employees import Employee
from tests.chaos.organisations import Office, Simulator, assembled
from tests.e2e.outages.providers import Providers
from tests.integration.services.webhook_receiver.receiver import Deployment

PARTITIONS = 4
REFUSING = "Birs"
"""The room that says no."""
SETTLED_S = 120.0
"""Generous: workers are restarted and restore on a machine that does other things as well."""


@dataclass(frozen=True, slots=True)
class Servers:
    """What the system runs on; anything may be broken, if it is mended again."""

    kafka: Brokers
    view: RedisServer
    registry: RedisServer

    @property
    def settings(self) -> dict[str, str]:
        """For the product."""
        return {
            "ROOMSYNC_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "ROOMSYNC_VIEW_REDIS_URL": self.view.url,
            "ROOMSYNC_REGISTRY_REDIS_URL": self.registry.url,
            "ROOMSYNC_KAFKA_REPLICATION": str(len(self.kafka.numbers)),
        }


class System:
    """Two organisations, one at each provider, with one connected person each."""

    def __init__(self, stage: RunningSystem, servers: Servers, simulator: Simulator, deployment: Deployment) -> None:
        """Makes the organisations and has the people sign in."""
        self.stage, self.servers, self.simulator, self.deployment = stage, servers, simulator, deployment
        self.offices: list[Office] = [assembled(simulator, each, stage.environ) for each in ("microsoft", "google")]
        self.people = [Employee(stage.portal, each.provider, each.people["Ada"]) for each in self.offices]
        for person in self.people:
            person.connect()

    @property
    def receiver(self) -> tuple[str, int]:
        """Address and process id, as last announced: another id means that it was restarted."""
        return self.stage.services.ready["webhook-receiver"]

    def notifications(self) -> Providers:
        """A context manager: while it is open, both providers keep sending."""
        return Providers(self.receiver[0], self.deployment.keys, PARTITIONS)

    def refused_meetings(self, count: int) -> list[str]:
        """Each person books so many meetings with the room that says no; returns their titles once it has said so."""
        titles = []
        for office in self.offices:
            for number in range(count):
                titles.append(f"{office.provider} {number} {time.time_ns()}")
                self.simulator.book(office.people["Ada"], titles[-1], [office.rooms[REFUSING]], [])
        eventually(lambda: not self._undecided(titles))
        return titles

    def declined(self, office: Office | None = None) -> int:
        """How often a room has said no so far."""
        return sum(
            fact["kind"] == "room-answered"
            and fact["answer"] == "declined"
            and (office is None or fact["room"] in office.room_ids)
            for fact in self.simulator.listed("history")
        )

    def published(self, tenant: str = "") -> list[str]:
        """The meeting of every decline event that a `read_committed` reader finds, of one tenant or of all."""
        found = [json.loads(record.value or b"")["data"] for record in self.deployment.records(ROOM_REJECTIONS.name)]
        return [data["meetingRef"] for data in found if tenant in ("", data["tenantId"])]

    def all_published(self) -> bool:
        """Whether there is an event for every decline: each is of a meeting of its own."""
        return len(set(self.published())) == self.declined()

    def published_to_all_first(self) -> bool:
        """The same for the mailboxes that a gap signal makes due at once: the first of each partition."""
        first = {min(mailboxes) for mailboxes in self._by_partition().values()}
        return all(
            len(set(self.published(person.tenant))) == self.declined(office)
            for person, office in zip(self.people, self.offices, strict=True)
            if person.tenant in {mailbox.tenant for mailbox in first}
        )

    def nothing_twice(self) -> bool:
        """Whether nothing was told a second time, and nothing that did not happen."""
        told = self.published()
        return len(told) == len(set(told)) <= self.declined()

    def calendar_calls(self) -> list[str]:
        """What the providers' calendars were asked for so far."""
        return [
            said
            for each in self.simulator.listed("requests")
            if "/events" in (said := str(each)) or "/calendarView" in said
        ]

    def hints(self) -> list[str]:
        """Subscription or channel id of every hint in the log."""
        topics = ("notifications.graph", "notifications.google")
        return [hint.subscription_id for topic in topics for hint in self.deployment.hints(topic)]

    def _undecided(self, titles: list[str]) -> bool:
        meetings = [one for one in self.simulator.listed("meetings") if one["title"] in titles]
        return any(room["answer"] != "declined" for one in meetings for room in one["rooms"])

    def _by_partition(self) -> dict[int, list[Mailbox]]:
        engine = open_engine(load(self.deployment.environ))
        try:
            mailboxes = [one for each in Provider for one in find_connected_mailboxes(engine.registry, each)]
        finally:
            engine.close()
        found: dict[int, list[Mailbox]] = {}
        for mailbox in mailboxes:
            found.setdefault(partition_of(mailbox.key, PARTITIONS), []).append(mailbox)
        return found


def eventually(holds: Callable[[], object], *, within_s: float = SETTLED_S, every_s: float = 0.1) -> None:
    """Poll until it holds."""
    deadline_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline_s, f"not within {within_s} s"
        time.sleep(every_s)


def once_quiet(listed: Callable[[], list[str]], *, for_s: float = 3.0) -> list[str]:
    """Poll until the list has not grown for a while (an echo look comes after two seconds); returns it."""
    stands, since_s = listed(), time.monotonic()

    def still() -> bool:
        nonlocal stands, since_s
        if (now := listed()) != stands:
            stands, since_s = now, time.monotonic()
        return time.monotonic() - since_s > for_s

    eventually(still)
    return stands
