"""What `roomsync demo --trace` prints: every record that is new, opened, without the long values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from cli.demo.trace import TopicTrace, shorten
from shared.contracts import command
from shared.contracts import envelope as envelopes
from shared.contracts.calendar_state import MAILBOX_TYPE, MailboxState
from shared.contracts.command import Connect
from shared.contracts.envelope import Envelope
from shared.contracts.topics import CALENDAR_STATE, COMMANDS, MEETING_STATE, POSITION_KEY, ROOM_STATUS
from shared.contracts.versions import NEWEST
from shared.crypto.master import new_key, parse
from shared.crypto.records import sealed_envelope
from shared.engines.embedded import open_engine
from shared.ports.engine import Engine
from shared.ports.log import NewRecord
from shared.runtime.clock import SystemClock

KEY = b"t-1/m-1"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(tmp_path, partitions=2, prefix="", master=parse(new_key()), clock=SystemClock())
    opened.keyring.create("t-1")
    yield opened
    opened.close()


def append(engine: Engine, topic: str, value: bytes | None, key: bytes = KEY) -> None:
    engine.log.append([NewRecord(topic, 1, key, value)])


def test_open_and_sealed_records_are_printed_once(engine: Engine) -> None:
    lines: list[str] = []
    trace = TopicTrace(engine, lines.append)
    payload = msgspec.Raw(msgspec.json.encode(Connect(at_ms=7)))
    append(
        engine, COMMANDS.name, envelopes.encode(Envelope(id="c-1", type=command.TYPE, tenant="t-1", payload=payload))
    )
    trace.print_new()
    state = MailboxState(provider="microsoft", cursor="https://example.test/" + "secret" * 9)
    keys = engine.keyring.keys("t-1")
    append(engine, CALENDAR_STATE.name, sealed_envelope(keys, state, key=KEY, type=MAILBOX_TYPE, id="s-1"))
    trace.print_new()
    [connect, mailbox] = lines
    assert connect.startswith("commands 1:0  command  ")
    assert '"atMs": 7' in connect
    assert mailbox.startswith("calendar-state 1:0  mailbox-state  ")
    assert '"provider": "microsoft"' in mailbox
    assert "secret" not in mailbox


def test_tombstones_are_printed_and_positions_are_not(engine: Engine) -> None:
    lines: list[str] = []
    append(engine, ROOM_STATUS.name, None, b"gone")
    append(engine, CALENDAR_STATE.name, b"{}", POSITION_KEY)
    TopicTrace(engine, lines.append).print_new()
    assert lines == ['room-status 1:0  tombstone  {"key": "gone"}']


def test_record_of_a_destroyed_key_says_so(engine: Engine) -> None:
    lines: list[str] = []
    keys = engine.keyring.keys("t-1")
    value = sealed_envelope(keys, MailboxState(provider="google"), key=KEY, type=MAILBOX_TYPE, id="s-1")
    append(engine, CALENDAR_STATE.name, value)
    engine.keyring.destroy_data("t-1")
    TopicTrace(engine, lines.append).print_new()
    assert lines[0].startswith("calendar-state 1:0  mailbox-state  ")
    assert "google" not in lines[0]


@pytest.mark.parametrize("kind", sorted(NEWEST))
def test_records_of_every_version_are_opened_and_later_ones_say_so(engine: Engine, kind: str) -> None:
    lines: list[str] = []
    keys = engine.keyring.keys("t-1")
    for version in (1, NEWEST[kind], NEWEST[kind] + 1):
        append(
            engine,
            MEETING_STATE.name,
            sealed_envelope(
                keys, MailboxState(provider="google"), key=KEY, type=kind, id="s-1", version=version, compress=True
            ),
        )
    TopicTrace(engine, lines.append).print_new()
    assert ['"provider": "google"' in line for line in lines] == [True, True, False]
    assert f"{kind}  " in lines[-1]
    assert "has version" in lines[-1]


def test_values_are_cut_and_empty_fields_left_out() -> None:
    assert shorten({"a": "", "b": "x" * 25, "c": [1, "y"], "d": {}, "e": False}) == {
        "b": "x" * 12 + "…",
        "c": [1, "y"],
        "e": False,
    }
