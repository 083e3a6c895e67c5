"""On a broker that tells the services apart, each one does its own work and no other's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deploy.local.kafka import Brokers
from shared.contracts import topics
from shared.contracts.topics import ROOM_STATUS_STATION, SYNC_WORKER, Station
from shared.engines.distributed import check_topics
from shared.engines.distributed.security import PLAIN_TEXT, Security
from shared.errors import FencedError, LogUnavailableError
from shared.ports.log import NewRecord, StateChange
from tests.integration.deploy.kafka.conftest import PARTITIONS, PREFIX, As, opened, password_of, security_of

# The client leaves the sockets of refused connections to the garbage collector, which may come during any later test.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

REFUSED = (LogUnavailableError, FencedError)


def named(value: object) -> str:
    return str(getattr(value, "name", value))


def a_record(topic: str, partition: int = 0) -> NewRecord:
    return NewRecord(topic, partition, b"t/m", b"{}")


def writes(as_: As, principal: str, topic: str) -> bool:
    """Whether a record gets through; refused for good, not late."""
    try:
        as_(principal).log.append([a_record(topic, 1)])
    except LogUnavailableError as error:
        assert "uthoriz" in str(error), error  # noqa: PT017  # the reason is the point
        return False
    return True


def reads(as_: As, principal: str, topic: str) -> bool:
    try:
        log = as_(principal).log
        assert log.read(topic, 1, log.span(topic, 1).begin)
    except LogUnavailableError as error:
        assert "uthoriz" in str(error), error  # noqa: PT017
        return False
    return True


@pytest.mark.proves("E29")
@pytest.mark.parametrize("station", [SYNC_WORKER, ROOM_STATUS_STATION], ids=lambda station: station.service)
def test_a_worker_claims_commits_and_restores_under_its_own_name(as_: As, station: Station) -> None:
    engine = as_(station.service)
    member = engine.log.join(station)
    claim = engine.log.claim(station, 0)
    outputs = [a_record(name) for name in station.outputs]
    claim.read(0.2)
    claim.commit(outputs, [StateChange(b"t/m", b"{}")], {station.inputs[0]: 0})
    claim.close()
    member.close()

    again = as_(station.service).log.claim(station, 0)
    assert again.state[b"t/m"] == b"{}"
    assert {record.topic for record in again.tail()} == set()
    again.close()


@pytest.mark.parametrize(
    ("principal", "topic"),
    [
        ("webhook-receiver", topics.NOTIFICATIONS_GRAPH),
        ("webhook-receiver", topics.NOTIFICATIONS_GOOGLE),
        ("webhook-receiver", topics.COMMANDS),
        ("portal", topics.COMMANDS),
        ("portal", topics.DISMISSALS),
        ("sync-worker", topics.DEAD_LETTERS),
        ("sync-worker", topics.COMMANDS),
        ("sync-worker", topics.ERASURES),
        ("portal", topics.ERASURES),
        ("operator", topics.COMMANDS),
        ("operator", topics.ERASURES),
        ("room-status", topics.DEAD_LETTERS),
    ],
    ids=named,
)
def test_a_service_writes_what_it_has_to(as_: As, principal: str, topic: topics.Topic) -> None:
    assert writes(as_, principal, topic.name)


@pytest.mark.parametrize(
    ("principal", "topic"),
    [
        ("webhook-receiver", topics.OBSERVATIONS),
        ("webhook-receiver", topics.ROOM_REJECTIONS),
        ("portal", topics.ROOM_REJECTIONS),
        ("portal", topics.OBSERVATIONS),
        ("portal", topics.ROOM_OUTCOMES),
        ("sync-worker", topics.DISMISSALS),
        ("sync-worker", topics.ROOM_REJECTIONS),
        ("sync-worker", topics.MEETING_STATE),
        ("room-status", topics.ERASURES),
        ("room-status", topics.CALENDAR_STATE),
        ("operator", topics.ROOM_REJECTIONS),
        ("operator", topics.CALENDAR_STATE),
        ("subscriber", topics.ROOM_REJECTIONS),
    ],
    ids=named,
)
def test_only_the_owner_writes(as_: As, principal: str, topic: topics.Topic) -> None:
    assert not writes(as_, principal, topic.name)


@pytest.mark.parametrize(
    ("principal", "topic", "may"),
    [
        ("webhook-receiver", topics.ROOM_REJECTIONS, False),
        ("webhook-receiver", topics.NOTIFICATIONS_GRAPH, False),
        ("portal", topics.ROOM_REJECTIONS, True),
        ("portal", topics.NOTIFICATIONS_GRAPH, True),
        ("portal", topics.NOTIFICATIONS_GOOGLE, True),
        ("portal", topics.OBSERVATIONS, False),
        ("portal", topics.CALENDAR_STATE, False),
        ("sync-worker", topics.ROOM_REJECTIONS, False),
        ("room-status", topics.COMMANDS, False),
        ("subscriber", topics.ROOM_REJECTIONS, True),
        ("subscriber", topics.ROOM_OUTCOMES, True),
        ("subscriber", topics.DISMISSALS, False),
        ("subscriber", topics.MEETING_STATE, False),
        ("operator", topics.OBSERVATIONS, True),
        ("operator", topics.ERASURES, True),
    ],
    ids=named,
)
def test_only_who_has_to_know_reads(as_: As, principal: str, topic: topics.Topic, may: bool) -> None:
    assert reads(as_, principal, topic.name) is may


def test_nobody_fences_another_services_owner(as_: As) -> None:
    with pytest.raises(REFUSED, match="uthoriz"):
        as_("sync-worker").log.claim(ROOM_STATUS_STATION, 1)


@pytest.mark.parametrize("principal", ["webhook-receiver", "portal", "sync-worker", "room-status", "operator"])
def test_everybody_can_tell_whether_the_brokers_are_there(as_: As, principal: str) -> None:
    as_(principal).log.probe()


def test_the_operator_checks_the_topics(guarded: Brokers) -> None:
    operator = security_of(guarded, "operator", password_of("operator"))

    found = check_topics(guarded.bootstrap, prefix=PREFIX, partitions=PARTITIONS, replication=1, security=operator)

    assert found == []


@pytest.mark.parametrize("how", ["a wrong password", "no login", "plain text", "an authority nobody knows"])
def test_who_does_not_prove_who_they_are_is_refused(guarded: Brokers, how: str) -> None:
    right = security_of(guarded, "portal", password_of("portal"))
    wrong = {
        "a wrong password": replace(right, password="guessed"),
        "no login": Security("SSL", ca_file=right.ca_file),
        "plain text": PLAIN_TEXT,
        "an authority nobody knows": replace(right, ca_file=""),
    }[how]
    engine = opened(guarded.bootstrap, wrong)
    try:
        with pytest.raises(LogUnavailableError):
            engine.log.append([a_record(topics.COMMANDS.name)])
    finally:
        engine.close()
