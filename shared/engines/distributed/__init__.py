"""The distributed engine: the only home of the Kafka and Redis clients."""
