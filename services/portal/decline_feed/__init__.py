"""The decline events over HTTP, for back-end services without Kafka."""
