"""One belief about a provider: the sentence, its evidence, who depends on it, and what follows where it does not hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.identity import Provider


class Trust(StrEnum):
    """How a belief came to be believed."""

    DOCUMENTED = "documented"
    """The provider's own page or published metadata says it."""
    REPORTED = "reported"
    """Users of the service report it in public; the provider's pages are silent, or say otherwise."""
    ASSUMED = "assumed"
    """Nobody was found who says it; the product has to take one side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """One line of the table."""

    key: str
    """`provider.name`: what the probe prints, and what the simulator's mode is called."""
    text: str
    """The belief in one sentence; it can be true or false."""
    source: str
    """The page, or the repository and number of the report. For what is assumed: why this side was taken."""
    trust: Trust
    dependents: tuple[str, ...]
    """Our modules that would do something else if they did not believe it."""
    otherwise: str
    """What the product does where it does not hold."""
    not_tried: str = ""
    """Why `roomsync probe` does not try it; "" when it does, and the simulator has a mode that contradicts it."""

    @property
    def provider(self) -> Provider:
        """Whom it is about."""
        return Provider(self.key.partition(".")[0])

    @property
    def is_tried(self) -> bool:
        """Whether the probe tries it."""
        return not self.not_tried
