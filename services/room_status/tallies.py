"""Writes an organisation's counts of a day beside the records that they count, in the same commit, and forgets old days."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

import msgspec

from services.room_status.deciding.batch import Batch
from services.room_status.deciding.counting import Counts
from services.room_status.deciding.rows import tally_row
from shared.contracts import envelope as envelopes
from shared.contracts.day_tally import KEEP_MS, TYPE, DayTally, day_of, is_tally, read_day, tally_key
from shared.crypto.records import open_record, require_era, sealed_envelope
from shared.domain.identity import tenant_of_key
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.log import StateChange
from shared.runtime.logging import get_logger

logger = get_logger()


class Tallies:
    """The days of which a partition holds counts. Costs as much as there is to count."""

    def __init__(self, memory: Mapping[bytes, bytes], keys_of: Callable[[str], TenantKeys], partition: int) -> None:
        """
        Note which days there are.

        Args:
            memory: Key → sealed record, as `meeting-state` has it; read as it is at each call.
            keys_of: A tenant's keys; raises KeyDestroyedError.
            partition: Which one it is.
        """
        self._partition = partition
        self._memory = memory
        self._keys_of = keys_of
        self._keys = {key for key in memory if is_tally(key)}

    def enter(self, batch: Batch) -> None:
        """Add to `batch` the changed counts of what it decides."""
        for tenant, counts in batch.counts.items():
            try:
                keys = self._keys_of(tenant)
            except KeyDestroyedError:
                continue  # nothing of it may be kept
            for day in sorted({day for day, _ in counts}):
                key = tally_key(tenant, day, self._partition)
                tally = _added(self._read(key, keys), counts, day)
                self._put(batch, key, sealed_envelope(keys, tally, key=key, type=TYPE, id=key.decode()))

    def expire(self, batch: Batch, now_ms: int, renewed: Collection[str]) -> None:
        """
        Add to `batch` the end of days that are too old, and of those that nobody can open any more.

        Args:
            batch: What else is to be forgotten.
            now_ms: Epoch milliseconds.
            renewed: Organisations whose keys were destroyed since this was asked last.
        """
        oldest = day_of(now_ms - KEEP_MS)
        for key in sorted(self._keys):
            if read_day(key) < oldest or (tenant_of_key(key) in renewed and self._is_destroyed(key)):
                self._put(batch, key, None)

    def _put(self, batch: Batch, key: bytes, value: bytes | None) -> None:
        batch.changes.append(StateChange(key, value))
        batch.states[key] = value
        batch.rows[key.decode()] = tally_row(key, value)
        if value is None:
            self._keys.discard(key)
        else:
            self._keys.add(key)

    def _read(self, key: bytes, keys: TenantKeys) -> DayTally:
        value = self._memory.get(key)
        if value is None:
            return DayTally()
        try:
            return open_record(key, value, keys, DayTally)
        except KeyDestroyedError:
            return DayTally()  # of before the organisation was switched off
        except MalformedRecordError as error:
            logger.warning("tally_unreadable", key=key.decode(), error=str(error))
            return DayTally()

    def _is_destroyed(self, key: bytes) -> bool:
        try:
            require_era(envelopes.decode(self._memory[key]), self._keys_of(tenant_of_key(key)))
        except KeyDestroyedError:
            return True
        except (KeyError, MalformedRecordError):
            return False
        return False


def _added(tally: DayTally, counts: Counts, day: str) -> DayTally:
    more: Iterable[tuple[str, int]] = ((name, much) for (at, name), much in counts.items() if at == day)
    return msgspec.structs.replace(tally, **{name: getattr(tally, name) + much for name, much in more})
