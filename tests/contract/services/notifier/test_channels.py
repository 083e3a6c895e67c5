"""The promises of a channel, held by every one: what an attempt comes to, in bounded time, and what it says of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from zoneinfo import ZoneInfo

import pytest

from deploy.local.processes import free_ports
from services.notifier.channels.browser import BrowserSender
from services.notifier.channels.chat import ChatSender
from services.notifier.channels.composition import MailComposer
from services.notifier.channels.mail_server import MailServer
from services.notifier.channels.port import AlarmNotice, Notice, NoticeChannel, NoticeLine, SendAttempt, SendOutcome
from services.notifier.channels.smtp import SmtpChannel
from services.notifier.channels.web_push import WebPush
from shared.contracts.chat_rows import ChatProduct
from shared.domain.instants import HOUR_MS
from shared.runtime.chat_post import ChatPost
from tests.support.mail_server import MailSink, serve_mail, text_of
from tests.support.push_browser import CONTACT, HOSTS, PRIVATE_KEY, PushBrowser
from tests.support.webhook_receiver import start_receiver

TIMEOUT_S = 0.5
NOW_MS = 1_795_000_000_000
ADDRESS = "ada@contoso.test"
NOTICE = Notice(
    id="n-abc",
    address=ADDRESS,
    lines=(NoticeLine("Aare 4.12", NOW_MS + HOUR_MS, NOW_MS + 2 * HOUR_MS, "https://rooms.test/p/one"),),
    zone=ZoneInfo("Europe/Zurich"),
    page="https://rooms.test/",
    stop="https://rooms.test/p/stop",
    at_ms=NOW_MS,
)


@dataclass
class Rig:
    """A channel, and the means to see and steer what is at its other end."""

    channel: NoticeChannel
    arrived: Callable[[], list[str]]
    """The text of each message that its person got."""
    refuse: Callable[[], None]
    be_busy: Callable[[], None]
    hang: Callable[[], None]
    elsewhere: NoticeChannel
    """The same channel, towards where nobody listens."""
    names_each: bool = True
    """Whether a digest has a link to each prompt; else it leads to the page that has all of them."""


def mail() -> Iterator[Rig]:
    composer = MailComposer("Rooms <rooms@contoso.test>")
    with serve_mail() as (sink, port):

        def to(where: int) -> SmtpChannel:
            server = MailServer("127.0.0.1", where, implicit_tls=False, require_starttls=False)
            return SmtpChannel(server, composer, timeout_s=TIMEOUT_S)

        yield Rig(
            channel=to(port),
            arrived=lambda: [text_of(each) for each in sink.mails],
            refuse=lambda: sink.refusals.update({ADDRESS: f"550 5.1.1 <{ADDRESS}> is unknown"}),
            be_busy=lambda: _answer(sink, f"451 4.3.0 {ADDRESS} has to wait"),
            hang=lambda: setattr(sink, "slow_s", 5 * TIMEOUT_S),
            elsewhere=to(free_ports(1)[0]),
        )


@dataclass(frozen=True)
class Towards:
    """Chat, to one channel's address."""

    post: ChatSender
    product: ChatProduct
    address: str
    name: str = "chat"

    def send(self, notice: Notice | AlarmNotice) -> SendAttempt:
        """Send once."""
        assert isinstance(notice, Notice)
        return self.post.send(replace(notice, chat=self.product, address=self.address))


def chat(product: ChatProduct) -> Iterator[Rig]:
    hosts = frozenset({"127.0.0.1"})
    post, path = ChatSender(ChatPost(hosts, hosts, whole_s=TIMEOUT_S)), f"/hooks/{product}/T0/B0"
    with start_receiver() as receiver:

        def texts() -> list[str]:
            taken = [each for each in receiver.got(path) if each.status == HTTPStatus.NO_CONTENT]
            return ["\n".join(_strings(json.loads(each.body))) for each in taken]

        yield Rig(
            channel=Towards(post, product, f"{receiver.url}{path}"),
            arrived=texts,
            refuse=lambda: receiver.behave(path, status=404),
            be_busy=lambda: receiver.behave(path, status=429, headers={"Retry-After": "30"}),
            hang=lambda: receiver.behave(path, slow_s=5 * TIMEOUT_S),
            elsewhere=Towards(post, product, f"http://127.0.0.1:{free_ports(1)[0]}{path}"),
        )


@dataclass(frozen=True)
class TowardsBrowser:
    """A browser's push service, for one browser."""

    sender: BrowserSender
    browser: PushBrowser
    name: str = "browser"

    def send(self, notice: Notice | AlarmNotice) -> SendAttempt:
        """Send once."""
        assert isinstance(notice, Notice)
        return self.sender.send(replace(notice, browser=self.browser.target))


def browser() -> Iterator[Rig]:
    sender, path = BrowserSender(WebPush(PRIVATE_KEY, CONTACT, HOSTS, HOSTS, whole_s=TIMEOUT_S)), "/wpush/v2/token"
    with start_receiver() as receiver:
        mine = PushBrowser(f"{receiver.url}{path}")

        def texts() -> list[str]:
            taken = [each for each in receiver.got(path) if each.status == HTTPStatus.CREATED]
            return ["\n".join(_strings(mine.read(each))) for each in taken]

        receiver.behave(path, status=201)
        yield Rig(
            channel=TowardsBrowser(sender, mine),
            arrived=texts,
            refuse=lambda: receiver.behave(path, status=410),
            be_busy=lambda: receiver.behave(path, status=429, headers={"Retry-After": "30"}),
            hang=lambda: receiver.behave(path, slow_s=5 * TIMEOUT_S),
            elsewhere=TowardsBrowser(sender, PushBrowser(f"http://127.0.0.1:{free_ports(1)[0]}{path}")),
            names_each=False,
        )


def _strings(told: object) -> Iterator[str]:
    """Every text in a decoded body."""
    if isinstance(told, str):
        yield told
    elif isinstance(told, list | dict):
        for each in told.values() if isinstance(told, dict) else told:
            yield from _strings(each)


def _answer(sink: MailSink, text: str) -> None:
    sink.answer = text


@pytest.fixture(
    params=[mail, browser, *(partial(chat, product) for product in ChatProduct)], ids=["mail", "browser", *ChatProduct]
)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """One channel after the other."""
    yield from request.param()


def test_what_is_accepted_has_arrived_with_room_hour_and_link(rig: Rig) -> None:
    assert rig.channel.send(NOTICE).outcome is SendOutcome.ACCEPTED
    [text] = rig.arrived()
    assert "Aare 4.12" in text
    assert "https://rooms.test/p/one" in text


def test_several_prompts_are_told_in_one_message(rig: Rig) -> None:
    lines = tuple(replace(NOTICE.lines[0], link=f"https://rooms.test/p/{number}") for number in range(4))
    assert rig.channel.send(replace(NOTICE, lines=lines)).outcome is SendOutcome.ACCEPTED
    [text] = rig.arrived()
    assert all(link in text for link in ([line.link for line in lines] if rig.names_each else [NOTICE.page]))


def test_whoever_is_refused_is_refused_and_not_named(rig: Rig) -> None:
    rig.refuse()
    attempt = rig.channel.send(NOTICE)
    assert attempt.outcome is SendOutcome.REFUSED
    assert attempt.reason
    assert ADDRESS not in attempt.reason
    assert rig.arrived() == []


def test_a_busy_server_means_later(rig: Rig) -> None:
    rig.be_busy()
    attempt = rig.channel.send(NOTICE)
    assert attempt.outcome is SendOutcome.LATER
    assert ADDRESS not in attempt.reason


def test_a_server_that_is_away_means_later(rig: Rig) -> None:
    assert rig.elsewhere.send(NOTICE).outcome is SendOutcome.LATER


def test_a_server_that_does_not_answer_is_not_waited_for(rig: Rig) -> None:
    rig.hang()
    began_s = time.monotonic()
    assert rig.channel.send(NOTICE).outcome is SendOutcome.LATER
    assert time.monotonic() - began_s < 4 * TIMEOUT_S


@pytest.mark.parametrize("name", ["Evil\r\nBcc: x@y.test", "\u202eeraA", "", "a" * 5_000, "<b>Aare</b>", "会议室 ü"])
def test_any_name_of_a_room_is_told_on_one_line(rig: Rig, name: str) -> None:
    notice = replace(NOTICE, lines=(replace(NOTICE.lines[0], room=name),))
    assert rig.channel.send(notice).outcome is SendOutcome.ACCEPTED
    [text] = rig.arrived()
    assert "\u202e" not in text
    assert not any(line.startswith("Bcc:") for line in text.splitlines())
