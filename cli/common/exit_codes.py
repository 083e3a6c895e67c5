"""The exit codes of every command: scripts and monitoring rely on them."""

from __future__ import annotations

DONE = 0
FINDING = 1
"""The command worked and found something that an operator has to look at."""
USAGE = 2
"""The arguments or the settings do not make sense; nothing was done."""
UNREACHABLE = 3
"""A dependency (log, view, registry, a service) cannot be reached."""
INTERRUPTED = 130
"""Ctrl-C, as shells report it."""
