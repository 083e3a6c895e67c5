"""The searcher finds what it is for, whatever it is wrapped in, and names the place."""

from __future__ import annotations

import base64
import gzip
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.emptiness import found, in_files

WORD = "Quagga über Äpfel"


@pytest.mark.proves("M2")
@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: text.encode(),
        lambda text: text.encode("utf-16-le"),
        lambda text: base64.b64encode(text.encode()),
        lambda text: base64.urlsafe_b64encode(text.encode()),
        lambda text: quote(text).encode(),
        lambda text: text.encode().hex().encode(),
        lambda text: gzip.compress(text.encode()),
        lambda text: b"before" + zlib.compress(text.encode()) + b"behind",
    ],
)
def test_a_planted_word_is_found_in_every_wrapping_and_the_place_is_named(
    tmp_path: Path, wrap: Callable[[str], bytes], before: str
) -> None:
    (tmp_path / "innocent").write_bytes(b"nothing of the kind")
    (tmp_path / "leak").write_bytes(b"\x00{" + wrap(f"{before}{WORD}, and more"))
    [place] = {line.split(":")[0] for line in found(in_files(tmp_path), [WORD])}
    assert place == str(tmp_path / "leak")


def test_a_value_that_a_database_cuts_in_pieces_is_found_in_its_table(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "kept.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE events (body BLOB)")
        for shift in range(0, 4096, 7):  # somewhere among these the word lies across the end of a page
            connection.execute("INSERT INTO events VALUES (?)", (b"x" * (3000 + shift) + WORD.encode() + b"x" * 5000,))
    assert any("events" in line for line in found(in_files(tmp_path), [WORD]))


def test_where_nothing_is_nothing_is_found(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(bytes(range(256)) * 64)
    assert found(in_files(tmp_path), [WORD]) == []
