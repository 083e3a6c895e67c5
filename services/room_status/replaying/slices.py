"""Long work in slices: a generator that yields after each, so that whoever runs it can do something else in between. Pure."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TypeVar

T = TypeVar("T")

Slices = Generator[None, None, T]
"""Yields after each bounded slice of work, and returns the result."""
SLICE = 100
"""How many records a slice decides or opens at most: about 50 ms on a small machine."""


def run_slices(slices: Slices[T]) -> T:
    """Do all slices at once, and return the result."""
    while True:
        try:
            next(slices)
        except StopIteration as end:
            result: T = end.value
            return result


def cut_into_slices(items: Sequence[T]) -> list[Sequence[T]]:
    """Cut items into slices."""
    return [items[start : start + SLICE] for start in range(0, len(items), SLICE)]
