"""What is measured of telling people: from the answer seen to told, and meetings that began without a room and untold."""

from __future__ import annotations

import pytest
import structlog.testing

from shared.runtime import metrics
from tests.integration.services.notifier.conftest import Desk
from tests.support.mail_server import MailSink
from tests.support.office import AARE, BIRS

pytestmark = pytest.mark.proves("B22")


def untold() -> float:
    return metrics.REGISTRY.get_sample_value("roomsync_roomless_untold_total") or 0.0


def measured(channel: str, within: str = "+Inf") -> float:
    labels = {"channel": channel, "le": within}
    return metrics.REGISTRY.get_sample_value("roomsync_told_seconds_bucket", labels) or 0.0


def test_declines_are_measured_on_the_topic_and_by_mail(desk: Desk, sink: MailSink) -> None:
    desk.prefer(quiet=False)
    before = measured("topic", "10.0"), measured("mail", "30.0"), measured("mail", "90.0")
    desk.decline()
    desk.pass_time(90, 5)
    assert len(sink.mails) == 1
    after = measured("topic", "10.0"), measured("mail", "30.0"), measured("mail", "90.0")
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 0, 1]


def test_a_mail_that_no_server_took_for_minutes_is_measured_as_late(desk: Desk, sink: MailSink) -> None:
    desk.prefer(quiet=False)
    before = measured("mail"), measured("mail", "120.0")
    sink.answer, sink.takes = "451 later", False
    desk.decline()
    desk.pass_time(150)
    sink.answer = "250 OK"
    desk.pass_time(300)
    assert (measured("mail") - before[0], measured("mail", "120.0") - before[1]) == (1, 0)


def test_what_waits_on_purpose_is_not_measured(desk: Desk, sink: MailSink) -> None:
    desk.prefer(quiet=True, quiet_from="13:00", quiet_until="20:00", zone="UTC")  # the office opens at 14:13
    before = measured("mail")
    desk.decline(hours=100)
    desk.pass_time(10 * 3600, 600)
    assert len(sink.mails) == 1
    assert measured("mail") == before


def test_a_room_whose_no_is_seen_after_its_meeting_began_is_counted_once(desk: Desk) -> None:
    start_ms = desk.clock.at_ms + 600_000
    desk.calendar.book(start_ms=start_ms, **{AARE: "none", BIRS: "none"})
    desk.look()
    before = untold()
    desk.pass_time(700)
    desk.calendar.book(start_ms=start_ms, **{AARE: "declined", BIRS: "none"})
    with structlog.testing.capture_logs() as lines:
        desk.look()
    assert [line["dates"] for line in lines if line["event"] == "meeting_began_untold"] == [1]
    assert untold() - before == 1
    desk.calendar.book(start_ms=start_ms, **{AARE: "declined", BIRS: "declined"})
    desk.look()
    desk.pass_time(120)
    assert untold() - before == 1


@pytest.mark.parametrize("case", ["told in time", "had a room", "another had accepted", "asked after it began"])
def test_a_meeting_that_had_a_room_or_was_told_of_is_not_counted(desk: Desk, case: str) -> None:
    start_ms = desk.clock.at_ms + 600_000
    first = {
        "told in time": {AARE: "declined"},
        "had a room": {AARE: "accepted"},
        "another had accepted": {AARE: "none", BIRS: "accepted"},
        "asked after it began": {},
    }[case]
    desk.calendar.book(start_ms=start_ms, **(dict.fromkeys(first, "none")))
    desk.look()
    desk.calendar.book(start_ms=start_ms, **first)
    desk.look()
    before = untold()
    desk.pass_time(700)
    late = {"told in time": {AARE: "declined", BIRS: "declined"}}.get(case, first | {AARE: "declined"})
    desk.calendar.book(start_ms=start_ms, **(dict.fromkeys(late, "none") | first))
    desk.look()
    desk.calendar.book(start_ms=start_ms, **late)
    desk.look()
    assert untold() == before
