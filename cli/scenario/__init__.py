"""`roomsync scenario`: plays files that hold a provider's raw answers, and says whether what follows is right."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cli.scenario.playback import play
from cli.scenario.script import ScenarioError, read_scenario
from shared.runtime.logging import configure

FINDING, USAGE = 1, 2


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line: file, name, passed, differences.")
@click.option("--verbose", is_flag=True, help="The product's own log lines on stderr.")
def command(files: tuple[Path, ...], as_json: bool, verbose: bool) -> int:
    """
    Play scenario FILES... through the real client library, look, fold and prompts, on a clock of their own.

    Prints PASS or FAIL with the name of each, and a line for each difference. Nothing outside this process is touched. Exit
    codes: 0 all pass, 1 one differs, 2 a file is no scenario. docs/scenarios.md says how to write one.
    """
    configure("scenario", "info" if verbose else "error")
    worst = 0
    for file in files:
        try:
            scenario = read_scenario(file.read_text())
        except (ScenarioError, UnicodeDecodeError) as error:
            click.echo(f"{file}: {error}", err=True)
            worst = USAGE
            continue
        found = play(scenario)
        _report(file, scenario.name, found, as_json=as_json)
        worst = max(worst, FINDING if found else 0)
    return worst


def _report(file: Path, name: str, found: list[str], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"file": str(file), "name": name, "passed": not found, "differences": found}))
        return
    click.echo(f"{'FAIL' if found else 'PASS'} {name}")
    for line in found:
        click.echo(f"  {line}")
