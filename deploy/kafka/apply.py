"""`python -m deploy.kafka.apply`: the rights of acls.sh, given in one request with the settings of ROOMSYNC_KAFKA_*."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from deploy.kafka.acls import AclGrant, grants
from shared.engines.distributed.clients import Clients, KafkaError
from shared.errors import ConfigurationError
from shared.runtime.settings import load
from shared.runtime.wiring import kafka_security

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # how the library loads its schemas
    from kafka.admin import ACL, ACLOperation, ACLPermissionType, ACLResourcePatternType, ResourcePattern, ResourceType

_KINDS = {
    "topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "transactional-id": ResourceType.TRANSACTIONAL_ID,
}  # fmt: skip
_OPERATIONS = {
    "Read": ACLOperation.READ, "Write": ACLOperation.WRITE, "Create": ACLOperation.CREATE,
    "Describe": ACLOperation.DESCRIBE, "DescribeConfigs": ACLOperation.DESCRIBE_CONFIGS,
    "AlterConfigs": ACLOperation.ALTER_CONFIGS,
}  # fmt: skip


def rules(prefix: str, wanted: Iterable[AclGrant]) -> Iterator[Any]:
    """As the client library writes them."""
    for grant in wanted:
        pattern = ResourcePattern(
            _KINDS[grant.kind],
            prefix + grant.name,
            ACLResourcePatternType.PREFIXED if grant.prefixed else ACLResourcePatternType.LITERAL,
        )
        for operation in grant.operations:
            yield ACL(f"User:{grant.principal}", "*", _OPERATIONS[operation], ACLPermissionType.ALLOW, pattern)


def apply(clients: Clients) -> int:
    """Give every service its rights; returns how many. Takes none away. Raises KafkaError."""
    wanted = list(rules(clients.prefix, grants()))
    admin: Any = clients.admin()
    try:
        answer: Mapping[str, Any] = admin.create_acls(wanted)
    finally:
        admin.close()
    if answer["failed"]:
        raise KafkaError(str(answer["failed"]))
    return len(wanted)


def main() -> int:
    """Apply with the settings of the environment. Exit codes: 0 done, 2 settings, 3 the brokers refuse or are away."""
    try:
        settings = load()
        given = apply(Clients(settings.kafka_bootstrap, settings.topic_prefix, kafka_security(settings)))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    except KafkaError as error:
        print(f"the brokers refuse or are away ({error}); log in as a superuser of theirs", file=sys.stderr)
        return 3
    print(f"{given} rights given")
    return 0


if __name__ == "__main__":
    sys.exit(main())
