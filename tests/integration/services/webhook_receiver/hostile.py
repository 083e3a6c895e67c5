"""What a hostile client does to a receiver over sockets of its own, and what of the receiver can be read from outside."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.integration.services.webhook_receiver.receiver import TIMEOUT_S, Deployment, Receiver

MIB = 1024 * 1024


@contextlib.contextmanager
def connections(
    receiver: Receiver, count: int, *begun: bytes, source: str = "127.0.0.1"
) -> Iterator[list[socket.socket]]:
    """Connections that send one of `begun`, in turn, and nothing more."""
    with contextlib.ExitStack() as stack:
        opened = []
        for number in range(count):
            connection = socket.create_connection(receiver.address, TIMEOUT_S, source_address=(source, 0))
            stack.enter_context(connection)
            with contextlib.suppress(OSError):  # it may have had to make room already
                connection.sendall(begun[number % len(begun)] if begun else b"")
            opened.append(connection)
        yield opened


def ended(opened: Sequence[socket.socket]) -> list[socket.socket]:
    """Those that the receiver has closed; nothing may have been answered on them."""
    poll = select.poll()
    by_number = {connection.fileno(): connection for connection in opened}
    for number in by_number:
        poll.register(number, select.POLLIN)
    return [by_number[number] for number, _ in poll.poll(0)]


def first_line(connection: socket.socket) -> bytes:
    """The status line that comes back; empty when the connection is closed without one."""
    connection.settimeout(TIMEOUT_S)
    try:
        return connection.recv(65536).split(b"\r\n")[0]
    except ConnectionError:
        return b""


def everything(connection: socket.socket) -> bytes:
    """All that comes back, until the receiver closes."""
    connection.settimeout(TIMEOUT_S)
    received = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            received += piece
    return received


def pour(connection: socket.socket, unit: bytes, most: int) -> int:
    """Send `unit` again and again until the receiver objects; how many bytes it let in, at most about `most`."""
    sent = 0
    connection.settimeout(TIMEOUT_S)
    with contextlib.suppress(OSError):
        while sent < most and not ended([connection]):
            connection.sendall(unit)
            sent += len(unit)
    return sent


def peak_mib(receiver: Receiver) -> float:
    """The most memory that the process has had resident."""
    status = Path(f"/proc/{receiver.process.pid}/status").read_text()
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kib) / 1024


def answered_s(deployment: Deployment, receiver: Receiver, name: str = "s-good") -> float:
    """Send one good notification, which must be taken; the seconds that it took."""
    began = time.monotonic()
    assert receiver.post("/hooks/graph", deployment.graph_body(name)).status == 202
    return time.monotonic() - began
