"""Nearly every look comes without a room to be taken: what takes need is not read for it."""

from __future__ import annotations

from typing import Any

from services.sync_worker.deciding.job import Job
from services.sync_worker.looking.take import TakeRooms
from shared.contracts.calendar_state import MailboxState
from shared.domain.identity import Mailbox
from shared.domain.sighting import Access
from tests.support.builders import NOW_MS


class Unread:
    """A store, a keyring and a calendar at once, none of which may be asked."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def test_look_without_takes_reads_neither_rooms_nor_calendar() -> None:
    untouched: Any = Unread()
    job = Job(Mailbox("t", "m"), MailboxState(provider="microsoft"), frozenset(), NOW_MS)
    done = TakeRooms(untouched, untouched).run(job, untouched, Access("token", "subject", "ada@contoso.test"), NOW_MS)
    assert not done.waiting
    assert not done.opened
