from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from shared.errors import ConfigurationError
from shared.runtime.crash_points import arm, crash_point

PASSES = """
import sys
from shared.runtime.crash_points import arm, crash_point
arm(sys.argv[1])
for number in range(1, 6):
    crash_point("elsewhere")
    crash_point("here", "even" if number % 2 == 0 else "odd")
    print(number, flush=True)
"""


def passed(spec: str) -> tuple[int, list[str]]:
    ended = subprocess.run([sys.executable, "-c", PASSES, spec], capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout.split()


def test_process_is_killed_at_the_nth_passing_of_the_named_point() -> None:
    assert passed("here:3") == (-signal.SIGKILL, ["1", "2"])


@pytest.mark.parametrize(("spec", "before"), [("here/even:2", 3), ("here/odd:2", 2), ("here/odd", 0)])
def test_only_passings_of_the_kind_that_is_named_count(spec: str, before: int) -> None:
    assert passed(spec) == (-signal.SIGKILL, [str(number + 1) for number in range(before)])


def test_first_passing_when_no_number_is_given() -> None:
    assert passed("here") == (-signal.SIGKILL, [])


@pytest.mark.parametrize("spec", ["", "nowhere:1", "here:6", "here/none:1", "here/even:3", "here/:1"])
def test_otherwise_nothing_happens(spec: str) -> None:
    assert passed(spec) == (0, ["1", "2", "3", "4", "5"])


def test_process_is_frozen_at_the_point_and_goes_on_when_it_is_woken() -> None:
    child = subprocess.Popen([sys.executable, "-c", PASSES, "here:2:stop"], stdout=subprocess.PIPE, text=True)
    _, status = os.waitpid(child.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    os.kill(child.pid, signal.SIGCONT)
    said, _ = child.communicate()
    assert (child.returncode, said.split()) == (0, ["1", "2", "3", "4", "5"])


@pytest.mark.parametrize("spec", ["here:0", "here:-1", "here:soon", "here:1:slowly"])
def test_a_count_that_cannot_be_is_refused_with_advice(spec: str) -> None:
    with pytest.raises(ConfigurationError, match="point:n"):
        arm(spec)


def test_disarmed_again_it_lets_everybody_pass() -> None:
    arm("here:1")
    arm("")

    crash_point("here")
