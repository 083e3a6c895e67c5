"""An office whose people are told by mail: sync worker, room_status and notifier on one engine, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path

import msgspec
import pytest

from services.notifier.alarms import AlarmSender
from services.notifier.browser_recipients import BrowserRecipients
from services.notifier.calendar_recipients import CalendarRecipients
from services.notifier.channels.composition import MailComposer
from services.notifier.channels.mail_server import parse_mail_server
from services.notifier.channels.port import NoticeChannel
from services.notifier.channels.smtp import SmtpChannel
from services.notifier.chat_recipients import ChatRecipients
from services.notifier.notices import NoticeWriter
from services.notifier.outbox import Outbox
from services.notifier.prompt_reader import PromptReader
from services.notifier.recipients import People
from services.notifier.worker import NotifierOwner, Tools
from shared.contracts.rows import NotificationRow
from shared.contracts.topics import NOTIFIER
from shared.crypto.links import LinkSigner
from shared.domain.instants import SECOND_MS
from shared.registry.tables import notifications
from tests.support.mail_server import MailSink, serve_mail
from tests.support.office import AARE, Inline, Office

LINK_KEY = b"l" * 32
PUBLIC_URL = "https://rooms.contoso.test"


class Desk(Office):
    """The office, with somebody who tells people of their prompts."""

    def __init__(self, home: Path, port: int) -> None:
        self.sends_mail = True
        self.push_key = ""
        self.more_channels: dict[str, NoticeChannel] = {}
        self.threads_of: Callable[[str], Executor] = lambda _: Inline()
        self.smtp_url = f"smtp://127.0.0.1:{port}"
        super().__init__(home)
        self.take_over()
        self.connect()

    def take_over(self) -> None:
        """Another notifier claims the partition."""
        channel = SmtpChannel(
            parse_mail_server(self.smtp_url), MailComposer("Rooms <rooms@contoso.test>"), timeout_s=1.0
        )
        reader = PromptReader(self.engine, self.clock, lambda _: 0)
        self.signer = LinkSigner([LINK_KEY])
        writer = NoticeWriter(self.engine, self.clock, self.signer, PUBLIC_URL)
        mail = {"mail": channel} if self.sends_mail else {}
        channels = {**mail, **self.more_channels}
        alarms = AlarmSender(writer, Outbox(channels, self.threads_of))
        people = People(self.engine.registry, reader, writer, channels)
        chat = ChatRecipients(self.engine, self.clock, reader, PUBLIC_URL)
        calendars = CalendarRecipients(self.engine.registry, reader, writer, channels)
        browsers = BrowserRecipients(self.engine, reader, writer, channels, self.push_key)
        tools = Tools(reader, people, chat, calendars, browsers, Outbox(channels, self.threads_of), alarms)
        claim = self.engine.log.claim(NOTIFIER, 0)
        self.notifier = NotifierOwner(claim, self.engine, self.clock, tools, poll_s=0.0)

    def settle(self) -> None:
        """Run all three until nothing moves."""
        super().settle()
        if hasattr(self, "notifier"):
            for _ in range(4):
                self.notifier.step()

    def decline(self, event: str = "e1", *, hours: int = 48) -> None:
        """The room says no to a meeting in so many hours."""
        self.calendar.book(event, start_ms=self.clock.at_ms + hours * 3_600_000, **{AARE: "none"})
        self.look()
        self.calendar.book(event, start_ms=self.calendar.events[event].start_ms, **{AARE: "declined"})
        self.look()

    def look(self) -> None:
        """The mailbox is looked at now."""
        self.hint()
        self.settle()

    def pass_time(self, seconds: float, step_s: float = 30.0) -> None:
        """Time passes in steps, at each of which everything settles."""
        end_ms = self.clock.at_ms + int(seconds * SECOND_MS)
        while self.clock.at_ms < end_ms:
            self.clock.at_ms = min(end_ms, self.clock.at_ms + int(step_s * SECOND_MS))
            self.settle()

    def prefer(self, **wanted: object) -> None:
        """Ada's ladder."""
        rows = notifications(self.engine.registry)
        rows.put(self.tenant, "u-ada", msgspec.structs.replace(self.preferences, **wanted))

    @property
    def preferences(self) -> NotificationRow:
        """Ada's ladder as it stands."""
        return notifications(self.engine.registry).get(self.tenant, "u-ada") or NotificationRow()


@pytest.fixture
def server() -> Iterator[tuple[MailSink, int]]:
    """A mail server, and its port."""
    with serve_mail() as found:
        yield found


@pytest.fixture
def sink(server: tuple[MailSink, int]) -> MailSink:
    """What the mail server got."""
    return server[0]


@pytest.fixture
def desk(tmp_path: Path, server: tuple[MailSink, int]) -> Iterator[Desk]:
    """Ada is connected."""
    desk = Desk(tmp_path, server[1])
    yield desk
    desk.engine.close()


@pytest.fixture
def clock_file(tmp_path: Path, desk: Desk) -> Path:
    """The time of a notifier in a process of its own: the office's, as `advance` moves both."""
    path = tmp_path / "clock"
    path.write_text(f"{desk.clock.at_ms:015}")
    return path


def advance(desk: Desk, clock_file: Path, seconds: int) -> None:
    """Time passes for the office and for the process with this file alike."""
    desk.clock.at_ms += seconds * 1_000
    with clock_file.open("r+") as file:
        file.write(f"{desk.clock.at_ms:015}")
