"""`.env` in the working directory names settings; the environment is stronger."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.common.environment_file import LARGEST_BYTES, read_environment_file
from shared.errors import ConfigurationError
from tests.support.paths import ROOT


def read(directory: Path, text: str, **environ: str) -> dict[str, str]:
    (directory / ".env").write_text(text)
    read_environment_file(directory, environ)
    return environ


def test_settings_of_the_file_are_taken_and_nothing_else(tmp_path: Path) -> None:
    text = "# ours\nROOMSYNC_PORTAL_PORT=8202\nexport ROOMSYNC_MAIL_FROM='Rooms <rooms@corp.example>'\nPATH=/evil\nLD_PRELOAD=x\n"
    assert read(tmp_path, text) == {
        "ROOMSYNC_PORTAL_PORT": "8202",
        "ROOMSYNC_MAIL_FROM": "Rooms <rooms@corp.example>",
    }


def test_value_is_taken_literally(tmp_path: Path) -> None:
    assert read(tmp_path, "ROOMSYNC_SERVICE_TOKEN=a$HOME-${HOME}\n") == {"ROOMSYNC_SERVICE_TOKEN": "a$HOME-${HOME}"}


@pytest.mark.parametrize("given", ["ROOMSYNC_MASTER_KEY", "ROOMSYNC_MASTER_KEY_FILE"])
@pytest.mark.parametrize("line", ["ROOMSYNC_MASTER_KEY=of-the-file", "ROOMSYNC_MASTER_KEY_FILE=/of/the/file"])
def test_environment_is_stronger_also_where_it_names_the_settings_file(tmp_path: Path, given: str, line: str) -> None:
    assert read(tmp_path, line, **{given: "real"}) == {given: "real"}


def test_both_names_of_one_setting_in_the_file_do_not_hide_each_other_from_the_environment(tmp_path: Path) -> None:
    text = "ROOMSYNC_HOOK_KEYS=one\nROOMSYNC_HOOK_KEYS_FILE=/two\n"
    assert read(tmp_path, text) == {"ROOMSYNC_HOOK_KEYS": "one"}


def test_file_is_not_read_where_it_is_switched_off_or_lies_above(tmp_path: Path) -> None:
    assert read(tmp_path, "ROOMSYNC_PARTITIONS=9\n", ROOMSYNC_DOTENV="off") == {"ROOMSYNC_DOTENV": "off"}
    below = tmp_path / "below"
    below.mkdir()
    environ: dict[str, str] = {}
    read_environment_file(below, environ)
    assert environ == {}


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"#" * (LARGEST_BYTES + 1)], ids=["no text", "too large"])
def test_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"\.env .* ROOMSYNC_DOTENV=off"):
        read_environment_file(tmp_path, {})


def test_command_reads_the_file_of_its_directory(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ROOMSYNC_PORTAL_PORT=65536\n")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ROOMSYNC_")}
    command = [sys.executable, "-m", "cli.main", "status"]
    ran = subprocess.run(
        command, cwd=tmp_path, env=environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert "ROOMSYNC_PORTAL_PORT=65536: must be a port, 0 to 65535" in ran.stderr
