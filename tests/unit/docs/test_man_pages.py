"""The man pages: one for each command that there is, saying what its help says; and the sample subscriber without a broker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli.main import COMMANDS, roomsync
from docs.man_pages import list_contexts, main
from tests.support.paths import ROOT


@pytest.mark.proves("P8")
def test_each_command_has_a_man_page_that_says_what_its_help_says(tmp_path: Path) -> None:
    assert main(tmp_path) == 0
    pages = {path.stem: path.read_text() for path in tmp_path.iterdir()}
    contexts = list(list_contexts(click.Context(roomsync, info_name="roomsync")))
    assert pages.keys() == {each.command_path.replace(" ", "-") for each in contexts}
    assert {f"roomsync-{name}" for name in COMMANDS} <= pages.keys()
    assert "roomsync-tenants-list" in pages
    for context in contexts:
        page = pages[context.command_path.replace(" ", "-")].replace("\\-", "-")
        assert page.startswith(".TH")
        for option in context.command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert option.opts[-1] in page, f"{context.command_path} {option.opts[-1]}"


@pytest.mark.proves("D10")
def test_the_sample_subscriber_says_in_a_sentence_that_no_broker_answers() -> None:
    command = [sys.executable, str(ROOT / "docs" / "subscriber.py"), "127.0.0.1:1"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert ended.returncode == 3
    assert "Traceback" not in ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("cannot read: ")
