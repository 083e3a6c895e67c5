"""The view on Redis: projected rows by owner, applied by compare-and-apply on topic id and offset."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from shared.contracts.packing import pack, unpack
from shared.domain.identity import key_text
from shared.domain.instants import DAY_MS
from shared.engines.distributed.stores import connect, translate_errors
from shared.engines.distributed.view_scripts import APPLY, CHANGES, RESET, ROWS
from shared.ports.clock import Clock
from shared.ports.view import Applied, Row, SeenRow

GONE_KEPT_MS = DAY_MS
"""A page that resumes later than this after a deletion reads everything anew."""
_STORE = "view"


class _FoundRow(NamedTuple):
    """A live row as it stands in Redis."""

    key: bytes
    owners: list[bytes]
    """By name."""
    value: bytes
    revision: int
    """The newest that any owner has seen of it."""


class RedisView:
    """See `shared.ports.view.View`. Thread-safe; connects when first used."""

    def __init__(self, url: str, *, prefix: str, clock: Clock) -> None:
        self._redis: Any = connect(url)  # its types allow for str everywhere; it gives bytes
        self._at = f"{prefix}view:"
        self._clock = clock
        self._apply = self._redis.register_script(APPLY)
        self._reset = self._redis.register_script(RESET)
        self._changes = self._redis.register_script(CHANGES)
        self._rows = self._redis.register_script(ROWS)

    def applied(self, partition: int) -> Applied | None:
        """How far a partition has come; None when nothing was applied or the view was lost."""
        with translate_errors(_STORE):
            reached = self._redis.hget(self._at + "reached", str(partition))
        if reached is None:
            return None
        offset, topic_id = reached.decode().split(" ", 1)
        return Applied(topic_id, int(offset))

    def apply(
        self, partition: int, applied: Applied, rows: Sequence[Row], *, onto: int | None = None, whole: bool = False
    ) -> bool:
        """Apply atomically, if newer; `whole`, or another topic id, replaces the partition."""
        now_ms = self._clock.now_ms()
        arguments: list[Any] = [partition, applied.topic_id, applied.offset, now_ms, now_ms - GONE_KEPT_MS]
        arguments += ["" if onto is None else onto, int(whole)]
        for row in rows:
            owners = sorted(set(row.owners))
            value = b"" if row.value is None else pack(row.value)
            arguments += [*_parts_of(row.key), int(row.value is not None), value, len(owners), *owners]
        with translate_errors(_STORE):
            return bool(self._apply(keys=[self._at], args=arguments))

    def reset(self, partition: int) -> None:
        """Forget the partition."""
        with translate_errors(_STORE):
            self._reset(keys=[self._at], args=[partition, self._clock.now_ms()])

    def rows(self, owner: str) -> Sequence[SeenRow]:
        """All live rows of `owner`, by key."""
        live = {row.key: row for row in self.changes(owner, 0) if row.value is not None}
        return [live[key] for key in sorted(live)]

    def row(self, key: str) -> Row | None:
        """The live row of this key with its owners."""
        found = self._found(*_parts_of(key))
        if not found:
            return None
        # With another number of partitions, a key is in two of them until the earlier one is rebuilt.
        newest = max(found, key=lambda each: each.revision)
        return Row(key, tuple(owner.decode() for owner in newest.owners), newest.value)

    def changes(self, owner: str, after: int) -> Sequence[SeenRow]:
        """Rows of `owner` that changed after revision `after`, oldest first, deletions included."""
        with translate_errors(_STORE):
            flat = self._changes(keys=[self._at], args=[owner, after])
        seen = [
            SeenRow(key_text(key), None if value is None else unpack(value), revision)
            for key, value, revision in zip(flat[::3], flat[1::3], flat[2::3], strict=True)
        ]
        return sorted(seen, key=lambda row: row.revision)

    def revision(self, owner: str) -> int:
        """The newest revision of any row of `owner`, or 0."""
        return self.revisions((owner,))[owner]

    def revisions(self, owners: Collection[str]) -> Mapping[str, int]:
        """The newest revision of any row of each owner, or 0."""
        with translate_errors(_STORE), self._redis.pipeline(transaction=True) as pipe:
            for owner in owners:
                for kind in ("seen:", "gone:"):
                    pipe.zrevrange(self._at + kind + owner, 0, 0, withscores=True)
            newest = [int(found[0][1]) if found else 0 for found in pipe.execute()]
        return {owner: max(pair) for owner, *pair in zip(owners, newest[::2], newest[1::2], strict=True)}

    def newest_revision(self) -> int:
        """The newest revision of any row; 0 in a view that was lost."""
        with translate_errors(_STORE):
            return int(self._redis.get(self._at + "revision") or 0)

    def digest(self) -> str:
        """SHA-256 over the live rows by key: key, owners by name, value, each length-prefixed."""
        digest = hashlib.sha256()
        for row in sorted(self._found()):
            for part in (row.key, *row.owners, row.value):
                digest.update(len(part).to_bytes(8, "big") + part)
            digest.update(b"\n")
        return digest.hexdigest()

    def close(self) -> None:
        """Release connections."""
        self._redis.close()

    def _found(self, *parts: str) -> list[_FoundRow]:
        """All live rows, or those under the key of which these are the parts."""
        with translate_errors(_STORE):
            found = self._rows(keys=[self._at], args=parts)
        return [
            _FoundRow(key, sorted(filter(None, owners.split(b"\n"))), unpack(value), revision)
            for key, value, owners, revision in found
        ]


def _parts_of(key: str) -> tuple[str, str]:
    """The group of a row, which is its meeting, and the rest of its key."""
    group = "/".join(key.split("/", 2)[:2])
    return group, key[len(group) :]
