"""The distributed engine: the log on Apache Kafka; view, registry and keyring on Redis. The only home of their clients."""

from shared.engines.distributed.engine import DistributedEngine, open_engine
from shared.engines.distributed.topics import TopicDifference, check_topics, delete_topics, ensure_topics

__all__ = ["DistributedEngine", "TopicDifference", "check_topics", "delete_topics", "ensure_topics", "open_engine"]
