"""How large a record of ours may become, and how much is committed at once."""

from __future__ import annotations

MAX_RECORD_BYTES = 256 * 1024
"""The bound of one sealed record. Brokers take a megabyte by default; the rest is room for a batch's own frame."""
PIECE_RECORDS = 1_000
PIECE_BYTES = 4 * 1024 * 1024
"""A commit has seconds before its watchdog ends the owner: 4,000 records take 1.5 of them on a small machine."""
MAX_FOLLOWING_RECORDS = 6_000
"""What one observation leads to is committed together: with a full piece before it, it stays below the 8,000 records at which that
watchdog was seen to end an owner. An observation that leads to more is parked."""
