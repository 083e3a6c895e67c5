"""One input, one fold by key, one output in Quix Streams, exactly once; runs in an environment of its own."""

from __future__ import annotations

import sys
from typing import Any

from quixstreams import Application, State  # type: ignore[import-not-found]  # never a dependency of the product


def main() -> None:
    """Arguments: bootstrap, consumer group, input topic, output topic, state directory, commit interval in seconds."""
    bootstrap, group, source, target, state_dir, commit_interval_s = sys.argv[1:]
    application = Application(
        broker_address=bootstrap,
        consumer_group=group,
        processing_guarantee="exactly-once",
        commit_interval=float(commit_interval_s),
        auto_offset_reset="earliest",
        state_dir=state_dir,
        loglevel="WARNING",
    )

    def fold(value: bytes, state: State) -> bytes:
        state.set("seen", int(state.get("seen", 0)) + 1)
        state.set("last", value.decode())
        return value

    frame: Any = application.dataframe(application.topic(source, key_deserializer="bytes", value_deserializer="bytes"))
    frame = frame.apply(fold, stateful=True)
    frame.to_topic(application.topic(target, key_serializer="bytes", value_serializer="bytes"))
    application.run()


if __name__ == "__main__":
    main()
