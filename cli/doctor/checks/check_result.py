"""The result of one check of `roomsync doctor`: one line of its output."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """How severe a result is."""

    OK = "ok"
    NOTE = "note"
    """Not needed for what is configured now."""
    WRONG = "wrong"
    AWAY = "away"
    """A dependency cannot be reached."""
    UNUSABLE = "unusable"
    """The settings cannot be used at all."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was checked, its state, and what to do about it."""

    name: str
    state: CheckState
    text: str
    next: str = ""

    def as_dict(self) -> dict[str, str]:
        """As JSON."""
        return {"check": self.name, "state": self.state, "said": self.text, "next": self.next}

    def as_text(self) -> str:
        """As one line, or two when there is something to do."""
        line = f"{self.state:9} {self.name}: {self.text}"
        return f"{line}\n          → {self.next}" if self.next else line
