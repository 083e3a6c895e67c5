"""What walks through a guide refuses what nobody can read, waits for nothing without an end, and leaves nothing running."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from tests.support.guides import programs
from tests.support.guides.failure import WalkError
from tests.support.guides.guide import read_steps
from tests.support.guides.terminal import Terminal
from tests.support.guides.walk import start_walk
from tests.support.paths import ROOT
from tests.support.process_guard import ProcessGuard
from tests.support.waiting import WAIT_S

pytestmark = pytest.mark.proves("B18")
LONG = "sleep 60"


def guide(info: str) -> str:
    return f"# A guide\n\n## 1. Begin\n\n```{info}\n1. true\n```\n"


@pytest.mark.parametrize(("info", "kinds"), [("sh", ["sh"]), ("sh stays", ["stays"]), ("env", ["env"]), ("", [])])
def test_block_is_what_stands_behind_its_fence(info: str, kinds: list[str]) -> None:
    [step] = read_steps(guide(info))
    assert [act.kind for act in step.acts] == kinds


@pytest.mark.parametrize("info", ["bash", "sh stay", "sh  stays", "env sh", "sh,stays", "sh {.numbered}", "`"])
def test_block_of_another_kind_is_refused(info: str) -> None:
    with pytest.raises(WalkError, match=r"step 1, Begin: a block is “.+”; write “sh”, “sh stays”, “env” or nothing"):
        read_steps(guide(info))


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("login", "--append"),
        ("account show", "--allow-no-subscriptions"),
        ("account show", "--append"),
        ("ad app credential reset --id 1", "--allow-no-subscriptions"),
        ("ad app create", "--append"),
    ],
)
def test_azure_refuses_an_option_of_another_command(
    command: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        programs.main(["az", *command.split(), option])
    assert ended.value.code == 2
    assert f"unrecognized arguments: {option}" in capsys.readouterr().err


def has_ended(pipe: Any) -> bool:
    """Whether nobody can write to a pipe any more: every process that was given it has ended."""
    return bool(select.select([pipe], [], [], WAIT_S)[0]) and os.read(pipe.fileno(), 1) == b""


def test_block_that_hangs_fails_and_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    with ProcessGuard() as guard:
        terminal = Terminal(tmp_path, os.environ, guard, block_s=0.5)
        with pytest.raises(WalkError, match=f"a block still ran after 0.5 s: {LONG}"):
            terminal.run(f"{LONG} & {LONG}")
        assert has_ended(terminal._shell.stdout)
        terminal.close()


def hang(directory: Path) -> None:
    """What a test does that is killed: one program runs on, and a block does not end."""
    alive = f"exec 3>/proc/{os.getpid()}/fd/1; echo begun >&3; {LONG} & {LONG}"
    with ProcessGuard() as guard:
        terminal = Terminal(directory, os.environ, guard)
        terminal.run_on(f"bash -c '{alive}'")
        terminal.run(alive)


def test_nothing_runs_on_when_a_test_is_killed(tmp_path: Path) -> None:
    call = f"from pathlib import Path; from {__name__} import hang; hang(Path({str(tmp_path)!r}))"
    with subprocess.Popen([sys.executable, "-c", call], cwd=ROOT, stdout=subprocess.PIPE, bufsize=0) as test:
        assert test.stdout is not None
        assert [test.stdout.readline() for _ in range(2)] == [b"begun\n"] * 2
        test.kill()
        assert has_ended(test.stdout)


class Gone:
    """A browser that has ended by itself."""

    def close(self) -> None:
        """Say so."""
        raise ConnectionResetError


def test_nothing_runs_on_when_a_walk_ends_by_an_error(tmp_path: Path) -> None:
    stack = ExitStack()
    walk = stack.enter_context(start_walk("microsoft", cast("Any", None), tmp_path))
    walk.terminal.run_on(LONG)
    walk.acts._contexts["ada"] = cast("Any", Gone())
    with pytest.raises(ConnectionResetError):
        stack.close()
    [(program, _)] = walk.terminal._running
    assert program.poll() is not None
    with pytest.raises(httpx.ConnectError):
        walk.sim("tenants")
