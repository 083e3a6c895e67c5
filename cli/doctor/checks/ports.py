"""Ports: free, ours already, or somebody else's."""

from __future__ import annotations

import errno
import json
import socket
import urllib.request
from collections.abc import Iterator

from cli.doctor.checks.finding import Finding, State
from shared.runtime.settings import Settings

_NAMES = ("receiver", "portal", "simulator")
_TIMEOUT_S = 1.0


def findings(settings: Settings) -> Iterator[Finding]:
    """Each port that a service would listen on."""
    taken: dict[int, str] = {}
    for name in _NAMES:
        port = getattr(settings, f"{name}_port")
        setting = f"ROOMSYNC_{name.upper()}_PORT"
        if port in taken:
            yield Finding(
                f"{name} port", State.WRONG, f"{setting}={port} is the {taken[port]}'s too", f"set {setting} to another"
            )
        else:
            yield _port(name, setting, port)
        if port:
            taken[port] = name


def _port(name: str, setting: str, port: int) -> Finding:
    if port == 0:
        return Finding(f"{name} port", State.OK, "a free one is taken at the start")
    reason = _why_not_free(port)
    if reason is None:
        return Finding(f"{name} port", State.OK, f"{port} is free")
    whose = _service_at(port)
    if whose:
        return Finding(f"{name} port", State.OK, f"{port} is in use by {whose}, running already")
    return Finding(f"{name} port", State.WRONG, f"{port} {reason}", f"set {setting} to another, or 0 for a free one")


def _why_not_free(port: int) -> str | None:
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as the server does: a connection's remains do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        except OverflowError:
            return "is no port"
    return None


def _service_at(port: int) -> str | None:
    """What answers `/version` there, if it is one of ours."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/version", timeout=_TIMEOUT_S) as answer:
            said = json.load(answer)
    except (OSError, ValueError):
        return None
    return str(said["service"]) if isinstance(said, dict) and "service" in said else None
