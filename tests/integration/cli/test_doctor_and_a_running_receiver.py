"""`roomsync doctor` asks whether the public address leads to our receiver, and says whether calendars may be written to."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from deploy.local.processes import free_ports
from shared.crypto.master import new_key
from tests.support.commands import run_roomsync, set_alone
from tests.support.processes import start

pytestmark = pytest.mark.proves("B18")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    [port] = free_ports(1)
    found = {
        "ROOMSYNC_HOME": str(tmp_path / "home"),
        "ROOMSYNC_RECEIVER_PORT": str(port),
        "ROOMSYNC_PORTAL_PORT": "0",
        "ROOMSYNC_SIMULATOR_PORT": "0",
        "ROOMSYNC_PUBLIC_URL": "http://127.0.0.1:9",
        "ROOMSYNC_HOOKS_URL": f"http://127.0.0.1:{port}",
        "ROOMSYNC_MASTER_KEY": new_key(),
        "ROOMSYNC_DOTENV": "off",
    }
    set_alone(monkeypatch, found)
    return found


def check(name: str) -> dict[str, str]:
    lines = [json.loads(line) for line in run_roomsync("doctor", "--json").out.splitlines()]
    found: dict[str, str] = next(each for each in lines if each["check"] == name)
    return found


def test_address_that_leads_to_the_receiver_is_told_from_one_that_does_not(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (check("hooks")["state"], "no receiver runs" in check("hooks")["said"]) == ("note", True)
    command = [sys.executable, "-m", "cli.main", "run", "webhook-receiver"]
    with start(command, "webhook-receiver", {**settings, "ROOMSYNC_TRUSTED_PROXIES": "none", "PATH": "/usr/bin"}):
        assert check("hooks")["state"] == "ok"
        monkeypatch.setenv("ROOMSYNC_HOOKS_URL", "http://127.0.0.1:9")
        wrong = check("hooks")
        assert (wrong["state"], "below /hooks/" in wrong["next"]) == ("wrong", True)


@pytest.mark.usefixtures("settings")
def test_doctor_says_that_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check("writes")["said"].startswith("on:")
    monkeypatch.setenv("ROOMSYNC_WRITES", "off")
    assert check("writes")["said"] == "off: nothing is written to anybody's calendar"
