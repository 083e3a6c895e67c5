"""A hundred rooms say no at once: one alarm, mails are held, and one digest a person once it is over."""

from __future__ import annotations

import pytest

from shared.domain.instants import MINUTE_MS, SECOND_MS
from shared.organisations import decline_incidents
from tests.integration.services.notifier.conftest import Desk
from tests.integration.services.notifier.crowd import ADMIN, BUILDING, answer, appoint_administrator, book, decline
from tests.support.mail_server import MailSink, text_of
from tests.support.office import ADA

pytestmark = pytest.mark.proves("B17")
BEN = "ben@contoso.test"


def subjects_of(sink: MailSink, address: str) -> list[str]:
    """The subjects of what somebody got."""
    return [str(mail["Subject"]) for mail in sink.mails if mail["To"] == address]


@pytest.fixture
def crowd(desk: Desk) -> Desk:
    """Ada and Ben may change the meetings of a hundred rooms, of which each said no within a minute."""
    appoint_administrator(desk)
    book(desk, 100)
    desk.connect("ben")
    decline(desk, 100)
    return desk


def test_the_topic_is_not_delayed_one_alarm_goes_out_and_mails_are_held(crowd: Desk, sink: MailSink) -> None:
    assert len(crowd.topic("room-rejections")) == 100
    crowd.pass_time(14 * 60)
    [alarm] = sink.mails
    assert alarm["To"] == ADMIN
    assert "rooms said no at once" in alarm["Subject"]
    assert f"one building: {BUILDING}" in text_of(alarm)
    row = decline_incidents.read_open(crowd.engine.registry, crowd.tenant)
    assert row is not None
    assert (row.declines, row.cause, row.about) == (100, "building", BUILDING)


def test_after_quiet_each_person_gets_one_digest(crowd: Desk, sink: MailSink) -> None:
    crowd.pass_time(17 * 60)
    assert subjects_of(sink, ADA) == subjects_of(sink, BEN) == ["100 meetings have lost their room"]
    assert len(subjects_of(sink, ADMIN)) == 1
    crowd.pass_time(3600, 60)
    assert len(sink.mails) == 3


def test_who_releases_it_sends_the_digests_and_rooms_that_accepted_again_are_not_in_them(
    crowd: Desk, sink: MailSink
) -> None:
    crowd.pass_time(120)
    answer(crowd, range(98), "accepted")
    assert decline_incidents.release(crowd.engine.registry, crowd.tenant, crowd.clock.at_ms) is not None
    crowd.pass_time(90)
    assert subjects_of(sink, ADA) == subjects_of(sink, BEN) == ["2 meetings have lost their room"]
    assert crowd.notifier._ledger.incidents == {}


def test_nobody_is_told_when_all_rooms_have_accepted_again(crowd: Desk, sink: MailSink) -> None:
    answer(crowd, range(100), "accepted")
    crowd.pass_time(40 * 60)
    assert [mail["To"] for mail in sink.mails] == [ADMIN]


def test_a_decline_while_it_lasts_makes_it_last_longer(crowd: Desk, sink: MailSink) -> None:
    crowd.pass_time(10 * 60)
    answer(crowd, [0], "accepted")
    answer(crowd, [0], "declined")
    crowd.pass_time(10 * 60)
    assert subjects_of(sink, ADA) == []
    crowd.pass_time(7 * 60)
    assert subjects_of(sink, ADA) == ["100 meetings have lost their room"]


def test_a_successor_goes_on_where_it_died(crowd: Desk, sink: MailSink) -> None:
    crowd.pass_time(60)
    decline_incidents.tables.decline_incidents(crowd.engine.registry).delete(crowd.tenant, decline_incidents.LATEST)
    crowd.take_over()
    crowd.pass_time(10 * 60)
    assert [mail["To"] for mail in sink.mails] == [ADMIN]
    crowd.take_over()
    crowd.pass_time(7 * 60)
    assert subjects_of(sink, ADA) == ["100 meetings have lost their room"]


def test_twenty_are_no_incident(desk: Desk, sink: MailSink) -> None:
    appoint_administrator(desk)
    book(desk, 20)
    decline(desk, 20)
    desk.pass_time(7 * 60)
    assert decline_incidents.read_latest(desk.engine.registry, desk.tenant) is None
    assert {mail["To"] for mail in sink.mails} == {ADA}
    assert desk.notifier._ledger.counted == {}


def test_a_twentieth_of_the_rooms_to_come_is_no_incident(desk: Desk) -> None:
    book(desk, 500)
    decline(desk, 25)
    assert decline_incidents.read_latest(desk.engine.registry, desk.tenant) is None
    answer(desk, [30], "declined")
    for _ in range(3):
        desk.settle()
    desk.clock.at_ms += SECOND_MS
    desk.settle()
    row = decline_incidents.read_latest(desk.engine.registry, desk.tenant)
    assert row is not None
    assert (row.declines, row.upcoming) == (26, 500)


def test_declines_that_piled_up_while_no_notifier_ran_are_counted_when_they_were_seen(desk: Desk) -> None:
    book(desk, 60)
    notifier = desk.notifier
    del desk.notifier
    for number in range(60):
        answer(desk, [number], "declined")
        desk.clock.at_ms += MINUTE_MS // 4
    desk.notifier = notifier
    for _ in range(4):
        desk.settle()
    assert decline_incidents.read_latest(desk.engine.registry, desk.tenant) is None


def test_two_that_are_left_when_it_is_quiet_are_one_mail(crowd: Desk, sink: MailSink) -> None:
    answer(crowd, range(98), "accepted")
    crowd.pass_time(18 * 60)
    assert subjects_of(sink, ADA) == subjects_of(sink, BEN) == ["2 meetings have lost their room"]


def test_without_a_mail_server_declines_are_counted_and_pages_can_say_so(desk: Desk, sink: MailSink) -> None:
    desk.sends_mail = False
    desk.take_over()
    appoint_administrator(desk)
    book(desk, 40)
    decline(desk, 40)
    desk.pass_time(60)
    row = decline_incidents.read_open(desk.engine.registry, desk.tenant)
    assert row is not None
    assert row.declines == 40
    assert list(desk.notifier._ledger.mailboxes()) == [], "no ladder begins for which there is no channel"
    assert desk.notifier._ledger.incidents[desk.tenant].alarms == {}, "no alarm waits for a server that there is not"
    desk.pass_time(16 * 60, 60)
    assert decline_incidents.read_open(desk.engine.registry, desk.tenant) is None
    assert sink.mails == []
