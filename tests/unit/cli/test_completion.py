"""Shells complete the command line by the lines that the documents give."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT


def run(line: str, **environ: str) -> str:
    """What bash prints for a line in which `roomsync` is the command under test."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-c", line],
        env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)} | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_documented_word_gives_the_completion_of_that_shell(shell: str) -> None:
    assert f"{shell}_source" in (ROOT / "README.md").read_text()
    script = run(f"_ROOMSYNC_COMPLETE={shell}_source roomsync")
    assert "_roomsync_completion" in script
    assert f"_ROOMSYNC_COMPLETE={shell}_complete" in script


def test_documented_line_makes_bash_complete_a_command() -> None:
    [line] = re.findall(r'`(eval "[^`]+)`', (ROOT / "README.md").read_text())
    assert "_roomsync_completion roomsync" in run(f"{line}; complete -p roomsync")
    words = run("roomsync", _ROOMSYNC_COMPLETE="bash_complete", COMP_WORDS="roomsync sta", COMP_CWORD="1")
    assert words.splitlines() == ["plain,status"]
