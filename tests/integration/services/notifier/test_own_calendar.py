"""An event in the person's own calendar tells them: if they asked for it, once, content-free, and not for longer than needed."""

from __future__ import annotations

import msgspec
import pytest

from services.notifier.channels.calendar import CalendarSender
from services.notifier.deciding.rungs import CALENDAR
from shared.contracts.command import Disconnect
from shared.contracts.notification import DeliveryState
from shared.contracts.rows import DismissalRow
from shared.domain.identity import Provider
from shared.domain.instants import MINUTE_MS
from shared.errors import RefusedError, RetryableError
from shared.meetings.prompts import dismissal_id
from shared.registry import tables
from tests.integration.services.notifier.conftest import PUBLIC_URL, Desk
from tests.integration.services.notifier.crowd import book, decline
from tests.support.emptiness import found
from tests.support.mail_server import MailSink
from tests.support.office import AARE, ADA, BIRS

pytestmark = pytest.mark.proves("B30")


@pytest.fixture
def reminded(desk: Desk) -> Desk:
    """Ada asked for it, and for no mail."""
    desk.more_channels[CALENDAR] = CalendarSender(desk.broker, {Provider.MICROSOFT: desk.calendar})
    desk.take_over()
    desk.prefer(mail=False, quiet=False, calendar=True, calendar_since_ms=desk.clock.at_ms)
    return desk


def deliveries(desk: Desk) -> list[tuple[DeliveryState, bool, str]]:
    """What the ledger holds of her calendar: state, whether an event stands, and what the calendar calls it."""
    ledger = desk.notifier._ledger
    kept = [each for mailbox in ledger.mailboxes() for each in ledger.ladders_of(mailbox).values()]
    return [
        (each.state, each.placed, each.event)
        for ladder in kept
        for name, each in sorted(ladder.deliveries.items())
        if name.startswith("calendar/")
    ]


def change_rooms(desk: Desk, **rooms: str) -> None:
    desk.calendar.book("e1", start_ms=desk.calendar.events["e1"].start_ms, **rooms)
    desk.look()


def test_whoever_did_not_ask_for_it_finds_nothing_in_their_calendar(reminded: Desk, sink: MailSink) -> None:
    reminded.prefer(calendar=False, mail=True)
    reminded.decline()
    reminded.pass_time(3 * 3600, 600)
    assert reminded.calendar.reminded == {}
    assert len(sink.mails) == 1


def test_an_event_tells_after_a_minute_of_rooms_hours_and_links_alone(reminded: Desk, sink: MailSink) -> None:
    reminded.decline()
    reminded.pass_time(59)
    assert reminded.calendar.reminded == {}
    reminded.pass_time(2)
    [reminder] = reminded.calendar.reminded.values()
    now_ms = reminded.clock.at_ms
    assert 0 <= reminder.start_ms - now_ms < MINUTE_MS
    assert reminder.start_ms % MINUTE_MS == 0
    assert reminder.end_ms - reminder.start_ms == 5 * MINUTE_MS
    assert "Aare" in reminder.text
    assert f"{PUBLIC_URL}/p/" in reminder.text
    assert found([("event", f"{reminder.title}\n{reminder.text}".encode())], [ADA, "Planning"]) == []
    assert "Aare" not in reminder.title
    reminded.pass_time(3 * 3600, 600)
    assert len(reminded.calendar.reminded) == 1
    assert sink.mails == []


@pytest.mark.parametrize("act", ["taken", "accepted", "dismissed", "cancelled", "over"])
def test_the_event_goes_once_nothing_is_left_to_do(reminded: Desk, act: str) -> None:
    reminded.decline()
    reminded.pass_time(120)
    assert len(reminded.calendar.reminded) == 1
    if act == "dismissed":
        row = DismissalRow(user="u-ada", at_ms=reminded.clock.at_ms)
        tables.dismissals(reminded.engine.registry).put(
            reminded.tenant, dismissal_id(reminded.declines()[0], "u-ada"), row
        )
    elif act == "over":
        reminded.pass_time(49 * 3600, 1800)
    else:
        rooms = {"taken": {AARE: "declined", BIRS: "none"}, "accepted": {AARE: "accepted"}, "cancelled": {}}[act]
        change_rooms(reminded, **rooms)
    reminded.pass_time(90)
    assert reminded.calendar.reminded == {}
    assert {(placed, event) for _, placed, event in deliveries(reminded)} == {(False, "")}


def test_an_event_of_many_prompts_goes_with_the_last_of_them(reminded: Desk) -> None:
    reminded.prefer(day_before=False, hours_before=False)
    for number in range(3):
        reminded.decline(f"e{number}")
    reminded.pass_time(120)
    [digest] = reminded.calendar.reminded.values()
    assert digest.title == "3 meetings have lost their room"
    for number in range(3):
        assert len(reminded.calendar.reminded) == 1
        start_ms = reminded.calendar.events[f"e{number}"].start_ms
        reminded.calendar.book(f"e{number}", start_ms=start_ms, **{AARE: "accepted"})
        reminded.look()
        reminded.pass_time(90)
    assert reminded.calendar.reminded == {}


def test_a_later_event_takes_the_place_of_an_earlier_one(reminded: Desk) -> None:
    reminded.decline(hours=48)
    reminded.pass_time(24 * 3600 + 1200, 600)
    [only] = reminded.calendar.reminded.values()
    assert reminded.clock.at_ms - only.start_ms <= 1200 * 1000 + MINUTE_MS
    assert sum(call.startswith("remind") for call in reminded.calendar.calls) == 2


def test_switching_it_off_removes_what_stands(reminded: Desk) -> None:
    reminded.decline()
    reminded.pass_time(120)
    reminded.prefer(calendar=False)
    reminded.pass_time(90)
    assert reminded.calendar.reminded == {}


@pytest.mark.parametrize("failure", [RetryableError("busy", retry_after_s=1.0), RefusedError("no right")])
def test_a_removal_is_tried_again_while_it_may_succeed(reminded: Desk, failure: Exception) -> None:
    reminded.decline()
    reminded.pass_time(120)
    reminded.calendar.remind_failures = [failure]
    change_rooms(reminded, **{AARE: "accepted"})
    reminded.pass_time(90)
    reminded.pass_time(600, 60)
    left = isinstance(failure, RefusedError)
    assert bool(reminded.calendar.reminded) == left
    assert {placed for _, placed, _ in deliveries(reminded)} == {False}


def test_a_calendar_that_refuses_for_good_is_left_alone_and_the_profile_can_say_so(reminded: Desk) -> None:
    reminded.calendar.remind_failures = [
        RefusedError("no right", provider_status=403, provider_code="ErrorAccessDenied")
    ]
    reminded.decline()
    reminded.pass_time(3600, 60)
    assert reminded.calendar.reminded == {}
    row = reminded.preferences
    assert (row.calendar_refusal, row.calendar_refused_at_ms > 0, row.refused_at_ms) == ("ErrorAccessDenied", True, 0)
    reminded.decline("e2")
    reminded.pass_time(3600, 60)
    assert reminded.calendar.reminded == {}


def test_a_calendar_that_is_busy_is_asked_again(reminded: Desk) -> None:
    reminded.calendar.remind_failures = [RetryableError("busy")]
    reminded.decline()
    reminded.pass_time(70, 10)
    assert reminded.calendar.reminded == {}
    reminded.pass_time(60, 10)
    assert len(reminded.calendar.reminded) == 1


def test_whoever_dies_before_the_answer_is_known_leaves_nothing_behind(reminded: Desk) -> None:
    """The calendar has the event and its name is on no record; the prompt closes before anybody tries again."""
    remind = reminded.calendar.remind

    def made_and_lost(access: object, wish: object) -> str:
        remind(access, wish)  # type: ignore[arg-type]
        message = "cut off"
        raise RetryableError(message)

    reminded.calendar.remind = made_and_lost  # type: ignore[method-assign,assignment]
    reminded.decline()
    reminded.pass_time(61, 61)
    assert deliveries(reminded)[0] == (DeliveryState.INTENT, True, "")
    change_rooms(reminded, **{AARE: "accepted"})
    reminded.take_over()
    reminded.pass_time(300, 30)
    assert reminded.calendar.reminded == {}
    assert {placed for _, placed, _ in deliveries(reminded)} == {False}


def test_a_permission_that_only_reads_is_not_written_with(reminded: Desk) -> None:
    tables.consents(reminded.engine.registry).change(
        reminded.tenant,
        "m-ada",
        lambda row: row and msgspec.structs.replace(row, scopes=("openid", "Calendars.Read")),
    )
    reminded.decline()
    reminded.pass_time(600)
    assert reminded.calendar.reminded == {}


def test_disconnecting_removes_what_stands_before_the_grant_goes(reminded: Desk) -> None:
    reminded.decline()
    reminded.pass_time(120)
    reminded.broker.leaving(reminded.mailbox)
    reminded.send(Disconnect(at_ms=reminded.clock.at_ms))
    reminded.settle()
    assert reminded.consent() is None
    assert reminded.calendar.reminded == {}
    reminded.pass_time(300)
    assert {placed for _, placed, _ in deliveries(reminded)} == {False}


def test_many_rooms_at_once_write_nothing_to_calendars_until_it_is_over(reminded: Desk) -> None:
    book(reminded, 40)
    decline(reminded, 40)
    reminded.pass_time(600)
    assert reminded.calendar.reminded == {}
