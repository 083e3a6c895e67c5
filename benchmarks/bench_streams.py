"""
What open pages cost at rest: processor time of the portal while so many people keep "My rooms" open and nothing happens.

All are connected to one series of 60 dates with three rooms each. Their browsers are in a process of their own.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.load_beside import load_beside
from benchmarks.receiving.processes import cpu_s, resident_mib
from benchmarks.running_portal import running_portal
from benchmarks.series import observation_record, observed_series
from services.portal.frame.sessions import COOKIE, LIFE_MS
from services.room_status.deciding.decision import decide
from services.room_status.deciding.memory import Memory
from shared.contracts.rows import SessionRow, UserRow
from shared.crypto.master import new_key, parse
from shared.domain.attendees import Answer
from shared.domain.keys import pseudonym
from shared.engines.embedded import open_engine
from shared.organisations.enrolment import enrol
from shared.ports.view import Applied
from shared.registry import tables
from shared.runtime.clock import SystemClock

STREAMS = (0, 20, 200)
SETTLED_S = 15.0
"""After the last one was opened: everything that stands has been told by then."""
MEASURED_S = 30.0
WANTED = 2.0
_ENOUGH = 1 << 16


def main() -> int:
    """Print the share of a core that the portal uses, for each number of streams."""
    print("| streams | % of a core | resident MiB |\n| --- | --- | --- |")
    share = 0.0
    for streams in STREAMS:
        key = new_key()
        with tempfile.TemporaryDirectory(prefix="roomsync-bench-") as home, contextlib.ExitStack() as stack:
            cookies = _sign_in(Path(home), key, streams)
            portal = stack.enter_context(running_portal(_environ(home, key)))
            if streams:
                stack.enter_context(load_beside(_keep_open, portal.url, cookies))
            time.sleep(SETTLED_S)
            before, began = cpu_s(portal.pid), time.monotonic()
            time.sleep(MEASURED_S)
            share = 100 * (cpu_s(portal.pid) - before) / (time.monotonic() - began)
            print(f"| {streams} | {share:.1f} | {resident_mib(portal.pid):.0f} |", flush=True)
    print(f"wanted: at most {WANTED:g} % of a core for {STREAMS[-1]}")
    return 0


def _sign_in(home: Path, key: str, people: int) -> list[str]:
    """A deployment in which so many people are signed in; their cookies."""
    clock, master = SystemClock(), parse(key)
    engine = open_engine(home, partitions=1, prefix="", master=master, clock=clock)
    tenant = enrol(engine.registry, engine.keyring, provider="google", directory="contoso.test", name="Contoso")
    keys, now_ms = engine.keyring.keys(tenant), clock.now_ms()
    cookies = []
    for number in range(people):
        cookie = f"{tenant}.cookie-{number}"
        session = pseudonym(master.session_key(), "session", cookie)
        row = SessionRow(user=f"u-{number}", csrf="csrf", opened_at_ms=now_ms, prolonged_at_ms=now_ms)
        tables.sessions(engine.registry).put(tenant, session, row, not_after_ms=now_ms + LIFE_MS)
        user = UserRow(
            provider="google",
            subject=str(number),
            address_sealed=b"",
            person=keys.person(str(number)),
            mailbox=observed_series(keys, number, Answer.ACCEPTED, now_ms).mailbox,
            sessions=(session,),
        )
        tables.users(engine.registry).put(tenant, f"u-{number}", user)
        cookies.append(cookie)
    looks = [observed_series(keys, number, Answer.ACCEPTED, now_ms + number) for number in range(people)]
    records = [observation_record(keys, look, number) for number, look in enumerate(looks)]
    memory, applied = Memory({}), 0
    while records:
        batch = decide(records, memory, partition=0, keys_of=lambda _: keys, told=frozenset())
        memory.apply(batch.changes)
        records, applied = records[batch.handled :], applied + 1
        engine.view.apply(0, Applied("bench", applied), list(batch.rows.values()))
    engine.close()
    return cookies


def _environ(home: str, key: str) -> dict[str, str]:
    return {
        **os.environ,
        "ROOMSYNC_HOME": home,
        "ROOMSYNC_MASTER_KEY": key,
        "ROOMSYNC_PARTITIONS": "1",
        "ROOMSYNC_PORTAL_PORT": "0",
        "ROOMSYNC_LOG_LEVEL": "error",
        "ROOMSYNC_TRUSTED_PROXIES": "none",
    }


def _keep_open(orders: Connection, url: str, cookies: Sequence[str]) -> None:
    """Open a stream for each, one after the other, and read what comes until one is to end."""
    parts = urlsplit(url)
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
        for number, cookie in enumerate(cookies):
            source = (f"127.0.1.{number % 250 + 1}", 0)
            opened = socket.create_connection((parts.hostname or "", parts.port or 0), source_address=source)
            stack.enter_context(opened)
            head = f"GET /v1/me/stream HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {COOKIE}={cookie}\r\n\r\n"
            opened.sendall(head.encode())
            first = opened.recv(_ENOUGH)
            assert first.startswith(b"HTTP/1.1 200"), first
            selector.register(opened, selectors.EVENT_READ)
        orders.send("open")
        while not orders.poll():
            for ready, _ in selector.select(timeout=0.5):
                assert isinstance(ready.fileobj, socket.socket)
                assert ready.fileobj.recv(_ENOUGH), "a stream has ended"


if __name__ == "__main__":
    sys.exit(main())
