"""The office of the pipeline tests, with a hand in its log: a record's bytes are spoilt before their reader sees them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path

import msgspec

from cli.demo.processes import simulator_environ
from services.room_status.deciding.packed_records import is_ended
from shared.contracts import envelope as envelopes
from shared.contracts.command import Reconcile
from shared.contracts.day_tally import is_tally
from shared.contracts.dead_letter import DeadLetter
from shared.contracts.meeting_state import parts_of
from shared.contracts.rows import ConsentRow, ConsentState
from shared.contracts.topics import MEETING_STATE, POSITION_KEY
from shared.crypto.meetings import open_meeting
from shared.registry.tables import consents
from tests.support.office import Office
from tests.support.office_environ import write_master_key


class Poisoned(Office):
    """Time and master key are shared with commands that run on the same files."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.home = home
        self._clock_file = home / "clock"
        self.tell_clock()

    def environ(self) -> dict[str, str]:
        """The settings of a command that runs on this office."""
        return simulator_environ("http://127.0.0.1:1") | {
            "ROOMSYNC_HOME": str(self.home),
            "ROOMSYNC_MASTER_KEY": write_master_key(self._master),
            "ROOMSYNC_PARTITIONS": "1",
            "ROOMSYNC_TEST_CLOCK": str(self._clock_file),
            "ROOMSYNC_RECEIVER_PORT": "0",
            "ROOMSYNC_PORTAL_PORT": "0",
        }

    def tell_clock(self) -> None:
        """The office's time is the commands' time."""
        self._clock_file.write_text(f"{self.clock.at_ms:020d}")  # one length for ever: it is memory-mapped

    def spoil(self, topic: str, value: bytes = b"\x00 not what anybody wrote") -> bytes:
        """Replace the bytes of the newest record of `topic`, and return what stood there."""
        with sqlite3.connect(self.home / "log.db", timeout=5) as log:
            [(row, before)] = log.execute(
                "SELECT r.id, r.value FROM records r JOIN lanes l ON l.lane = r.id >> 40"
                " WHERE l.topic = ? ORDER BY r.id DESC LIMIT 1",
                (topic,),
            ).fetchall()
            log.execute("UPDATE records SET value = ? WHERE id = ?", (value, row))
        return bytes(before)

    def ends(self) -> dict[str, object]:
        """What the office has come to, in words that do not differ between offices: states, announcements, memory."""
        meetings = {}
        for record in self.engine.log.read(MEETING_STATE.name, 0, 0, limit=5000):
            if record.key != POSITION_KEY:
                meetings[record.key] = record.value
        folded = [
            open_meeting(key, value, self.keys).record
            for key, value in meetings.items()
            if value and not parts_of(key)[1] and not is_tally(key)
        ]
        copies = [
            parts_of(key)[0] for key, value in meetings.items() if value and parts_of(key)[1] and not is_ended(value)
        ]
        dates = [date for state in folded for date in state.dates]
        statuses = {(each["occurrenceRef"], each["roomId"]): each["state"] for each in self.topic("room-status")}
        return {
            "rooms": sorted((each.start_ms, each.state, each.quiet) for date in dates for each in date.rooms),
            "repeats": sorted(sum(each.repeats.values()) for date in dates for each in date.rooms),
            "copies": sorted(Counter(copies).values()),
            "in sight": sorted(date.in_sight for date in dates),
            "public": sorted(statuses.values()),
            "declines": len(self.declines()),
            "consent": str(getattr(self.consent(), "state", None)),
            "subscriptions": len(self.calendar.subscriptions),
        }

    def grant(self) -> None:
        """Ada signs in, and nobody has answered yet."""
        settle, self.settle = self.settle, lambda: None  # type: ignore[method-assign]
        self.connect()
        self.settle = settle  # type: ignore[method-assign]

    def revoke(self) -> None:
        """Ada takes her grant back at the provider."""
        self.broker.revoked(self.mailbox, "invalid_grant")

    def mend_letter(self, genuine: bytes) -> None:
        """The newest dead letter holds bytes that this version can read."""
        [record] = self.engine.log.read("dead-letters", 0, 0)[-1:]
        letter = envelopes.payload_of(envelopes.decode(record.value or b""), DeadLetter)
        payload = msgspec.json.encode(msgspec.structs.replace(letter, value=genuine))
        envelope = msgspec.structs.replace(envelopes.decode(record.value or b""), payload=msgspec.Raw(payload))
        self.spoil("dead-letters", envelopes.encode(envelope))

    def grant_to(self, mailbox: str) -> None:
        """Somebody else's grant stands, and the log knows nothing of their mailbox."""
        row = ConsentRow(user=f"u-{mailbox}", provider="microsoft", subject="s", state=ConsentState.ACTIVE)
        consents(self.engine.registry).put(self.tenant, mailbox, row)

    def reconcile_fully(self) -> None:
        """A full look that finds nothing new."""
        self.send(Reconcile(at_ms=self.clock.at_ms, full=True))
        self.settle()
