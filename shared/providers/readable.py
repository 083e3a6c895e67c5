"""An answer that cannot be read is the provider's trouble, not a record of ours: the caller's mailbox tries again later."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from shared.errors import MalformedRecordError, RetryableError

P = ParamSpec("P")
T = TypeVar("T")


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
