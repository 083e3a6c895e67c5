"""Gives memory that was freed back to the machine."""

from __future__ import annotations

import ctypes


def release_freed_memory() -> None:
    """
    Have the C library give back what was freed.

    glibc keeps pages between those that are in use until it is asked (malloc_trim(3)): after a restore they are most of a
    process. Does nothing where the C library has no such function.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
