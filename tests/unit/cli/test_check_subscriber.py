"""`roomsync check-subscriber`: a right subscriber passes, and each wrong one fails the check that is about its fault."""

from __future__ import annotations

import json
import shlex
import sys

import pytest

from cli.check_subscriber.checks import CHECKS
from shared.errors import ConfigurationError
from tests.support.commands import Run
from tests.support.paths import SAMPLES

BY_LINES = SAMPLES / "subscribers" / "by_lines.py"
WAIT_S = "3"
"""What a right subscriber needs by far not; a wrong one is waited for so long at each check."""
FAULTS = {
    "": [],
    "handles a repeat twice": ["repeat"],
    "dies at an unknown field": ["unknown-field"],
    "stops at a bad record": ["bad-record"],
    "takes a second decline of a meeting for a repeat": ["repeat", "unknown-field", "day-offline"],
    "says it only at its end": list(CHECKS),
}


def test_six_mistakes_are_planted_with_the_one_that_never_answers() -> None:
    assert len([fault for fault in FAULTS if fault]) + 1 == 6


@pytest.mark.proves("D10", "B24")
@pytest.mark.parametrize("fault", FAULTS)
def test_subscriber_fails_exactly_the_check_of_its_fault(run: Run, fault: str) -> None:
    command = shlex.join([sys.executable, "-IS", str(BY_LINES), fault])
    ran = run("check-subscriber", "--stdin", "--settle-s", "0", "--wait-s", WAIT_S, "--json", "--cmd", command)
    assert [line["check"] for line in ran.lines] == list(CHECKS)
    assert [line["check"] for line in ran.lines if not line["ok"]] == FAULTS[fault]
    assert ran.code == bool(FAULTS[fault])


@pytest.mark.proves("D10", "B24")
def test_subscriber_that_never_says_what_it_handled_fails_all_of_them_and_is_ended(run: Run) -> None:
    mute = shlex.join([sys.executable, "-ISc", "import sys; sys.stdin.read()"])
    ran = run("check-subscriber", "--stdin", "--settle-s", "0", "--wait-s", "0.1", "--json", "--cmd", mute)
    assert (ran.code, [line["ok"] for line in ran.lines]) == (1, [False] * len(CHECKS))
    assert "not handled: d-check" in json.dumps(ran.lines[0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--stdin", "--cmd", "/nowhere"], "cannot be started"), (["--cmd", "true"], "--stdin")],
    ids=["no such program", "no Kafka"],
)
def test_what_cannot_be_checked_is_a_matter_of_usage(run: Run, arguments: list[str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):  # `cli.main` makes exit code 2 of it
        run("check-subscriber", *arguments)
