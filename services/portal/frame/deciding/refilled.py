"""A form that comes back as it was sent, with the field marked that cannot be used. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Refilled:
    """What stands in a form's fields, and which one is wrong; an empty form says nothing."""

    values: Mapping[str, str] = field(default_factory=dict)
    wrong: str = ""
    """The name of the field that cannot be used; "" for none."""
    words: str = ""
    """Why, and what to enter."""

    def value(self, name: str, default: object = "") -> str:
        """What was sent in a field, or else its value before."""
        return self.values.get(name, str(default or ""))
