"""How much of something a run of the hostile tests tries: a pull request's share, or a release's (`make abuse`)."""

from __future__ import annotations

import os

RELEASE = os.environ.get("ROOMSYNC_ABUSE") == "release"
"""`make abuse`: the sizes of a release; otherwise those of a pull request."""


def sized(pull_request: int, release: int) -> int:
    """How many of something this run tries."""
    return release if RELEASE else pull_request
