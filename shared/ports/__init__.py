"""What the services need of the outside, as Protocols. Nothing stands here that Kafka or Redis cannot do."""
