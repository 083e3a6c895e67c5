"""An archive opens whole, with its own key, or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crypto.master import MasterKeys, new_key, parse
from shared.errors import ConfigurationError, MalformedRecordError
from shared.ports.holdings import StoredRow
from shared.runtime.archive import Contents, Eras, open_archive, seal_archive, write_new
from tests.support.builders import NOW_MS

RING = parse(new_key())
HELD = Contents(
    rows=[StoredRow("rooms", "t-one", "r-1", b'{"address":"a@x.test","name":"A"}', NOW_MS)],
    eras={"t-one": Eras("d", "c")},
)
FILE = seal_archive(HELD, RING, kind="backup", made_at_ms=NOW_MS)


def test_it_opens_to_what_was_put_in() -> None:
    header, held = open_archive(FILE, RING, kind="backup")

    assert held == HELD
    assert (header.made_at_ms, header.rows, header.v) == (NOW_MS, 1, 1)


def test_nothing_of_it_can_be_read_without_the_key() -> None:
    assert b"a@x.test" not in FILE
    assert b"t-one" not in FILE


def test_it_opens_after_the_master_key_was_rotated() -> None:
    newer = parse(new_key())
    rotated = MasterKeys(newer.current, {**newer.ring, **RING.ring})

    assert open_archive(FILE, rotated, kind="backup")[1] == HELD


@given(st.integers(0, len(FILE) - 1))
def test_cut_short_anywhere_it_does_not_open(length: int) -> None:
    with pytest.raises((MalformedRecordError, ConfigurationError)):
        open_archive(FILE[:length], RING, kind="backup")


@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_altered_anywhere_it_does_not_open(at: int, flip: int) -> None:
    altered = FILE[:at] + bytes([FILE[at] ^ flip]) + FILE[at + 1 :]

    with pytest.raises((MalformedRecordError, ConfigurationError)):
        open_archive(altered, RING, kind="backup")


def test_the_header_is_sealed_too() -> None:
    later = FILE.replace(str(NOW_MS).encode(), str(NOW_MS + 1).encode())

    with pytest.raises(MalformedRecordError, match="altered"):
        open_archive(later, RING, kind="backup")


def test_another_key_is_told_from_damage() -> None:
    with pytest.raises(ConfigurationError, match="not at hand"):
        open_archive(FILE, parse(new_key()), kind="backup")
    namesake = MasterKeys(RING.current, {RING.current: b"x" * 32})
    with pytest.raises(ConfigurationError, match="another key"):
        open_archive(FILE, namesake, kind="backup")


def test_a_newer_file_asks_for_a_newer_roomsync() -> None:
    with pytest.raises(ConfigurationError, match="use a newer one"):
        open_archive(FILE.replace(b'"v":1', b'"v":2'), RING, kind="backup")


def test_an_export_is_not_restored_nor_a_backup_imported() -> None:
    with pytest.raises(MalformedRecordError, match="registry restore"):
        open_archive(FILE, RING, kind="export")


def test_the_file_is_its_owners_alone_and_never_replaces_another(tmp_path: Path) -> None:
    path = tmp_path / "backup"
    write_new(path, FILE)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        write_new(path, b"other")
    assert path.read_bytes() == FILE
    assert [each.name for each in tmp_path.iterdir()] == ["backup"]
