"""Every scenario file of the project passes; and the player says of a wrong one what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import roomsync
from cli.scenario.playback import play
from cli.scenario.script import ScenarioError, read_scenario

FILES = sorted((Path(__file__).parents[3] / "scenarios").glob("*.yaml"))
ORDINARY = Path(__file__).parents[3] / "scenarios" / "a-room-declines-microsoft.yaml"


@pytest.mark.proves("M9")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_scenario_passes(file: Path) -> None:
    assert play(read_scenario(file.read_text())) == []


@pytest.mark.proves("M9")
def test_there_are_sixty_files_and_each_provider_has_its_share() -> None:
    providers = [read_scenario(file.read_text()).provider.value for file in FILES]
    assert len(providers) >= 60
    assert min(providers.count("microsoft"), providers.count("google")) >= 30


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "state: declined}",
            "state: accepted}",
            "state of aare on 2026-12-08T09:00:00Z: expected accepted, is declined",
        ),
        ("times: 1}", "times: 2}", "declines of aare on 2026-12-08T09:00:00.000Z: expected 2, told 1"),
        ("prompts:\n    - {person: ada", "prompts: []\n  mailbox: []\n  states:\n    - {person: ada", ""),
        ("state: connected", "state: revoked", "mailbox of ada: expected revoked, is connected"),
        ("match: PATCH *, times: 0", "match: GET *, times: 0", "requests GET *: expected 0, were 3"),
        ('when: "GET /me/calendarView/delta*"', 'when: "GET /me/nowhere*"', "no answer for GET /me/calendarView/delta"),
    ],
)
def test_difference_is_named(old: str, new: str, says: str) -> None:
    text = ORDINARY.read_text()
    assert old in text
    if not says:
        with pytest.raises(ScenarioError):
            read_scenario(text.replace(old, new))
        return
    assert any(says in line for line in play(read_scenario(text.replace(old, new))))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: [", "not YAML or JSON"),
        ("name: x", "missing required field"),
        ("name: x\nprovider: exchange\nnow: 2026-12-01T08:00:00Z", "Invalid enum value"),
        ("name: x\nprovider: google\nnow: 2026-12-01T08:00:00Z\nsteps: [{push: ada}]", "names person 'ada'"),
        ("name: x\nprovider: google\nnow: 2026-12-01T08:00:00Z\nsteps: [{}]", "has 0 acts"),
        ("name: x\nprovider: google\nnow: 2026-12-01T08:00:00Z\nstep: []", "unknown field"),
        ('{"name": "x", "provider": "google", "now"', "not YAML or JSON"),
    ],
)
def test_file_that_is_no_scenario_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(ScenarioError, match=says):
        read_scenario(text)


def test_command_prints_a_line_a_file_and_its_exit_code_says_whether_all_pass(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(ORDINARY.read_text().replace("times: 1}", "times: 2}"))
    done = CliRunner().invoke(roomsync, ["scenario", str(ORDINARY), str(wrong)], standalone_mode=False)
    lines = done.output.splitlines()
    assert done.return_value == 1
    assert lines[0].startswith("PASS ")
    assert lines[1].startswith("FAIL ")
    assert "expected 2, told 1" in lines[2]


def test_command_speaks_json(tmp_path: Path) -> None:
    done = CliRunner().invoke(roomsync, ["scenario", "--json", str(ORDINARY)], standalone_mode=False)
    assert json.loads(done.output)["passed"] is True
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: [")
    assert CliRunner().invoke(roomsync, ["scenario", str(broken)], standalone_mode=False).return_value == 2
