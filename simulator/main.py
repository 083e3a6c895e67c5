"""The simulator as a process: `python -m simulator.main --port 8103 --seed 7`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from types import FrameType

import waitress

from simulator.app import create_app
from simulator.world import World, clock_from

DEFAULT_PORT = 8103
_THREADS = 32


def run(port: int = DEFAULT_PORT, seed: int = 0, host: str = "127.0.0.1") -> None:
    """
    Serve until the process is told to stop; prints one line `ready simulator URL PID` when it listens.

    Args:
        port: 0 takes a free one.
        seed: everything that looks random follows from it.
        host: the address to listen on.
    """
    world = World(seed, clock_from(os.environ.get("ROOMSYNC_TEST_CLOCK", "")))
    server = waitress.create_server(create_app(world), host=host, port=port, threads=_THREADS)
    world.start()
    signal.signal(signal.SIGTERM, _stop)
    print(f"ready simulator http://{host}:{server.effective_port} {os.getpid()}", flush=True)  # noqa: T201 (the protocol)
    try:
        server.run()
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        server.close()
        world.stop()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=0, help="the same seed and calls give the same history")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    chosen = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    run(chosen.port, chosen.seed, chosen.host)


if __name__ == "__main__":
    main()
