"""The notifier's process is killed while many rooms say no, and two others go on: one alarm, mails held, one digest."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.contracts.rows import DeclineIncidentRow
from shared.organisations import decline_incidents
from tests.integration.services.notifier.conftest import Desk, advance
from tests.integration.services.notifier.crowd import ADMIN, appoint_administrator, book, decline
from tests.integration.services.notifier.test_kills import notifier
from tests.support.mail_server import MailSink
from tests.support.office import ADA
from tests.support.waiting import WAIT_S, wait_until

pytestmark = pytest.mark.proves("B17")
COUNT = 40
DIED_HAVING_SENT = "notifier.sent"
POINTS = ("notifier.taking-in", "notifier.incident-shown", "notifier.alarm-intended", DIED_HAVING_SENT)


def incident(desk: Desk) -> DeclineIncidentRow | None:
    return decline_incidents.read_latest(desk.engine.registry, desk.tenant)


@pytest.mark.parametrize("point", POINTS)
def test_whoever_takes_over_holds_on_and_tells_each_once(
    desk: Desk, sink: MailSink, tmp_path: Path, clock_file: Path, point: str
) -> None:
    desk.notifier.close()
    del desk.notifier
    desk.prefer(quiet=False, day_before=False, hours_before=False)
    appoint_administrator(desk)
    book(desk, COUNT)
    decline(desk, COUNT)
    advance(desk, clock_file, 0)
    with notifier(desk, tmp_path, clock_file, f"{point}:1") as process:
        process.wait(WAIT_S)
    assert process.returncode == -9, f"{point} was not passed"
    advance(desk, clock_file, 40)  # an alarm whose intent stands is sent again
    with notifier(desk, tmp_path, clock_file), notifier(desk, tmp_path, clock_file, port=0):
        sink.wait_for(1 + (point == DIED_HAVING_SENT))
        wait_until("all are counted", lambda: (row := incident(desk)) is not None and row.declines == COUNT)
        advance(desk, clock_file, 300)
        assert {mail["To"] for mail in sink.mails} == {ADMIN}
        assert len(sink.ids()) == 1
        decline_incidents.release(desk.engine.registry, desk.tenant, desk.clock.at_ms)
        advance(desk, clock_file, 1)
        wait_until("the digest", lambda: any(mail["To"] == ADA for mail in sink.mails))
        advance(desk, clock_file, 3600)
    told = [str(mail["Subject"]) for mail in sink.mails if mail["To"] == ADA]
    assert told == [f"{COUNT} meetings have lost their room"]
    assert len(sink.ids()) == 2
