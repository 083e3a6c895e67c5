"""The promises of the View port to an owner: a partition is replaced in one step; rows that build on others never stand alone."""

from __future__ import annotations

from shared.ports.engine import Engine
from shared.ports.view import Applied, Row, digest_of

TOPIC = "id-of-the-topic"


def row(tenant: str, name: str, value: bytes | None) -> Row:
    return Row(f"{tenant}/{name}", (f"{tenant}/b", f"{tenant}/a"), value)


def test_the_whole_replaces_what_stood_and_tells_nobody_of_what_stays_the_same(
    engine: Engine, partition: int, tenant: str
) -> None:
    view, owner = engine.view, f"{tenant}/a"
    view.apply(partition, Applied(TOPIC, 5), [row(tenant, "stays", b"1"), row(tenant, "goes", b"1")])
    since = view.revision(owner)
    assert not view.apply(partition, Applied(TOPIC, 5), [row(tenant, "older", b"0")], whole=True)
    assert view.apply(partition, Applied(TOPIC, 6), [row(tenant, "stays", b"1"), row(tenant, "new", b"1")], whole=True)
    assert [each.key.rpartition("/")[2] for each in view.rows(owner)] == ["new", "stays"]
    changed = {each.key.rpartition("/")[2]: each.value for each in view.changes(owner, since)}
    assert changed == {"goes": None, "new": b"1"}
    view.reset(partition)


def test_rows_that_build_upon_others_are_applied_onto_exactly_those(
    engine: Engine, partition: int, tenant: str
) -> None:
    view, newer = engine.view, [row(tenant, "m", b"2")]
    view.apply(partition, Applied(TOPIC, 5), [row(tenant, "m", b"1")])
    assert not view.apply(partition, Applied(TOPIC, 7), newer, onto=4)
    assert not view.apply(partition, Applied("made anew", 7), newer, onto=5)
    assert view.apply(partition, Applied(TOPIC, 7), newer, onto=5)
    view.reset(partition)
    assert not view.apply(partition, Applied(TOPIC, 8), newer, onto=7)
    assert view.applied(partition) is None


def test_a_digest_of_rows_is_the_views_own(engine: Engine, partition: int, tenant: str) -> None:
    rows = [row(tenant, "z", b"1"), row(tenant, "a", b"\x00\xff"), Row(f"{tenant}/nobody", (), b"3")]
    view = engine.view
    view.apply(partition, Applied(TOPIC, 1), rows)
    assert view.digest() == digest_of(rows)
    view.reset(partition)
