"""Real Kafka brokers and Redis servers on this machine's loopback, without Docker."""
