"""acls.sh is what the table of topics says, and gives nobody more than the flow needs."""

from __future__ import annotations

from deploy.kafka.acls import SCRIPT, AclGrant, grants, script
from shared.contracts.topics import BY_NAME, NOTIFIER, ROOM_STATUS_STATION, SYNC_WORKER, TOPICS


def holders(operation: str, topic: str) -> set[str]:
    return {grant.principal for grant in grants() if grant.name == topic and operation in grant.operations}


def test_the_script_is_what_the_table_of_topics_says() -> None:
    assert SCRIPT.read_text() == script(), "run `python -m deploy.kafka.acls`"


def test_a_state_topic_has_one_writer() -> None:
    for station in (SYNC_WORKER, ROOM_STATUS_STATION, NOTIFIER):
        assert holders("Write", station.state) == {station.service}
        for name in station.outputs:
            assert holders("Write", name) == {station.service}


def test_the_receiver_reads_nothing() -> None:
    assert all("Read" not in grant.operations for grant in grants() if grant.principal == "webhook-receiver")


def test_only_its_own_service_can_fence_an_owner() -> None:
    transactional = {grant.name: grant.principal for grant in grants() if grant.kind == "transactional-id"}

    own = {"sync-worker-": "sync-worker", "room-status-": "room-status", "notifier-": "notifier"}
    assert transactional == {**own, "webhooks-": "notifier"}  # which runs in its process


def test_subscribers_read_the_public_topics_and_no_other() -> None:
    public = {topic.name for topic in TOPICS if topic.public}

    assert {grant.name for grant in grants() if grant.principal == "subscriber" and grant.kind == "topic"} == public


def test_rights_are_given_on_topics_of_the_table_only_and_on_every_one() -> None:
    assert {grant.name for grant in grants() if grant.kind == "topic"} == BY_NAME.keys()


def test_a_line_names_principal_operations_and_pattern() -> None:
    line = str(AclGrant("a", "group", "b-", ("Read",), prefixed=True))

    assert line == (
        'grant --allow-principal User:a --operation Read --group "${PREFIX:-}b-" --resource-pattern-type prefixed'
    )
