"""
Kills of the notifier's process at points that a seed draws, on both engines: no message is lost or gets a second id.

Each decline is told by one mail, one message in a chat channel, one notice in a browser and one webhook, to servers that are none
of the killed process. It is killed while it tells of it; its successor tells what is left. On Kafka the broker is killed too, now
and then, while a successor runs. A message comes twice only where a server had it and the process died before that was on record:
how often that was is printed.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from functools import partial
from pathlib import Path

import pytest

from services.notifier.deciding.rungs import BROWSER, CHAT, MAIL
from services.notifier.ledger import Ledger
from shared.contracts.chat_rows import ChatProduct
from shared.contracts.notification import DeliveryState
from shared.contracts.topics import NOTIFICATION_STATE, POSITION_KEY
from shared.contracts.webhook_rows import PAGES, deliveries_id
from shared.engines.distributed import ensure_topics
from shared.engines.distributed import open_engine as open_distributed
from shared.errors import LogUnavailableError
from shared.organisations.chat_channels import NewChatChannel, add_channel
from shared.organisations.notice_browsers import NewNoticeBrowser, add_browser
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
from tests.support.push_browser import CONTACT, PRIVATE_KEY, PUBLIC_KEY, PushBrowser
from tests.support.waiting import WAIT_S, wait_until
from tests.support.webhook_receiver import Got, Receiver, start_receiver

KILLS = int(os.environ.get("ROOMSYNC_NOTIFIER_KILLS", "3"))
SEED = int(os.environ.get("ROOMSYNC_NOTIFIER_SEED", "1"))
CHANNELS = (MAIL, CHAT, BROWSER)
WEBHOOK = "webhook"
TAKING_IN, INTENDED = BEFORE_ACCEPTED[:-1], BEFORE_ACCEPTED[-1]
SENDING_POINTS = (INTENDED, *ACCEPTED, *RECORDED)
"""Passed once with each channel's message."""
LATER_COMMITS = tuple(f"{point}:{number}" for point in TAKING_IN[1:] for number in range(2, 6))
"""Within a later commit: of what is addressed, of an intent or of a result, of whichever channel is then at it."""
POINTS = (
    *TAKING_IN,
    *LATER_COMMITS,
    *(f"{point}/{channel}" for channel in CHANNELS for point in SENDING_POINTS),
    *(*NOT_SENT, *SENT, *WEBHOOK_RECORDED),
)
A_BROKER_OF = 5
"""One kill in so many goes with the broker's."""
BROKER_AWAY_S = 2.0
PATH = "/events"
CHAT_PATH = "/services/T0/B0/channel"
PUSH_PATH = "/wpush/v2/browser"


class KilledDesk(Desk):
    """The office without a notifier of its own: that is a process, which tells a mail server and the servers of a receiver."""

    def __init__(self, home: Path, port: int, receiver: Receiver) -> None:
        self.home, self.receiver = home, receiver
        self._kept: dict[bytes, bytes] = {}
        self._read = 0
        self._before = len(receiver.got())
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
        self._ask_for_chat_and_notices()

    def _ask_for_chat_and_notices(self) -> None:
        """The organisation has a chat channel, and Ada a browser that shows notices."""
        registry, keyring, now_ms = self.engine.registry, self.engine.keyring, self.clock.at_ms
        channel = NewChatChannel(ChatProduct.SLACK, "#rooms", f"{self.receiver.url}{CHAT_PATH}")
        add_channel(registry, keyring, self.tenant, channel, now_ms)
        browser = NewNoticeBrowser(self.browser.target, PUBLIC_KEY, "Firefox", "Linux")
        add_browser(registry, keyring, self.tenant, "u-ada", browser, now_ms)

    def take_over(self) -> None:
        """Nobody here."""

    def notifier_process(self, clock_file: Path, crash_at: str = "") -> AbstractContextManager[subprocess.Popen[bytes]]:
        """`roomsync run notifier` on the office's own stores."""
        mine = {
            "smtp_url": self.smtp_url,
            "mail_from": "rooms@contoso.test",
            "webhooks": "on",
            "webhook_allowed_hosts": "127.0.0.1",
            "chat_hosts": "127.0.0.1",
            "push_hosts": "127.0.0.1",
            "push_private_key": PRIVATE_KEY,
            "push_public_key": PUBLIC_KEY,
            "push_contact": CONTACT,
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

    def got(self, path: str) -> list[Got]:
        """What has arrived at one of the receiver's servers from this office."""
        return [each for each in self.receiver.got()[self._before :] if each.path == path]

    def has_arrived(self, decline: str, posts: int) -> bool:
        """Whether the ledger has each channel's message as accepted, the delivery log the event, and its endpoint so many posts."""
        with suppress(LogUnavailableError):  # a broker that has just come back
            recorded = set(self.recorded(decline)) == set(CHANNELS) and self._is_delivered(decline)
            return recorded and sum(each.id == decline for each in self.got(PATH)) >= posts
        return False

    def recorded(self, decline: str) -> list[str]:
        """By which channels the decline was told, as whoever takes over reads it."""
        while page := self.engine.log.read(NOTIFICATION_STATE.name, 0, self._read):
            self._read = page[-1].offset + 1
            for record in page:
                self._kept.pop(record.key, None)
                if record.value is not None and record.key != POSITION_KEY:
                    self._kept[record.key] = record.value
        ledger = Ledger(self._kept, lambda _: self.keys)
        ladders = (ledger.ladders_of(mailbox).get(decline) for mailbox in ledger.mailboxes())
        deliveries = [found for ladder in ladders if ladder for found in ladder.deliveries.items()]
        return [name.partition("/")[0] for name, each in deliveries if each.state is DeliveryState.ACCEPTED]

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


class Arrivals:
    """What the servers have, by the decline that it tells of."""

    def __init__(self, desk: KilledDesk, sink: MailSink) -> None:
        self._desk, self._sink = desk, sink
        self._ids: dict[tuple[str, str], str] = {}
        """Channel and decline → the id of its message, where the message names no decline."""
        self._notices: list[str] = []

    def copies_of(self, decline: str) -> Counter[str]:
        """Channel → how often the message of a decline came; fails if one channel told of it by two messages."""
        return Counter({channel: self._count(channel, decline, ids) for channel, ids in self.ids().items()})

    def ids(self) -> dict[str, Counter[str]]:
        """Channel → the id of each message → how often it came."""
        desk = self._desk
        for each in desk.got(PUSH_PATH)[len(self._notices) :]:
            self._notices.append(str(desk.browser.read(each)["id"]))
        return {
            MAIL: Counter(self._sink.ids()),
            CHAT: Counter(_decline_in(each) for each in desk.got(CHAT_PATH)),
            BROWSER: Counter(self._notices),
            WEBHOOK: Counter(each.id for each in desk.got(PATH)),
        }

    def _count(self, channel: str, decline: str, ids: Counter[str]) -> int:
        if channel in {CHAT, WEBHOOK}:
            return ids[decline]
        known = {name for (by, _), name in self._ids.items() if by == channel}
        new = ids.keys() - known
        assert len(new) <= 1, (channel, decline, new)
        if new:
            self._ids[channel, decline] = new.pop()
        return ids[self._ids.get((channel, decline), "")]


def hit_by(point: str) -> tuple[str, ...]:
    """Of which messages the point says whether a server had them."""
    if channel := point.partition("/")[2]:
        return (channel,)
    if point.startswith("webhooks"):
        return (WEBHOOK,)
    return CHANNELS if point in TAKING_IN else ()


def _decline_in(got: Got) -> str:
    """The decline that a chat message leads to."""
    [decline] = set(re.findall(r"/prompts/(d-\w+)", json.dumps(json.loads(got.body)["blocks"])))
    return str(decline)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Where webhooks, chat messages and notices go."""
    with start_receiver() as running:
        running.behave(CHAT_PATH, status=200)
        running.behave(PUSH_PATH, status=201)
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
    arrivals, told = Arrivals(desk, sink), set[str]()
    drawn_for, twice = Counter[str](), Counter[str]()
    for number in range(1, KILLS + 1):
        point = drawn.choice(POINTS)
        desk.say_no(number)
        [decline] = set(desk.declines()) - told
        advance(desk, clock_file, 61)
        with desk.notifier_process(clock_file, point) as process:
            process.wait(WAIT_S)
        assert process.returncode == -9, f"{point} was not passed"
        ledger = desk.recorded(decline)
        advance(desk, clock_file, 31)  # what stands as intended is tried again
        with desk.notifier_process(clock_file):
            if servers is not None and number % A_BROKER_OF == 0:
                servers.act("kill-broker", BROKER_AWAY_S)
                servers.calm()
            wait_until(f"{decline} after {point}", partial(desk.has_arrived, decline, 1 + (point in SENT)))
        told.add(decline)
        copies = arrivals.copies_of(decline)
        assert set(copies) == {*CHANNELS, WEBHOOK}, (point, copies)
        assert set(copies.values()) <= {1, 2}, (point, copies)
        assert [name for name in ledger if copies[name] > 1] == [], (point, copies, "on record when it died")
        name, channel = point.partition("/")[::2]
        for by in hit_by(point):
            assert copies[by] == 1 + (name in {*ACCEPTED, *SENT}), (point, copies)
        drawn_for[channel or name.partition(".")[0]] += 1
        twice.update(name for name, count in copies.items() if count > 1)
        happened = dict(servers.happened) if servers else {}
        print(f"seed {SEED}: {number} kills {dict(drawn_for)}, {happened}; twice: {dict(twice)}", flush=True)
        advance(desk, clock_file, 600)  # three within five minutes would be told in one message
    arrived = arrivals.ids()
    assert {channel: len(ids) for channel, ids in arrived.items()} == dict.fromkeys([*CHANNELS, WEBHOOK], KILLS)
    assert sum(ids.total() - len(ids) for ids in arrived.values()) == twice.total()
