"""Wires the portal: the engine, both providers, everybody's grants, and a server with threads for streams."""

from __future__ import annotations

import threading

from services.portal.app import NAME, TEST_FLOW, create_app
from services.portal.deps import Deps
from shared.grants.broker import ConsentBroker
from shared.providers.catalogue import calendar_providers
from shared.runtime.clock import clock_from
from shared.runtime.crash_points import arm
from shared.runtime.http_connections import door_admission_from
from shared.runtime.logging import configure, get_logger
from shared.runtime.measured import MeasuredProviders, refusal_circuits
from shared.runtime.serving import serve
from shared.runtime.settings import load
from shared.runtime.wiring import master_keys, open_engine

CLEAN_UP_S = 4.0
"""How long a test that is under way may take to remove what it made, once the process is told to stop."""
THREADS = 260
"""At most 208 are held by streams (`stream.MAX_STREAMS` and `stream_seats.MAX_LEAVING`), at most 24 by requests that wait for a
calendar (`mailbox_calls.MAX_ADMITTED`), at most 16 by those that wait for a provider otherwise (`provider_calls.MAX_ADMITTED`);
at least twelve are left for everything else."""


def main() -> int:
    """Serve until SIGTERM. Exit code 0."""
    settings = load()
    configure(NAME, settings.log_level)
    arm(settings.crash_at)
    get_logger().info("starting", **settings.shown())
    engine = open_engine(settings)
    clock = clock_from(settings.test_clock)
    stop = threading.Event()
    deps = Deps(
        settings=settings,
        engine=engine,
        clock=clock,
        broker=ConsentBroker(engine.registry, engine.keyring, settings, clock, observe=refusal_circuits),
        providers=MeasuredProviders(calendar_providers(settings)),
        session_key=master_keys(settings).session_key(),
        link_keys=master_keys(settings).link_keys(),
        hook_keys=master_keys(settings).hook_keys(),
        stop=stop,
    )
    app = create_app(deps)
    serve(
        app,
        NAME,
        settings.portal_port,
        threads=THREADS,
        stop=stop,
        host=settings.listen_host,
        admission=door_admission_from(settings),
    )
    app.extensions[TEST_FLOW].wait(CLEAN_UP_S)
    engine.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
