"""Wires the receiver: settings, keys, the log behind a breaker, and the port. No store but the log, no key but those of hooks."""

from __future__ import annotations

from services.webhook_receiver.app import MAX_BODY_BYTES, NAME, HookHandler, direct_routes, make_app
from services.webhook_receiver.intake import Intake
from shared.errors import LogUnavailableError
from shared.runtime.breaker import Breaker
from shared.runtime.clock import clock_from
from shared.runtime.crash_points import arm
from shared.runtime.http_connections import door_admission_from
from shared.runtime.logging import configure, get_logger
from shared.runtime.serving import serve
from shared.runtime.settings import load
from shared.runtime.wiring import hook_keys, open_engine

THREADS = 4  # for health, metrics and refusals: notifications hold none


def main() -> int:
    """
    Run until SIGTERM or SIGINT. Exit code 0.

    Raises:
        ConfigurationError: settings, hook keys or partitions do not fit. A log that is away is no reason not to start.
    """
    settings = load()
    configure(NAME, settings.log_level)
    arm(settings.crash_at)
    get_logger().info("starting", **settings.shown())
    keys = hook_keys(settings)
    engine = open_engine(settings, with_keyring=False)
    clock = clock_from(settings.test_clock)
    breaker = Breaker("log", lambda: engine.log.probe())  # noqa: PLW0108  # `log` opens when asked: not yet
    try:
        engine.log.probe()
    except LogUnavailableError as error:
        get_logger().warning("log_unavailable", reason=str(error), next="answering 503 until it is back")
    intake = Intake(lambda: engine.log, settings.partitions, clock, breaker)
    hooks = HookHandler(intake, keys, clock)
    app = make_app(
        hooks,
        {"log": lambda: engine.log.probe()},  # noqa: PLW0108
    )
    try:
        serve(
            app,
            NAME,
            settings.receiver_port,
            threads=THREADS,
            host=settings.listen_host,
            max_body_bytes=MAX_BODY_BYTES,
            admission=door_admission_from(settings),
            direct=direct_routes(hooks),
        )
    finally:
        intake.close()
        breaker.close()
        engine.close()
    return 0
