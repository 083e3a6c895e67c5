"""A real broker that speaks TLS only, knows every service by its password, and has been given the rights of acls.sh."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.kafka.acls import grants
from deploy.kafka.apply import apply
from deploy.local.kafka import Brokers, brokers
from deploy.local.processes import ServerError
from deploy.local.secured import MECHANISM, SUPERUSER
from shared.contracts.topics import TOPICS
from shared.crypto.master import new_key, parse
from shared.engines.distributed import DistributedEngine, ensure_topics, open_engine
from shared.engines.distributed.clients import Clients
from shared.engines.distributed.security import Security
from shared.ports.log import NewRecord
from shared.runtime.clock import SystemClock
from tests.support import servers
from tests.support.refused_sockets import refused_sockets

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka.admin import UserScramCredentialUpsertion

NOWHERE = "redis://127.0.0.1:1/0"
PARTITIONS = 2
PREFIX = "guarded."
PRINCIPALS = sorted({grant.principal for grant in grants()})
MASTER = parse(new_key())

SecurityOf = Callable[[str], Security]
As = Callable[[str], DistributedEngine]


@pytest.fixture(autouse=True)
def _sockets_of_refused_connections() -> Iterator[None]:
    with refused_sockets():
        yield


@pytest.fixture(scope="session")
def guarded() -> Iterator[Brokers]:
    """Users and rights are set up as docs/deploy.md says; the operator then makes the topics."""
    with contextlib.ExitStack() as running:
        try:
            cluster = running.enter_context(brokers(1, secured=True))
        except ServerError as error:
            servers.require(str(error))
            raise
        guard = cluster.secured
        assert guard is not None
        clients = Clients(cluster.bootstrap, PREFIX, security_of(cluster, SUPERUSER, guard.password))
        admin: Any = clients.admin()
        users = [UserScramCredentialUpsertion(name, MECHANISM, password_of(name)) for name in PRINCIPALS]
        admin.alter_user_scram_credentials(users)
        admin.close()
        apply(clients)
        operator = security_of(cluster, "operator", password_of("operator"))
        left = ensure_topics(cluster.bootstrap, prefix=PREFIX, partitions=PARTITIONS, replication=1, security=operator)
        assert left == []
        superuser = opened(cluster.bootstrap, clients.security)
        superuser.log.append([NewRecord(topic.name, 1, b"t/m", b"{}") for topic in TOPICS])  # something to be kept from
        superuser.close()
        yield cluster


@pytest.fixture
def as_(guarded: Brokers) -> Iterator[As]:
    """Opens the engine under a service's own name; closed after the test."""
    with contextlib.ExitStack() as engines:

        def open_one(principal: str) -> DistributedEngine:
            engine = opened(guarded.bootstrap, security_of(guarded, principal, password_of(principal)))
            engines.callback(engine.close)
            return engine

        yield open_one


def opened(bootstrap: str, security: Security) -> DistributedEngine:
    return open_engine(
        bootstrap=bootstrap,
        view_redis_url=NOWHERE,
        registry_redis_url=NOWHERE,
        partitions=PARTITIONS,
        replication=1,
        prefix=PREFIX,
        master=MASTER,
        clock=SystemClock(),
        security=security,
    )


def security_of(cluster: Brokers, name: str, password: str) -> Security:
    assert cluster.secured is not None
    return Security("SASL_SSL", MECHANISM, name, password, str(cluster.secured.ca_file))


def password_of(principal: str) -> str:
    return f"the password of {principal}"
