"""An answer that cannot be read is the provider's trouble, not a record of ours: the caller's mailbox tries again later."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

from shared.errors import MalformedRecordError, RetryableError

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")

MAX_LINK_CHARS = 2_000


def readable(call: Callable[P, T]) -> Callable[P, T]:
    """Make a port method raise RetryableError where its parser raises MalformedRecordError; the cursor then stays."""

    @functools.wraps(call)
    def careful(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except MalformedRecordError as error:
            message = f"the provider's answer cannot be read, so nothing of it is used: {error}"
            raise RetryableError(message) from error

    return careful


def readable_link(address: str | None) -> str:
    """Take a provider's address of a page if a browser may be sent there: "" for none, another scheme, or one too long."""
    return address if address and address.startswith("https://") and len(address) <= MAX_LINK_CHARS else ""


def readable_rows(rows: Iterable[S], read: Callable[[S], T]) -> list[T]:
    """Read what can be read: a row that a page shows is left out where it is malformed, and the others stay."""
    found = []
    for row in rows:
        with contextlib.suppress(MalformedRecordError):
            found.append(read(row))
    return found
