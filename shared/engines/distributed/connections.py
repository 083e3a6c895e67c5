"""How a Kafka client finds a broker again when every broker that it knows is gone."""

from __future__ import annotations

import random
from typing import Any

from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector


class _ConnectionManager(KafkaConnectionManager):  # type: ignore[misc]  # the client is untyped
    """
    Asks the configured addresses as well, once no known broker can be reached.

    The library uses them for its first request only. A client that starts while one broker of three is up knows that one; when
    it dies the client asks nobody else, for as long as it lives. So does a client whose brokers all moved to other addresses.
    Kafka's own clients had the fault until KIP-899 (issue KAFKA-8206 describes it); kafka-python 3.0 has it still.
    """

    def least_loaded_node(self) -> int | str | None:
        """The node for a request that any broker can answer; None while all of them are waited for."""
        known = [broker.node_id for broker in self.cluster.brokers()]
        if not known or any(node not in self._backoff for node in known):
            found: int | str | None = super().least_loaded_node()
            return found
        configured = [broker.node_id for broker in self.cluster.bootstrap_brokers()]
        ready = [node for node in known + configured if self.connection_delay(node) == 0]
        return random.choice(ready) if ready else None


def network_client(**knobs: Any) -> KafkaNetClient:
    """What the library's producer, consumer and admin client take as `kafka_client`."""
    selector = NetworkSelector(**knobs)
    return KafkaNetClient(net=selector, manager=_ConnectionManager(selector, **knobs))
