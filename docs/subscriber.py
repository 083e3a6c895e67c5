"""A subscriber in full: handles every decline once, and catches up after being away. Logs in by the environment (LOGIN)."""

import contextlib
import json
import os
import pathlib
import signal
import sys

import jsonschema
import kafka

SCHEMA = json.loads((pathlib.Path(__file__).parent / "contracts" / "RoomDeclined.schema.json").read_text())
LOGIN = ("security_protocol", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password", "ssl_cafile")


def main(bootstrap: str, topic: str = "room-rejections", group: str = "subscriber-sample") -> None:
    """Print each decline once, until interrupted; raises KafkaError where the broker is away or refuses."""
    reading = {"isolation_level": "read_committed", "auto_offset_reset": "earliest", "enable_auto_commit": False}
    reading |= {"group_id": group} | {name: os.environ[name.upper()] for name in LOGIN if name.upper() in os.environ}
    handled: dict[str, object] = {}  # a real one keeps these with what it does, and bounds them
    with contextlib.closing(kafka.KafkaConsumer(topic, bootstrap_servers=bootstrap, **reading)) as consumer:
        while True:
            for record in [each for records in consumer.poll(timeout_ms=500).values() for each in records]:
                try:
                    jsonschema.validate(event := json.loads(record.value or b""), SCHEMA)
                except (ValueError, jsonschema.ValidationError) as error:
                    print(f"passed over {topic}/{record.partition}/{record.offset}: {error!r:.200}", file=sys.stderr)
                    continue
                if handled.setdefault(event["id"], record) is record:
                    print(event["id"], event["subject"], event["data"]["occurrenceRef"], flush=True)
            consumer.commit()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # it leaves the group, so that a successor need not wait
    try:
        main(*sys.argv[1:])
    except (kafka.errors.KafkaError, KeyboardInterrupt) as end:  # what says so in a sentence, and Ctrl-C
        sys.exit(isinstance(end, kafka.errors.KafkaError) and (print(f"cannot read: {end}", file=sys.stderr) or 3))
