"""Who and where: tenants, mailboxes and the partition that owns them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import StrEnum


class Provider(StrEnum):
    """The calendar system a mailbox lives in."""

    MICROSOFT = "microsoft"
    GOOGLE = "google"


@dataclass(frozen=True, slots=True, order=True)
class Mailbox:
    """One connected person's calendar at one provider: the unit of limits, cursor and order."""

    tenant: str
    id: str

    @property
    def key(self) -> bytes:
        """The record key on every topic that is ordered by mailbox."""
        return f"{self.tenant}/{self.id}".encode()

    @classmethod
    def from_key(cls, key: bytes) -> Mailbox:
        """Read `key` back. Raises ValueError when it is not two non-empty parts."""
        tenant, _, mailbox = key.decode().partition("/")
        if not tenant or not mailbox:
            message = f"not a mailbox key: {key[:80]!r}"
            raise ValueError(message)
        return cls(tenant, mailbox)


def key_text(key: bytes) -> str:
    """
    The key of a record as text, whatever bytes somebody wrote there.

    Ours are ASCII. What is no UTF-8 stands as escapes (a backslash, an x and two digits), and so names no organisation.
    """
    return key.decode(errors="backslashreplace")


def tenant_of_key(key: bytes) -> str:
    """The id of the tenant that a record's key begins with; of a key that is no text, what names none."""
    return key_text(key).partition("/")[0]


def is_text(key: bytes) -> bool:
    """Whether a key can be one of ours: `key_text` gives it back unchanged."""
    return key_text(key).encode() == key


def partition_of(key: bytes, partitions: int) -> int:
    """
    Which of `partitions` owns `key`.

    Ours, not a client's default partitioner, because topics with the same key must agree on the number whatever
    writes them: every record is sent to an explicit partition.
    """
    return zlib.crc32(key) % partitions
