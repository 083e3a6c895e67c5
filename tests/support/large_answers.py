"""A server whose answers are far longer than anybody needs: told as such, without an end, or small until decompressed."""

from __future__ import annotations

import contextlib
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

MIB = 1024 * 1024
LENGTH = 400 * MIB
KINDS = ("told", "endless", "bomb", "bomb in chunks")
SMALL = "small"
_PIECE = b"A" * MIB


@dataclass
class LargeAnswers:
    """The server; `kind` is that of all answers but those for `small_for`."""

    url: str
    kind: str = SMALL
    status: int = 200
    small: bytes = b"{}"
    small_for: str = ""
    """Requests with this in their method or `Authorization` are given small answers."""
    asked: list[str] = field(default_factory=list)
    sent: int = 0
    """Bytes of bodies that the client has taken."""
    began: threading.Event = field(default_factory=threading.Event)
    """Set once an answer without end has sent its first MiB."""
    go_on: threading.Event = field(default_factory=threading.Event)
    """While it is not set, an answer without end pauses there."""


@contextlib.contextmanager
def large_answers() -> Iterator[LargeAnswers]:
    """Run one on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(found := LargeAnswers(""))) as server:
        server.daemon_threads = True
        found.url = f"http://127.0.0.1:{server.server_port}"
        found.go_on.set()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield found
        finally:
            found.go_on.set()
            server.shutdown()
            thread.join()


def _handler(found: LargeAnswers) -> type[BaseHTTPRequestHandler]:  # noqa: C901  # three small methods of one class
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found.asked.append(urlsplit(self.path).path)
            small = found.small_for and found.small_for in f"{self.command} {self.headers.get('Authorization')}"
            with contextlib.suppress(OSError):  # the client has gone, as it should
                self._answer(SMALL if small else found.kind)

        do_GET = do_POST = _serve  # noqa: N815  # the names http.server looks for

        def _answer(self, kind: str) -> None:
            self.send_response(found.status)
            self.send_header("Content-Type", "application/json")
            if "bomb" in kind:
                self.send_header("Content-Encoding", "gzip")
            chunked = "endless" in kind or "chunks" in kind
            body = bomb() if "bomb" in kind else found.small
            length = LENGTH if kind == "told" else len(body)
            self.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(length))))
            self.end_headers()
            if kind in {"told", "endless"}:
                self._send_long(chunked=chunked)
            else:
                self._send(body, chunked=chunked)
            if chunked:
                self.wfile.write(b"0\r\n\r\n")

        def _send_long(self, *, chunked: bool) -> None:
            self._send(b'{"value": "', chunked=chunked)
            for number in range(LENGTH // MIB):
                self._send(_PIECE, chunked=chunked)
                if number == 0 and chunked:
                    found.began.set()
                    found.go_on.wait(10)

        def _send(self, piece: bytes, *, chunked: bool) -> None:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            found.sent += len(piece)

        def log_message(self, *_: object) -> None: ...

    return Handler


@cache
def bomb() -> bytes:
    """`LENGTH` bytes of JSON, in a thousandth of them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    pieces = [packer.compress(b'{"value": "'), *(packer.compress(_PIECE) for _ in range(LENGTH // MIB))]
    return b"".join([*pieces, packer.flush()])
