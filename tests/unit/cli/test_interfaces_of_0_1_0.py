"""What operators' scripts rely on is still there: every setting, topic, command, option, exit code and metric of 0.1.0."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import click
import pytest

from cli.common import exit_codes
from cli.main import roomsync
from shared.contracts.topics import TOPICS
from shared.runtime import metrics
from shared.runtime.settings import PREFIX, Settings
from tests.support.paths import SAMPLES

LISTS = SAMPLES / "interfaces-0.1.0"


def settings() -> Iterator[str]:
    for field in dataclasses.fields(Settings):
        yield f"{PREFIX}{field.name.upper()}"


def topics() -> Iterator[str]:
    for topic in TOPICS:
        yield f"{topic.name} {topic.cleanup} {'public' if topic.public else 'private'}"


def described_metrics() -> Iterator[str]:
    for metric in metrics.describe_metrics():
        yield f"{metric.name} {metric.kind} {','.join(metric.labels)}".rstrip()


def commands(command: click.Command = roomsync, path: str = "roomsync") -> Iterator[str]:
    yield path
    for parameter in command.params:
        for name in parameter.opts if isinstance(parameter, click.Option) else [parameter.human_readable_name]:
            yield f"{path} {name}"
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from commands(found, f"{path} {name}")


def codes() -> Iterator[str]:
    for name, value in vars(exit_codes).items():
        if isinstance(value, int):
            yield f"{value} {name}"


INTERFACES: dict[str, Callable[[], Iterator[str]]] = {
    "settings": settings,
    "topics": topics,
    "commands": commands,
    "exit-codes": codes,
    "metrics": described_metrics,
}


@pytest.mark.parametrize("name", INTERFACES)
def test_everything_that_0_1_0_had_is_still_there(name: str) -> None:
    then = (LISTS / f"{name}.txt").read_text().splitlines()
    lost = [line for line in then if line not in set(INTERFACES[name]())]
    assert then
    assert not lost, f"{name} of 0.1.0 that are gone: {lost}"
