"""Backups and exports that somebody altered: none is restored nor imported, in part either, and each is said to be altered."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from shared.contracts.rows import RoomRow
from shared.errors import ConfigurationError
from shared.organisations.enrolment import enrol, enter_rooms
from shared.ports.engine import Engine
from shared.ports.holdings import StoredRow
from shared.runtime.archive import MAGIC, Kind
from tests.support.abuse import sized
from tests.support.commands import Run

SEED = 20261128
LONGEST_SENTENCE = 1_000
VALUES: tuple[object, ...] = (
    None,
    "",
    0,
    -1,
    1,
    2**63,
    "x",
    [],
    {},
    True,
    "k1",
    10**400,
    "\x00",
    "a" * 3_000,
    "a" * 70_000,
)


def everything(engine: Engine) -> list[StoredRow]:
    return sorted(engine.registry.everything(), key=repr)  # type: ignore[attr-defined]  # both engines have it


def written(run: Run, path: Path, command: str) -> bytes:
    path.unlink(missing_ok=True)
    assert run("registry", command, str(path)).code == 0
    return path.read_bytes()


def altered(raw: bytes, other: bytes, source: random.Random) -> Iterator[bytes]:
    """One archive, changed in one thing; `other` is as good, of other rows."""
    line, _, body = raw.partition(b"\n")
    other_line, _, other_body = other.partition(b"\n")
    yield other_line + b"\n" + body
    yield line + b"\n" + other_body
    yield from _headers(line, body)
    yield from _wholes(raw, line, body, other)
    while True:
        at, kind = source.randrange(len(raw)), source.randrange(5)
        piece = source.randbytes(source.randint(1, 40))
        yield (
            raw[:at] + bytes([raw[at] ^ source.randint(1, 255)]) + raw[at + 1 :],
            raw[:at],
            raw[:at] + piece + raw[at:],
            raw[:at] + raw[at + len(piece) :],
            raw[:at] + other[at:],
        )[kind]


def _headers(line: bytes, body: bytes) -> Iterator[bytes]:
    header = msgspec.json.decode(line[len(MAGIC) :])

    def with_header(changed: object) -> bytes:
        return MAGIC + msgspec.json.encode(changed) + b"\n" + body

    for name in header:
        yield with_header({key: value for key, value in header.items() if key != name})
        for value in VALUES:
            if value != header[name] or isinstance(value, bool):
                try:
                    yield with_header({**header, name: value})
                except OverflowError:
                    yield line.replace(b'"v":1', b'"v":1' + b"0" * 400) + b"\n" + body
    yield with_header({**header, "more": 1})
    yield with_header([header])
    yield MAGIC + b"[" * 100_000 + b"\n" + body
    yield MAGIC + b"{" + b'"v":{' * 50_000 + b"\n" + body


def _wholes(raw: bytes, line: bytes, body: bytes, other: bytes) -> Iterator[bytes]:
    yield from (b"", b"\n", MAGIC, MAGIC + b"\n", raw[::-1], raw + b"\n", raw + raw, raw + other, b"\x00" + raw)
    yield from (line.upper() + b"\n" + body, line + b"\r\n" + body, line + b"\n\n" + body, line + b" \n" + body)
    yield from (line + body, body, line + b"\n", line + b"\n" + body[::-1], line + b"\n" + bytes(len(body)))


def fill(engine: Engine, name: str) -> None:
    tenant = enrol(engine.registry, engine.keyring, provider="microsoft", directory=name, name=name)
    enter_rooms(
        engine.registry, engine.keyring, tenant, [RoomRow(address=f"aare@{name}.test", name="Aare", capacity=8)]
    )


@pytest.mark.parametrize(("written_by", "read_by"), [("backup", ["restore"]), ("export", ["import", "--force"])])
def test_no_altered_archive_is_taken_and_nothing_of_it_comes_in(
    run: Run, engine: Engine, tmp_path: Path, written_by: Kind, read_by: list[str]
) -> None:
    fill(engine, "d-1")
    good = written(run, tmp_path / "good", written_by)
    fill(engine, "d-2")
    other = written(run, tmp_path / "other", written_by)
    for row in everything(engine):
        engine.registry.delete(row.table, row.tenant, row.row)
    before, path, tried = everything(engine), tmp_path / "altered", 0
    for raw in altered(good, other, random.Random(SEED)):
        if raw in (good, other):
            continue
        path.write_bytes(raw)
        with pytest.raises((click.ClickException, ConfigurationError)) as refused:
            run("registry", *read_by, str(path))
        assert len(str(refused.value)) < LONGEST_SENTENCE, "said to a person"
        tried += 1
        if tried == sized(304, 3_000):
            break
    assert everything(engine) == before == []
    print(f"\n{read_by[0]}: {tried} altered archives, all refused")
    path.write_bytes(good)
    assert run("registry", *read_by, str(path)).code == 0
    assert everything(engine), "the unaltered one is taken"
