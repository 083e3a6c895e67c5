"""People are found by an address, or because they have rights, at a cost of those who are found; their own rows decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from cli.registry.contents import write_rows
from shared.contracts.erasure import KeyClass
from shared.contracts.rows import UserRow
from shared.domain.instants import DAY_MS
from shared.domain.roles import Role
from shared.ports.holdings import StoredRow
from shared.registry import tables
from shared.registry.tables import ADMINISTRATORS, people_index, users
from tests.unit.shared.grants.conftest import MemoryRegistry

T, NOW_MS = "t", 1_795_000_000_000


def person(address: str, *aliases: str, roles: tuple[str, ...] = ()) -> UserRow:
    return UserRow(
        provider="google", subject=address, address_sealed=b"", person=address, mailbox=f"m-{address}", aliases=aliases,
        roles=roles,
    )  # fmt: skip


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry()


@pytest.fixture
def people(registry: MemoryRegistry) -> Any:
    found = users(registry)
    found.put(T, "u-ada", person("ada", "countess", roles=(Role.BUILDING_ADMIN,)))
    found.put(T, "u-ben", person("ben"))
    found.complete(T, NOW_MS)
    return found


def test_people_are_found_by_each_of_their_words(people: Any) -> None:
    ada, ben = people.get(T, "u-ada"), people.get(T, "u-ben")
    assert people.find(T, {"countess", "nobody"}) == {"u-ada": ada}
    assert people.find(T, {ADMINISTRATORS}) == {"u-ada": ada}
    assert people.find(T, {"ben", "ada"}) == {"u-ada": ada, "u-ben": ben}
    assert people.find(T, ()) == {}


def test_finding_reads_those_who_are_found_and_no_others(
    registry: MemoryRegistry, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        people.put(T, f"u-{number}", person(f"{number}"))
    read = Counter[str]()

    def counted(name: str, ask: Callable[..., Any]) -> Callable[..., Any]:
        def asking(*args: Any) -> Any:
            answer = ask(*args)
            rows = answer if isinstance(answer, dict) else list(answer)
            read[name] += len(rows)
            return rows if isinstance(rows, dict) else iter(rows)

        return asking

    for name in ("get_many", "scan"):
        monkeypatch.setattr(registry, name, counted(name, getattr(registry, name)))
    assert list(people.find(T, {"7", "8", "nobody"})) == ["u-7", "u-8"]
    assert read == {"get_many": 5}  # two entries, that all are entered, and two people


def test_somebody_who_has_the_word_no_more_is_not_found_by_it(people: Any) -> None:
    people.change(T, "u-ada", lambda row: msgspec.structs.replace(row, person="ada.king", aliases=(), roles=()))
    assert [people.find(T, {word}) for word in ("ada", "countess", ADMINISTRATORS)] == [{}, {}, {}]
    assert list(people.find(T, {"ada.king"})) == ["u-ada"]


def test_process_that_dies_between_entry_and_row_leaves_nobody_to_be_found(
    registry: MemoryRegistry, people: Any
) -> None:
    people.enter(T, "u-cleo", person("cleo"))
    assert people.find(T, {"cleo"}) == {}
    people.add(T, "u-cleo", person("cleo"))
    registry.delete("people-index", T, "cleo")
    assert people.find(T, {"cleo"}) == {}  # what the index does not name is not looked for: so it is written first


def test_person_is_entered_before_their_row_is_written(
    registry: MemoryRegistry, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, put = list[str](), registry.put

    def noting(table: str, *args: Any, **more: Any) -> int:
        written.append(table)
        return put(table, *args, **more)

    monkeypatch.setattr(registry, "put", noting)
    people.put(T, "u-cleo", person("cleo"))
    people.add(T, "u-dan", person("dan"))
    people.change(T, "u-ben", lambda row: msgspec.structs.replace(row, person="benjamin"))
    assert written == ["people-index", "users"] * 3


def test_two_who_share_a_word_are_both_found_and_one_stays_when_the_other_goes(people: Any) -> None:
    people.put(T, "u-eve", person("eve", "countess"))
    assert list(people.find(T, {"countess"})) == ["u-ada", "u-eve"]
    people.delete(T, "u-eve")
    assert list(people.find(T, {"countess"})) == ["u-ada"]


def test_nothing_of_a_deleted_person_stays_in_the_index(registry: MemoryRegistry, people: Any) -> None:
    people.delete(T, "u-ben")
    assert [entry for _, entry in people_index(registry).scan(T) if "u-ben" in entry.rows] == []
    assert people_index(registry).get(T, "ben") is None


def as_an_earlier_version(registry: MemoryRegistry, user: str, row: UserRow) -> None:
    registry.put("users", T, user, msgspec.json.encode(row))


def test_all_people_are_looked_through_until_they_are_entered(registry: MemoryRegistry) -> None:
    as_an_earlier_version(registry, "u-ada", person("ada"))
    assert list(users(registry).find(T, {"ada"})) == ["u-ada"]
    users(registry).complete(T, NOW_MS)
    assert people_index(registry).get(T, "ada") is not None
    assert list(users(registry).find(T, {"ada"})) == ["u-ada"]


def test_whom_an_earlier_version_writes_meanwhile_is_entered_within_a_day(
    registry: MemoryRegistry, people: Any
) -> None:
    as_an_earlier_version(registry, "u-old", person("old"))
    people.complete(T, NOW_MS + DAY_MS - 1)
    assert people.find(T, {"old"}) == {}
    people.complete(T, NOW_MS + DAY_MS)
    assert list(people.find(T, {"old"})) == ["u-old"]


def test_whom_an_earlier_version_wrote_is_entered_with_any_change(registry: MemoryRegistry, people: Any) -> None:
    as_an_earlier_version(registry, "u-old", person("old"))
    people.change(T, "u-old", lambda row: msgspec.structs.replace(row, welcomed_at_ms=1))
    assert list(people.find(T, {"old"})) == ["u-old"]


def test_erasure_takes_the_whole_index_and_leaves_administrators_to_be_found(
    registry: MemoryRegistry, people: Any
) -> None:
    tables.delete_with(registry, T, KeyClass.CONSENT)
    assert list(people_index(registry).scan(T)) == []
    assert list(people.find(T, {ADMINISTRATORS})) == ["u-ada"]
    assert people.find(T, {"ben"}) == {}


def test_whoever_is_restored_is_found(registry: MemoryRegistry, people: Any) -> None:
    row = StoredRow("users", T, "u-back", msgspec.json.encode(person("back")), None)
    assert write_rows(registry, [row]) == 1  # type: ignore[arg-type]  # it holds what a restore asks for
    assert list(people.find(T, {"back"})) == ["u-back"]
