"""The notifier's process is killed between intent, sending and record: every message arrives, and always under one id."""

from __future__ import annotations

import subprocess
from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from services.notifier.ledger import Ledger
from shared.contracts.notification import DeliveryState
from shared.contracts.topics import NOTIFICATION_STATE, POSITION_KEY
from tests.integration.services.notifier.conftest import Desk, advance
from tests.support.mail_server import MailSink
from tests.support.office_environ import office_environ, run_notifier
from tests.support.waiting import WAIT_S, wait_until

BEFORE_ACCEPTED = ("notifier.taking-in", "notifier.decided", "notifier.stated", "notifier.intended")
ACCEPTED = ("notifier.sent", "notifier.accepted")
RECORDED = ("notifier.recorded",)


def notifier(
    desk: Desk, home: Path, clock_file: Path, crash_at: str = "", port: int | None = None
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """`roomsync run notifier` on the office's own files."""
    mail = {"smtp_url": desk.smtp_url, "mail_from": "rooms@contoso.test"}
    settings = mail | {"test_clock": str(clock_file), "crash_at": crash_at}
    if port is not None:
        settings["notifier_port"] = str(port)
    return run_notifier(office_environ(desk._master, home, **settings), home / "notifier.log")


def states(desk: Desk) -> Counter[DeliveryState]:
    """How far the rungs have come, as a process that takes over would read it."""
    kept: dict[bytes, bytes] = {}
    offset = 0
    while page := desk.engine.log.read(NOTIFICATION_STATE.name, 0, offset):
        offset = page[-1].offset + 1
        kept |= {record.key: record.value for record in page if record.value is not None}
    kept.pop(POSITION_KEY, None)
    ladders = Ledger(kept, desk.engine.keyring.keys).ladders_of(desk.mailbox)
    return Counter(each.state for ladder in ladders.values() for each in ladder.deliveries.values())


@pytest.mark.proves("B16")
def test_every_message_arrives_under_one_id_and_twice_only_where_the_server_had_it_already(
    desk: Desk, sink: MailSink, tmp_path: Path, clock_file: Path
) -> None:
    desk.prefer(quiet=False, day_before=False, hours_before=False)
    desk.notifier.close()
    del desk.notifier  # from here on a process of its own does that
    kills = Counter[str]()
    for number, point in enumerate([*BEFORE_ACCEPTED, *ACCEPTED, *RECORDED], 1):
        desk.decline(f"e{number}", hours=48)
        advance(desk, clock_file, 61)
        with notifier(desk, tmp_path, clock_file, f"{point}:1") as process:
            process.wait(WAIT_S)
        assert process.returncode == -9, f"{point} was not passed"
        kills[point] += 1
        advance(desk, clock_file, 31)  # a rung whose intent stands is tried again
        with notifier(desk, tmp_path, clock_file):
            wait_until(f"told after {point}", lambda told=number: states(desk) == {DeliveryState.ACCEPTED: told})
        advance(desk, clock_file, 600)
    copies = Counter(sink.ids().values())
    assert len(sink.ids()) == sum(kills.values()) == 7
    assert copies == {1: 5, 2: sum(kills[point] for point in ACCEPTED)}


@pytest.mark.proves("B16")
def test_a_process_that_is_told_to_stop_records_what_is_on_its_way(
    desk: Desk, sink: MailSink, tmp_path: Path, clock_file: Path
) -> None:
    desk.notifier.close()
    del desk.notifier
    sink.slow_s = 1.0
    desk.decline()
    advance(desk, clock_file, 61)
    with notifier(desk, tmp_path, clock_file) as process:
        wait_until("an intent", lambda: states(desk)[DeliveryState.INTENT] == 1)
    assert process.returncode == 0
    assert states(desk) == {DeliveryState.ACCEPTED: 1}
    assert list(sink.ids().values()) == [1]
