"""Killing any process in the middle of the story only delays it."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence

import pytest

from cli.demo.organisations import create_organisation
from cli.demo.processes import SERVICES, RunningSystem, start_system
from cli.demo.story import run_story
from tests.support.waiting import wait_until

WORDS = ("is booked", "she takes")
"""Moments of the story at which a process dies; it is another one by then, started in its place."""


class Killer:
    """Kills one service at the first line of the story that contains a word, for each word once."""

    def __init__(self, stage: RunningSystem, service: str, words: Sequence[str]) -> None:
        self._stage, self._service, self._words = stage, service, words
        self.killed: dict[str, int] = {}
        """Word → which process was killed then."""

    def __call__(self, line: str) -> None:
        print(line)
        for word in self._words:
            if word in line and word not in self.killed:
                wait_until(f"{self._service} runs", lambda: self._pid() not in self.killed.values())
                self.killed[word] = self._pid()
                os.kill(self.killed[word], signal.SIGKILL)

    def _pid(self) -> int:
        return self._stage.services.ready[self._service][1]


@pytest.mark.proves("D4")
@pytest.mark.parametrize("service", SERVICES)
def test_kill_9_in_the_middle_only_delays_the_story(engine: str, servers: Mapping[str, str], service: str) -> None:
    with start_system(engine=engine, seed=7, servers=servers, overrides={"ROOMSYNC_PROMPT_GRACE_S": "0"}) as stage:
        killer = Killer(stage, service, WORDS)
        tally = run_story(stage, create_organisation(stage, "microsoft"), killer)
        assert set(killer.killed) == set(WORDS)
        assert tally.ok, tally
