"""
Kills of the notifier's process at points that a seed draws, on both engines: no mail and no webhook is lost or gets a second id.

Each decline is told by one mail and one webhook. The process is killed while it tells of it; its successor tells what is left. On
Kafka the broker is killed too, now and then, while a successor runs. A message comes twice only where a server had it and the
process died before that was on record: how often that was is printed.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path

import pytest

from services.notifier.ledger import Ledger
from shared.contracts.notification import DeliveryState
from shared.contracts.topics import NOTIFICATION_STATE, POSITION_KEY
from shared.contracts.webhook_rows import PAGES, deliveries_id
from shared.engines.distributed import ensure_topics
from shared.engines.distributed import open_engine as open_distributed
from shared.errors import LogUnavailableError
from shared.organisations.webhooks import add_webhook
from shared.ports.engine import Engine
from shared.registry import tables
from tests.chaos.servers import Servers, own_servers
from tests.integration.services.notifier.conftest import Desk, advance
from tests.integration.services.notifier.test_kills import ACCEPTED, BEFORE_ACCEPTED, RECORDED
from tests.integration.services.notifier.webhooks.test_kills import NOT_SENT, SENT
from tests.integration.services.notifier.webhooks.test_kills import RECORDED as WEBHOOK_RECORDED
from tests.support.mail_server import MailSink
from tests.support.office import AARE
from tests.support.office_environ import office_environ, run_notifier
from tests.support.waiting import WAIT_S, wait_until
from tests.support.webhook_receiver import Receiver, start_receiver

KILLS = int(os.environ.get("ROOMSYNC_NOTIFIER_KILLS", "3"))
SEED = int(os.environ.get("ROOMSYNC_NOTIFIER_SEED", "1"))
MAIL_POINTS = (*BEFORE_ACCEPTED, *ACCEPTED, *RECORDED)
POINTS = (*MAIL_POINTS, *NOT_SENT, *SENT, *WEBHOOK_RECORDED)
A_BROKER_OF = 5
"""One kill in so many goes with the broker's."""
BROKER_AWAY_S = 2.0
PATH = "/events"


class KilledDesk(Desk):
    """The office without a notifier of its own: that is a process, and its declines go to a mail server and to a receiver."""

    def __init__(self, home: Path, port: int, receiver: Receiver) -> None:
        self.home, self.receiver = home, receiver
        self._kept: dict[bytes, bytes] = {}
        self._read = 0
        super().__init__(home, port)
        self.endpoint = add_webhook(
            self.engine.registry,
            self.engine.keyring,
            self.tenant,
            f"{receiver.url}{PATH}",
            ("roomsync.room.declined.v1",),
            self.clock.at_ms,
        )[0].id

    def take_over(self) -> None:
        """Nobody here."""

    def notifier_process(self, clock_file: Path, crash_at: str = "") -> AbstractContextManager[subprocess.Popen[bytes]]:
        """`roomsync run notifier` on the office's own stores."""
        mine = {
            "smtp_url": self.smtp_url,
            "mail_from": "rooms@contoso.test",
            "webhooks": "on",
            "webhook_allowed_hosts": "127.0.0.1",
            "test_clock": str(clock_file),
            "crash_at": crash_at,
        }
        environ = office_environ(self._master, self.home, **mine) | self.engine_environ()
        return run_notifier(environ, self.home / "notifier.log")

    def engine_environ(self) -> dict[str, str]:
        """The settings that name the engine."""
        return {}

    def book_all(self, count: int) -> None:
        """So many meetings, each of which asks for a room."""
        for number in range(1, count + 1):
            start_ms = self.clock.at_ms + (100 + number) * 3_600_000
            self.calendar.book(f"e{number}", start_ms=start_ms, **{AARE: "none"})
        looks = len(self.calendar.looks)
        self.hint()
        self.work_until("the meetings were looked at", lambda: len(self.calendar.looks) > looks)
        self.settle()

    def say_no(self, number: int) -> None:
        """The room declines one of them."""
        event = f"e{number}"
        self.calendar.book(event, start_ms=self.calendar.events[event].start_ms, **{AARE: "declined"})
        self.hint()
        self.work_until(f"{event} was declined", lambda: len(set(self.declines())) == number)

    def work_until(self, what: str, reached: Callable[[], bool]) -> None:
        """Step until something is so."""

        def worked() -> bool:
            self.settle()
            return reached()

        wait_until(what, worked)

    def is_recorded(self, decline: str) -> bool:
        """Whether the ledger has nothing on its way, and the delivery log has the event as delivered."""
        with suppress(LogUnavailableError):  # a broker that has just come back
            return self._is_recorded(decline)
        return False

    def _is_recorded(self, decline: str) -> bool:
        while page := self.engine.log.read(NOTIFICATION_STATE.name, 0, self._read):
            self._read = page[-1].offset + 1
            for record in page:
                self._kept.pop(record.key, None)
                if record.value is not None and record.key != POSITION_KEY:
                    self._kept[record.key] = record.value
        ladders = Ledger(self._kept, lambda _: self.keys).ladders_of(self.mailbox)
        states = [each.state for each in ladders[decline].deliveries.values()] if decline in ladders else []
        return DeliveryState.ACCEPTED in states and DeliveryState.INTENT not in states and self._is_delivered(decline)

    def _is_delivered(self, decline: str) -> bool:
        table = tables.webhook_deliveries(self.engine.registry)
        rows = (table.get(self.tenant, deliveries_id(self.endpoint, 0, page)) for page in range(PAGES))
        return any(each.event == decline and not each.retry_at_ms for row in rows if row for each in row.deliveries)


class KafkaDesk(KilledDesk):
    """The same on real servers of its own."""

    poll_s = 0.05

    def __init__(self, home: Path, port: int, receiver: Receiver, servers: Servers) -> None:
        self._servers = servers.settings
        self._prefix = "kills."
        super().__init__(home, port, receiver)
        self.work_until("she is connected", lambda: bool((row := self.consent()) and row.first_look_at_ms))

    def open_engine(self, home: Path) -> Engine:
        del home
        bootstrap = self._servers["ROOMSYNC_KAFKA_BOOTSTRAP"]
        ensure_topics(bootstrap, prefix=self._prefix, partitions=1, replication=1)
        return open_distributed(
            bootstrap=bootstrap,
            view_redis_url=self._servers["ROOMSYNC_VIEW_REDIS_URL"],
            registry_redis_url=self._servers["ROOMSYNC_REGISTRY_REDIS_URL"],
            partitions=1,
            replication=1,
            prefix=self._prefix,
            master=self._master,
            clock=self.clock,
        )

    def engine_environ(self) -> dict[str, str]:
        return {**self._servers, "ROOMSYNC_ENGINE": "kafka", "ROOMSYNC_TOPIC_PREFIX": self._prefix}


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Where webhooks go."""
    with start_receiver() as running:
        yield running


@pytest.fixture
def broken() -> Iterator[ExitStack]:
    """Holds what was started for a test."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def killed(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    server: tuple[MailSink, int],
    receiver: Receiver,
    broken: ExitStack,
) -> tuple[KilledDesk, Servers | None]:
    """The office on an engine, and what of that can be broken."""
    if request.param == "embedded":
        desk, servers = KilledDesk(tmp_path, server[1], receiver), None
    else:
        servers = broken.enter_context(own_servers())
        desk = KafkaDesk(tmp_path, server[1], receiver, servers)
    broken.callback(desk.engine.close)
    return desk, servers


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the client leaves the sockets of refused connections lying
@pytest.mark.proves("B16", "B21")
def test_seeded_kills_lose_nothing_and_repeat_only_what_a_server_had_already(
    killed: tuple[KilledDesk, Servers | None], sink: MailSink, tmp_path: Path
) -> None:
    desk, servers = killed
    clock_file = tmp_path / "clock"
    clock_file.write_text(f"{desk.clock.at_ms:015}")
    drawn = random.Random(SEED)  # repeatable, and guards nothing
    desk.prefer(quiet=False, day_before=False, hours_before=False)
    desk.book_all(KILLS)
    before = len(desk.receiver.got(PATH))
    mails: dict[str, str] = {}
    twice = Counter[str]()
    for number in range(1, KILLS + 1):
        point = drawn.choice(POINTS)
        desk.say_no(number)
        [decline] = set(desk.declines()) - mails.keys()
        advance(desk, clock_file, 61)
        with desk.notifier_process(clock_file, f"{point}:1") as process:
            process.wait(WAIT_S)
        assert process.returncode == -9, f"{point} was not passed"
        advance(desk, clock_file, 31)  # what stands as intended is tried again
        with desk.notifier_process(clock_file):
            if servers is not None and number % A_BROKER_OF == 0:
                servers.act("kill-broker", BROKER_AWAY_S)
                servers.calm()
            wait_until(f"{decline} after {point}", lambda told=decline: desk.is_recorded(told))
        mailed, posted = sink.ids(), Counter(each.id for each in desk.receiver.got(PATH)[before:])
        [mails[decline]] = mailed.keys() - set(mails.values())
        copies = {"mail": mailed[mails[decline]], "webhook": posted[decline]}
        assert set(copies.values()) <= {1, 2}, (point, copies)
        if point in MAIL_POINTS:
            assert copies["mail"] == 1 + (point in ACCEPTED), (point, copies)
        else:
            assert copies["webhook"] == 1 + (point in SENT), (point, copies)
        twice.update(name for name, count in copies.items() if count > 1)
        happened = dict(servers.happened) if servers else {}
        print(
            f"seed {SEED}: {number} kills, {happened}; {len(mailed)} mails, {len(posted)} events; twice: {dict(twice)}",
            flush=True,
        )
        advance(desk, clock_file, 600)  # three within five minutes would be told in one message
    assert (len(mailed), posted.keys()) == (KILLS, mails.keys())
    assert sum(count - 1 for count in (*mailed.values(), *posted.values())) == twice.total()
