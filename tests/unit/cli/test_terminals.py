"""What is written for people on terminals, and for programs elsewhere."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from cli.common.colours import choose_colour
from cli.common.lines import format_table
from shared.contracts.topics import TOPICS
from shared.organisations.enrolment import enrol
from shared.organisations.service_tokens import make_token
from shared.ports.engine import Engine
from tests.support.builders import NOW_MS
from tests.support.paths import ROOT

ESCAPE = "\x1b["


def show_on_a_terminal(environ: dict[str, str], *arguments: str, **more: str) -> str:
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments],
        stdout=theirs,
        stdin=theirs,
        cwd=ROOT,
        env={**kept, **environ, "TERM": "xterm", "PYTHONPATH": str(ROOT), **more},
    )
    os.close(theirs)
    written = b""
    try:
        while piece := os.read(ours, 4096):
            written += piece
    except OSError:
        pass  # Linux says so when the other end is closed
    process.wait()
    os.close(ours)
    return written.decode()


@pytest.mark.proves("P8")
def test_a_terminal_has_headings_and_colour_and_no_color_takes_it_away(environ: dict[str, str], engine: Engine) -> None:
    enrol(engine.registry, engine.keyring, provider="microsoft", directory="d-1", name="Contoso")
    coloured = show_on_a_terminal(environ, "tenants", "list")
    assert ESCAPE in coloured
    plain = show_on_a_terminal(environ, "tenants", "list", NO_COLOR="1")
    assert ESCAPE not in plain
    heading, line = plain.splitlines()
    assert heading.split() == ["TENANT", "DIRECTORY", "NAME", "STATE", "ROOMS"]
    assert line.index("Contoso") == heading.index("NAME")


@pytest.mark.proves("P8")
def test_lists_of_tokens_and_topics_have_headings_on_a_terminal(environ: dict[str, str], engine: Engine) -> None:
    tenant = enrol(engine.registry, engine.keyring, provider="microsoft", directory="d-2", name="Contoso")
    make_token(engine.registry, tenant, NOW_MS)
    heading, line = show_on_a_terminal(environ, "tokens", "list", "--tenant", tenant, NO_COLOR="1").splitlines()
    assert heading.split() == ["NAME", "MADE"]
    assert line.index("20") == heading.index("MADE")
    heading, *lines = show_on_a_terminal(environ, "topics", NO_COLOR="1").splitlines()
    assert heading.split() == ["TOPIC", "PARTITIONS", "KEPT", "PUBLIC", "KEY", "WHAT"]
    assert {line.split()[0] for line in lines} >= {topic.name for topic in TOPICS}


@pytest.mark.proves("P8")
def test_columns_are_as_wide_as_what_stands_in_them() -> None:
    assert format_table([{"a": "long", "name": None}, {"a": 1, "name": "x"}]) == ["A     NAME", "long  -", "1     x"]
    assert format_table([]) == []
    assert choose_colour({"NO_COLOR": ""}) is None
    assert choose_colour({"NO_COLOR": "1"}) is False
