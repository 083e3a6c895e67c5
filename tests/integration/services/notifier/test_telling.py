"""What a person is told by mail, and what not: on the embedded engine, with a real mail server."""

from __future__ import annotations

import dataclasses

import pytest

from shared.contracts.notification import DeliveryState
from shared.contracts.rows import DismissalRow
from shared.crypto.links import Link, LinkPurpose
from shared.domain.instants import DAY_MS, HOUR_MS, from_datetime
from shared.domain.sighting import OwnAddresses
from shared.meetings.prompts import dismissal_id
from shared.organisations.addresses import keep_directory_addresses
from shared.ports.log import NewRecord
from shared.registry.tables import dismissals
from shared.runtime import metrics
from tests.integration.services.notifier.conftest import PUBLIC_URL, Desk
from tests.support.mail_server import MailSink, link_in, text_of
from tests.support.office import AARE, ADA, BIRS

pytestmark = pytest.mark.proves("B16")


def test_a_prompt_that_nobody_looks_at_is_told_once_after_a_minute(desk: Desk, sink: MailSink) -> None:
    desk.decline()
    desk.pass_time(59)
    assert sink.mails == []
    desk.pass_time(2)
    [mail] = sink.mails
    assert sink.recipients == [ADA]
    assert "Aare" in mail["Subject"]
    desk.pass_time(3 * 3600, 600)
    assert len(sink.mails) == 1


def test_a_day_that_has_not_begun_where_its_meeting_is_held_is_told(desk: Desk, sink: MailSink) -> None:
    """In San Francisco it is the evening before; in UTC, by which the day is named, it began an hour ago."""
    start_ms = desk.clock.at_ms - HOUR_MS
    for answer in ("none", "declined"):
        desk.calendar.book("e1", start_ms=start_ms, **{AARE: answer})
        desk.calendar.events["e1"] = dataclasses.replace(
            desk.calendar.events["e1"],
            end_ms=start_ms + DAY_MS,
            begins_ms=start_ms + 8 * HOUR_MS,
            ends_ms=start_ms + DAY_MS + 8 * HOUR_MS,
        )
        desk.look()
    desk.pass_time(61)
    assert len(desk.declines()) == 1
    assert len(sink.mails) == 1


def test_its_link_names_the_prompt_and_its_person(desk: Desk, sink: MailSink) -> None:
    desk.decline()
    desk.pass_time(61)
    address = link_in(sink.mails[0])
    signed = address.removeprefix(f"{PUBLIC_URL}/p/")
    [decline] = desk.declines()
    assert desk.signer.read(signed) == Link(LinkPurpose.PROMPT, desk.tenant, "u-ada", decline)


@pytest.mark.parametrize("act", ["taken", "accepted", "dismissed", "cancelled"])
def test_whoever_acted_before_is_not_told(desk: Desk, sink: MailSink, act: str) -> None:
    desk.decline()
    desk.pass_time(30)
    if act == "dismissed":
        row = DismissalRow(user="u-ada", at_ms=desk.clock.at_ms)
        dismissals(desk.engine.registry).put(desk.tenant, dismissal_id(desk.declines()[0], "u-ada"), row)
    elif act == "cancelled":
        desk.calendar.book("e1", start_ms=desk.calendar.events["e1"].start_ms)
    else:
        rooms = {"taken": {AARE: "declined", BIRS: "none"}, "accepted": {AARE: "accepted"}}[act]
        desk.calendar.book("e1", start_ms=desk.calendar.events["e1"].start_ms, **rooms)
    desk.look()
    desk.pass_time(3 * 24 * 3600, 1800)
    assert sink.mails == []


def test_reminders_come_a_day_and_two_hours_before_and_then_silence(desk: Desk, sink: MailSink) -> None:
    desk.decline(hours=72)
    starts_ms = desk.calendar.events["e1"].start_ms
    desk.prefer(quiet=False)
    desk.pass_time(80 * 3600, 300)
    moments = [from_datetime(mail["Date"].datetime) for mail in sink.mails]
    assert [(starts_ms - moment) // HOUR_MS for moment in moments] == [71, 24, 2]
    assert len(sink.ids()) == 3


@pytest.mark.proves("B26")
def test_mail_goes_where_the_directory_says_mail_reaches_them(desk: Desk, sink: MailSink) -> None:
    addresses = OwnAddresses("ada.lovelace@contoso.test", (ADA, "ada.lovelace@contoso.test"))
    keep_directory_addresses(desk.engine.registry, desk.engine.keyring, desk.tenant, "u-ada", addresses)
    desk.decline()
    desk.pass_time(61)
    assert sink.recipients == ["ada.lovelace@contoso.test"]


def test_three_at_once_are_told_in_one_mail(desk: Desk, sink: MailSink) -> None:
    for number in range(4):
        desk.decline(f"e{number}", hours=48 + number)
    desk.pass_time(90)
    [mail] = sink.mails
    assert mail["Subject"] == "4 meetings have lost their room"
    assert text_of(mail).count("/p/") == 5  # four prompts, and the link that stops mails


def test_whoever_wants_no_mail_gets_none(desk: Desk, sink: MailSink) -> None:
    desk.prefer(mail=False)
    desk.decline()
    desk.pass_time(50 * 3600, 900)
    assert sink.mails == []


def test_whoever_has_disconnected_is_not_told(desk: Desk, sink: MailSink) -> None:
    desk.decline()
    desk.broker.forget(desk.mailbox)
    desk.pass_time(120)
    assert sink.mails == []


def test_a_decline_that_is_published_twice_is_told_once(desk: Desk, sink: MailSink) -> None:
    desk.decline()
    desk.pass_time(61)
    [record] = desk.engine.log.read("room-rejections", 0, 0)
    desk.engine.log.append([NewRecord(record.topic, 0, record.key, record.value, record.headers)])
    desk.pass_time(300)
    assert len(sink.mails) == 1


@pytest.mark.parametrize("ran_before", [False, True])
def test_what_retention_took_is_a_loss_only_if_a_notifier_had_begun_to_read(desk: Desk, *, ran_before: bool) -> None:
    if ran_before:
        desk.decline("e0")
    desk.notifier.close()
    del desk.notifier
    desk.decline("e1")
    desk.engine.log.housekeep(desk.clock.at_ms + 6 * DAY_MS)
    labels = {"service": "notifier", "topic": "room-rejections"}
    before = metrics.REGISTRY.get_sample_value("roomsync_input_lost_total", labels) or 0
    desk.take_over()
    lost = (metrics.REGISTRY.get_sample_value("roomsync_input_lost_total", labels) or 0) - before
    assert (lost > 0) is ran_before


def test_a_decline_that_the_view_does_not_show_yet_is_told_when_it_does(desk: Desk, sink: MailSink) -> None:
    notifier = desk.notifier
    del desk.notifier
    desk.decline()
    desk.engine.view.reset(0)
    for _ in range(4):
        notifier.step()
    assert desk.topic("person-prompts") == []
    desk.take_over()  # what is searched for is remembered, whoever goes on
    desk.pass_time(120)
    assert len(sink.mails) == 1


def test_while_the_view_is_lost_nothing_is_taken_for_closed(desk: Desk, sink: MailSink) -> None:
    desk.decline()
    desk.engine.view.reset(0)
    desk.clock.at_ms += 61_000
    for _ in range(4):
        desk.notifier.step()
    assert sink.mails == []
    desk.pass_time(120)
    assert len(sink.mails) == 1


def test_a_meeting_that_is_gone_is_not_looked_up_again_before_its_next_rung(desk: Desk, sink: MailSink) -> None:
    desk.decline()
    del desk.calendar.events["e1"]
    desk.look()
    desk.pass_time(61)
    assert settled(desk) == {"mail/first": DeliveryState.SKIPPED}
    assert sink.mails == []


def settled(desk: Desk) -> dict[str, DeliveryState]:
    [ladder] = desk.notifier._ledger.ladders_of(desk.mailbox).values()
    return {name: delivery.state for name, delivery in ladder.deliveries.items()}
