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
    meetings: set[str] = set()
    late: list[str] = []
    for line in sys.stdin.buffer:
        try:
            event = json.loads(line)
            name, meeting = event["id"], event["data"]["meetingRef"]
        except (ValueError, KeyError, TypeError):
            if WRONG == "stops at a bad record":
                raise
            continue
        if WRONG == "dies at an unknown field" and (event.keys() - KNOWN):
            message = f"unknown: {event.keys() - KNOWN}"
            raise SystemExit(message)
        if WRONG == "takes a second decline of a meeting for a repeat":
            if meeting in meetings:
                continue
            meetings.add(meeting)
        if WRONG == "says it only at its end":
            late.append(name)
            continue
        if name not in handled or WRONG == "handles a repeat twice":
            print(name, flush=True)
        handled.add(name)
    print("\n".join(late))


if __name__ == "__main__":
    main()
