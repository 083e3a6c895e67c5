"""Waits for what another process does."""

from __future__ import annotations

import time
from collections.abc import Callable

WAIT_S = 40.0
_POLL_S = 0.05


def wait_until(condition: str, reached: Callable[[], bool]) -> None:
    """
    Wait until something is so. Raises AssertionError where it is not within `WAIT_S`.

    Args:
        condition: What is waited for, for the failure's message.
        reached: Asks whether it is so.
    """
    deadline = time.monotonic() + WAIT_S
    while not reached():
        assert time.monotonic() < deadline, condition
        time.sleep(_POLL_S)
