"""`roomsync dead-letters`: lists records that could not be handled, redrives them, or drops them."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import click

from cli.common.engine import connect_engine
from cli.common.exit_codes import FINDING
from cli.common.lines import print_table
from cli.dead_letters.open_letters import OpenLetter, find_open_letters
from cli.dead_letters.redrive import Redriver
from cli.dead_letters.remedy import NoRemedy, Remedy
from cli.dead_letters.summary import summarise
from shared.contracts.dead_letter import LetterAction
from shared.domain.instants import to_rfc3339
from shared.ports.engine import Engine
from shared.runtime.clock import clock_from
from shared.runtime.dead_letters import close_letter
from shared.runtime.redaction import mask_text


@click.group()
def command() -> None:
    """Records that could not be handled (topic `dead-letters`). ID is TOPIC/PARTITION/OFFSET of such a record."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_letters(as_json: bool) -> int:
    """Those that nobody has redriven or dropped, oldest first. Exit 1: there are some."""
    with connect_engine() as (engine, _):
        letters = list(find_open_letters(engine.log).values())
    _print_letters(letters, as_json=as_json)
    if not letters and not as_json:
        click.echo("no dead letters")
    elif not as_json:
        click.echo("next: `roomsync dead-letters show ID`, mend the cause, then `roomsync dead-letters redrive ID`")
    return FINDING if letters else 0


@command.command()
@click.argument("letter_id", metavar="ID")
@click.option("--bytes", "with_bytes", is_flag=True, help="Also the record's bytes, base64: they may name people.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(letter_id: str, with_bytes: bool, as_json: bool) -> int:
    """Cause, origin, shape, and what redriving would do. What is sealed stays sealed."""
    with connect_engine() as (engine, settings):
        [letter] = _choose_letters(find_open_letters(engine.log), [letter_id], everything=False)
        redriver = Redriver(engine, clock_from(settings.test_clock))
        found = (
            _letter_as_dict(letter)
            | summarise(letter.letter, engine.keyring)
            | _remedy_fields(redriver.find_remedy(letter.letter))
        )
    if with_bytes:
        found["bytes"] = base64.b64encode(letter.letter.value or b"").decode()
    if as_json:
        click.echo(json.dumps(found))
    else:
        _print_fields(found)
    return 0


@command.command()
@click.argument("letter_ids", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every one that is listed.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked of whom; send nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def redrive(letter_ids: tuple[str, ...], everything: bool, dry_run: bool, as_json: bool) -> int:
    """
    Have the mailboxes concerned look again, and take the letters off the list. Old bytes are never put back.

    Exit codes: 0 done, 1 some can only be dropped, 2 no such letter, 3 a store is away (run it again: nothing is lost).
    """
    failed = 0
    with connect_engine() as (engine, settings):
        letters = _choose_letters(find_open_letters(engine.log), letter_ids, everything=everything)
        redriver = Redriver(engine, clock_from(settings.test_clock))
        if not letters and not as_json:
            click.echo("no dead letters")
        with _progress_bar(letters, quiet=as_json or dry_run) as bar:
            for letter in bar:
                remedy = redriver.find_remedy(letter.letter)
                failed += isinstance(remedy, NoRemedy)
                if not dry_run and isinstance(remedy, Remedy):
                    redriver.redrive(letter, remedy)
                _print_outcome(letter, _remedy_fields(remedy), dry_run=dry_run, as_json=as_json)
    return FINDING if failed else 0


@command.command()
@click.argument("letter_ids", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every one that is listed.")
@click.option("--dry-run", is_flag=True, help="Say which; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def drop(letter_ids: tuple[str, ...], everything: bool, dry_run: bool, as_json: bool) -> int:
    """Take letters off the list without doing anything for them. Their bytes stay on the topic until it forgets them."""
    with connect_engine() as (engine, settings):
        clock = clock_from(settings.test_clock)
        for letter in _choose_letters(find_open_letters(engine.log), letter_ids, everything=everything):
            if not dry_run:
                _drop_letter(engine, letter, clock.now_ms())
            _print_outcome(letter, {"dropped": not dry_run}, dry_run=dry_run, as_json=as_json)
    return 0


def _drop_letter(engine: Engine, letter: OpenLetter, now_ms: int) -> None:
    close_letter(engine.log, letter.letter, LetterAction.DROPPED, partition=letter.partition, now_ms=now_ms)


def _choose_letters(letters: Mapping[str, OpenLetter], ids: Iterable[str], *, everything: bool) -> list[OpenLetter]:
    wanted = list(dict.fromkeys(ids))
    if bool(wanted) == everything:
        message = "name the letters (`roomsync dead-letters list` shows their ids), or say --all"
        raise click.UsageError(message)
    if unknown := [name for name in wanted if name not in letters]:
        message = f"no such letter: {', '.join(unknown)}; `roomsync dead-letters list` shows those that are open"
        raise click.UsageError(message)
    return list(letters.values()) if everything else [letters[name] for name in wanted]


def _progress_bar(letters: list[OpenLetter], *, quiet: bool) -> Any:
    return click.progressbar(letters, file=sys.stderr, label="redriven", hidden=quiet or len(letters) < 2)  # noqa: PLR2004


def _remedy_fields(remedy: Remedy | NoRemedy) -> dict[str, Any]:
    if isinstance(remedy, NoRemedy):
        return {"redrivable": False, "redrive": remedy.why, "mailboxes": []}
    mailboxes = [mailbox.key.decode() for mailbox, _ in remedy.commands]
    return {"redrivable": True, "redrive": remedy.why, "mailboxes": mailboxes}


def _letter_as_dict(letter: OpenLetter) -> dict[str, Any]:
    dead = letter.letter
    return {
        "id": letter.id,
        "service": dead.service,
        "reason": mask_text(dead.reason),
        "failedAt": to_rfc3339(dead.failed_at_ms),
        "attempts": letter.times,
        "key": mask_text(dead.key.decode(errors="backslashreplace")),
        "size": len(dead.value or b""),
    }


def _print_letters(letters: Iterable[OpenLetter], *, as_json: bool) -> None:
    lines = [_letter_as_dict(letter) for letter in letters]
    if as_json:
        for line in lines:
            click.echo(json.dumps(line))
        return
    shown = {"id": "id", "failed": "failedAt", "service": "service", "reason": "reason"}
    print_table([{heading: line[name] for heading, name in shown.items()} for line in lines], as_json=False)


def _print_outcome(letter: OpenLetter, outcome: Mapping[str, Any], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"id": letter.id, **outcome, "dryRun": dry_run}))
        return
    would = "would: " if dry_run else ""
    if "dropped" in outcome:
        click.echo(f"{letter.id}  {would}dropped")
    elif not outcome["redrivable"]:
        click.echo(f"{letter.id}  NOT redriven: {outcome['redrive']}")
    else:
        click.echo(f"{letter.id}  {would}{outcome['redrive']}: {', '.join(outcome['mailboxes'])}")


def _print_fields(found: Mapping[str, Any]) -> None:
    width = max(len(name) for name in found)
    for name, value in found.items():
        text = value if isinstance(value, str) else json.dumps(value)
        click.echo(f"{name:{width}}  {text}")
