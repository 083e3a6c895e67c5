"""Which version of the product this is."""

from __future__ import annotations

from importlib import metadata


def product_version() -> str:
    """The installed version; `unknown` when run from a bare checkout."""
    try:
        return metadata.version("roomsync")
    except metadata.PackageNotFoundError:
        return "unknown"
