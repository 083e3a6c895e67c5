"""Requests as the simulator wrote them down at its socket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import msgspec

JSON = dict[str, object]


class Recorded(msgspec.Struct, frozen=True):
    """One request of a calendar API, and the status that it was answered with."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str
    status: int

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """Of the query, and of the form where the query was too long for an address."""
        found = parse_qsl(self.query, keep_blank_values=True)
        return [*found, *parse_qsl(self.body, keep_blank_values=True)] if self.is_overridden else found

    @property
    def is_overridden(self) -> bool:
        """Whether a POST stands for a GET."""
        return self.headers.get("X-HTTP-Method-Override", "").upper() == "GET"

    @property
    def meant_method(self) -> str:
        """The method that was meant."""
        return "GET" if self.is_overridden else self.method

    @property
    def json(self) -> object:
        """The body read as JSON; None when it is empty or a form. Raises msgspec.DecodeError."""
        return None if self.is_overridden or not self.body else msgspec.json.decode(self.body)

    def __str__(self) -> str:
        """As a line for people."""
        query = f"?{self.query}" if self.query else ""
        return f"{self.method} {self.path}{query} {self.body[:500]}".strip()


def read_records(folder: Path) -> Iterator[Recorded]:
    """Every request that any simulator of the run has written down."""
    for path in sorted(folder.glob("*.jsonl")):
        with path.open("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):  # else its simulator was killed while it wrote
                    yield msgspec.json.decode(line, type=Recorded)


def distinct(records: Iterator[Recorded]) -> Counter[str]:
    """How often each request came, by all that is checked of it."""
    return Counter(msgspec.json.encode(record).decode() for record in records)
