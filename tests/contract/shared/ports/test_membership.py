"""Belonging to a group: everything is somebody's, nothing is two people's, and the dead are replaced."""

from __future__ import annotations

from shared.contracts.topics import ROOM_STATUS_STATION, SYNC_WORKER
from shared.ports.engine import Engine
from shared.ports.log import Claim, Membership
from tests.contract.children import Child
from tests.contract.conftest import PARTITIONS, EngineFactory
from tests.contract.deployments import Deployment
from tests.contract.features import Features
from tests.contract.waiting import eventually

ALL = frozenset(range(PARTITIONS))


def has_all(membership: Membership, features: Features) -> None:
    eventually(lambda: membership.assignment() == ALL, within_s=features.takeover_s)


def test_a_lone_worker_has_every_partition(engine: Engine, features: Features) -> None:
    membership = engine.log.join(SYNC_WORKER)
    has_all(membership, features)
    membership.close()


def test_two_workers_share_and_whoever_leaves_leaves_all(engine_factory: EngineFactory, features: Features) -> None:
    one, two = (engine_factory().log.join(SYNC_WORKER) for _ in range(2))
    eventually(
        lambda: (
            one.assignment() | two.assignment() == ALL
            and not one.assignment() & two.assignment()
            and one.assignment()
            and two.assignment()
        ),
        within_s=features.takeover_s,
    )
    one.close()
    has_all(two, features)
    two.close()


def test_groups_of_different_services_do_not_share(engine: Engine, features: Features) -> None:
    status, sync = engine.log.join(ROOM_STATUS_STATION), engine.log.join(SYNC_WORKER)
    has_all(status, features)
    has_all(sync, features)
    status.close()
    sync.close()


def test_the_partitions_of_a_killed_worker_move_to_the_others(
    engine: Engine, deployment: Deployment, features: Features
) -> None:
    with Child(deployment, "join") as worker:
        while not worker.heard()["assigned"]:
            pass
        survivor = engine.log.join(ROOM_STATUS_STATION)
        eventually(lambda: 0 < len(survivor.assignment()) < PARTITIONS, within_s=features.takeover_s)
        worker.kill()
        has_all(survivor, features)
    survivor.close()


def test_a_partition_is_handed_over_only_once_its_claim_is_closed(
    engine: Engine, engine_factory: EngineFactory, features: Features
) -> None:
    """A newcomer fences nobody who is alive: an orderly worker never dies of a rebalance."""
    one = engine.log.join(SYNC_WORKER)
    has_all(one, features)
    claims: dict[int, Claim] = {number: engine.log.claim(SYNC_WORKER, number) for number in ALL}
    two = engine_factory().log.join(SYNC_WORKER)

    def handed_over() -> bool:
        given = two.assignment()
        assert not given & claims.keys()
        for number in claims.keys() - one.assignment():
            claims.pop(number).close()
        return bool(given) and len(given) + len(claims) == PARTITIONS

    eventually(handed_over, within_s=features.takeover_s)
    for claim in claims.values():
        claim.commit([], [], {})
    two.close()
    one.close()
