"""
Run by the code of 0.1.0, out of this repository's history, in a process of its own: an office of that version.

`python play_earlier_office.py HOME MASTER_KEY` with `PYTHONPATH` naming the old tree. Prints the tenant's id.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.integration.pipeline import office as offices


def main() -> None:
    """Ada is connected: one room is quiet, one accepted, and one has told its decline."""
    home, key = Path(sys.argv[1]), sys.argv[2]
    offices.new_key = lambda: key
    office = offices.Office(home)
    office.calendar.book("quiet", **{offices.BIRS: "declined"})
    office.calendar.book("fine", **{offices.AARE: "accepted"})
    office.calendar.book("told", **{offices.AARE: "none"})
    office.connect()
    office.calendar.book("told", **{offices.AARE: "declined"})
    office.hint()
    office.settle()
    office.engine.close()
    print(office.tenant)


if __name__ == "__main__":
    main()
