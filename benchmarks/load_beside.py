"""Load from a process of its own, so that what makes it costs no time in the process that measures."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Concatenate, ParamSpec

Arguments = ParamSpec("Arguments")
READY_WITHIN_S = 60


@contextlib.contextmanager
def load_beside(
    load: Callable[Concatenate[Connection, Arguments], None], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Iterator[Connection]:
    """Run `load` while the block lasts: it sends one message once it is there, and ends when one can be received.

    What comes out is the other end: after the block it holds what `load` sent last.
    """
    processes = multiprocessing.get_context("spawn")
    ours, theirs = processes.Pipe()
    process = processes.Process(target=load, args=(theirs, *args), kwargs=kwargs)
    process.start()
    theirs.close()
    try:
        assert ours.poll(READY_WITHIN_S), f"{load.__name__} was not there within {READY_WITHIN_S} s"
        ours.recv()
        yield ours
    finally:
        with contextlib.suppress(BrokenPipeError):
            ours.send("end")
        process.join()
