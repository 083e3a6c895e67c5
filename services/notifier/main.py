"""Wires the notifier: the engine, mail and webhooks, the claims, and a port for health and metrics. Without either it idles."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor

from services.notifier.alarms import AlarmSender
from services.notifier.channels.composition import MailComposer
from services.notifier.channels.mail_server import parse_mail_server
from services.notifier.channels.smtp import SmtpChannel
from services.notifier.notices import NoticeWriter
from services.notifier.outbox import Outbox
from services.notifier.prompt_reader import PromptReader
from services.notifier.webhooks.courier import Courier
from services.notifier.webhooks.http_post import HttpPost
from services.notifier.webhooks.worker import WebhookOwner
from services.notifier.worker import NotifierOwner, Tools
from shared.contracts.topics import NOTIFIER, WEBHOOKS, Station
from shared.crypto.links import LinkSigner
from shared.domain.webhook_address import hosts_of
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.ports.log import Claim
from shared.runtime.clock import clock_from
from shared.runtime.health import health_app
from shared.runtime.http_connections import admission_from
from shared.runtime.logging import configure, get_logger
from shared.runtime.serving import serve_in_background
from shared.runtime.settings import Settings, load
from shared.runtime.stateful import Own, run_stations
from shared.runtime.wiring import master_keys, open_engine

SENDERS = 4
"""Messages that are sent at once by one process."""


def main() -> int:
    """Run until SIGTERM. Exit code 0; 70 when a successor has to take over."""
    settings = load()
    return run(settings) if settings.smtp_url or settings.sends_webhooks else idle(settings)


def run(settings: Settings) -> int:
    """Tell people by mail, and send organisations their events: each where it is configured."""
    engine, clock = open_engine(settings), clock_from(settings.test_clock)
    stations: list[tuple[Station, Own]] = []
    if settings.smtp_url:
        stations.append((NOTIFIER, _tell_people(settings, engine, clock)))
    if settings.sends_webhooks:
        stations.append((WEBHOOKS, _send_webhooks(settings, engine, clock)))
    return run_stations(NOTIFIER.service, stations, settings, engine, port=settings.notifier_port)


def _tell_people(settings: Settings, engine: Engine, clock: Clock) -> Own:
    channel = SmtpChannel(parse_mail_server(settings.smtp_url), MailComposer(settings.mail_from))
    reader = PromptReader(engine, clock, settings.grace_ms)
    signer = LinkSigner(master_keys(settings).link_keys())
    writer = NoticeWriter(engine, clock, signer, settings.portal_url, may_act=settings.may_write)
    executor = ThreadPoolExecutor(SENDERS, thread_name_prefix="send")

    def own(claim: Claim) -> NotifierOwner:
        return NotifierOwner(
            claim,
            engine,
            clock,
            Tools(reader, writer, Outbox(channel, executor), AlarmSender(writer, Outbox(channel, executor))),
        )

    return own


def _send_webhooks(settings: Settings, engine: Engine, clock: Clock) -> Own:
    courier = Courier(HttpPost(hosts_of(settings.webhook_allowed_hosts)))

    def own(claim: Claim) -> WebhookOwner:
        return WebhookOwner(claim, engine, clock, courier)

    return own


def idle(settings: Settings) -> int:
    """Answer health checks and do nothing else: nothing is configured, so no partition is claimed and no store is opened."""
    configure(NOTIFIER.service, settings.log_level)
    get_logger().info(
        "idle",
        reason="ROOMSYNC_SMTP_URL is not set, and webhooks are off: nobody is told anything outside their page",
    )
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
