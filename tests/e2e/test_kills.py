"""Killing any process in the middle of the story only delays it."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping

import pytest

from cli.demo.organisations import create_organisation
from cli.demo.processes import SERVICES, RunningSystem, start_system
from cli.demo.story import run_story


class Killer:
    """Kills one service when a line of the story contains a word."""

    def __init__(self, stage: RunningSystem, service: str, word: str) -> None:
        self._stage, self._service, self._word = stage, service, word
        self.kills = 0

    def __call__(self, line: str) -> None:
        print(line)
        if self._word in line and not self.kills:
            os.kill(self._stage.services.ready[self._service][1], signal.SIGKILL)
            self.kills += 1


@pytest.mark.proves("D4")
@pytest.mark.parametrize("word", ["is booked", "she takes"])
@pytest.mark.parametrize("service", SERVICES)
def test_kill_9_in_the_middle_only_delays_the_story(
    engine: str, servers: Mapping[str, str], service: str, word: str
) -> None:
    with start_system(engine=engine, seed=7, servers=servers, overrides={"ROOMSYNC_PROMPT_GRACE_S": "0"}) as stage:
        killer = Killer(stage, service, word)
        tally = run_story(stage, create_organisation(stage, "microsoft"), killer)
        assert killer.kills == 1
        assert tally.ok, tally
