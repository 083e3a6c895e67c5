"""`roomsync demo` on a terminal: what it promises is there, and closing the terminal ends everything it started."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from cli.demo.open_prompt import open_second_prompt
from cli.demo.organisations import create_organisation, ensure_decline, read_organisation, tomorrow_at
from cli.demo.processes import RunningSystem, start_system

PATIENCE_S = 120.0


@dataclass
class Terminal:
    """The demo on a terminal of its own, and what it has printed."""

    demo: subprocess.Popen[bytes]
    screen: int
    home: Path
    text: str = ""

    def read_until(self, words: str) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.text:
            assert time.monotonic() < deadline, self.text
            self.text += os.read(self.screen, 4096).decode().replace("\r\n", "\n")
        return self.text

    def processes(self) -> list[int]:
        """Whose settings name the demo's directory: the simulator, the supervisor, the services."""
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if f"ROOMSYNC_HOME={self.home}".encode() in path.read_bytes():
                    found.append(int(path.parent.name))
            except OSError:  # it has ended, or is somebody else's
                continue
        return found


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    screen, keyboard = pty.openpty()
    environ = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "cli.main", "demo", "--provider", "microsoft"]
    demo = subprocess.Popen(
        command,
        stdin=keyboard,
        stdout=keyboard,
        stderr=keyboard,
        env=environ,
        start_new_session=True,
        preexec_fn=control_terminal,  # noqa: PLW1509  # no thread runs yet
    )
    os.close(keyboard)
    found = Terminal(demo, screen, tmp_path)
    try:
        found.read_until("Ctrl-C stops everything.")
        yield found
    finally:
        for each in (demo.pid, *found.processes()):
            with_signal(each, signal.SIGKILL)
        demo.wait()


def control_terminal() -> None:
    """Make standard input the terminal of this session: whoever runs in it is told when it closes."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def with_signal(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return


def wait(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes by /proc")
def test_what_it_promises_is_there_and_closing_the_terminal_ends_it_all(terminal: Terminal) -> None:
    text = terminal.text
    [portal] = set(re.findall(r"(http://\S+)/auth/login", text))
    with httpx.Client(base_url=portal, follow_redirects=True, timeout=30) as ada:
        ada.get("/auth/login", params={"provider": "microsoft", "login_hint": "ada@contoso.test"})
        prompts = ada.get("/v1/me/prompts").json()["prompts"]
        assert [prompt["title"] for prompt in prompts if prompt["open"]] == ["Your turn"]

    [sign_in] = re.findall(r"Switch an organisation on: (\S+)", text)
    assert "ada@fabrikam.test" in text
    with httpx.Client(base_url=portal, follow_redirects=True, timeout=30) as administrator:
        landed = administrator.get(f"{sign_in}&login_hint=ada@fabrikam.test")
        assert landed.url.path == "/admin/integration", landed.text
        assert administrator.get("/v1/admin/integration").json()["state"] == "off"

    status, tail, subscriber = text.partition("In another terminal:\n")[2].splitlines()[:3]
    assert json.loads(pasted(status.replace("status)", "status --json)")))["unreachable"] == {}
    assert "declined" in pasted(tail.replace(" --follow", ""))
    assert [item["type"] for item in json.loads(pasted(subscriber))["items"]] == ["roomsync.room.declined.v1"] * 2

    assert len(terminal.processes()) >= 6
    os.close(terminal.screen)  # the kernel tells the session that its terminal is gone
    assert terminal.demo.wait(30) == 128 + signal.SIGHUP
    assert wait(lambda: terminal.processes() == [])
    assert list(terminal.home.glob("roomsync-demo-*")) == []


def pasted(line: str) -> str:
    """What a shell prints for a line, from another directory and without the demo's environment."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ROOMSYNC_")}
    return subprocess.run(["sh", "-c", line], cwd="/", env=environ, capture_output=True, text=True, check=False).stdout


@pytest.fixture(scope="module")
def without_decisions() -> Iterator[RunningSystem]:
    """A system in which nothing is decided, so that no prompt can come."""
    services = ("webhook-receiver", "sync-worker", "portal")
    with start_system(engine="embedded", seed=1, servers={}, services=services) as system:
        create_organisation(system, "microsoft")
        yield system


def test_prompt_that_does_not_come_is_not_promised(without_decisions: RunningSystem) -> None:
    lines: list[str] = []
    assert not open_second_prompt(without_decisions, "microsoft", lines.append, patience_s=2.0)
    assert "no prompt for “Your turn” within 2 s" in "\n".join(lines)
    assert "take another room" not in "\n".join(lines)


def test_room_is_taken_at_that_hour_before_the_next_meeting_asks_for_it(without_decisions: RunningSystem) -> None:
    who = read_organisation(without_decisions, "microsoft")
    for hour in (8, 17):
        ensure_decline(without_decisions, who, tomorrow_at(hour))
        facts = httpx.get(f"{without_decisions.simulator}/sim/v1/history").json()
        facts = facts["history"] if isinstance(facts, dict) else facts
        newest = [fact["meeting"] for fact in facts if fact["kind"] == "meeting-created"][-1]
        assert any(fact["kind"] == "room-answered" and fact["meeting"] == newest for fact in facts), hour
