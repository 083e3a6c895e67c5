"""One input, one fold by key, one output in Quix Streams, exactly once; runs in an environment of its own."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from quixstreams import Application, State  # type: ignore[import-not-found]  # never a dependency of the product


def main() -> None:
    """Fold until killed; or until `--count` records are folded, and then say how many seconds lay between first and last."""
    parser = argparse.ArgumentParser()
    for name in ("bootstrap", "group", "source", "target", "state_dir"):
        parser.add_argument(name)
    parser.add_argument("--commit-interval-s", type=float, default=5.0, help="its own default is 5")
    parser.add_argument("--count", type=int, default=0)
    arguments = parser.parse_args()
    application = Application(
        broker_address=arguments.bootstrap,
        consumer_group=arguments.group,
        processing_guarantee="exactly-once",
        commit_interval=arguments.commit_interval_s,
        auto_offset_reset="earliest",
        state_dir=arguments.state_dir,
        loglevel="WARNING",
    )
    began: list[float] = []

    def fold(value: bytes, state: State) -> bytes:
        if not began:
            began.append(time.perf_counter())
        state.set("seen", int(state.get("seen", 0)) + 1)
        state.set("last", value.decode())
        return value

    source = application.topic(arguments.source, key_deserializer="bytes", value_deserializer="bytes")
    frame: Any = application.dataframe(source)
    frame = frame.apply(fold, stateful=True)
    frame.to_topic(application.topic(arguments.target, key_serializer="bytes", value_serializer="bytes"))
    application.run(count=arguments.count, collect=False)
    if began:
        sys.stdout.write(f"{time.perf_counter() - began[0]:.3f}\n")


if __name__ == "__main__":
    main()
