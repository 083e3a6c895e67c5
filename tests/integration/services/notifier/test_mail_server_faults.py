"""A mail server that hangs up, refuses, is busy, slow or away: what is sent again, under which id, and when it ends."""

from __future__ import annotations

import re

import pytest

from deploy.local.processes import free_ports
from shared.contracts.rows import NotificationRow
from tests.integration.services.notifier.conftest import Desk
from tests.support.mail_server import MailSink, serve_mail
from tests.support.office import ADA

pytestmark = pytest.mark.proves("B16")


def test_a_server_that_takes_it_and_hangs_up_gets_it_again_under_the_same_id(desk: Desk, sink: MailSink) -> None:
    sink.answer = ""
    desk.decline()
    desk.pass_time(61)
    assert len(sink.mails) == 1
    sink.answer = "250 OK"
    desk.pass_time(60)
    assert list(sink.ids().values()) == [2]
    desk.pass_time(7200, 600)
    assert len(sink.mails) == 2


@pytest.mark.parametrize("answer", ["451 4.3.0 later", "554 5.7.1 policy", "552 5.3.4 too large"])
def test_a_server_that_does_not_take_it_now_is_asked_again_and_nobody_is_switched_off(
    desk: Desk, sink: MailSink, answer: str
) -> None:
    sink.answer = answer
    desk.decline()
    desk.pass_time(300)
    assert sink.mails == []
    sink.answer = "250 OK"
    desk.pass_time(600)
    assert len(sink.mails) == 1
    assert desk.preferences == NotificationRow()


@pytest.mark.parametrize("answer", ["550 5.1.1 no such user", "550 no such user", "551 gone", "550 5.2.1 disabled"])
def test_a_server_that_refuses_the_address_ends_that_persons_mails(desk: Desk, sink: MailSink, answer: str) -> None:
    sink.refusals[ADA] = answer
    desk.decline()
    desk.pass_time(61)
    assert desk.preferences.refused_at_ms > 0
    assert re.fullmatch(r"55\d( 5\.\d\.\d)?", desk.preferences.refusal), "codes, and not the server's words"
    sink.refusals.clear()
    desk.decline("e2")
    desk.pass_time(3600, 120)
    assert sink.mails == []
    desk.prefer(refused_at_ms=0, refusal="")
    desk.decline("e3")
    desk.pass_time(600)
    assert len(sink.mails) == 1


@pytest.mark.parametrize("answer", ["450 4.2.1 busy", "550 5.7.1 relaying denied", "554 5.7.0 policy"])
def test_a_refusal_that_does_not_speak_of_the_address_is_tried_again(desk: Desk, sink: MailSink, answer: str) -> None:
    sink.refusals[ADA] = answer
    desk.decline()
    desk.pass_time(61)
    sink.refusals.clear()
    desk.pass_time(60)
    assert len(sink.mails) == 1
    assert desk.preferences.refused_at_ms == 0


def test_a_server_that_is_away_gets_it_when_it_is_back(desk: Desk, sink: MailSink) -> None:
    [port] = free_ports(1)
    desk.smtp_url = f"smtp://127.0.0.1:{port}"
    desk.take_over()
    desk.decline()
    desk.pass_time(600)
    with serve_mail(sink, port=port):
        desk.pass_time(600)
    assert list(sink.ids().values()) == [1]


def test_a_server_that_takes_nothing_is_left_alone_once_it_would_be_of_no_use(desk: Desk, sink: MailSink) -> None:
    sink.answer = "451 4.3.0 later"
    desk.prefer(day_before=False, hours_before=False)
    desk.decline(hours=3)
    desk.pass_time(4 * 3600, 300)
    sink.answer = "250 OK"
    desk.pass_time(24 * 3600, 3600)
    assert sink.mails == []


def test_a_slow_server_is_given_up_for_now_and_asked_again(desk: Desk, sink: MailSink) -> None:
    sink.slow_s = 1.5  # the channel of the desk waits one second
    desk.decline()
    desk.pass_time(61)
    sink.slow_s = 0.0
    desk.pass_time(60)
    assert len(sink.ids()) == 1
