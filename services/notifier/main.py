"""Wires the notifier: the engine, the channel, the claims, and a port for health and metrics. Without a channel it idles."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor

from services.notifier.channels.composition import MailComposer
from services.notifier.channels.mail_server import parse_mail_server
from services.notifier.channels.smtp import SmtpChannel
from services.notifier.notices import NoticeWriter
from services.notifier.outbox import Outbox
from services.notifier.prompt_reader import PromptReader
from services.notifier.worker import NotifierOwner, Tools
from shared.contracts.topics import NOTIFIER
from shared.crypto.links import LinkSigner
from shared.ports.log import Claim
from shared.runtime.clock import clock_from
from shared.runtime.health import health_app
from shared.runtime.http_connections import admission_from
from shared.runtime.logging import configure, get_logger
from shared.runtime.serving import serve_in_background
from shared.runtime.settings import Settings, load
from shared.runtime.stateful import run_stateful
from shared.runtime.wiring import master_keys, open_engine

SENDERS = 4
"""Messages that are sent at once by one process."""


def main() -> int:
    """Run until SIGTERM. Exit code 0; 70 when a successor has to take over."""
    settings = load()
    return run(settings) if settings.smtp_url else idle(settings)


def run(settings: Settings) -> int:
    """Tell people by mail."""
    engine = open_engine(settings)
    clock = clock_from(settings.test_clock)
    channel = SmtpChannel(parse_mail_server(settings.smtp_url), MailComposer(settings.mail_from))
    reader = PromptReader(engine, clock, settings.grace_ms)
    signer = LinkSigner(master_keys(settings).link_keys())
    writer = NoticeWriter(engine, clock, signer, settings.portal_url, may_act=settings.may_write)
    executor = ThreadPoolExecutor(SENDERS, thread_name_prefix="send")

    def own(claim: Claim) -> NotifierOwner:
        return NotifierOwner(claim, engine, clock, Tools(reader, writer, Outbox(channel, executor)))

    return run_stateful(NOTIFIER, settings, engine, own=own, port=settings.notifier_port)


def idle(settings: Settings) -> int:
    """Answer health checks and do nothing else: no channel is configured, so no partition is claimed and no store is opened."""
    configure(NOTIFIER.service, settings.log_level)
    get_logger().info("idle", reason="ROOMSYNC_SMTP_URL is not set: nobody is told of prompts outside their page")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serve_in_background(
        health_app(NOTIFIER.service, {}),
        NOTIFIER.service,
        settings.notifier_port,
        host=settings.listen_host,
        admission=admission_from(settings),
    )
    stop.wait()
    return 0
