"""Takes care of the sockets of refused connections, which kafka-python leaves to the garbage collector."""

from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def refused_sockets() -> Iterator[None]:
    """
    Collect them on the way out, without the collector's complaints.

    The client's log is silenced: records that pytest keeps hold on to them, thousands where a broker is away again and again.
    """
    logger = logging.getLogger("kafka")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    logger.setLevel(level)
