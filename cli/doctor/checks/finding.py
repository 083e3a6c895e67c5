"""One line of `roomsync doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"
    """Not needed for what is configured now."""
    WRONG = "wrong"
    AWAY = "away"
    """A dependency cannot be reached."""
    UNUSABLE = "unusable"
    """The settings cannot be used at all."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do about it."""

    name: str
    state: State
    said: str
    next: str = ""

    def as_dict(self) -> dict[str, str]:
        """As JSON."""
        return {"check": self.name, "state": self.state, "said": self.said, "next": self.next}

    def as_text(self) -> str:
        """As one line, or two when there is something to do."""
        line = f"{self.state:9} {self.name}: {self.said}"
        return f"{line}\n          → {self.next}" if self.next else line
