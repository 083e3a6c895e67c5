"""Opening the distributed engine: each part connects when it is first used, and its libraries are loaded with it."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING

from shared.engines.distributed.claim import AtPoint
from shared.engines.distributed.clients import Clients
from shared.engines.distributed.log import DistributedLog
from shared.engines.distributed.security import PLAIN_TEXT, Security
from shared.ports.clock import Clock

if TYPE_CHECKING:
    from shared.crypto.master import MasterKeys
    from shared.engines.bound_registry import BoundRegistry
    from shared.engines.distributed.keyring import RedisKeyring
    from shared.engines.distributed.registry import RedisRegistry
    from shared.engines.distributed.view import RedisView


class DistributedEngine:
    """See `shared.ports.engine.Engine`. Thread-safe; a process that only appends never touches Redis."""

    def __init__(
        self,
        *,
        bootstrap: str,
        view_redis_url: str,
        registry_redis_url: str,
        partitions: int,
        prefix: str,
        master: MasterKeys | None,
        clock: Clock,
        replication: int = 3,
        transactions: bool = True,
        security: Security = PLAIN_TEXT,
        at_point: AtPoint = lambda _: None,
        refuse_unbound: bool = False,
    ) -> None:
        """Remember; nothing is connected yet."""
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.partitions = partitions
        self.replication = replication
        self._view_redis_url = view_redis_url
        self._registry_redis_url = registry_redis_url
        self._master = master
        self._refuse_unbound = refuse_unbound
        self._clock = clock
        self._transactions = transactions
        self.security = security
        self._at_point = at_point
        self._opening = threading.RLock()

    @cached_property
    def log(self) -> DistributedLog:
        """The record."""
        with self._opening:
            return DistributedLog(
                Clients(self.bootstrap, self.prefix, self.security),
                self.partitions,
                transactions=self._transactions,
                at_point=self._at_point,
            )

    @cached_property
    def view(self) -> RedisView:
        """What answers questions; may be lost."""
        from shared.engines.distributed.view import RedisView  # noqa: PLC0415  # 8 MB that a receiver has no use for

        with self._opening:
            return RedisView(self._view_redis_url, prefix=self.prefix, clock=self._clock)

    @cached_property
    def registry(self) -> BoundRegistry | RedisRegistry:
        """What exists nowhere else."""
        from shared.engines.bound_registry import bound  # noqa: PLC0415  # what opens records: 6 MB, not for a receiver
        from shared.engines.distributed.registry import RedisRegistry  # noqa: PLC0415  # as above

        with self._opening:
            rows = RedisRegistry(self._registry_redis_url, prefix=self.prefix, clock=self._clock)
            return bound(rows, self._master, refuse_unbound=self._refuse_unbound)

    @cached_property
    def keyring(self) -> RedisKeyring:
        """The tenants' keys."""
        from shared.crypto.master import require_master_keys  # noqa: PLC0415  # as above
        from shared.engines.distributed.keyring import RedisKeyring  # noqa: PLC0415  # as above

        with self._opening:
            return RedisKeyring(
                self._registry_redis_url,
                prefix=self.prefix,
                master=require_master_keys(self._master),
                refuse_unbound=self._refuse_unbound,
            )

    def close(self) -> None:
        """Close the parts that were opened. Idempotent."""
        with self._opening:
            for name in ("log", "view", "registry", "keyring"):
                part = self.__dict__.pop(name, None)
                if part is not None:
                    part.close()


def open_engine(
    *,
    bootstrap: str,
    view_redis_url: str,
    registry_redis_url: str,
    partitions: int,
    replication: int = 3,
    prefix: str = "",
    master: MasterKeys | None,
    clock: Clock,
    transactions: bool = True,
    security: Security = PLAIN_TEXT,
    at_point: AtPoint = lambda _: None,
    refuse_unbound: bool = False,
) -> DistributedEngine:
    """
    The engine for every larger user. Connects to nothing yet: a receiver starts with Kafka down.

    Args:
        bootstrap: `host:port[,host:port]` of the brokers.
        view_redis_url: May be lost.
        registry_redis_url: Another server, `appendfsync always`, `noeviction`.
        partitions: Of every topic; must be what the topics were made with.
        replication: For `ensure_topics`.
        prefix: Before every topic, group, transactional id and Redis key.
        master: Wraps the tenants' keys; None: this process opens none of them.
        clock: Tells deadlines.
        transactions: False only in tests (see `claim`).
        security: How to log in to the brokers, and whom to trust.
        at_point: For tests (see `claim`).
        refuse_unbound: Whether registry rows and sealed records that are bound to no place are refused.
    """
    return DistributedEngine(
        bootstrap=bootstrap,
        view_redis_url=view_redis_url,
        registry_redis_url=registry_redis_url,
        partitions=partitions,
        replication=replication,
        prefix=prefix,
        master=master,
        clock=clock,
        transactions=transactions,
        security=security,
        at_point=at_point,
        refuse_unbound=refuse_unbound,
    )
