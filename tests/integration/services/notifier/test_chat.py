"""A chat channel of the organisation is told of each room that says no: once, content-free, and not while many do at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.notifier.channels.chat import ChatSender
from services.notifier.deciding.rungs import CHAT, MAIL
from services.notifier.outbox import MAX_IN_FLIGHT, SLOW_CHAT
from shared.contracts.chat_rows import ChatProduct
from shared.organisations import chat_channels, decline_incidents
from shared.organisations.chat_channels import NewChatChannel
from shared.runtime.chat_post import ChatPost
from tests.integration.services.notifier.conftest import PUBLIC_URL, Desk, advance
from tests.integration.services.notifier.crowd import book, decline
from tests.integration.services.notifier.test_kills import ACCEPTED, BEFORE_ACCEPTED, RECORDED
from tests.support.emptiness import found
from tests.support.mail_server import MailSink
from tests.support.office import ADA, Inline, PausedPool
from tests.support.office_environ import office_environ, run_notifier
from tests.support.waiting import WAIT_S, wait_until
from tests.support.webhook_receiver import Got, Receiver, start_receiver

HOSTS = frozenset({"127.0.0.1"})
PATH = "/services/T0/B0/secret-of-the-channel"


@pytest.fixture(scope="module")
def product() -> Iterator[Receiver]:
    """A chat product in a process of its own."""
    with start_receiver() as running:
        yield running


@pytest.fixture
def path(product: Receiver, request: pytest.FixtureRequest) -> str:
    """A channel's address of this test's own."""
    mine = f"{PATH}/{abs(hash(request.node.nodeid))}"
    product.behave(mine, status=200)
    return mine


@pytest.fixture
def channel(desk: Desk, product: Receiver, path: str) -> str:
    """The id of the organisation's channel; mails are off."""
    desk.more_channels[CHAT] = ChatSender(ChatPost(HOSTS, HOSTS, whole_s=1.0))
    desk.take_over()
    desk.prefer(mail=False)
    new = NewChatChannel(ChatProduct.SLACK, "#rooms", f"{product.url}{path}", "Europe/Zurich")
    return chat_channels.add_channel(desk.engine.registry, desk.engine.keyring, desk.tenant, new, desk.clock.at_ms).id


def posted(product: Receiver, path: str) -> list[Got]:
    return product.got(path)


@pytest.mark.proves("B16", "B29")
def test_channel_is_told_after_a_minute_a_day_and_two_hours_before_and_of_nothing_private(
    desk: Desk, channel: str, product: Receiver, path: str
) -> None:
    desk.connect("ben")
    desk.decline(hours=48)
    desk.pass_time(55)
    assert posted(product, path) == []
    desk.pass_time(30)
    [first] = posted(product, path)
    blocks = json.dumps(json.loads(first.body)["blocks"])
    assert "Aare" in blocks
    assert "11:00" in blocks or "UTC" not in blocks
    assert f"{PUBLIC_URL}/prompts/d-" in blocks
    assert found([("chat", first.body.encode())], [ADA, "e1", "ben"]) == []
    desk.pass_time(47 * 3600, 600)
    assert len(posted(product, path)) == 3


@pytest.mark.proves("B29")
def test_channel_that_refuses_for_good_is_left_alone_and_its_administrators_can_see_it(
    desk: Desk, channel: str, product: Receiver, path: str
) -> None:
    product.behave(path, status=410)
    desk.decline("e1")
    desk.pass_time(300)
    desk.decline("e2")
    desk.pass_time(600)
    assert len(posted(product, path)) == 1
    row = chat_channels.find_channel(desk.engine.registry, desk.tenant, channel)
    assert row is not None
    assert (row.refusal, row.refused_at_ms > 0) == ("410", True)


@pytest.mark.proves("B29")
def test_channel_that_asks_to_wait_is_asked_when_it_said(
    desk: Desk, channel: str, product: Receiver, path: str
) -> None:
    product.behave(path, status=429, headers={"Retry-After": "300"})
    desk.decline()
    desk.pass_time(90)
    product.behave(path, status=200)
    desk.pass_time(240)
    assert len(posted(product, path)) == 1
    desk.pass_time(120)
    assert [each.status for each in posted(product, path)] == [429, 200]


@pytest.mark.proves("B29")
@pytest.mark.parametrize("wish", ["1", "1e308"])
def test_channel_that_asks_for_a_moment_or_for_ever_is_asked_less_and_less_often_and_within_an_hour(
    desk: Desk, channel: str, product: Receiver, path: str, wish: str
) -> None:
    product.behave(path, status=503, headers={"Retry-After": wish})
    desk.decline()
    desk.pass_time(3600, 10)
    assert 1 <= len(posted(product, path)) <= 8
    product.behave(path, status=200)
    desk.pass_time(3600, 60)
    assert posted(product, path)[-1].status == 200


@pytest.mark.proves("B16", "B29")
def test_product_that_never_answers_keeps_no_mail_waiting(desk: Desk, channel: str, sink: MailSink) -> None:
    held = PausedPool()
    desk.threads_of = {CHAT: held, MAIL: Inline()}.__getitem__
    desk.take_over()
    desk.prefer(mail=True)
    for number in range(9):
        new = NewChatChannel(ChatProduct.SLACK, f"#rooms-{number}", "http://127.0.0.1:9/x")
        chat_channels.add_channel(desk.engine.registry, desk.engine.keyring, desk.tenant, new, desk.clock.at_ms)
    for number in range(3):
        desk.decline(f"e{number}")
        desk.pass_time(600)
        assert len(sink.mails) == number + 1
    assert len(desk.notifier._tools.outbox.under_way) == MAX_IN_FLIGHT


@pytest.mark.proves("B29")
def test_channels_that_answer_late_keep_no_other_channel_waiting(
    desk: Desk, channel: str, product: Receiver, path: str
) -> None:
    """Whoever has an account at a product decides how late it answers: nine channels of theirs, and one that takes messages."""
    slow, silent = PausedPool(), f"{path}/silent"
    product.behave(silent, status=200, slow_s=30)
    desk.more_channels[CHAT] = ChatSender(ChatPost(HOSTS, HOSTS, whole_s=0.2))
    desk.threads_of = {CHAT: Inline(), SLOW_CHAT: slow, MAIL: Inline()}.__getitem__
    desk.take_over()
    for number in range(9):
        new = NewChatChannel(ChatProduct.SLACK, f"#late-{number}", f"{product.url}{silent}")
        chat_channels.add_channel(desk.engine.registry, desk.engine.keyring, desk.tenant, new, desk.clock.at_ms)
    for number in range(4):
        desk.decline(f"e{number}")
        desk.pass_time(600)
        assert len(posted(product, path)) == number + 1, "whoever takes messages is told each time"
    assert len(posted(product, silent)) == 9, "each was late once beside the others, and never again"
    assert len(desk.notifier._tools.outbox.under_way) == MAX_IN_FLIGHT

    product.behave(silent, status=200)
    slow.release()
    desk.decline("e5")
    desk.pass_time(600)
    assert len(posted(product, silent)) > 9 + MAX_IN_FLIGHT, "who answers in time again has the lane of the others"


@pytest.mark.proves("B17", "B29")
def test_channel_waits_while_many_rooms_say_no_at_once_and_gets_one_message(
    desk: Desk, channel: str, product: Receiver, path: str, sink: MailSink
) -> None:
    book(desk, 40)
    decline(desk, 40)
    desk.pass_time(600)
    assert posted(product, path) == []
    assert decline_incidents.release(desk.engine.registry, desk.tenant, desk.clock.at_ms) is not None
    desk.pass_time(600)
    [digest] = posted(product, path)
    assert "40 meetings have lost their room" in digest.body
    assert sink.mails == []


@pytest.mark.proves("B29")
def test_every_message_arrives_through_kills_and_twice_only_where_the_product_had_it(
    desk: Desk, channel: str, product: Receiver, path: str, tmp_path: Path, clock_file: Path
) -> None:
    settings = {"chat_hosts": "127.0.0.1", "webhook_allowed_hosts": "127.0.0.1", "test_clock": str(clock_file)}
    desk.notifier.close()
    del desk.notifier
    points = [*BEFORE_ACCEPTED, *ACCEPTED, *RECORDED]
    for number, point in enumerate(points, 1):
        desk.decline(f"e{number}", hours=47 + number)
        advance(desk, clock_file, 61)
        crashing = office_environ(desk._master, tmp_path, **settings, crash_at=f"{point}:1")
        with run_notifier(crashing, tmp_path / "notifier.log") as process:
            process.wait(WAIT_S)
        assert process.returncode == -9, f"{point} was not passed"
        advance(desk, clock_file, 31)
        with run_notifier(office_environ(desk._master, tmp_path, **settings), tmp_path / "notifier.log"):
            wait_until(
                f"told after {point}", lambda told=number: len({each.body for each in posted(product, path)}) == told
            )
            wait_until(
                "recorded",
                lambda told=number: (tmp_path / "notifier.log").read_text().count("message_accepted") >= told,
            )
        advance(desk, clock_file, 600)
    copies = Counter(each.body for each in posted(product, path))
    assert Counter(copies.values()) == {1: len(points) - len(ACCEPTED), 2: len(ACCEPTED)}
    assert found([("log", (tmp_path / "notifier.log").read_bytes())], [PATH, ADA, "Aare"]) == []
