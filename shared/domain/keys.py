"""Keyed pseudonyms: how a name becomes something that can be compared but not read, and forgotten by destroying a key."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

PSEUDONYM_CHARS = 26  # 130 bits in base32: no collision in any organisation's lifetime
_PSEUDONYM_BYTES = 20  # the first 32 characters of its base32, without padding

_ERA_CHARS = 8


def keyed_hash(key: bytes, *parts: str) -> bytes:
    """HMAC-SHA256 of `parts`, each length-prefixed so that no two lists of parts collide."""
    raw = [part.encode() for part in parts]
    return hmac.digest(key, b"".join(len(each).to_bytes(4, "big") + each for each in raw), "sha256")


def pseudonym(key: bytes, *parts: str) -> str:
    """A 26-character lower-case base32 name for `parts` under `key`."""
    return base64.b32encode(keyed_hash(key, *parts)[:_PSEUDONYM_BYTES]).decode().lower()[:PSEUDONYM_CHARS]


def era_of(key: bytes) -> str:
    """A name of a key, of no use for guessing it: tells what an erased one sealed from damage."""
    return keyed_hash(key, "era").hex()[:_ERA_CHARS]


@dataclass(frozen=True, slots=True)
class TenantKeys:
    """One tenant's keys: 32 bytes each. Destroying one makes whatever it sealed or named unreadable."""

    tenant: str
    data_key: bytes
    """Seals references, snapshots, states."""
    hash_key: bytes
    """Names meetings, rooms and people."""
    consent_key: bytes | None
    """Seals refresh tokens; None once destroyed."""
    refuse_unbound: bool = False
    """Whether records that earlier versions sealed, which are bound to no record key, are refused."""
    era: str = field(init=False, repr=False, compare=False)
    """The era of the data key (see `era_of`), reckoned once: every record that is sealed or opened names it."""

    def __post_init__(self) -> None:
        """Reckon what follows from the keys."""
        object.__setattr__(self, "era", era_of(self.data_key))

    def person(self, address: str) -> str:
        """The pseudonym of a person's address."""
        return f"p-{pseudonym(self.hash_key, 'person', address.lower())}"

    def room(self, address: str) -> str:
        """The product's id of a room: the pseudonym of its address, so that no look-up stands between a look and a state."""
        return f"r-{pseudonym(self.hash_key, 'room', address.lower())}"

    def meeting(self, provider: str, uid: str) -> str:
        """The pseudonym that all copies of a meeting share."""
        return f"m-{pseudonym(self.hash_key, 'meeting', provider, uid)}"

    def occurrence(self, meeting: str, slot: str) -> str:
        """The pseudonym of one date of a meeting."""
        return f"o-{pseudonym(self.hash_key, 'occurrence', meeting, slot)}"

    def ask(self, start_ms: int, end_ms: int) -> str:
        """One request of a room for one time."""
        return f"a-{pseudonym(self.hash_key, 'ask', str(start_ms), str(end_ms))}"

    def decline(self, meeting: str, occurrence: str, room: str, ask: str, repeat: int) -> str:
        """The id of a decline event: the same cause always gives the same id (design §5)."""
        return f"d-{pseudonym(self.hash_key, 'decline', meeting, occurrence, room, ask, str(repeat))}"

    def incident(self, prompt: str) -> str:
        """The id of an incident, by the first decline that belongs to it."""
        return f"i-{pseudonym(self.hash_key, 'incident', prompt)}"

    def message(self, mailbox: str, steps: Iterable[str]) -> str:
        """The id of a message to the person of a mailbox: the same prompts and rungs always give the same id."""
        return f"n-{pseudonym(self.hash_key, 'message', mailbox, *sorted(steps))}"
