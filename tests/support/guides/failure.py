"""What ends a walk early."""

from __future__ import annotations

from typing import NoReturn


class WalkError(AssertionError):
    """An act could not be done, or what should be seen was not; `seen` is what stood on the page or in the terminal instead."""

    def __init__(self, what: str, seen: str = "") -> None:
        self.what, self.seen, self.step = what, seen, ""
        super().__init__(what)

    def __str__(self) -> str:
        return f"{self.step}: {self.what}\n--- instead ---\n{self.seen[-4000:]}"


def fail(what: str, seen: str = "") -> NoReturn:
    """Raise the WalkError of these words."""
    raise WalkError(what, seen)
