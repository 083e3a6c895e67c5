"""The promises of the View port: applied once and in order, revisions that only grow, rebuilt to the same digest."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from shared.ports.engine import Engine
from shared.ports.view import Applied, Row, SeenRow, View
from tests.contract.conftest import EngineFactory

TOPIC = "id-of-the-topic"


@pytest.fixture
def view(engine: Engine) -> View:
    return engine.view


def meeting(tenant: str, name: str, owners: str, value: bytes | None) -> Row:
    """`owners` is a letter for each."""
    return Row(f"{tenant}/{name}", tuple(f"{tenant}/{owner}" for owner in owners), value)


def shown(rows: Sequence[SeenRow]) -> dict[str, bytes | None]:
    return {row.key.rpartition("/")[2]: row.value for row in rows}


def test_a_partition_of_which_nothing_was_applied_says_so(view: View, partition: int, tenant: str) -> None:
    assert view.applied(partition) is None
    assert view.revision(f"{tenant}/a") == 0
    assert list(view.rows(f"{tenant}/a")) == []


def test_rows_are_shown_to_their_owners_by_key(
    view: View, engine_factory: EngineFactory, partition: int, tenant: str
) -> None:
    rows = [meeting(tenant, "m2", "ab", b"two"), meeting(tenant, "m1", "a", b"one"), meeting(tenant, "m3", "b", b"3")]
    assert view.apply(partition, Applied(TOPIC, 5), rows)
    other_process = engine_factory().view
    assert [(row.key, row.value) for row in other_process.rows(f"{tenant}/a")] == [
        (f"{tenant}/m1", b"one"),
        (f"{tenant}/m2", b"two"),
    ]
    assert shown(other_process.rows(f"{tenant}/b")) == {"m2": b"two", "m3": b"3"}
    assert other_process.applied(partition) == Applied(TOPIC, 5)


def test_one_row_is_found_by_its_key_with_its_owners(view: View, partition: int, tenant: str) -> None:
    view.apply(partition, Applied(TOPIC, 1), [meeting(tenant, "m", "ba", b"1"), meeting(tenant, "gone", "a", b"2")])
    view.apply(partition, Applied(TOPIC, 2), [meeting(tenant, "gone", "", None), meeting(tenant, "nobody's", "", b"3")])
    assert view.row(f"{tenant}/m") == Row(f"{tenant}/m", (f"{tenant}/a", f"{tenant}/b"), b"1")
    assert view.row(f"{tenant}/gone") is None
    assert view.row(f"{tenant}/nobody's") == Row(f"{tenant}/nobody's", (), b"3")
    assert view.row(f"{tenant}/never") is None


def test_only_a_higher_offset_of_the_same_topic_is_applied(view: View, partition: int, tenant: str) -> None:
    view.apply(partition, Applied(TOPIC, 10), [meeting(tenant, "m", "a", b"new")])
    for offset in (10, 9, 0):
        assert not view.apply(partition, Applied(TOPIC, offset), [meeting(tenant, "m", "a", b"old")])
    assert shown(view.rows(f"{tenant}/a")) == {"m": b"new"}
    assert view.applied(partition) == Applied(TOPIC, 10)
    assert view.apply(partition, Applied(TOPIC, 12), [meeting(tenant, "m", "a", b"newer")])
    assert shown(view.rows(f"{tenant}/a")) == {"m": b"newer"}


def test_another_topic_id_replaces_the_partition(view: View, partition: int, tenant: str) -> None:
    owner = f"{tenant}/a"
    view.apply(partition, Applied(TOPIC, 10), [meeting(tenant, "old", "a", b"1"), meeting(tenant, "both", "a", b"2")])
    before = view.revision(owner)
    assert view.apply(partition, Applied("made anew", 1), [meeting(tenant, "both", "a", b"3")])
    assert shown(view.rows(owner)) == {"both": b"3"}
    assert view.applied(partition) == Applied("made anew", 1)
    assert shown(view.changes(owner, before)) == {"old": None, "both": b"3"}


def test_whoever_no_longer_owns_a_row_is_told_that_it_is_gone(view: View, partition: int, tenant: str) -> None:
    one, two = f"{tenant}/a", f"{tenant}/b"
    view.apply(partition, Applied(TOPIC, 1), [meeting(tenant, "m", "ab", b"1")])
    since = max(view.revision(one), view.revision(two))
    view.apply(partition, Applied(TOPIC, 2), [meeting(tenant, "m", "a", b"2")])
    assert shown(view.changes(one, since)) == {"m": b"2"}
    assert shown(view.changes(two, since)) == {"m": None}
    assert list(view.rows(two)) == []


def test_a_deleted_row_is_a_change(view: View, partition: int, tenant: str) -> None:
    owner = f"{tenant}/a"
    view.apply(partition, Applied(TOPIC, 1), [meeting(tenant, "m", "a", b"1"), meeting(tenant, "n", "a", b"1")])
    since = view.revision(owner)
    view.apply(partition, Applied(TOPIC, 2), [meeting(tenant, "m", "", None)])
    assert shown(view.changes(owner, since)) == {"m": None}
    assert shown(view.rows(owner)) == {"n": b"1"}
    view.apply(partition, Applied(TOPIC, 3), [meeting(tenant, "m", "a", b"back")])
    assert shown(view.rows(owner)) == {"m": b"back", "n": b"1"}


def test_changes_come_oldest_first_and_revisions_only_grow(view: View, partition: int, tenant: str) -> None:
    owner = f"{tenant}/a"
    revisions = [view.revision(owner)]
    for offset, name in enumerate(["m1", "m2", "m3", "m1", "m2"], start=1):
        view.apply(partition, Applied(TOPIC, offset), [meeting(tenant, name, "a", f"at {offset}".encode())])
        revisions.append(view.revision(owner))
    assert revisions == sorted(set(revisions))
    changes = view.changes(owner, 0)
    assert [row.key.rpartition("/")[2] for row in changes] == ["m3", "m1", "m2"]
    assert [row.revision for row in changes] == [revisions[3], revisions[4], revisions[5]]
    assert shown(view.changes(owner, revisions[4])) == {"m2": b"at 5"}
    assert list(view.changes(owner, revisions[5])) == []


def test_one_owner_does_not_hear_of_anothers_rows(view: View, partition: int, tenant: str) -> None:
    view.apply(partition, Applied(TOPIC, 1), [meeting(tenant, "m", "a", b"1")])
    since = view.revision(f"{tenant}/a")
    view.apply(partition, Applied(TOPIC, 2), [meeting(tenant, "n", "b", b"1")])
    assert view.revision(f"{tenant}/a") == since
    assert list(view.changes(f"{tenant}/a", since)) == []


def test_revisions_of_several_owners_are_those_of_each_and_the_newest_number_notices_every_one(
    view: View, partition: int, tenant: str
) -> None:
    owners = [f"{tenant}/{name}" for name in ("a", "b", "nobody")]
    numbers = [view.newest_revision()]
    for offset, (name, seen_by, value) in enumerate(
        [("m", "a", b"1"), ("n", "b", b"1"), ("m", "ab", b"2"), ("m", "b", b"2"), ("n", "", None)], start=1
    ):
        view.apply(partition, Applied(TOPIC, offset), [meeting(tenant, name, seen_by, value)])
        numbers.append(view.newest_revision())
        assert view.revisions(owners) == {owner: view.revision(owner) for owner in owners}
    view.reset(partition)
    numbers.append(view.newest_revision())
    assert len(set(numbers)) == len(numbers)
    assert view.revisions(owners)[f"{tenant}/nobody"] == 0
    assert view.revisions(()) == {}


def test_reset_forgets_the_partition_and_no_other(
    view: View, engine_factory: EngineFactory, partition: int, tenant: str
) -> None:
    neighbour = 100 + partition
    view.apply(partition, Applied(TOPIC, 1), [meeting(tenant, "m", "a", b"1")])
    view.apply(neighbour, Applied(TOPIC, 1), [meeting(tenant, "n", "a", b"1")])
    since = view.revision(f"{tenant}/a")
    view.reset(partition)
    assert (view.applied(partition), view.applied(neighbour)) == (None, Applied(TOPIC, 1))
    assert shown(engine_factory().view.rows(f"{tenant}/a")) == {"n": b"1"}
    assert shown(view.changes(f"{tenant}/a", since)) == {"m": None}
    view.reset(neighbour)


def test_a_view_rebuilt_in_another_order_has_the_same_digest(view: View, partition: int, tenant: str) -> None:
    chance = random.Random(20261120)
    rows = [
        meeting(tenant, f"m{n}", "".join(chance.sample("abc", chance.randrange(1, 4))), b"v%d" % n) for n in range(30)
    ]
    for offset, row in enumerate(rows, start=1):
        view.apply(partition, Applied(TOPIC, offset), [meeting(tenant, row.key.rpartition("/")[2], "d", b"draft")])
        view.apply(partition, Applied(TOPIC, 100 + offset), [row])
        view.reset(partition) if offset == 10 else None
    view.reset(partition)
    view.apply(partition, Applied(TOPIC, 500), rows)
    first = view.digest()
    view.reset(partition)
    assert view.digest() != first
    shuffled = [Row(row.key, tuple(reversed(row.owners)), row.value) for row in chance.sample(rows, len(rows))]
    for offset, row in enumerate(shuffled, start=1):
        view.apply(partition, Applied(TOPIC, offset), [row])
    assert view.digest() == first


def test_the_digest_sees_a_changed_value_and_a_changed_owner(view: View, partition: int, tenant: str) -> None:
    digests = set()
    versions = [("a", b"1"), ("a", b"2"), ("ab", b"2"), ("b", b"2")]
    for offset, (owners, value) in enumerate(versions, start=1):
        view.apply(partition, Applied(TOPIC, offset), [meeting(tenant, "m", owners, value)])
        digests.add(view.digest())
    assert len(digests) == len(versions)
