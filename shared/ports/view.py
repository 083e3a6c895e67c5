"""
What answers questions: a projection of `meeting-state` that can be thrown away and rebuilt, byte for byte.

A row is one meeting as its owners (the people whose copies are connected) may see it. Rows are applied after the commit,
per partition, only above the offset already applied of the same topic id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Row:
    """One meeting. `owners` are `tenant/mailbox` keys; `value` is the sealed meeting state; None deletes the row."""

    key: str
    owners: tuple[str, ...]
    value: bytes | None


@dataclass(frozen=True, slots=True)
class SeenRow:
    """A row as read, with the revision at which it last changed."""

    key: str
    value: bytes | None
    """None: deleted, or no longer this owner's, since the revision asked for."""
    revision: int


@dataclass(frozen=True, slots=True)
class Applied:
    """How far a partition of the view has come."""

    topic_id: str
    offset: int


def digest_of(rows: Iterable[Row]) -> str:
    """What `View.digest` says of a view that shows exactly these rows: by key; key, owners by name, value, length-prefixed."""
    digest = hashlib.sha256()
    for row in sorted(rows, key=lambda row: row.key.encode()):
        for part in (row.key.encode(), *(owner.encode() for owner in sorted(set(row.owners))), row.value or b""):
            digest.update(len(part).to_bytes(8, "big") + part)
        digest.update(b"\n")
    return digest.hexdigest()


class View(Protocol):
    """All methods raise StoreUnavailableError when the store cannot be reached. Thread-safe."""

    def applied(self, partition: int) -> Applied | None:
        """None: nothing applied yet, or the view was lost."""
        ...

    def apply(
        self, partition: int, applied: Applied, rows: Sequence[Row], *, onto: int | None = None, whole: bool = False
    ) -> bool:
        """
        Apply `rows` atomically if `applied.offset` is above the stored one of the same topic id.

        A different topic id replaces the partition: its rows go first.

        Args:
            onto: Only if exactly this offset of the same topic id stands: rows that build upon others must not stand
                alone in a view that was emptied or set back a moment ago.
            whole: These are all rows of the partition: those that stand go first, in the same step.

        Returns:
            Whether it was applied.
        """
        ...

    def reset(self, partition: int) -> None:
        """Forget the partition: its rows and how far it came. A rebuild follows."""
        ...

    def rows(self, owner: str) -> Sequence[SeenRow]:
        """All live rows of `owner`, by key."""
        ...

    def row(self, key: str) -> Row | None:
        """The live row of this key with its owners, by name; None when there is none."""
        ...

    def changes(self, owner: str, after: int) -> Sequence[SeenRow]:
        """Rows of `owner` that changed after revision `after`, oldest first, deletions included."""
        ...

    def revision(self, owner: str) -> int:
        """The newest revision of any row of `owner`; 0 when there has been none."""
        ...

    def revisions(self, owners: Collection[str]) -> Mapping[str, int]:
        """As `revision`, of each of these owners, in one question to the store."""
        ...

    def newest_revision(self) -> int:
        """
        A number that is another one whenever the revision of any owner is another one; it may change without that.

        Cheap, whatever the view holds: asked several times a second.
        """
        ...

    def digest(self) -> str:
        """A canonical hash of all live rows (`digest_of`), independent of revisions and of the order of applying."""
        ...

    def close(self) -> None:
        """Release connections and files."""
        ...
