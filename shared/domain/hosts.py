"""Which host names are this machine's own."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """
    Whether `host` is this machine, known to it alone: `localhost`, or a loopback address of IPv4 or IPv6.

    A name that merely begins like one (`127.evil.test`, `localhost.evil.test`) is somebody else's.

    Args:
        host: A name or address without a port; IPv6 with or without brackets.
    """
    bare = host.removeprefix("[").removesuffix("]")
    if bare.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False
