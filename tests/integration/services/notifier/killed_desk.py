"""An office whose notifier is a process that is killed: what it is told with, what its servers got, and what it put on record."""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cli.demo.processes import simulator_environ
from services.notifier.ledger import Ledger
from shared.contracts.chat_rows import ChatProduct
from shared.contracts.notification import DeliveryState, RungDelivery
from shared.contracts.topics import NOTIFICATION_STATE, POSITION_KEY, ROOM_OUTCOMES
from shared.contracts.webhook_rows import PAGES, deliveries_id
from shared.engines.distributed import ensure_topics
from shared.engines.distributed import open_engine as open_distributed
from shared.errors import LogUnavailableError
from shared.grants.broker import ConsentBroker
from shared.organisations.chat_channels import NewChatChannel, add_channel
from shared.organisations.notice_browsers import NewNoticeBrowser, add_browser
from shared.organisations.webhooks import add_webhook
from shared.ports.engine import Engine
from shared.registry import tables
from tests.chaos.servers import Servers
from tests.integration.services.notifier.conftest import Desk, advance
from tests.integration.services.notifier.reminded_calendar import RemindedCalendar
from tests.support.forked_notifier import ForkedNotifier, fork_notifier
from tests.support.office import AARE
from tests.support.office_environ import office_environ
from tests.support.push_browser import CONTACT, PRIVATE_KEY, PUBLIC_KEY, PushBrowser
from tests.support.waiting import wait_until
from tests.support.webhook_receiver import Got, Receiver

PATH = "/events"
CHAT_PATH = "/services/T0/B0/channel"
PUSH_PATH = "/wpush/v2/browser"
STATIONS = 2
"""Of one notifier: of people, and of webhooks."""
STEP_S = 20
"""By so much time moves on with each glance at what is waited for."""


class KilledDesk(Desk):
    """The office without a notifier of its own: that is a process, which tells servers that are none of it."""

    def __init__(self, home: Path, port: int, receiver: Receiver, reminded: RemindedCalendar, clock_file: Path) -> None:
        self.home, self.receiver, self.reminded, self.clock_file = home, receiver, reminded, clock_file
        self.provider, self.directory, self.granted = reminded.provider, reminded.directory, reminded.granted
        self._kept: dict[bytes, bytes] = {}
        self._read = 0
        self._passed = len(receiver.got())
        self._got: list[Got] = []
        self._seen = set[str]()
        self._log_from = 0
        self._running: ForkedNotifier
        self.successors = 0
        """How many followed a process that had ended because a store was away."""
        self.browser = PushBrowser(f"{receiver.url}{PUSH_PATH}")
        super().__init__(home, port)
        self.endpoint = add_webhook(
            self.engine.registry,
            self.engine.keyring,
            self.tenant,
            f"{receiver.url}{PATH}",
            ("roomsync.room.declined.v1",),
            self.clock.at_ms,
        )[0].id
        self._ask_for_everything()

    def _ask_for_everything(self) -> None:
        """The organisation has a chat channel; Ada wants mails, reminders in her calendar, and notices in her browser."""
        registry, keyring, now_ms = self.engine.registry, self.engine.keyring, self.clock.at_ms
        channel = NewChatChannel(ChatProduct.SLACK, "#rooms", f"{self.receiver.url}{CHAT_PATH}")
        add_channel(registry, keyring, self.tenant, channel, now_ms)
        browser = NewNoticeBrowser(self.browser.target, PUBLIC_KEY, "Firefox", "Linux")
        add_browser(registry, keyring, self.tenant, "u-ada", browser, now_ms)
        self.prefer(quiet=False, calendar=True, calendar_since_ms=now_ms)

    def take_over(self) -> None:
        """Nobody here."""

    def open_broker(self) -> ConsentBroker:
        """As the process does, with the provider's own token endpoint."""
        return ConsentBroker(self.engine.registry, self.engine.keyring, self.reminded.settings, self.clock)

    @contextmanager
    def notifier_process(self, crash_at: str = "") -> Iterator[None]:
        """`roomsync run notifier` on the office's own stores."""
        mine = {
            "smtp_url": self.smtp_url,
            "mail_from": "rooms@contoso.test",
            "webhooks": "on",
            "webhook_allowed_hosts": "127.0.0.1",
            "chat_hosts": "127.0.0.1",
            "calendar_reminders": "on",
            "prompt_grace_s": "0",
            "push_hosts": "127.0.0.1",
            "push_private_key": PRIVATE_KEY,
            "push_public_key": PUBLIC_KEY,
            "push_contact": CONTACT,
            "test_clock": str(self.clock_file),
            "crash_at": crash_at,
        }
        environ = office_environ(self._master, self.home, **mine)
        environ |= simulator_environ(self.reminded.url) | self.engine_environ()
        log = self.home / "notifier.log"
        self._log_from = log.stat().st_size if log.exists() else 0
        with fork_notifier(environ, log) as self._running:
            yield
        self.successors += self._running.successors

    def engine_environ(self) -> dict[str, str]:
        """The settings that name the engine."""
        return {}

    def kill(self, point: str, *, passing: bool = False) -> None:
        """A process runs until it passes the point; `passing`: time moves on once it has begun its work."""
        wait, what = self.pass_time_until if passing else self.wait_for, f"{point} was not passed"
        with self.notifier_process(point):
            wait(what, lambda: self._running.exit_code is not None)
        assert self._running.exit_code == -signal.SIGKILL, what

    def wait_for(self, what: str, reached: Callable[[], bool]) -> None:
        """The notifier, or whichever has followed it, runs until something is so."""

        def looked() -> bool:
            assert self._running.exit_code in {None, -signal.SIGKILL}, what
            return reached()

        wait_until(what, looked)

    def pass_time_until(self, what: str, reached: Callable[[], bool]) -> None:
        """Time moves on, once the process that runs has begun its work, until something is so."""
        self.wait_for(what, lambda: reached() or self._has_begun())

        def moved() -> bool:
            if reached():
                return True
            self.advance(STEP_S)
            return False

        self.wait_for(what, moved)

    def advance(self, seconds: int) -> None:
        """Time passes, for every process."""
        advance(self, self.clock_file, seconds)

    def advance_to(self, at_ms: int) -> None:
        """It is so late now."""
        assert at_ms >= self.clock.at_ms, "what was to come had come before"
        self.advance((at_ms - self.clock.at_ms) // 1_000)

    def say_no(self, event: str, start_ms: int) -> str:
        """A meeting asks for a room, and the room declines; returns the decline."""
        for answer in ("none", "declined"):
            looks = len(self.calendar.looks)
            self.calendar.book(event, start_ms=start_ms, **{AARE: answer})
            self.hint()
            self.work_until(f"{event} was looked at", lambda looks=looks: len(self.calendar.looks) > looks)
        self.work_until(f"{event} was declined", lambda: bool(set(self.declines()) - self._seen))
        [decline] = set(self.declines()) - self._seen
        self._seen.add(decline)
        return decline

    def accept(self, event: str, decline: str) -> None:
        """The room has thought better of it: the prompt closes."""
        self.calendar.book(event, start_ms=self.calendar.events[event].start_ms, **{AARE: "accepted"})
        self.hint()
        self.work_until(f"{decline} was closed", lambda: decline in self._closed())

    def work_until(self, what: str, reached: Callable[[], bool]) -> None:
        """Step until something is so."""

        def worked() -> bool:
            self.settle()
            return reached()

        wait_until(what, worked)

    def got(self, path: str) -> list[Got]:
        """What has arrived at one of the receiver's servers from this office."""
        fresh = self.receiver.got(after=self._passed)
        self._passed += len(fresh)
        self._got += fresh
        return [each for each in self._got if each.path == path]

    def has_arrived(self, decline: str, rungs: Collection[str], posts: int) -> bool:
        """Whether the ledger has these rungs as accepted, the delivery log the event, and its endpoint so many posts."""
        with suppress(LogUnavailableError):  # a broker that has just come back
            recorded = self.recorded(decline).issuperset(rungs) and self._is_delivered(decline)
            return recorded and sum(each.id == decline for each in self.got(PATH)) >= posts
        return False

    def is_done(self, decline: str, posts: int) -> bool:
        """Whether nothing is left to do about a prompt that is closed, and the event was posted so often."""
        with suppress(LogUnavailableError):
            deliveries = self._deliveries(decline).values()
            left = any(each.placed or each.event or each.state is DeliveryState.INTENT for each in deliveries)
            return not left and not self.reminded.present() and self.has_arrived(decline, (), posts)
        return False

    def recorded(self, decline: str) -> set[str]:
        """The rungs, each by its channel, at which the decline was told, as whoever takes over reads it."""
        return {name for name, each in self._deliveries(decline).items() if each.state is DeliveryState.ACCEPTED}

    def has_one_event(self, decline: str) -> bool:
        """Whether one event stands, and the ledger knows of no other."""
        with suppress(LogUnavailableError):
            placed = [name for name, each in self._deliveries(decline).items() if each.placed]
            return len(placed) == len(self.reminded.present()) == 1
        return False

    def _deliveries(self, decline: str) -> dict[str, RungDelivery]:
        while page := self.engine.log.read(NOTIFICATION_STATE.name, 0, self._read):
            self._read = page[-1].offset + 1
            for record in page:
                self._kept.pop(record.key, None)
                if record.value is not None and record.key != POSITION_KEY:
                    self._kept[record.key] = record.value
        mine = {key: value for key, value in self._kept.items() if key.endswith(f"/{decline}".encode())}
        ledger = Ledger(mine, lambda _: self.keys)
        ladders = (ledger.ladders_of(mailbox).get(decline) for mailbox in ledger.mailboxes())
        return {name: each for ladder in ladders if ladder for name, each in ladder.deliveries.items()}

    def _is_delivered(self, decline: str) -> bool:
        table = tables.webhook_deliveries(self.engine.registry)
        rows = (table.get(self.tenant, deliveries_id(self.endpoint, 0, page)) for page in range(PAGES))
        return any(each.event == decline and not each.retry_at_ms for row in rows if row for each in row.deliveries)

    def _closed(self) -> set[str]:
        return {outcome["data"]["declineId"] for outcome in self.topic(ROOM_OUTCOMES.name)}

    def _has_begun(self) -> bool:
        with (self.home / "notifier.log").open("rb") as log:
            log.seek(self._log_from)
            return log.read().count(b"partition_claimed") >= STATIONS


class KafkaDesk(KilledDesk):
    """The same on real servers of its own."""

    poll_s = 0.05

    def __init__(
        self,
        home: Path,
        port: int,
        receiver: Receiver,
        reminded: RemindedCalendar,
        clock_file: Path,
        servers: Servers,
    ) -> None:
        self._servers = servers.settings
        self._prefix = "kills."
        super().__init__(home, port, receiver, reminded, clock_file)
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
