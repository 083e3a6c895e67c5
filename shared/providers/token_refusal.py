"""What a token endpoint's refusal means for a grant: one table a provider, of its published codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class TokenRefusal(StrEnum):
    """What becomes of the grant, mildest first."""

    LATER = "later"
    """Nothing is said of the grant: the endpoint is busy."""
    OURS = "ours"
    """Our own client is refused, for every grant: the operator mends it."""
    SUSPENDED = "suspended"
    """Something stands before the grant that can be taken away again: it is kept, and tried again."""
    FINAL = "final"
    """Documented as the end of this grant: only its person can give another one."""


class Mender(StrEnum):
    """Who can bring a refused grant back."""

    PERSON = "person"
    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class TokenCode:
    """One published code."""

    refusal: TokenRefusal
    mender: Mender
    what: str


@dataclass(frozen=True, slots=True)
class TokenCodes:
    """A provider's table. A code that is in no table says nothing of the grant, and is tried again later."""

    table: Mapping[str, TokenCode]
    read: Callable[[Mapping[str, Any]], Sequence[str]]
    """The codes in an answer's JSON object; the last is OAuth's own word, those before it are more exact."""

    def meaning(self, answer: Mapping[str, Any]) -> tuple[str, TokenRefusal]:
        """
        The code to show, and what it means; of several exact ones the mildest counts.

        Args:
            answer: The JSON object of a refusal.
        """
        *exact, word = self.read(answer)
        known = [code for code in exact if code in self.table]
        if known:
            mildest = min(known, key=lambda code: _MILDEST_FIRST.index(self.table[code].refusal))
            return shown_code(mildest), self.table[mildest].refusal
        found = self.table.get(word)
        return shown_code(exact[0] if exact else word), found.refusal if found else TokenRefusal.LATER


_MILDEST_FIRST = list(TokenRefusal)


def shown_code(code: str) -> str:
    """The code as people and logs see it: what follows a slash is ours, to tell two uses of one word apart."""
    return code.partition("/")[0]
