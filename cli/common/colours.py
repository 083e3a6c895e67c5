"""Colour on terminals, and on terminals alone: never into a file or a pipe, nor where `NO_COLOR` is set."""

from __future__ import annotations

from collections.abc import Mapping


def choose_colour(environ: Mapping[str, str]) -> bool | None:
    """
    Whether click may colour: False where `NO_COLOR` is set and not empty (https://no-color.org), else as the output is a terminal.

    Returns:
        What click takes as `color`; None leaves it to click, which looks whether it writes to a terminal.
    """
    return False if environ.get("NO_COLOR") else None
