"""What the registry has to be told of mailboxes once a commit has shown it: repeated until it is there, also by the next owner."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Executor

from services.sync_worker.looking.look import Looker
from shared.domain.identity import Mailbox
from shared.errors import RowRefusedError
from shared.grants.broker import ConsentBroker
from shared.runtime.logging import get_logger
from shared.runtime.refused_rows import log_refused_row

logger = get_logger()


class ConsentNotes:
    """
    First looks that are done, and mailboxes that were put to sleep. Used by the thread of a partition's owner.

    A method that writes raises StoreUnavailableError and goes on, at its next call, with what it has not written.
    """

    def __init__(
        self, broker: ConsentBroker, looker: Looker, pool: Executor, *, first_looks: Iterable[Mailbox]
    ) -> None:
        """`first_looks`: mailboxes whose first look stands on record; whether the registry has it is not known."""
        self._broker = broker
        self._looker = looker
        self._pool = pool
        self._first_looks = set(first_looks)
        self._sleepers: set[Mailbox] = set()
        self._refused: set[Mailbox] = set()

    def note_first_look(self, mailbox: Mailbox) -> None:
        """Its first look was committed."""
        self._refused.discard(mailbox)
        self._first_looks.add(mailbox)

    def is_refused(self, mailbox: Mailbox) -> bool:
        """Whether its row could not be read when its first look was to be noted: a later look notes it again."""
        return mailbox in self._refused

    def note_sleeper(self, mailbox: Mailbox) -> None:
        """It stands on record as asleep."""
        self._sleepers.add(mailbox)
        self._first_looks.discard(mailbox)

    def write_first_looks(self) -> None:
        """Let the page say "connected"."""
        for mailbox in list(self._first_looks):
            try:
                self._broker.first_look_done(mailbox)
            except RowRefusedError as error:
                log_refused_row(error)
                self._refused.add(mailbox)  # its looks fail as well; once one succeeds, the row has been mended
            self._first_looks.discard(mailbox)

    def write_sleepers(self, held: Collection[Mailbox]) -> Iterator[Mailbox]:
        """
        Put them to sleep and end their subscriptions. Should this be lost, the sweep does it.

        Args:
            held: The mailboxes that the owner knows as awake.

        Yields:
            Those whose integration was enabled again meanwhile, so that they are awake after all.
        """
        for mailbox in list(self._sleepers):
            if self._is_awake_again(mailbox, held):
                yield mailbox
            self._sleepers.discard(mailbox)
            self._pool.submit(self._end_subscriptions, mailbox)

    def _is_awake_again(self, mailbox: Mailbox, held: Collection[Mailbox]) -> bool:
        """One whose row is refused stays as it is."""
        try:
            return self._broker.put_to_sleep(mailbox) and mailbox not in held and self._broker.is_live(mailbox)
        except RowRefusedError as error:
            log_refused_row(error)
            return False

    def _end_subscriptions(self, mailbox: Mailbox) -> None:
        """On a pool thread; whatever happens here, the sweep tries again."""
        try:
            self._looker.end_subscriptions(mailbox)
        except Exception:
            logger.exception("ending_failed", mailbox=mailbox.id)
