"""Writes an organisation's counts of days and rooms beside the records that they count, in the same commit; forgets old ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

import msgspec

from services.room_status.deciding.batch import Batch
from services.room_status.deciding.counting import Counts
from services.room_status.deciding.room_counting import RoomCounts
from services.room_status.deciding.rows import tally_row
from shared.contracts import envelope as envelopes
from shared.contracts.day_tally import KEEP_MS, TYPE, DayTally, day_of, is_tally, read_day, tally_key
from shared.contracts.room_tally import TYPE as ROOM_TYPE
from shared.contracts.room_tally import RoomTally, add_room_tallies, room_tally_key
from shared.crypto.records import open_record, require_era, sealed_envelope
from shared.domain.identity import tenant_of_key
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.log import StateChange
from shared.runtime.logging import get_logger

Tally = TypeVar("Tally", DayTally, RoomTally)

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
        for tenant in sorted(batch.counts.keys() | batch.room_counts.keys()):
            try:
                keys = self._keys_of(tenant)
            except KeyDestroyedError:
                continue  # nothing of it may be kept
            self._enter_days(batch, keys, batch.counts.get(tenant, Counter()))
            self._enter_rooms(batch, keys, batch.room_counts.get(tenant, Counter()))

    def _enter_days(self, batch: Batch, keys: TenantKeys, counts: Counts) -> None:
        for day in sorted({day for day, _ in counts}):
            key = tally_key(keys.tenant, day, self._partition)
            tally = _added(self._read(key, keys, DayTally), counts, day)
            self._put(batch, key, sealed_envelope(keys, tally, key=key, type=TYPE, id=key.decode()))

    def _enter_rooms(self, batch: Batch, keys: TenantKeys, counts: RoomCounts) -> None:
        more: dict[bytes, dict[str, dict[str, int]]] = {}
        for (month, room, name, of), much in sorted(counts.items()):
            key = room_tally_key(keys.tenant, month, self._partition, room)
            more.setdefault(key, {}).setdefault(name, {})[of] = much
        for key, fields in more.items():
            tally = add_room_tallies((self._read(key, keys, RoomTally), RoomTally(**fields)))
            self._put(batch, key, sealed_envelope(keys, tally, key=key, type=ROOM_TYPE, id=key.decode()))

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

    def _read(self, key: bytes, keys: TenantKeys, kind: type[Tally]) -> Tally:
        value = self._memory.get(key)
        if value is None:
            return kind()
        try:
            return open_record(key, value, keys, kind)
        except KeyDestroyedError:
            return kind()  # of before the organisation was switched off
        except MalformedRecordError as error:
            logger.warning("tally_unreadable", key=key.decode(), error=str(error))
            return kind()

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
