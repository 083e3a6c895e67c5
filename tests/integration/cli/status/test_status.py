"""`roomsync status` on an office: what has happened there is on the screen, and what cannot be seen is said."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from cli.status.gather import find_hung_threads, gather_facts
from shared.errors import RetryableError
from shared.runtime.clock import SystemClock
from shared.runtime.settings import load
from tests.support.commands import Run
from tests.support.office import AARE, BIRS
from tests.support.spoilt_log import Poisoned

pytestmark = pytest.mark.proves("B14")
FINDING, UNREACHABLE = 1, 3


def seen(run: Run, code: int = 0) -> dict[str, Any]:
    ran = run("status", "--json")
    assert ran.code == code, ran.out
    return ran.lines[0]


def test_office_that_is_well(office: Poisoned, run: Run) -> None:
    office.connect()
    office.calendar.book(**{AARE: "declined"})
    office.hint()
    office.settle()
    screen = seen(run)
    assert screen["openPrompts"] == 1
    assert screen["mailboxes"] == {"microsoft": {"active": 1}}
    assert screen["calendars"]["microsoft"]["held"] == 1
    assert screen["lastPush"]["google"] is None
    assert screen["lastPush"]["microsoft"] is not None
    assert (screen["viewRebuilding"], screen["deadLetters"]["count"], screen["oldestHintSeconds"]) == ([], 0, 0.0)


@pytest.mark.proves("M5")
def test_room_states_are_confirmed_until_their_calendar_was_not_looked_at_for_a_quarter_of_an_hour(
    office: Poisoned, run: Run
) -> None:
    assert seen(run)["confirmedStates"] == {"upcoming": 0, "confirmed": 0, "percent": None, "outOfSight": 0}
    office.connect()
    office.calendar.book(**{AARE: "accepted"})
    office.hint()
    office.settle()
    assert seen(run)["confirmedStates"] == {"upcoming": 1, "confirmed": 1, "percent": 100.0, "outOfSight": 0}
    office.clock.at_ms += 900_000
    assert seen(run)["confirmedStates"] == {"upcoming": 1, "confirmed": 0, "percent": 0.0, "outOfSight": 0}


def test_observations_that_change_nothing_are_no_lag(office: Poisoned, run: Run) -> None:
    office.connect()
    office.calendar.book(**{AARE: "accepted"})
    office.hint()
    office.settle()
    office.reconcile_fully()
    office.clock.at_ms += 600_000
    room_status = seen(run)["stations"][1]
    assert (room_status["service"], room_status["lagRecords"]) == ("room-status", 0)


def test_room_status_that_stands_still_is_seen(office: Poisoned, run: Run) -> None:
    office.connect()
    office.calendar.book(**{AARE: "accepted"})
    office.hint()
    for _ in range(4):
        office.sync.step()
    office.clock.at_ms += 600_000
    screen = seen(run, FINDING)
    assert screen["stations"][1]["lagSeconds"] == 600.0
    assert "room-status is 600 s behind on observations" in screen["findings"][0]["what"]


def test_hint_that_nobody_answers_is_seen_with_its_age(office: Poisoned, run: Run) -> None:
    office.connect()
    office.hint()
    office.clock.at_ms += 300_000
    screen = seen(run, FINDING)
    assert screen["oldestHintSeconds"] == 300.0


def test_mailbox_that_fails_and_grows_stale_is_seen(office: Poisoned, run: Run) -> None:
    office.connect()
    office.calendar.look_failures = [RetryableError("away", retry_after_s=7200)]
    office.hint()
    office.after(1)
    office.after(1900)
    told = " ".join(finding["what"] for finding in seen(run, FINDING)["findings"])
    assert "the last look at 1 of 1 mailboxes at microsoft failed" in told
    assert "1 of 1 mailboxes at microsoft were not looked at in time" in told


def test_watch_that_died_is_seen(office: Poisoned, run: Run) -> None:
    office.connect()
    office.clock.at_ms += 8 * 86_400_000
    counts = seen(run, FINDING)["calendars"]["microsoft"]
    assert (counts["withoutSubscription"], counts["expiringIn24h"]) == (1, 0)


def test_watch_that_fell_silent_is_seen_until_a_push_comes(office: Poisoned, run: Run) -> None:
    """The provider dropped the subscription without a word: it has not expired, and a change came that no push announced."""
    office.calendar.book("e0", **{AARE: "accepted"})  # a meeting within a day: the pace is the setting's own
    office.connect()
    assert seen(run)["findings"] == []
    office.calendar.book(**{BIRS: "declined"})
    office.after(900 * 1.3)
    screen = seen(run, FINDING)
    [finding] = screen["findings"]
    assert finding["what"] == "looks at 1 mailboxes at microsoft found changes that no push had announced"
    assert screen["calendars"]["microsoft"]["withoutSubscription"] == 0
    office.calendar.book(**{BIRS: "accepted"})
    office.hint()
    office.settle()
    assert seen(run)["findings"] == []


def test_view_that_was_lost_is_seen(office: Poisoned, run: Run) -> None:
    office.connect()
    office.calendar.book(**{AARE: "accepted"})
    office.hint()
    office.settle()
    office.engine.view.reset(0)
    assert seen(run, FINDING)["viewRebuilding"] == [0]


def test_log_that_was_lost_is_seen_until_its_mailboxes_are_connected_anew(office: Poisoned, run: Run) -> None:
    office.connect()
    assert seen(run)["findings"] == []
    office.engine.close()
    for lost in office.home.glob("log.db*"):
        lost.unlink()
    [finding] = seen(run, FINDING)["findings"]
    assert "1 people connected at microsoft have no calendar on the log" in finding["what"]
    assert finding["do"].startswith("roomsync reconcile --all")


def test_registry_that_was_emptied_is_seen(office: Poisoned, run: Run) -> None:
    office.connect()
    assert seen(run)["registryEmptied"] is False
    office.engine.close()
    for leftover in office.home.glob("registry.db*"):
        leftover.unlink()
    [finding] = seen(run, FINDING)["findings"]
    assert "knows no organisation" in finding["what"]
    assert finding["runbook"] == "docs/runbooks/redis-lost.md"


@pytest.mark.parametrize(("file", "store"), [("log.db", "log"), ("registry.db", "registry")])
def test_store_that_is_away_is_named_and_the_rest_is_shown(
    office: Poisoned, run: Run, tmp_path: Path, file: str, store: str
) -> None:
    office.connect()
    office.hint()
    office.settle()
    office.engine.close()
    for leftover in office.home.glob(f"{file}*"):
        leftover.unlink()
    (office.home / file).write_bytes(b"no database" * 500)
    screen = seen(run, UNREACHABLE)
    assert store in screen["unreachable"]
    if store == "log":
        assert screen["mailboxes"] == {"microsoft": {"active": 1}}
        assert screen["stations"] == []
    else:
        assert screen["stations"][0]["lagSeconds"] == 0.0
        assert screen["mailboxes"] is None


def left(release: threading.Event) -> None:
    """Let the lanes that hang come to their end."""
    release.set()
    for lane in find_hung_threads():
        lane.join(10)


def test_what_hangs_is_not_closed_under_it(office: Poisoned, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    release, closed = threading.Event(), []
    monkeypatch.setattr(type(office.engine.registry), "scan", lambda *_: release.wait(30))
    monkeypatch.setattr(type(office.engine), "close", lambda _: closed.append(1))
    screen = run("status", "--json", "--timeout-s", "1")
    assert (screen.code, closed) == (UNREACHABLE, [])
    left(release)
    monkeypatch.undo()


def test_store_that_hangs_does_not_keep_the_screen_away(
    office: Poisoned, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    del run  # sets the environment
    release = threading.Event()
    monkeypatch.setattr(type(office.engine.registry), "scan", lambda *_: release.wait(30))
    began_s = time.monotonic()
    facts = gather_facts(office.engine, load(), SystemClock(), (), timeout_s=1.0)
    left(release)
    assert time.monotonic() - began_s < 20
    assert "registry" in facts.unreachable
    assert facts.letters is not None
