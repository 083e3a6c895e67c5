"""Walks through a guide from its first step to its last, in a directory of its own, with a simulated organisation."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from cli.demo.processes import simulator_environ
from deploy.local.processes import free_ports
from tests.support.guides.acts import Acts
from tests.support.guides.consoles import Consoles
from tests.support.guides.failure import WalkError, fail
from tests.support.guides.guide import Act, Step, read_steps
from tests.support.guides.terminal import Terminal
from tests.support.paths import ROOT
from tests.support.process_guard import ProcessGuard
from tests.support.processes import start_simulator

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PEOPLE = ("Ada", "Ben", "Cleo")
PROGRAMS = ("az", "gcloud", "git", "make", "cloudflared")
_CLIENT = re.compile(r"_CLIENT_(ID|SECRET)$")


@dataclass(slots=True)
class Walk:
    """One reader with one guide."""

    provider: str
    simulator: str
    directory: Path
    steps: list[Step]
    terminal: Terminal
    consoles: Consoles
    acts: Acts
    done: str = ""
    """What the last act was done in: `page`, `terminal` or `console`."""

    def through(self, before: Callable[[Step, Act], None] | None = None) -> None:
        """
        Do every step. Raises WalkError, which names the step.

        Args:
            before: Called before each act.
        """
        for step in self.steps:
            try:
                for act in step.acts:
                    if before:
                        before(step, act)
                    self._do(act)
            except WalkError as error:
                error.step = f"{step.number}. {step.title}"
                raise

    def sim(self, path: str) -> list[dict[str, Any]]:
        """A list of the simulator's."""
        found: list[dict[str, Any]] = httpx.get(f"{self.simulator}/sim/v1/{path}").raise_for_status().json()[path]
        return found

    def _do(self, act: Act) -> None:
        match act.kind:
            case "sh":
                self.terminal.run(self._filled(act.text))
                self.done = "terminal"
            case "stays":
                self.terminal.run_on(self._filled(act.text))
                self.done = "terminal"
            case "env":
                self._write_settings(self._filled(act.text).splitlines())
            case "see":
                self._see(act)
            case "item":
                fields = {name: self._filled(value) for name, value in act.fields.items()}
                self.acts.do(Act("item", act.text, fields))
                self.done = "console" if "console, open" in act.text else "page"

    def _see(self, act: Act) -> None:
        assert act.marked, f"nothing is bold or code in: {act.text}"
        for text in act.marked:
            if self.done == "page":
                self.acts.see(text)
            elif self.done == "terminal" and not self.terminal.wait_for(text):
                fail(f"“{text}” is not to be seen", self.terminal.everything())
            elif self.done == "console" and text not in self.consoles.shown:
                fail(f"the console does not show “{text}”", str(self.consoles.shown))

    def _filled(self, text: str) -> str:
        for name, value in self.consoles.shown.items():
            text = text.replace(f"<{name}>", value)
        if left := re.search(r"<[a-z][A-Za-z ]+>", text):
            fail(f"no console has shown {left[0]}")
        return text

    def _write_settings(self, lines: Collection[str]) -> None:
        path = self.terminal.clone / ".env"
        names = {line.partition("=")[0] for line in lines if "=" in line}
        before = path.read_text().splitlines() if path.exists() else []
        path.write_text("\n".join([*(line for line in before if line.partition("=")[0] not in names), *lines, ""]))


@contextmanager
def start_walk(provider: str, browser: Browser, directory: Path, change: Callable[[str], str] = str) -> Iterator[Walk]:
    """
    Read a guide, with a simulated organisation to try it on; everything is stopped on the way out.

    Args:
        provider: Whose guide.
        directory: Where the reader's terminal begins.
        change: Makes another guide of the text.
    """
    with ExitStack() as stack:
        guard, simulator = stack.enter_context(ProcessGuard()), stack.enter_context(start_simulator())
        guard.watch(simulator.process.pid)
        _create_organisation(provider, simulator.url)
        portal, receiver = free_ports(2)
        replaced = {
            "https://rooms.corp.example": f"http://127.0.0.1:{portal}",
            "https://hooks.corp.example": f"http://127.0.0.1:{receiver}",
            "127.0.0.1:8102": f"127.0.0.1:{portal}",
            "127.0.0.1:8101": f"127.0.0.1:{receiver}",
        }
        text = change((ROOT / "docs" / f"try-{provider}.md").read_text())
        for written, ours in replaced.items():
            text = text.replace(written, ours)
        environ = _environ(simulator.url, directory, portal, receiver)
        terminal = Terminal(directory, environ, guard)
        stack.callback(terminal.close)
        consoles = Consoles(simulator.url, directory)
        acts = Acts(browser, simulator.url, terminal, consoles)
        stack.callback(acts.close)
        yield Walk(provider, simulator.url, directory, read_steps(text), terminal, consoles, acts)


def _environ(simulator: str, directory: Path, portal: int, receiver: int) -> dict[str, str]:
    """The reader's environment: other makers' programs, and the addresses of the simulator in place of the providers'."""
    programs = directory / "programs"
    programs.mkdir()
    for name in PROGRAMS:
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -S -m tests.support.guides.programs {name} "$@"\n')
        program.chmod(0o755)
    addresses = {name: value for name, value in simulator_environ(simulator).items() if not _CLIENT.search(name)}
    return addresses | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(directory),
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(directory),
        "GUIDE_SIMULATOR": simulator,
        "ROOMSYNC_PORTAL_PORT": str(portal),
        "ROOMSYNC_RECEIVER_PORT": str(receiver),
        "ROOMSYNC_SIMULATOR_PORT": "0",
        "ROOMSYNC_PROMPT_GRACE_S": "0",
    }


def _create_organisation(provider: str, simulator: str) -> None:
    """Three people, one of whom has the small room whenever somebody else wants it, and Google's administrator who restricts."""
    with httpx.Client(base_url=f"{simulator}/sim/v1") as sim:
        tenant = _post(sim, "tenants", provider=provider, name="Corp", domain="corp.example")["id"]
        for name in PEOPLE:
            _post(sim, "users", tenant=tenant, name=name, address=f"{name.lower()}@corp.example")
        suffix = "corp.example" if provider == "microsoft" else "resource.calendar.google.com"
        for name, mode in (("Aare", "forbid"), ("Birs", "auto")):
            rules = {"mode": mode, "delayMs": [0, 200]}
            _post(sim, "rooms", tenant=tenant, name=name, address=f"{name.lower()}@{suffix}", capacity=6, rules=rules)
        faults = {"oauth": {"google": {"adminApprovalRequired": True}}, "superAdmins": ["ada@corp.example"]}
        sim.put("faults", json=faults).raise_for_status()


def _post(sim: httpx.Client, path: str, **sent: Any) -> dict[str, Any]:
    answer = sim.post(path, json=sent)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
