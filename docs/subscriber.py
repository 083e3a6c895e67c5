"""A subscriber in full: handles every decline once and survives restarts. Logs in by the environment, as LOGIN in capitals."""

import contextlib
import json
import os
import pathlib
import signal
import sys

import jsonschema
from kafka import KafkaConsumer

SCHEMA = json.loads((pathlib.Path(__file__).parent / "contracts" / "RoomDeclined.schema.json").read_text())
LOGIN = ("security_protocol", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password", "ssl_cafile")


def main(bootstrap: str, topic: str = "room-rejections", group: str = "subscriber-sample") -> None:
    """Print each decline of `topic` as it comes; what came while this was away is caught up with (five days are kept)."""
    reading = {"isolation_level": "read_committed", "auto_offset_reset": "earliest", "enable_auto_commit": False}
    reading |= {"group_id": group} | {name: os.environ[name.upper()] for name in LOGIN if name.upper() in os.environ}
    handled: set[str] = set()  # a real one keeps these with what it does, and bounds them
    with contextlib.closing(KafkaConsumer(topic, bootstrap_servers=bootstrap, **reading)) as consumer:
        while True:
            for record in [each for records in consumer.poll(timeout_ms=500).values() for each in records]:
                try:
                    jsonschema.validate(event := json.loads(record.value or b""), SCHEMA)
                except (ValueError, jsonschema.ValidationError) as error:
                    print(f"passed over {topic}/{record.partition}/{record.offset}: {error!r:.200}", file=sys.stderr)
                    continue
                if event["id"] not in handled:
                    print(event["id"], event["subject"], event["data"]["occurrenceRef"], flush=True)
                handled.add(event["id"])
            consumer.commit()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # it leaves the group, so that a successor need not wait
    with contextlib.suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
