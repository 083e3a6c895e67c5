"""What an earlier version wrote, today's readers read to the same values: records, rows, events, seals and archives."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared.contracts.envelope import read_json
from shared.contracts.observation import Observation
from shared.crypto.meetings import open_meeting
from shared.crypto.records import open_record
from shared.errors import MalformedRecordError
from shared.runtime.archive import open_archive
from tests.contract.golden.kinds import differences, kinds, required
from tests.contract.golden.write import GOLDEN, HELD, KEY, MEETING, OBSERVATION, RING
from tests.support.builders import KEYS, NOW_MS

VERSIONS = sorted(GOLDEN.glob("v*"), key=lambda place: int(place.name[1:]))
RECORDS = [path for place in VERSIONS for path in sorted(place.glob("*.json")) if path.name != "required.json"]
HOW = "if that is meant: raise the schema version, keep reading the old one, and `python -m tests.contract.golden.write N`"


def read(path: Path, kind: type[Any]) -> list[str]:
    raw = path.read_bytes()
    now = msgspec.json.decode(msgspec.json.encode(read_json(raw, kind)))
    return list(differences(json.loads(raw), now))


@pytest.mark.proves("M7")
@pytest.mark.parametrize("path", RECORDS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_old_record_is_read_to_the_same_value(path: Path) -> None:
    kind = kinds().get(path.stem)
    assert kind is not None, f"{path.stem} is gone, and its records are still on the topics; {HOW}"
    assert read(path, kind) == [], HOW


@pytest.mark.parametrize("name", sorted(kinds()))
def test_no_field_becomes_required_or_optional_without_a_new_golden_version(name: str) -> None:
    promised: dict[str, list[str]] = {}
    for place in VERSIONS:
        promised |= json.loads((place / "required.json").read_text())
    assert name in promised, (
        f"{name} is new: run `python -m tests.contract.golden.write {len(VERSIONS)}` after adding it"
    )
    assert required(kinds()[name]) == promised[name], HOW


@pytest.mark.parametrize("place", VERSIONS, ids=lambda place: place.name)
def test_what_was_sealed_still_opens(place: Path) -> None:
    sealed = [path.read_bytes() for path in place.glob("*-observation.bin")]
    assert sealed
    assert all(open_record(KEY, value, KEYS, Observation) == OBSERVATION for value in sealed)
    header, held = open_archive((place / "export.bin").read_bytes(), RING, kind="export")
    assert (held, header.made_at_ms) == (HELD, NOW_MS)


def test_what_was_sealed_for_its_key_still_opens_under_it_alone() -> None:
    bound = [place / "bound-observation.bin" for place in VERSIONS if (place / "bound-observation.bin").exists()]
    assert bound
    for path in bound:
        assert open_record(KEY, path.read_bytes(), replace(KEYS, refuse_unbound=True), Observation) == OBSERVATION
        with pytest.raises(MalformedRecordError, match="another key"):
            open_record(KEY + b"x", path.read_bytes(), KEYS, Observation)


@pytest.mark.proves("M7")
def test_what_was_compressed_against_the_dictionary_still_opens() -> None:
    compressed = [place / "compressed-meeting.bin" for place in VERSIONS if (place / "compressed-meeting.bin").exists()]
    assert compressed
    for path in compressed:
        assert open_meeting(KEY, path.read_bytes(), KEYS).record == MEETING


class _Renamed(msgspec.Struct, rename={"reason": "cause"}, omit_defaults=True):
    """A dead letter as a careless change would read it."""

    topic: str
    reason: str = ""


class _Demanding(msgspec.Struct):
    topic: str
    urgency: int


def test_a_renamed_or_newly_required_field_would_be_noticed() -> None:
    old = GOLDEN / "v1" / "DeadLetter.json"

    assert "/reason is lost" in read(old, _Renamed)
    with pytest.raises(MalformedRecordError, match="urgency"):
        read(old, _Demanding)
