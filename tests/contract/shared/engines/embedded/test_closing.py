"""A file that is closed while other threads use it: they are told so, and the process goes on."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from shared.engines.embedded.database import Database
from shared.errors import StoreUnavailableError
from tests.support.patience import PATIENCE_S

SCHEMA = "CREATE TABLE IF NOT EXISTS numbers (number INTEGER PRIMARY KEY, text BLOB)"
ROUNDS, THREADS, ROWS = 10, 8, 1_000


def play_round(path: Path) -> None:
    """Close a file in which threads read without end and one writes; return once each was told so."""
    database = Database(path, SCHEMA, unavailable=StoreUnavailableError)
    with database.write() as connection:
        connection.executemany("INSERT INTO numbers VALUES (?, ?)", [(number, b"x" * 500) for number in range(ROWS)])
    everybody, told = threading.Barrier(THREADS + 1), []

    def use(number: int) -> None:
        everybody.wait()
        try:
            while True:
                if number:
                    database.read("SELECT * FROM numbers WHERE number > ?", (number,))
                    continue
                with database.write() as connection:
                    connection.execute("UPDATE numbers SET text = ? WHERE number = ?", (b"y", number))
        except StoreUnavailableError as error:
            told.append(str(error))

    threads = [threading.Thread(target=use, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    everybody.wait()
    database.close()
    for thread in threads:
        thread.join()
    assert len(told) == THREADS
    assert all("closed" in words for words in told)


def test_a_file_is_closed_while_threads_use_it(tmp_path: Path) -> None:
    """In a process of its own, since a connection that is closed too early ends one with a segmentation fault."""
    command = [sys.executable, __file__, tmp_path]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_whoever_comes_after_the_end_is_told_so(tmp_path: Path) -> None:
    database = Database(tmp_path / "file", SCHEMA, unavailable=StoreUnavailableError)
    database.close()
    told: list[str] = []

    def come() -> None:
        try:
            database.read("SELECT 1")
        except StoreUnavailableError as error:
            told.append(str(error))

    come()
    thread = threading.Thread(target=come)
    thread.start()
    thread.join(PATIENCE_S)
    assert len(told) == 2
    assert all("closed" in words for words in told)


if __name__ == "__main__":
    for count in range(ROUNDS):
        play_round(Path(sys.argv[1]) / f"file-{count}")
