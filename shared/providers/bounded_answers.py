"""Bounds what `httpx` reads of an answer: hooks for a client's `event_hooks`, which see each answer before its body is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import cast

import httpx

from shared.domain.answer_body import ENCODING, BoundedBody

HEADERS = {"Accept-Encoding": ENCODING}
"""What a client with these hooks has to ask for."""


def bound_answer(most: int) -> Callable[[httpx.Response], None]:
    """A hook: reading more than `most` bytes, decompressed or not, raises RetryableError."""

    def bound(response: httpx.Response) -> None:
        response.stream = _Bounded(cast("httpx.SyncByteStream", response.stream), _body_of(response, most))

    return bound


def bound_answer_async(most: int) -> Callable[[httpx.Response], Awaitable[None]]:
    """The same for an asynchronous client."""

    async def bound(response: httpx.Response) -> None:
        response.stream = _BoundedAsync(cast("httpx.AsyncByteStream", response.stream), _body_of(response, most))

    return bound


class _Bounded(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, body: BoundedBody) -> None:
        self._stream = stream
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            yield self._body.feed(piece)

    def close(self) -> None:
        self._stream.close()


class _BoundedAsync(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, body: BoundedBody) -> None:
        self._stream = stream
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            yield self._body.feed(piece)

    async def aclose(self) -> None:
        await self._stream.aclose()


def _body_of(response: httpx.Response, most: int) -> BoundedBody:
    """Decompressed here, piece by piece with a bound: httpx would not decode it again."""
    return BoundedBody(response.headers.pop("Content-Encoding", ""), most)
