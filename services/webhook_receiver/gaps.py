"""Which partitions had hints turned away, until somebody is asked to look at their mailboxes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable

from shared.domain.identity import Mailbox


class Gaps:
    """Partitions for which hints were turned away, with one mailbox each. Thread-safe; in memory only."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """`now` gives monotonic seconds."""
        self._now = now
        self._missed: dict[int, tuple[Mailbox, float]] = {}
        self._lock = threading.Lock()

    def note(self, missed: Iterable[tuple[int, Mailbox]], *, quiet_s: float = 0.0) -> None:
        """
        Hints of these partitions were not taken.

        Args:
            missed: Partition and mailbox of each.
            quiet_s: Seconds for which none may be turned away there before the gap is signalled: while some are refused and
                some are taken, each of those taken would signal one.
        """
        due_at = self._now() + quiet_s
        with self._lock:
            for partition, mailbox in missed:
                known = self._missed.get(partition)
                self._missed[partition] = (known[0], max(known[1], due_at)) if known else (mailbox, due_at)

    def taken(self, partitions: Collection[int]) -> dict[int, Mailbox]:
        """Take the gaps of `partitions` out, to be signalled: one caller gets each."""
        if not self._missed:
            return {}
        with self._lock:
            now = self._now()
            due = [partition for partition in partitions if self._missed.get(partition, (None, now + 1))[1] <= now]
            return {partition: self._missed.pop(partition)[0] for partition in due}
