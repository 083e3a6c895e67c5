"""The ports, twice: on SQLite files, and on Kafka and Redis."""
