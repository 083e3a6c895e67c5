"""Names and randomness that depend on the seed and on what is named, never on the order of threads."""

from __future__ import annotations

import random
import uuid
from collections import Counter

BASE32HEX = "0123456789abcdefghijklmnopqrstuv"
URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Ids:
    """Everything that looks random in this world, derived from one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._counters: Counter[str] = Counter()

    def random(self, *parts: object) -> random.Random:
        """A generator of its own for whatever `parts` name; the same parts give the same numbers."""
        return random.Random(":".join(str(part) for part in (self.seed, *parts)))

    def guid(self, *parts: object) -> str:
        """A GUID for what `parts` name."""
        return str(uuid.UUID(int=self.random("guid", *parts).getrandbits(128), version=4))

    def digits(self, length: int, *parts: object) -> str:
        """A number of `length` digits that does not start with zero (a Google `sub`)."""
        source = self.random("digits", *parts)
        return str(source.randrange(10 ** (length - 1), 10**length))

    def token(self, length: int, alphabet: str, *parts: object) -> str:
        """`length` characters of `alphabet` for what `parts` name."""
        source = self.random("token", *parts)
        return "".join(source.choices(alphabet, k=length))

    def count(self, kind: str) -> int:
        """1, 2, 3 ... for each kind."""
        self._counters[kind] += 1
        return self._counters[kind]
