"""The registry on Redis: a hash per table and tenant, compare-and-set in Lua, deadlines as columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from shared.domain.identity import key_text
from shared.engines.distributed.stores import connect, translate_errors
from shared.errors import ConflictError
from shared.ports.clock import Clock
from shared.ports.holdings import StoredRow
from shared.ports.registry import Versioned

# A field holds `version:not_after_ms:value`, not_after_ms empty for none. Versions come from one counter: a row made anew
# does not answer to the version of an old one.
_PUT = """
local now = tonumber(ARGV[5])
local found, stands = 0, redis.call('HGET', KEYS[1], ARGV[1])
if stands then
    local version, not_after = string.match(stands, '^(%d+):(%d*):')
    if not_after == '' or tonumber(not_after) > now then found = tonumber(version) end
end
if ARGV[3] ~= '' and tonumber(ARGV[3]) ~= found then return {0, found} end
local version = redis.call('INCR', KEYS[2])
redis.call('HSET', KEYS[1], ARGV[1], version .. ':' .. ARGV[4] .. ':' .. ARGV[2])
local member = KEYS[1] .. '\\n' .. ARGV[1]
if ARGV[4] == '' then redis.call('ZREM', KEYS[3], member) else redis.call('ZADD', KEYS[3], ARGV[4], member) end
return {1, version}
"""
_DELETE = """
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], KEYS[1] .. '\\n' .. ARGV[1])
return 1
"""
_SWEEP = """
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 1000)) do
    local table_, row = string.match(member, '^([^\\n]*)\\n(.*)$')
    redis.call('HDEL', table_, row)
    redis.call('ZREM', KEYS[1], member)
end
return 1
"""
_STORE = "registry"
_STEP = 1_000
"""How many names Redis looks through in one step, in which it serves nobody else."""


class RedisRegistry:
    """See `shared.ports.registry.Registry`. Durable on return with `appendfsync always`. Connects when first used."""

    def __init__(self, url: str, *, prefix: str, clock: Clock) -> None:
        """`clock`, not Redis, tells which rows are past their deadline."""
        self._redis: Any = connect(url)  # its types allow for str everywhere; it gives bytes
        self._at = f"{prefix}registry"
        self._clock = clock
        self._put = self._redis.register_script(_PUT)
        self._delete = self._redis.register_script(_DELETE)
        self._sweep = self._redis.register_script(_SWEEP)

    def get(self, table: str, tenant: str, row: str) -> Versioned | None:
        """The row; None when absent or past its deadline."""
        with translate_errors(_STORE):
            stored = self._redis.hget(self._hash(table, tenant), row)
            if stored is None:
                return None
            found = self._live(stored)
            if found is None:
                self._drop_expired()
            return found

    def get_many(self, table: str, tenant: str, rows: Collection[str]) -> Mapping[str, Versioned]:
        """Those of the rows that are there and not past their deadline."""
        if not rows:
            return {}
        asked = list(rows)
        with translate_errors(_STORE):
            stored = self._redis.hmget(self._hash(table, tenant), asked)
        found = ((row, self._live(value)) for row, value in zip(asked, stored, strict=True) if value is not None)
        return {row: live for row, live in found if live is not None}

    def put(
        self,
        table: str,
        tenant: str,
        row: str,
        value: bytes,
        *,
        expect: int | None = None,
        not_after_ms: int | None = None,
    ) -> int:
        """Write the row and return its new version. Raises ConflictError when `expect` does not hold."""
        with translate_errors(_STORE):
            self._drop_expired()
            written, version = self._put(
                keys=[self._hash(table, tenant), f"{self._at}-versions", f"{self._at}-deadlines"],
                args=[row, value, _or_empty(expect), _or_empty(not_after_ms), self._clock.now_ms()],
            )
        if not written:
            message = f"{table}/{row} is at version {version}, not {expect}: read it again and decide anew"
            raise ConflictError(message)
        return int(version)

    def delete(self, table: str, tenant: str, row: str) -> None:
        """Idempotent."""
        with translate_errors(_STORE):
            self._delete(keys=[self._hash(table, tenant), f"{self._at}-deadlines"], args=[row])

    def scan(self, table: str, tenant: str) -> Iterator[tuple[str, Versioned]]:
        """All live rows of the table for this tenant, by row id, as they stood together at one instant."""
        with translate_errors(_STORE):
            stored: dict[bytes, bytes] = self._redis.hgetall(self._hash(table, tenant))
        rows = ((key_text(row), self._live(value)) for row, value in sorted(stored.items()))
        return iter([(row, found) for row, found in rows if found is not None])

    def scan_named(self, table: str, tenant: str, owner: str) -> Iterator[tuple[str, Versioned]]:
        """All live rows whose id begins with `owner/` or ends with `/owner`, by row id. Steps through the names, never at once."""
        name, found = self._hash(table, tenant), dict[bytes, bytes]()
        with translate_errors(_STORE):
            for pattern in (f"{_plain_glob(owner)}/*", f"*/{_plain_glob(owner)}"):
                found |= dict(self._redis.hscan_iter(name, match=pattern, count=_STEP))
        rows = ((key_text(row), self._live(value)) for row, value in sorted(found.items()))
        return iter([(row, live) for row, live in rows if live is not None])

    def everything(self) -> Sequence[StoredRow]:
        """All live rows of all tables and tenants; those of one table and tenant as they stood together."""
        with translate_errors(_STORE):
            names = {key_text(name) for name in self._redis.scan_iter(match=f"{self._at}:*", count=1000)}
            stored = [(name, self._redis.hgetall(name)) for name in sorted(names)]
        places = ((name.removeprefix(f"{self._at}:").partition(":"), rows) for name, rows in stored)
        return [
            StoredRow(table, tenant, key_text(row), live.value, _deadline(value))
            for (table, _, tenant), rows in places
            for row, value in sorted(rows.items())
            if (live := self._live(value)) is not None
        ]

    def close(self) -> None:
        """Release connections."""
        self._redis.close()

    def _hash(self, table: str, tenant: str) -> str:
        return f"{self._at}:{table}:{tenant}"

    def _live(self, stored: bytes) -> Versioned | None:
        version, not_after_ms, value = stored.split(b":", 2)
        if not_after_ms and int(not_after_ms) <= self._clock.now_ms():
            return None
        return Versioned(value, int(version))

    def _drop_expired(self) -> None:
        """Delete the rows of all tenants that are past their deadline."""
        self._sweep(keys=[f"{self._at}-deadlines"], args=[self._clock.now_ms()])


def _deadline(stored: bytes) -> int | None:
    not_after_ms = stored.split(b":", 2)[1]
    return int(not_after_ms) if not_after_ms else None


def _plain_glob(text: str) -> str:
    """A pattern of Redis that matches `text` alone."""
    return re.sub(r"([*?\[\]\\^-])", r"\\\1", text)


def _or_empty(number: int | None) -> str:
    return "" if number is None else str(number)
