"""`roomsync run`: runs one service in this process, or several under a supervisor, each in a process of its own."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping

import click

from cli.common.service_addresses import ServiceAddresses
from shared.runtime.ready import announce
from shared.runtime.settings import Settings, load
from shared.runtime.supervisor import Supervisor, watch_supervisor
from shared.runtime.wiring import master_keys

SERVICES = ("webhook-receiver", "sync-worker", "room-status", "portal", "notifier")


@click.command()
@click.argument("service", nargs=-1, required=True, type=click.Choice(["all", *SERVICES]))
def command(service: tuple[str, ...]) -> int:
    """
    Run SERVICE..., each in a process of its own; print `ready NAME URL PID` once each can be used.

    One service by name runs in this very process, as a container wants it.
    """
    if len(service) == 1 and service[0] != "all":
        watch_supervisor()
        main = importlib.import_module(f"services.{service[0].replace('-', '_')}.main").main
        return int(main())
    settings = load()
    return _supervise(SERVICES if "all" in service else service, settings)


def _supervise(names: tuple[str, ...], settings: Settings) -> int:
    master_keys(settings)  # made once, before several processes ask for it
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    commands = {name: [sys.executable, "-m", "cli.main", "run", name] for name in names}
    watch_supervisor()
    addresses = ServiceAddresses(settings.home)

    def ready(name: str, url: str, pid: int) -> None:
        addresses.add(name, url)
        announce(name, url, pid)

    Supervisor(commands, _child_environment(settings), ready).run(stop)
    addresses.remove_all()
    return 0


def _child_environment(settings: Settings) -> Mapping[str, str]:
    """Return the environment of the children. Free ports are chosen here, so that a restarted service keeps its address."""
    environ = dict(os.environ)
    receiver = settings.receiver_port or find_free_port()
    portal = settings.portal_port or find_free_port()
    environ |= {"ROOMSYNC_RECEIVER_PORT": str(receiver), "ROOMSYNC_PORTAL_PORT": str(portal)}
    environ["ROOMSYNC_HEALTH_PORT"] = "0"  # the two workers share this machine: they cannot share a port
    if not settings.public_url:
        environ["ROOMSYNC_PUBLIC_URL"] = f"http://127.0.0.1:{portal}"
        environ.setdefault("ROOMSYNC_HOOKS_URL", f"http://127.0.0.1:{receiver}")
    return environ


def find_free_port() -> int:
    """Return a loopback port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
