"""The line by which services say where they are: what one process writes, another reads."""

from __future__ import annotations

import os

import pytest

from shared.runtime.ready import Ready, announce, parse_ready


def test_line_is_read_as_it_was_written(capsys: pytest.CaptureFixture[str]) -> None:
    announce("portal", "http://127.0.0.1:8102")
    announce("sync-worker", "http://127.0.0.1:5001", 7)
    lines = capsys.readouterr().out.splitlines()
    assert [parse_ready(line) for line in lines] == [
        Ready("portal", "http://127.0.0.1:8102", os.getpid()),
        Ready("sync-worker", "http://127.0.0.1:5001", 7),
    ]


@pytest.mark.parametrize(
    "line", ["", "ready", "ready portal http://x", "ready portal http://x ?", "now ready portal 1"]
)
def test_other_lines_are_passed_over(line: str) -> None:
    assert parse_ready(line) is None
