"""Ctrl-C and SIGTERM end the probe alike, so that its events are cleared away; while it makes one, they wait for a moment."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """A context manager, for the main thread alone: either signal raises KeyboardInterrupt, once nobody holds it."""

    def __init__(self) -> None:
        """Nothing is taken over before it is entered."""
        self._before: dict[signal.Signals, Callable[[int, FrameType | None], object] | int | None] = {}
        self._is_held = False
        self._has_come = False

    def __enter__(self) -> Self:
        """Take both signals over."""
        self._before = {each: signal.signal(each, self._interrupt) for each in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave them to whoever had them."""
        for each, before in self._before.items():
            signal.signal(each, before)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Let a signal wait until the end of this."""
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
            if self._has_come:
                raise KeyboardInterrupt

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        if self._is_held:
            self._has_come = True
        else:
            raise KeyboardInterrupt
