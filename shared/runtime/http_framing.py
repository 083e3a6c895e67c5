"""
Where a request ends, without doubt: refuses what two readers could read differently, and decodes chunks. Pure.

A proxy in front and this server must agree on where each request ends; otherwise a sender hides a second request in the
first one's body. So everything that RFC 9112 lets a recipient choose (bare line feeds aside, which waitress refuses) is
refused here: folded lines, two lengths, a length beside an encoding, an encoding in HTTP/1.0.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from shared.runtime.http_limits import CHUNK_LINE_BYTES, CHUNKS, FIELDS, REQUEST_LINE_BYTES, TRAILERS_BYTES

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}"
_REQUEST_LINE = re.compile(_TOKEN + rb" (?:/|https?://|\*)[\x21\x22\x24-\x7e]{0,8192} HTTP/1\.([01])")  # no fragment
_FIELD = re.compile(rb"(" + _TOKEN + rb"):([\t\x20-\x7e\x80-\xff]{0,16384})")
_LENGTH = re.compile(rb"[0-9]{1,15}")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;[\t\x20-\x7e\x80-\xff]{0,1024})?")
_NEVER_TRAILERS = {b"content-length", b"transfer-encoding", b"host"}

_BAD_REQUEST = 400
_TARGET_TOO_LONG = 414
_FIELDS_TOO_LARGE = 431


@dataclass(frozen=True, slots=True)
class FramingFault:
    """Why a request is refused before anybody reads it."""

    status: int
    reason: str


class FramingError(ValueError):
    """A chunked body cannot be read."""

    def __init__(self, fault: FramingFault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


def _bad(reason: str) -> FramingFault:
    return FramingFault(_BAD_REQUEST, reason)


def fault_of_head(head: bytes) -> FramingFault | None:
    """
    Check a request line and its header fields.

    Args:
        head: From the request line to the last field, lines ended by CR LF.

    Returns:
        What is wrong, or None when every reader finds the same end of the request.
    """
    request_line, *lines = head.rstrip(b"\r\n").split(b"\r\n")
    if len(request_line) > REQUEST_LINE_BYTES:
        return FramingFault(_TARGET_TOO_LONG, f"Send a request line of at most {REQUEST_LINE_BYTES} bytes.")
    first = _REQUEST_LINE.fullmatch(request_line)
    if len(lines) > FIELDS:
        return FramingFault(_FIELDS_TOO_LARGE, f"Send at most {FIELDS} header fields.")
    if first is None:
        return _bad("Send METHOD SP /target SP HTTP/1.1, without other spaces, control characters or a fragment.")
    fields: dict[bytes, list[bytes]] = {}
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            return _bad("Send header fields as `name: value`, each on one line, without control characters.")
        fields.setdefault(field[1].lower(), []).append(field[2].strip(b" \t"))
    return _fault_of_fields(fields, first[1])


def _fault_of_fields(fields: dict[bytes, list[bytes]], minor_version: bytes) -> FramingFault | None:
    hosts, lengths = fields.get(b"host", []), fields.get(b"content-length", [])
    encodings = fields.get(b"transfer-encoding", [])
    if len(hosts) > 1 or (minor_version == b"1" and not hosts):
        return _bad("Send exactly one Host field.")
    if encodings and lengths:
        return _bad("Send Content-Length or Transfer-Encoding, not both.")
    if encodings and (minor_version == b"0" or [encoding.lower() for encoding in encodings] != [b"chunked"]):
        return _bad("Send Transfer-Encoding: chunked and nothing else, with HTTP/1.1.")
    if lengths and (len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0])):
        return _bad("Send one Content-Length, a plain number.")
    return None


class _Expects(Enum):
    CHUNK_LINE = auto()
    DATA = auto()
    END_OF_DATA = auto()
    TRAILER = auto()
    NOTHING = auto()


class ChunkDecoder:
    """Decodes one chunked body (RFC 9112, section 7.1) with bounded lines, trailers and number of chunks."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        """`take` receives the decoded bytes, piece by piece."""
        self._take = take
        self._expects = _Expects.CHUNK_LINE
        self._line = b""
        self._remaining = 0
        self._chunks = 0
        self._trailer_bytes = 0

    @property
    def completed(self) -> bool:
        """Whether the body and its trailers have been read."""
        return self._expects is _Expects.NOTHING

    def feed(self, data: bytes) -> int:
        """
        Decode `data`; returns how many bytes of it belong to this body.

        Raises:
            FramingError: it is not a chunked body, or one beyond the limits.
        """
        position = 0
        while position < len(data) and not self.completed:
            feed = self._feed_data if self._expects is _Expects.DATA else self._feed_line
            position = feed(data, position)
        return position

    def _feed_data(self, data: bytes, position: int) -> int:
        piece = data[position : position + self._remaining]
        self._take(piece)
        self._remaining -= len(piece)
        if not self._remaining:
            self._expects = _Expects.END_OF_DATA
        return position + len(piece)

    def _feed_line(self, data: bytes, position: int) -> int:
        end = data.find(b"\n", position)
        after = len(data) if end < 0 else end + 1
        self._line += data[position:after]
        self._check_length(len(self._line))
        if end >= 0:
            line, self._line = self._line, b""
            self._read_line(line)
        return after

    def _check_length(self, length: int) -> None:
        match self._expects:
            case _Expects.END_OF_DATA:
                if not b"\r\n".startswith(self._line):
                    raise FramingError(_bad("End each chunk with CR LF."))
            case _Expects.TRAILER:
                if self._trailer_bytes + length > TRAILERS_BYTES:
                    raise FramingError(
                        FramingFault(_FIELDS_TOO_LARGE, f"Send at most {TRAILERS_BYTES} bytes of trailers.")
                    )
            case _:
                if length > CHUNK_LINE_BYTES:
                    raise FramingError(_bad(f"Send chunk lines of at most {CHUNK_LINE_BYTES} bytes."))

    def _read_line(self, line: bytes) -> None:
        if not line.endswith(b"\r\n"):
            raise FramingError(_bad("End each line with CR LF."))
        match self._expects:
            case _Expects.END_OF_DATA:
                self._expects = _Expects.CHUNK_LINE
            case _Expects.TRAILER:
                self._read_trailer(line)
            case _:
                self._read_chunk_line(line[:-2])

    def _read_trailer(self, line: bytes) -> None:
        self._trailer_bytes += len(line)
        if line == b"\r\n":
            self._expects = _Expects.NOTHING
            return
        field = _FIELD.fullmatch(line[:-2])
        if field is None or field[1].lower() in _NEVER_TRAILERS:
            raise FramingError(
                _bad("Send trailers as `name: value`, each on one line, and none about framing or routing.")
            )

    def _read_chunk_line(self, line: bytes) -> None:
        size = _CHUNK_LINE.fullmatch(line)
        self._chunks += 1
        if size is None or self._chunks > CHUNKS:
            raise FramingError(_bad(f"Send at most {CHUNKS} chunks, each begun by its length in hexadecimal digits."))
        self._remaining = int(size[1], 16)
        self._expects = _Expects.DATA if self._remaining else _Expects.TRAILER
