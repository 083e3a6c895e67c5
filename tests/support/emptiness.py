"""Searches everything a deployment keeps for words of people's calendars: plain, encoded, escaped or compressed."""

from __future__ import annotations

import base64
import json
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import redis

from tests.support.paths import ROOT

TOPICS = (
    "notifications.graph", "notifications.google", "commands", "calendar-state", "observations", "meeting-state",
    "room-status", "room-rejections", "room-outcomes", "dismissals", "person-prompts", "organisation-declines",
    "notification-state", "webhook-requests", "webhook-state", "erasures", "dead-letters",
)  # fmt: skip
_STREAMS = (b"\x1f\x8b\x08", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
"""How gzip and zlib streams begin."""
_MOST_BYTES = 4 << 20

_TAIL_ALL = """
import json, sys
from cli.main import roomsync
for topic in sys.argv[1:]:
    print(json.dumps(topic))
    assert not roomsync(["tail", topic, "--from", "beginning", "--json"], standalone_mode=False)
"""

Place = tuple[str, bytes]


def found(places: Iterable[Place], words: Iterable[str]) -> list[str]:
    """`place: word (as …)` for every word that stands anywhere, in any of the forms below."""
    needles = [(word, form, needle) for word in words for form, needle in _forms(word)]
    return sorted(
        {
            f"{name}: {word} ({form}{wrapped})"
            for name, raw in places
            for wrapped, text in _unwrapped(raw)
            for word, form, needle in needles
            if needle in text
        }
    )


def in_files(*roots: Path) -> Iterator[Place]:
    """Every file below `roots`; of SQLite files also every value, since pages cut long ones in pieces."""
    for root in roots:
        for path in sorted(root.rglob("*")):
            if not path.is_file():
                continue
            raw = path.read_bytes()
            yield str(path), raw
            if raw.startswith(b"SQLite format 3\x00"):
                yield from _in_database(path)


def in_topics(environ: Mapping[str, str]) -> Iterator[Place]:
    """Every committed record of every topic: key, headers and value. One process tails them all, one after the other."""
    done = subprocess.run(
        [sys.executable, "-c", _TAIL_ALL, *TOPICS],
        env=dict(environ),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    topic, seen = "", []
    for line in done.stdout.splitlines():
        record = json.loads(line)
        if isinstance(record, str):
            topic = record
            seen.append(topic)
        else:
            yield f"{topic}/{record['partition']}/{record['offset']}", line.encode()
    assert tuple(seen) == TOPICS


def in_redis(url: str, prefix: str = "") -> Iterator[Place]:
    """Every key and value whose key begins with `prefix`."""
    with closing(redis.Redis.from_url(url)) as client:
        for key in client.scan_iter(match=f"{prefix}*", count=500):
            yield f"{url} {key!r}", key + b"\n" + _value(client, key)


def _value(client: redis.Redis, key: bytes) -> bytes:
    kind = client.type(key)
    if kind == b"hash":
        return b"\n".join(part for pair in client.hgetall(key).items() for part in pair)
    if kind == b"zset":
        return b"\n".join(client.zrange(key, 0, -1))
    if kind == b"set":
        return b"\n".join(client.smembers(key))
    if kind == b"list":
        return b"\n".join(client.lrange(key, 0, -1))
    return bytes(client.get(key) or b"")


def _in_database(path: Path) -> Iterator[Place]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                yield f"{path} {table}", b"\n".join(_bytes(value) for value in row)


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _forms(word: str) -> Iterator[tuple[str, bytes]]:
    raw = word.encode()
    yield "plain", raw
    yield "lower", word.lower().encode()
    yield "utf-16", word.encode("utf-16-le")
    yield "hex", raw.hex().encode()
    yield "percent", quote(word, safe="").encode()
    yield "json", json.dumps(word)[1:-1].encode()
    for shift in range(3):  # wherever the word stands within the encoded text, one of three inner parts shows
        inner = base64.b64encode(b"\0" * shift + raw)[(0, 2, 3)[shift] :].rstrip(b"=")[:-1]
        yield "base64", inner
        yield "base64", inner.translate(bytes.maketrans(b"+/", b"-_"))


def _unwrapped(raw: bytes) -> Iterator[tuple[str, bytes]]:
    yield "", raw
    for magic in _STREAMS:
        at = raw.find(magic)
        while at >= 0:
            inside = _inflated(raw[at:])
            if inside:
                yield ", compressed", inside
            at = raw.find(magic, at + 1)


def _inflated(raw: bytes) -> bytes:
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(raw, _MOST_BYTES)
    except zlib.error:
        return b""
