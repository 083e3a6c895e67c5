"""Waitress' parser with our framing, our limits and one budget for all bodies."""

from __future__ import annotations

from typing import Any

from waitress.buffers import OverflowableBuffer
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.utilities import Error

from shared.runtime import metrics
from shared.runtime.http_connections import BodyBudget
from shared.runtime.http_framing import ChunkDecoder, FramingError, FramingFault, fault_of_head
from shared.runtime.http_limits import FREE_BODY_BYTES

_REASONS = {
    400: "Bad Request",
    413: "Request Entity Too Large",
    414: "URI Too Long",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}
_BAD_REQUEST, _UNAVAILABLE = 400, 503
_BODIES_FULL = FramingFault(
    _UNAVAILABLE, "Too many bodies are arriving at once. Send the same request again in a second."
)
RETRY_AFTER_S = 1


class RefusedRequest(Error):  # type: ignore[misc]  # noqa: N818  # an answer, never raised; waitress has no types
    """A fault as waitress answers it: a line of text, then the connection is closed."""

    def __init__(self, fault: FramingFault) -> None:
        super().__init__(fault.reason)
        self.code = fault.status
        self.reason = _REASONS[fault.status]

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        """Add the fields that every answer of ours has, and when to come again."""
        status, headers, body = super().to_response(ident)
        headers.append(("X-Content-Type-Options", "nosniff"))
        if self.code == _UNAVAILABLE:
            headers.append(("Retry-After", str(RETRY_AFTER_S)))
        return status, headers, body


class _ChunkedBody:
    """A chunked body as waitress' parser wants it: errors as a value, bytes in a buffer."""

    def __init__(self, buffer: OverflowableBuffer) -> None:
        self._buffer = buffer
        self._decoder = ChunkDecoder(buffer.append)
        self.error: RefusedRequest | None = None

    def __len__(self) -> int:
        return len(self._buffer)

    @property
    def completed(self) -> bool:
        return self._decoder.completed

    def received(self, data: bytes) -> int:
        try:
            return self._decoder.feed(data)
        except FramingError as error:
            self.error = RefusedRequest(error.fault)
            return len(data)

    def getfile(self) -> Any:
        return self._buffer.getfile()

    def getbuf(self) -> OverflowableBuffer:
        return self._buffer


class LimitedParser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """One request as it arrives; refuses what is ambiguous, too large, or more than the budget for bodies has left."""

    error: Any
    body_rcv: Any
    path = ""
    """Waitress names it in its logs, of a refused request too."""

    def __init__(self, adj: Any, budget: BodyBudget) -> None:
        super().__init__(adj)
        self._budget = budget
        self._reserved = 0
        self._begun = False
        self._fault: FramingFault | None = None

    def received(self, data: bytes) -> int:
        """Take `data`; returns how many bytes of it belong to this request: all, once it is refused."""
        self._check_beginning(data)
        consumed: int = super().received(data) if self._fault is None else len(data)
        fault = self._found()
        if fault is None:
            return consumed
        self._refuse(fault)
        return len(data)

    def parse_header(self, header_plus: bytes) -> None:
        """
        Read the head, once it is known to mean one thing.

        Raises:
            ParsingError: it does not; `error` says what.
        """
        self._fault = fault_of_head(header_plus)
        if self._fault is not None:
            raise ParsingError(self._fault.reason)
        super().parse_header(header_plus)
        if self.chunked:
            self.body_rcv = _ChunkedBody(OverflowableBuffer(self.adj.inbuf_overflow))

    def close(self) -> None:
        """Free the body and give its share of the budget back."""
        reserved, self._reserved = self._reserved, 0
        self._budget.give_back(reserved)
        super().close()

    def _check_beginning(self, data: bytes) -> None:
        """Refuse white space before the request line, which waitress would strip; line ends there are allowed."""
        first = b"" if self._begun else data.lstrip(b"\r\n")[:1]
        self._begun = self._begun or bool(first)
        if first.isspace():
            self._fault = FramingFault(_BAD_REQUEST, "Begin with the request line.")

    def _found(self) -> FramingFault | None:
        if self._fault is not None:
            return self._fault
        if self.error:
            code = self.error.code if self.error.code in _REASONS else _BAD_REQUEST
            return FramingFault(code, self.error.body)
        return None if self._reserve() else _BODIES_FULL

    def _refuse(self, fault: FramingFault) -> None:
        metrics.HTTP_REFUSALS.labels(str(fault.status)).inc()
        self.error, self.completed, self.headers_finished = RefusedRequest(fault), True, True
        self.expect_continue = False  # waitress would ask for the body
        self.close()  # nobody reads it

    def _reserve(self) -> bool:
        held = len(self.body_rcv) if self.body_rcv is not None else 0
        more = held - FREE_BODY_BYTES - self._reserved
        if more <= 0:
            return True
        taken = self._budget.take(more)
        self._reserved += more if taken else 0
        return taken
