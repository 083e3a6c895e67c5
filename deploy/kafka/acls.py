"""Writes deploy/kafka/acls.sh: each service's least rights, derived from the topics and stations of the contracts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.contracts import topics
from shared.contracts.published import SUBSCRIBER_GROUP
from shared.contracts.topics import NOTIFIER, ROOM_STATUS_STATION, SYNC_WORKER, TOPICS, WEBHOOKS, Station
from shared.providers.catalogue import PROFILES

_NOTIFICATIONS = tuple(profile.hooks.topic for profile in PROFILES.values())
SCRIPT = Path(__file__).with_name("acls.sh")
PUBLIC_GROUP = SUBSCRIBER_GROUP
_HEAD = """\
#!/bin/sh
# Written by `python -m deploy.kafka.acls` from the table of topics: do not edit.
# Usage: BOOTSTRAP=host:port [PREFIX=…] [ADMIN_CONFIG=file] acls.sh
# PREFIX is ROOMSYNC_TOPIC_PREFIX; principals are User:<service>. Write and Read imply Describe.
set -eu
grant() { kafka-acls.sh --bootstrap-server "$BOOTSTRAP" ${ADMIN_CONFIG:+--command-config "$ADMIN_CONFIG"} --add --force "$@"; }
"""


@dataclass(frozen=True, slots=True, order=True)
class AclGrant:
    """One principal's rights on one resource."""

    principal: str
    kind: str
    """`topic`, `group` or `transactional-id`."""
    name: str
    operations: tuple[str, ...]
    prefixed: bool = False

    def __str__(self) -> str:
        operations = " ".join(f"--operation {operation}" for operation in self.operations)
        pattern = " --resource-pattern-type prefixed" if self.prefixed else ""
        return f'grant --allow-principal User:{self.principal} {operations} --{self.kind} "${{PREFIX:-}}{self.name}"{pattern}'


def grants() -> Iterator[AclGrant]:
    """Everything that is allowed; what is not named is refused (`allow.everyone.if.no.acl.found=false`)."""
    probed = topics.DEAD_LETTERS.name  # `/readyz` asks for the end of its partitions
    for topic in (*_NOTIFICATIONS, topics.COMMANDS):
        yield AclGrant("webhook-receiver", "topic", topic.name, ("Write",))
    yield AclGrant("webhook-receiver", "topic", probed, ("Describe",))
    yield from of_station(SYNC_WORKER)
    yield from of_station(ROOM_STATUS_STATION)
    yield from of_station(NOTIFIER)
    yield from of_station(WEBHOOKS, principal=NOTIFIER.service)
    yield AclGrant("portal", "topic", topics.COMMANDS.name, ("Write",))
    yield AclGrant("portal", "topic", topics.DISMISSALS.name, ("Write",))
    yield AclGrant("portal", "topic", topics.WEBHOOK_REQUESTS.name, ("Write",))
    for topic in _NOTIFICATIONS:  # the test of an integration waits for its push
        yield AclGrant("portal", "topic", topic.name, ("Read",))
    yield AclGrant("portal", "topic", topics.ROOM_REJECTIONS.name, ("Read",))
    yield AclGrant("portal", "topic", topics.MEETING_STATE.name, ("Describe",))  # is the view at its end?
    yield AclGrant("portal", "topic", probed, ("Describe",))
    for principal in (SYNC_WORKER.service, "portal", "operator"):  # who may have to destroy keys, and says so first
        yield AclGrant(principal, "topic", topics.ERASURES.name, ("Write",))
    yield AclGrant(
        SYNC_WORKER.service, "topic", topics.COMMANDS.name, ("Write",)
    )  # asks mailboxes again to sleep or wake
    for topic in (topics.COMMANDS, topics.DEAD_LETTERS):  # `reconcile` and `registry`; `dead-letters`
        yield AclGrant("operator", "topic", topic.name, ("Write",))
    yield AclGrant(
        "operator", "topic", topics.REPAIRS.name, ("Write",)
    )  # `replay --apply` asks room_status to tell again
    for topic in TOPICS:
        yield AclGrant("operator", "topic", topic.name, ("Create", "DescribeConfigs", "AlterConfigs", "Read"))
        if topic.public:
            yield AclGrant("subscriber", "topic", topic.name, ("Read",))
    yield AclGrant("subscriber", "group", PUBLIC_GROUP, ("Read",), prefixed=True)


def of_station(station: Station, principal: str = "") -> Iterator[AclGrant]:
    """
    What an owner of partitions needs: read its input, keep its state, decide, and tell what its predecessor decided.

    Args:
        principal: In whose process it runs; its own, if left out.
    """
    principal = principal or station.service
    for name in station.inputs:
        yield AclGrant(principal, "topic", name, ("Read",))
    for name in (station.state, *station.outputs):
        yield AclGrant(principal, "topic", name, ("Read", "Write"))
    yield AclGrant(principal, "topic", topics.DEAD_LETTERS.name, ("Write",))
    yield AclGrant(principal, "group", station.service, ("Read",))
    # `<service>-<partition>`: nobody else can fence an owner
    yield AclGrant(principal, "transactional-id", f"{station.service}-", ("Write",), prefixed=True)


def script() -> str:
    """The text of acls.sh."""
    return _HEAD + "".join(f"{grant}\n" for grant in grants())


def main() -> int:
    """Write the script; with `--check`, return 1 when it is stale."""
    if "--check" in sys.argv:
        return int(not SCRIPT.exists() or SCRIPT.read_text() != script())
    SCRIPT.write_text(script())
    SCRIPT.chmod(0o755)
    return 0


if __name__ == "__main__":
    sys.exit(main())
