"""Ports: free, ours already, or somebody else's."""

from __future__ import annotations

import errno
import json
import socket
import urllib.request
from collections.abc import Iterator

from cli.doctor.checks.check_result import CheckResult, CheckState
from shared.runtime.settings import Settings

_NAMES = ("receiver", "portal", "notifier", "simulator")
_TIMEOUT_S = 1.0


def check_ports(settings: Settings) -> Iterator[CheckResult]:
    """Each port that a service would listen on."""
    taken: dict[int, str] = {}
    for name in _NAMES:
        port = getattr(settings, f"{name}_port")
        setting = f"ROOMSYNC_{name.upper()}_PORT"
        if port in taken:
            yield CheckResult(
                f"{name} port",
                CheckState.WRONG,
                f"{setting}={port} is the {taken[port]}'s too",
                f"set {setting} to another",
            )
        else:
            yield _check_port(name, setting, port)
        if port:
            taken[port] = name


def _check_port(name: str, setting: str, port: int) -> CheckResult:
    if port == 0:
        return CheckResult(f"{name} port", CheckState.OK, "a free one is taken at the start")
    reason = _explain_in_use(port)
    if reason is None:
        return CheckResult(f"{name} port", CheckState.OK, f"{port} is free")
    whose = find_service_at(port)
    if whose:
        return CheckResult(f"{name} port", CheckState.OK, f"{port} is in use by {whose}, running already")
    return CheckResult(
        f"{name} port", CheckState.WRONG, f"{port} {reason}", f"set {setting} to another, or 0 for a free one"
    )


def _explain_in_use(port: int) -> str | None:
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


def find_service_at(port: int) -> str | None:
    """What answers `/version` there, if it is one of ours."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/version", timeout=_TIMEOUT_S) as answer:
            answered = json.load(answer)
    except (OSError, ValueError):
        return None
    return str(answered["service"]) if isinstance(answered, dict) and "service" in answered else None
