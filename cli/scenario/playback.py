"""Plays a scenario step by step and collects every difference from what it expects."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cli.scenario.answers import AnswerBook, AnswerServer
from cli.scenario.deployment import Deployment
from cli.scenario.findings import ScenarioFacts, differences
from cli.scenario.instants import moment_ms
from cli.scenario.script import Scenario, ScenarioError, ScriptStep, act_of
from services.portal.operations import ProblemError


def play(scenario: Scenario) -> list[str]:
    """
    Play `scenario` in a temporary directory.

    Returns:
        A line a difference, in the order in which they were seen; none means that the scenario passes.
    """
    with tempfile.TemporaryDirectory(prefix="roomsync-scenario-") as home:
        return list(_played(scenario, Path(home)))


def _played(scenario: Scenario, home: Path) -> Iterator[str]:
    book = AnswerBook(scenario.provider, lambda: 0)
    server = AnswerServer(book)
    try:
        deployment = Deployment(home, scenario, server.base)
        book.now_ms = deployment.clock.now_ms
        try:
            yield from _Playback(scenario, deployment, book).run()
        except ScenarioError as error:
            yield str(error)
        finally:
            deployment.close()
    finally:
        server.close()


class _Playback:
    def __init__(self, scenario: Scenario, deployment: Deployment, book: AnswerBook) -> None:
        self._scenario = scenario
        self._deployment = deployment
        self._book = book
        self._facts = ScenarioFacts(scenario, deployment, book)

    def run(self) -> Iterator[str]:
        for number, step in enumerate(self._scenario.steps, 1):
            act = act_of(step)
            place = f"step {number} ({act or 'expect'})"
            yield from (f"{place}: {line}" for line in self._step(act, step))
        yield from (f"at the end: {line}" for line in differences(self._scenario.expect, self._facts))

    def _step(self, act: str, step: ScriptStep) -> Iterator[str]:
        self._book.offer(step.answers)
        try:
            self._do(act, step)
        except ScenarioError as error:
            yield str(error)
        yield from (f"no answer for {request}" for request in self._book.unmatched)
        self._book.unmatched.clear()
        yield from (f"nobody asked {when}; mark it `optional` if that is right" for when in self._book.unused())
        if step.expect is not None:
            yield from differences(step.expect, self._facts)

    def _do(self, act: str, step: ScriptStep) -> None:
        deployment = self._deployment
        match act:
            case "connect":
                deployment.connect(step.connect or "")
            case "disconnect":
                deployment.disconnect(step.disconnect or "")
            case "push":
                deployment.push(step.push or "")
            case "look":
                deployment.begin_look(step.look or "", full=step.full)
                if not step.hold:
                    deployment.commit_look(step.look or "")
            case "commit":
                deployment.commit_look(step.commit or "")
            case "clock":
                deployment.move_clock(moment_ms(step.clock or "", deployment.clock.at_ms))
            case "dismiss" | "take":
                self._at_the_page(step)
            case "restart":
                self._restart(step.restart or "")
            case _:
                pass

    def _restart(self, service: str) -> None:
        match service:
            case "sync-worker":
                self._deployment.restart_sync_worker()
            case "room-status":
                self._deployment.restart_room_status()
            case _:
                message = f"no service {service!r} to restart; sync-worker and room-status can be restarted"
                raise ScenarioError(message)

    def _at_the_page(self, step: ScriptStep) -> None:
        """What a person does at a prompt. A refusal is an answer like any other: what must follow stands in the file."""
        with contextlib.suppress(ProblemError):
            self._act(step)

    def _act(self, step: ScriptStep) -> None:
        if step.dismiss is not None:
            wish = step.dismiss
            prompt = self._facts.prompt_id(wish.person, wish.room, wish.date)
            self._deployment.viewer(wish.person).dismiss(prompt)
            self._deployment.fold()
        elif step.take is not None:
            take = step.take
            prompt = self._facts.prompt_id(take.person, take.prompt.room, take.prompt.date)
            self._deployment.viewer(take.person).take(prompt, self._deployment.rooms[take.room])
