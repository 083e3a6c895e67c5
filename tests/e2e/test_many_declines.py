"""A hundred requests of a room are declined within a minute: events at once, one alarm, and one mail once it is released."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from cli.demo.organisations import REFUSING, book_meeting, create_organisation, tomorrow_at
from cli.demo.processes import SERVICES, run_command, start_system
from shared.contracts.topics import ROOM_REJECTIONS
from tests.e2e.test_closed_laptop import MINUTE_MS, signed_in
from tests.e2e.test_journey import topic
from tests.e2e.ticking import TickingClock
from tests.support.mail_server import MailSink, serve_mail, text_of

COUNT = 100


def alarms(sink: MailSink) -> list[str]:
    return [str(mail["Subject"]) for mail in sink.mails if "at once" in mail["Subject"]]


@pytest.mark.proves("B17")
def test_a_hundred_declines_make_one_alarm_and_one_digest(
    engine: str, servers: Mapping[str, str], tmp_path: Path
) -> None:
    with TickingClock(tmp_path / "clock") as clock, serve_mail() as (sink, port):
        overrides = {
            "ROOMSYNC_PROMPT_GRACE_S": "0",
            "ROOMSYNC_TEST_CLOCK": str(clock.path),
            "ROOMSYNC_SMTP_URL": f"smtp://127.0.0.1:{port}",
            "ROOMSYNC_MAIL_FROM": "rooms@corp.example",
        }
        services = [*SERVICES, "notifier"]
        with start_system(engine=engine, seed=7, servers=servers, services=services, overrides=overrides) as system:
            who = create_organisation(system, "google")
            account = ["--provider", "google", "--directory", who.directory, "--account", str(who.host["id"])]
            run_command(["tenants", "admin", *account], system.environ)
            person = signed_in(system, who)
            try:
                begin = tomorrow_at(0) + timedelta(days=1)  # far enough from now at any hour
                for number in range(COUNT):
                    at = begin + timedelta(hours=number)
                    book_meeting(system, who, host="Ada", title="M", room=REFUSING, at=at, guests=[])
                for _ in range(COUNT):
                    person.wait_for("prompt")
                sink.wait_for(1)
                clock.jump(5 * MINUTE_MS)
                declines = [event["id"] for event in topic(system, ROOM_REJECTIONS.name)]
                assert len(set(declines)) == len(declines) == COUNT
                found = person.get("/v1/me/prompts")
                assert sum("folded" not in shape for shape in found["prompts"]) == 20
                assert len(found["prompts"]) == COUNT
                assert "Many rooms" in found["manyAtOnce"]["words"]
                assert "rooms said no at once" in person.page("/admin/rooms")
                assert len(sink.mails) == len(alarms(sink)) == 1
                assert f"one room: {REFUSING}" in text_of(sink.mails[0])
                assert person.send("/v1/admin/incident/release", {}).status_code == 200
                sink.wait_for(2)
                clock.jump(10 * MINUTE_MS)
            finally:
                person.close()
    assert len(alarms(sink)) == 1
    assert [str(mail["Subject"]) for mail in sink.mails[1:]] == [f"{COUNT} meetings have lost their room"]
