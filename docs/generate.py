"""Writes into docs/ what is generated from the code: schemas, AsyncAPI, OpenAPI, samples, tables of settings, topics, metrics."""

from __future__ import annotations

import dataclasses
import json
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from docs.sizing import sizing_md
from services.portal.app import create_app
from services.portal.deps import Deps
from services.portal.interface.document import describe_interface
from shared.contracts import published
from shared.crypto.master import new_key, parse
from shared.engines.embedded import open_engine
from shared.grants.broker import ConsentBroker
from shared.providers.beliefs.table import describe_beliefs
from shared.registry import tables
from shared.runtime import metrics
from shared.runtime.clock import SystemClock
from shared.runtime.settings import PREFIX, Settings

DOCS = Path(__file__).parent
_SETTINGS_READ = (
    "Read once from the environment; `NAME_FILE` names a file to read the value from. "
    "`_S` is seconds; secrets are starred in logs.\n\n"
    "The command also reads `.env` in the directory where it runs: its `ROOMSYNC_…` lines, literally. The environment is stronger,"
    " also where it names the setting's file. `ROOMSYNC_DOTENV=off` reads none."
)
_AT_REST = (
    "Everything else that is at rest stands on the topics, sealed where the table above says so, and in the view, which is"
    " sealed and can be rebuilt. Keys belong to one organisation: switching off destroys its data key, the end of the 120 hours"
    " after that its consent key."
)
_BELIEFS_READ = (
    "No test of this project reaches the real services. What it takes for granted about them stands here, with its evidence:"
    " *documented* by the provider, *reported* by users in public, or *assumed*. With a tenant and a test account of your own,"
    " `roomsync probe microsoft` and `roomsync probe google` try what can be tried; the simulator believes the same, and"
    ' contradicts any belief that the last column says is tried (`PUT /sim/v1/faults` with `{"contradicts": [key]}`).'
)


def generated() -> dict[str, str]:
    """Path below docs/ → its text, as it should be."""
    texts = {
        "contracts/asyncapi.json": _json(published.asyncapi()),
        "contracts/openapi.json": _json(_interface()),
        "reference.md": _reference(),
        "beliefs.md": _beliefs(),
        "sizing.md": sizing_md(),
    }
    for name in published.MESSAGES:
        texts[f"contracts/{name}.schema.json"] = _json(published.json_schema(name))
    for name, sample in published.samples().items():
        texts[f"contracts/{name}.sample.json"] = _json(json.loads(sample))
    return texts


def stale() -> list[str]:
    """Paths below docs/ whose text is not what the code says."""
    return [path for path, text in generated().items() if not _same(DOCS / path, text)]


def main() -> int:
    """Write everything; with `--check`, only name what is stale and return 1."""
    if "--check" in sys.argv:
        print("\n".join(f"stale: docs/{path}; run `make docs`" for path in stale()))
        return int(bool(stale()))
    for path, text in generated().items():
        (DOCS / path).parent.mkdir(exist_ok=True)
        (DOCS / path).write_text(text)
    return 0


def _same(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _interface() -> dict[str, Any]:
    """The JSON interface, out of the routes of an application that nobody asks anything."""
    master, clock = parse(new_key()), SystemClock()
    with (
        TemporaryDirectory() as home,
        closing(open_engine(Path(home), partitions=1, prefix="", master=master, clock=clock)) as engine,
    ):
        broker = ConsentBroker(engine.registry, engine.keyring, Settings(), clock)
        app = create_app(
            Deps(
                settings=Settings(),
                engine=engine,
                clock=clock,
                broker=broker,
                providers={},
                session_key=master.session_key(),
            )
        )
        return describe_interface(app.url_map.iter_rules(), app.view_functions)


def _reference() -> str:
    parts = [
        "# Reference\n\nGenerated from the code by `make docs`; a test fails when it is stale.\n",
        f"## Settings\n\n{_SETTINGS_READ}\n",
        _settings(),
        "\n## Topics\n\nEvery topic has the same number of partitions (`ROOMSYNC_PARTITIONS`), fixed once made.\n",
        published.topics_table(),
        f"\n## What is at rest in the registry\n\n{_AT_REST}\n",
        tables.describe_tables(),
        "\n## Metrics\n\nOn `/metrics` of every service, Prometheus text format.\n",
        _metrics(),
    ]
    return "\n".join(parts) + "\n"


def _beliefs() -> str:
    head = "# Beliefs about the providers\n\nGenerated from the code by `make docs`; a test fails when it is stale."
    return f"{head}\n\n{_BELIEFS_READ}\n\n{describe_beliefs()}\n"


def _settings() -> str:
    lines = ["| setting | default | meaning |", "| --- | --- | --- |"]
    for item in dataclasses.fields(Settings):
        default = "" if item.default in {"", None} else f"`{item.default}`"
        lines.append(
            f"| `{PREFIX}{item.name.upper()}` | {default} | {item.metadata['doc'].replace('|', chr(92) + '|')} |"
        )
    return "\n".join(lines)


def _metrics() -> str:
    lines = ["| metric | kind | labels | meaning |", "| --- | --- | --- | --- |"]
    lines += [
        f"| `{metric.name}` | {metric.kind} | {', '.join(metric.labels)} | {metric.meaning} |"
        for metric in metrics.describe_metrics()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
