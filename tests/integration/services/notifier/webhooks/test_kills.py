"""The notifier's process is killed between reading, sending and record: every event arrives, under its own id."""

from __future__ import annotations

import subprocess
from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from shared.runtime.clock import SystemClock
from tests.integration.services.notifier.webhooks.conftest import Bureau
from tests.support.emptiness import found, in_files
from tests.support.office import AARE, ADA
from tests.support.office_environ import office_environ, run_notifier
from tests.support.waiting import WAIT_S, wait_until

pytestmark = pytest.mark.proves("B21")
NOT_SENT = ("webhooks.taking-in", "webhooks.decided", "webhooks.stated", "webhooks.intended")
SENT = ("webhooks.sent", "webhooks.answered")
RECORDED = ("webhooks.recorded",)


@pytest.fixture(autouse=True)
def _machine_time(bureau: Bureau) -> None:
    """What a process at the machine's time finds older than five days, retention takes."""
    bureau.clock.at_ms = SystemClock().now_ms()


def notifier(bureau: Bureau, home: Path, crash_at: str = "") -> AbstractContextManager[subprocess.Popen[bytes]]:
    """`roomsync run notifier` on the office's own files, at the machine's time."""
    settings = {"webhooks": "on", "webhook_allowed_hosts": "127.0.0.1", "crash_at": crash_at}
    return run_notifier(office_environ(bureau._master, home, **settings), home.parent / "notifier.log")


def test_every_event_arrives_under_its_own_id_and_twice_only_where_the_receiver_had_it_already(
    bureau: Bureau, path: str, tmp_path: Path
) -> None:
    endpoint, home = bureau.add_endpoint(path), tmp_path / "home"
    bureau.owner.close()
    bodies: dict[str, bytes] = {}
    for point in (*NOT_SENT, *SENT, *RECORDED):
        event = f"d-{point.partition('.')[2]}"
        bodies |= bureau.publish(event)
        with notifier(bureau, home, f"{point}:1") as process:
            process.wait(WAIT_S)
        assert process.returncode == -9, f"{point} was not passed: {(tmp_path / 'notifier.log').read_text()[-3000:]}"
        with notifier(bureau, home):
            wait_until(
                f"{event} after {point}",
                lambda event=event: (
                    event in {each.event for each in bureau.deliveries(endpoint) if not each.retry_at_ms}
                ),
            )
        assert event in {each.id for each in bureau.receiver.got(path)}, point
    arrived = bureau.receiver.got(path)
    copies = Counter(each.id for each in arrived)
    assert {event: count for event, count in copies.items() if count > 1} == {
        f"d-{point.partition('.')[2]}": 2 for point in SENT
    }
    for got in arrived:
        assert got.body.encode() == bodies[got.id]
        Webhook(bureau.secrets[endpoint]).verify(got.body, got.headers)
    words = [bureau.secrets[endpoint], bureau.secrets[endpoint].removeprefix("whsec_"), AARE, ADA, path]
    log = (tmp_path / "notifier.log").read_bytes()
    assert found([("log", log), *in_files(home)], [word for word in words if word not in {AARE, ADA}]) == []
    assert found([("log", log), *((each.id, str(each).encode()) for each in arrived)], [AARE, ADA, "Aare"]) == []


def test_a_process_that_is_told_to_stop_records_what_is_on_its_way(bureau: Bureau, path: str, tmp_path: Path) -> None:
    endpoint = bureau.add_endpoint(path)
    bureau.owner.close()
    bureau.receiver.behave(path, slow_s=1.0)
    bureau.publish("d-1")
    with notifier(bureau, tmp_path / "home") as process:
        wait_until("a request", lambda: bool(bureau.receiver.got(path)))
    assert process.returncode == 0
    assert [(each.event, each.status) for each in bureau.deliveries(endpoint)] == [("d-1", 204)]
