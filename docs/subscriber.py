"""A subscriber in full: reads every decline once, survives restarts, uses nothing but the published schema."""

import contextlib
import json
import pathlib
import signal
import sys

import jsonschema
from kafka import KafkaConsumer

SCHEMA = json.loads((pathlib.Path(__file__).parent / "contracts" / "RoomDeclined.schema.json").read_text())


def main(bootstrap: str, topic: str = "room-rejections", group: str = "my-service") -> None:
    """Print each decline of `topic` as it comes; a day's absence is caught up with (five days are kept)."""
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        isolation_level="read_committed",  # each id once; without it: deduplicate by id
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    with contextlib.closing(consumer):  # leaves the group, so that a successor need not wait for its session to end
        while True:
            for records in consumer.poll(timeout_ms=500).values():
                for record in records:
                    event = json.loads(record.value)
                    jsonschema.validate(event, SCHEMA)
                    print(event["id"], event["subject"], event["data"]["occurrenceRef"], flush=True)
            consumer.commit()


if __name__ == "__main__":
    # As orchestrators stop a program: on the way out it leaves the group.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with contextlib.suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
