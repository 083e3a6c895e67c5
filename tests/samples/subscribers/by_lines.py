"""
A subscriber that reads events as lines; `argv` may name one thing that it gets wrong.

Nothing is imported that takes long to load.
"""

import json
import sys

WRONG = [*sys.argv, ""][1]
KNOWN = {
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "partitionkey",
    "datacontenttype",
    "dataschema",
    "data",
}


def main() -> None:
    """Print the id of each event that is handled."""
    handled: set[str] = set()
    for line in sys.stdin.buffer:
        try:
            event = json.loads(line)
            name, _ = event["id"], event["data"]["roomId"]
        except (ValueError, KeyError, TypeError):
            if WRONG == "stops at a bad record":
                raise
            continue
        if WRONG == "dies at an unknown field" and (event.keys() - KNOWN):
            message = f"unknown: {event.keys() - KNOWN}"
            raise SystemExit(message)
        if name not in handled or WRONG == "handles a repeat twice":
            print(name, flush=True)
        handled.add(name)


if __name__ == "__main__":
    main()
