"""Which engine a process runs on: the one place, called by the mains and the command line, that names the engines."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.crypto.hook_keys import parse as parse_hook_keys
from shared.domain.proof import HookKeys
from shared.errors import ConfigurationError
from shared.ports.engine import Engine
from shared.runtime.clock import clock_from
from shared.runtime.crash_points import crash_point
from shared.runtime.settings import Settings

if TYPE_CHECKING:
    from shared.crypto.master import MasterKeys
    from shared.engines.distributed.security import Security

MASTER_KEY_FILE = "master.key"


def open_engine(settings: Settings, *, with_keyring: bool = True) -> Engine:
    """
    Open log, view, registry and keyring; each connects when it is first used.

    Args:
        settings: Which engine, and where.
        with_keyring: False for a process that has no use for tenants' keys: it needs no master key, and cannot open any.

    Raises:
        ConfigurationError: no master key, or the engine was made with other settings.
    """
    master = master_keys(settings) if with_keyring else None
    clock = clock_from(settings.test_clock)
    if settings.engine == "kafka":
        from shared.engines.distributed import open_engine as open_distributed  # noqa: PLC0415  # keeps clients unloaded

        return open_distributed(
            bootstrap=settings.kafka_bootstrap,
            view_redis_url=settings.view_redis_url,
            registry_redis_url=settings.registry_redis_url,
            partitions=settings.partitions,
            replication=settings.kafka_replication,
            prefix=settings.topic_prefix,
            master=master,
            clock=clock,
            transactions=settings.test_without != "transactions",
            security=kafka_security(settings),
            at_point=crash_point,
            refuse_unbound=settings.unbound_rows == "refuse",
        )
    from shared.engines.embedded import open_engine as open_embedded  # noqa: PLC0415  # the other engine's mirror

    return open_embedded(
        settings.home,
        partitions=settings.partitions,
        prefix=settings.topic_prefix,
        master=master,
        clock=clock,
        at_point=crash_point,
        refuse_unbound=settings.unbound_rows == "refuse",
    )


@dataclass(frozen=True, slots=True)
class CounterStorage:
    """Where limits are counted, as the library `limits` names it."""

    uri: str
    options: Mapping[str, Any] = field(default_factory=dict)


def counter_storage(settings: Settings) -> CounterStorage:
    """Where limits are counted: in the registry's Redis, for all processes; in memory on the embedded engine, which has one."""
    if settings.engine != "kafka":
        return CounterStorage("memory://")
    from shared.engines.distributed.stores import COUNTED_S, connect  # noqa: PLC0415  # as above

    pool = connect(settings.registry_redis_url, answer_s=COUNTED_S).connection_pool
    prefix = f"{settings.topic_prefix}limits"
    return CounterStorage(settings.registry_redis_url, {"connection_pool": pool, "key_prefix": prefix})


def kafka_security(settings: Settings) -> Security:
    """How this process logs in to the brokers."""
    from shared.engines.distributed.security import Security  # noqa: PLC0415  # the embedded engine needs none of it

    return Security(
        protocol=settings.kafka_security_protocol,
        mechanism=settings.kafka_sasl_mechanism,
        username=settings.kafka_sasl_username,
        password=settings.kafka_sasl_password,
        ca_file=settings.kafka_ca_file,
    )


def master_keys(settings: Settings) -> MasterKeys:
    """
    The master key ring: from the environment; on loopback, else, one made once under HOME.

    Raises:
        ConfigurationError: none is set and this is not a machine of one's own.
    """
    from shared.crypto.master import new_key, parse  # noqa: PLC0415  # a receiver with hook keys of its own opens no record

    if settings.master_key:
        return parse(settings.master_key)
    path = settings.home / MASTER_KEY_FILE
    if path.exists():
        return parse(path.read_text())
    if not settings.loopback and settings.public_url:
        message = (
            "ROOMSYNC_MASTER_KEY is missing; make one with `roomsync keys new` and keep it outside the data directory"
        )
        raise ConfigurationError(message)
    return parse(_make_once(path, new_key()))


def hook_keys(settings: Settings) -> HookKeys:
    """
    The keys that prove notifications: from the environment, else derived from the master keys.

    Raises:
        ConfigurationError: neither is set and this is not a machine of one's own, or what is set cannot be read.
    """
    if settings.hook_keys:
        return parse_hook_keys(settings.hook_keys)
    return master_keys(settings).hook_keys()


def _make_once(path: Path, key: str) -> str:
    """Several processes start together: the first to link wins, all read the winner's key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    Path(draft).unlink()
    return path.read_text()
