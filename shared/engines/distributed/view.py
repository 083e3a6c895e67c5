"""The view on Redis: projected rows by owner, applied by compare-and-apply on topic id and offset."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from shared.domain.identity import key_text
from shared.domain.instants import DAY_MS
from shared.engines.distributed.stores import connect, translate_errors
from shared.engines.distributed.view_scripts import APPLY, CHANGES, RESET
from shared.ports.clock import Clock
from shared.ports.view import Applied, Row, SeenRow

GONE_KEPT_MS = DAY_MS
"""A page that resumes later than this after a deletion reads everything anew."""
_STORE = "view"


class RedisView:
    """See `shared.ports.view.View`. Thread-safe; connects when first used."""

    def __init__(self, url: str, *, prefix: str, clock: Clock) -> None:
        self._redis: Any = connect(url)  # its types allow for str everywhere; it gives bytes
        self._at = f"{prefix}view:"
        self._clock = clock
        self._apply = self._redis.register_script(APPLY)
        self._reset = self._redis.register_script(RESET)
        self._changes = self._redis.register_script(CHANGES)

    def applied(self, partition: int) -> Applied | None:
        """How far a partition has come; None when nothing was applied or the view was lost."""
        with translate_errors(_STORE), self._redis.pipeline(transaction=True) as pipe:
            pipe.hget(self._at + "topic", str(partition))
            pipe.hget(self._at + "offset", str(partition))
            topic_id, offset = pipe.execute()
        return None if topic_id is None else Applied(topic_id.decode(), int(offset))

    def apply(
        self, partition: int, applied: Applied, rows: Sequence[Row], *, onto: int | None = None, whole: bool = False
    ) -> bool:
        """Apply atomically, if newer; `whole`, or another topic id, replaces the partition."""
        now_ms = self._clock.now_ms()
        arguments: list[Any] = [partition, applied.topic_id, applied.offset, now_ms, now_ms - GONE_KEPT_MS]
        arguments += ["" if onto is None else onto, int(whole)]
        for row in rows:
            owners = sorted(set(row.owners))
            arguments += [row.key, int(row.value is not None), row.value or b"", len(owners), *owners]
        with translate_errors(_STORE):
            return bool(self._apply(keys=[self._at], args=arguments))

    def reset(self, partition: int) -> None:
        """Forget the partition."""
        with translate_errors(_STORE):
            self._reset(keys=[self._at], args=[partition, self._clock.now_ms()])

    def rows(self, owner: str) -> Sequence[SeenRow]:
        """All live rows of `owner`, by key."""
        return sorted((row for row in self._since(owner, 0) if row.value is not None), key=lambda row: row.key)

    def row(self, key: str) -> Row | None:
        """The live row of this key with its owners."""
        with translate_errors(_STORE), self._redis.pipeline(transaction=True) as pipe:
            pipe.hget(self._at + "values", key)
            pipe.hget(self._at + "owners", key)
            value, owners = pipe.execute()
        if value is None:
            return None
        return Row(key, tuple(sorted(filter(None, (owners or b"").decode().split("\n")))), value)

    def changes(self, owner: str, after: int) -> Sequence[SeenRow]:
        """Rows of `owner` that changed after revision `after`, oldest first, deletions included."""
        return sorted(self._since(owner, after), key=lambda row: row.revision)

    def revision(self, owner: str) -> int:
        """The newest revision of any row of `owner`, or 0."""
        with translate_errors(_STORE), self._redis.pipeline(transaction=True) as pipe:
            for kind in ("live:", "gone:"):
                pipe.zrevrange(self._at + kind + owner, 0, 0, withscores=True)
            return max((int(score) for found in pipe.execute() for _, score in found), default=0)

    def digest(self) -> str:
        """SHA-256 over the live rows by key: key, owners by name, value, each length-prefixed."""
        with translate_errors(_STORE), self._redis.pipeline(transaction=True) as pipe:
            pipe.hgetall(self._at + "values")
            pipe.hgetall(self._at + "owners")
            values, owners = pipe.execute()
        digest = hashlib.sha256()
        for key in sorted(values):
            for part in (key, *sorted(filter(None, owners.get(key, b"").split(b"\n"))), values[key]):
                digest.update(len(part).to_bytes(8, "big") + part)
            digest.update(b"\n")
        return digest.hexdigest()

    def close(self) -> None:
        """Release connections."""
        self._redis.close()

    def _since(self, owner: str, after: int) -> list[SeenRow]:
        with translate_errors(_STORE):
            flat = self._changes(keys=[self._at], args=[owner, after])
        return [
            SeenRow(key_text(key), value, int(revision))
            for key, value, revision in zip(flat[::3], flat[1::3], flat[2::3], strict=True)
        ]
