"""Looks that run on the threads of a pool for one owner. They are given a job and give back an outcome, and touch nothing else."""

from __future__ import annotations

import contextlib
import dataclasses
import queue
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor

from services.sync_worker.deciding.job import Job, Outcome
from services.sync_worker.looking.look import Looker
from services.sync_worker.looking.own_data import OwnData
from shared.contracts.topics import SYNC_WORKER
from shared.domain.identity import Mailbox
from shared.errors import StoreUnavailableError
from shared.providers.counted_calls import count_calls
from shared.runtime import metrics
from shared.runtime.logging import get_logger

LINGER_S = 0.01
"""Under half a commit on three brokers. Without it, looks that begin after a commit always just miss the next one."""

logger = get_logger()


class LooksInFlight:
    """The looks that have begun and are not committed, at most one a mailbox."""

    def __init__(self, looker: Looker, pool: Executor, own_data: OwnData | None) -> None:
        """
        Have no look in flight.

        Args:
            pool: Where looks run, shared by all partitions of the process.
            own_data: Forgets what people said of dates that are gone; None: nobody keeps any.
        """
        self._looker = looker
        self._pool = pool
        self._own_data = own_data
        self._jobs: dict[Mailbox, Job] = {}
        self._finished: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._closing = False

    def __len__(self) -> int:
        """How many there are."""
        return len(self._jobs)

    def __contains__(self, mailbox: Mailbox) -> bool:
        """Whether a look of this mailbox has begun and is not committed."""
        return mailbox in self._jobs

    def jobs(self) -> Iterator[Job]:
        """What was asked of each."""
        yield from self._jobs.values()

    def begin(self, job: Job) -> None:
        """Hand a look to the pool."""
        self._jobs[job.mailbox] = job
        self._pool.submit(self._run, job)

    def finished(self) -> Sequence[Outcome]:
        """What looks have brought. A look that misses a commit waits for all of the next: so the last ones get a moment."""
        outcomes: list[Outcome] = []
        until_s = time.monotonic() + LINGER_S
        with contextlib.suppress(queue.Empty):
            while len(outcomes) < len(self._jobs):
                left_s = until_s - time.monotonic() if outcomes else 0.0
                outcomes.append(self._finished.get(timeout=max(0.0, left_s)))
        return outcomes

    def give_back(self, outcomes: Iterable[Outcome]) -> None:
        """Have these finished once more: nothing of them was written."""
        for outcome in outcomes:
            self._finished.put(outcome)

    def end(self, mailbox: Mailbox) -> None:
        """Forget a look that was committed."""
        self._jobs.pop(mailbox, None)

    def close(self) -> None:
        """Let the looks go: one that fails from now on fails because the engine closes under it."""
        self._closing = True

    def _run(self, job: Job) -> None:
        """On a pool thread."""
        with count_calls() as count:
            outcome = self._outcome_of(job)
        self._finished.put(dataclasses.replace(outcome, calls=count.calls))

    def _outcome_of(self, job: Job) -> Outcome:
        try:
            outcome = self._looker.run(job)
            if self._own_data:
                self._own_data.follow(outcome, job.references)
        except StoreUnavailableError as error:
            metrics.STORE_UNAVAILABLE.labels(SYNC_WORKER.service).inc()
            logger.warning("store_unavailable", service=SYNC_WORKER.service, error=str(error))
            return Outcome(job, job.state)
        except BaseException as error:
            if self._closing:  # its hints were not discharged, the next owner repeats them
                logger.info(
                    "look_abandoned", tenant=job.mailbox.tenant, mailbox=job.mailbox.id, kind=type(error).__name__
                )
            else:
                logger.exception("look_failed", tenant=job.mailbox.tenant, mailbox=job.mailbox.id)
            return Outcome(job, job.state)
        return outcome
