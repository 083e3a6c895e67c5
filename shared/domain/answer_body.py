"""Bounds the body of a provider's answer while it is read, as it comes and as it is once decompressed. Pure."""

from __future__ import annotations

import zlib

from shared.errors import RetryableError

MIB = 1024 * 1024
CALENDAR_BYTES = 32 * MIB
"""
Of one page of a calendar or directory, decompressed.

The largest that is legitimate: 250 dates of a series with 500 guests at Google, about 150 bytes a guest and 8 kB of description
each, are 20 MB; a page of 100 at Microsoft is less. Sources: https://developers.google.com/workspace/calendar/api/v3/reference/events
(`attendees`, `description`) and https://support.google.com/a/users/answer/9308851 (guests of an event).
"""
IDENTITY_BYTES = 1 * MIB
"""Of tokens, of OpenID metadata and of signing keys: a few kB each."""
ENCODING = "gzip"
"""The one that is asked for, and the one that is read."""


def too_long(most: int) -> RetryableError:
    """The error for a body of more than `most` bytes: asked for again later, when it may be another one."""
    return RetryableError(f"the answer is longer than {most // MIB} MiB, and was not read on; asking again later")


def check_length(length: int, most: int) -> None:
    """Raise RetryableError for a body of more than `most` bytes."""
    if length > most:
        raise too_long(most)


class BoundedBody:
    """Decodes one body piece by piece. What it has given out and what it has taken in stay below the bound."""

    def __init__(self, encoding: str, most: int) -> None:
        """
        Begin a body.

        Args:
            encoding: The answer's `Content-Encoding`; "" for none.
            most: Bytes that the body may have, before and after decompression.

        Raises:
            RetryableError: an encoding that was not asked for.
        """
        self._most = most
        self._taken = self._given = 0
        self._decoder = _decoder_of(encoding.strip().lower())

    def feed(self, piece: bytes) -> bytes:
        """
        The next piece of the body, decoded.

        Raises:
            RetryableError: the body is too long, or is not compressed as it says.
        """
        self._taken += len(piece)
        check_length(self._taken, self._most)
        decoded = self._decode(piece)
        self._given += len(decoded)
        check_length(self._given, self._most)
        return decoded

    def _decode(self, piece: bytes) -> bytes:
        if self._decoder is None:
            return piece
        try:
            return self._decoder.decompress(piece, self._most - self._given + 1)
        except zlib.error as error:
            message = f"the answer is not compressed as it says ({error}); asking again later"
            raise RetryableError(message) from error


def _decoder_of(encoding: str) -> zlib._Decompress | None:
    match encoding:
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return zlib.decompressobj(zlib.MAX_WBITS | 16)
    message = "the answer is compressed in a way that was not asked for; asking again later"
    raise RetryableError(message)
