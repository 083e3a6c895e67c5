"""Bounds how many rows one person may have written: the store that holds them never makes room by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus

import msgspec

from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person
from shared.contracts.rows import UserRow
from shared.domain.instants import DAY_MS, HOUR_MS, SECOND_MS
from shared.language.deciding.sentences import say
from shared.registry import tables


class RowQuota:
    """
    Counts one person's rows of each kind in their own row, so that writing one costs no scan.

    Rows also end by their deadlines, which nobody counts: the number kept is an upper bound. It is put right by a real count when
    it has reached the limit, at most once an hour.
    """

    def __init__(self, deps: Deps, person: Person) -> None:
        """Read nothing yet."""
        self._deps = deps
        self._person = person
        self._users = tables.users(deps.engine.registry)

    def reserve(self, kind: str, most: int, count: Callable[[], int]) -> None:
        """
        Count one more row of `kind` before it is written.

        Args:
            kind: A word of ours, `attendances`.
            most: How many one person may have.
            count: How many there really are; scans, and is called seldom.

        Raises:
            ProblemError: 409, they have as many as they may.
        """
        if self._add(kind, most):
            return
        now_ms = self._deps.clock.now_ms()
        if self._counts().get(_counted_at(kind), 0) + HOUR_MS <= now_ms:
            self._set({kind: count(), _counted_at(kind): now_ms})
            if self._add(kind, most):
                return
        raise ProblemError(
            HTTPStatus.CONFLICT,
            f"{kind}-full",
            say("You have entered {most} {kind} here, and more are not kept.").format(most=most, kind=kind),
            next_step=say("Take some of them away, or wait until past ones have ended."),
        )

    def reserve_today(self, kind: str, most: int) -> None:
        """
        Count one more row of `kind` that is kept for a day. Days are those of UTC.

        Raises:
            ProblemError: 429, they have written as many today as they may, with when the next day begins.
        """
        now_ms = self._deps.clock.now_ms()
        today = f"{kind}@{now_ms // DAY_MS}"
        if self._add(today, most, keep=lambda name: not name.startswith(f"{kind}@")):
            return
        wait_s = (DAY_MS - now_ms % DAY_MS) // SECOND_MS + 1
        raise ProblemError(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"{kind}-full",
            say("You have made {most} {kind} today, and more are not taken.").format(most=most, kind=kind),
            next_step=say("Try again tomorrow, or use your calendar itself."),
            retry_after_s=wait_s,
        )

    def release(self, kind: str) -> None:
        """Count one row less, after it was deleted."""
        self._set({kind: max(self._counts().get(kind, 0) - 1, 0)})

    def _add(self, kind: str, most: int, keep: Callable[[str], bool] = lambda _name: True) -> bool:
        added = False

        def add(row: UserRow | None) -> UserRow | None:
            nonlocal added
            count = row.row_counts.get(kind, 0) if row else 0
            added = count < most
            if row is None or not added:
                return row
            others = {name: value for name, value in row.row_counts.items() if keep(name)}
            return msgspec.structs.replace(row, row_counts={**others, kind: count + 1})

        self._users.change(self._person.tenant, self._person.user, add)
        return added

    def _set(self, counts: Mapping[str, int]) -> None:
        self._users.change(
            self._person.tenant,
            self._person.user,
            lambda row: msgspec.structs.replace(row, row_counts={**row.row_counts, **counts}) if row else None,
        )

    def _counts(self) -> Mapping[str, int]:
        row = self._users.get(self._person.tenant, self._person.user)
        return row.row_counts if row else {}


def _counted_at(kind: str) -> str:
    return f"{kind}-counted-at-ms"
