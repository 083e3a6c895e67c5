"""Wires the notifier: the engine, its channels and webhooks, the claims, and a port for health and metrics."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from services.notifier.alarms import AlarmSender
from services.notifier.browser_recipients import BrowserRecipients
from services.notifier.calendar_recipients import CalendarRecipients
from services.notifier.channels.browser import BrowserSender
from services.notifier.channels.calendar import CalendarSender
from services.notifier.channels.chat import ChatSender
from services.notifier.channels.composition import MailComposer
from services.notifier.channels.mail_server import parse_mail_server
from services.notifier.channels.port import NoticeChannel
from services.notifier.channels.smtp import SmtpChannel
from services.notifier.channels.web_push import WebPush
from services.notifier.chat_recipients import ChatRecipients
from services.notifier.deciding.rungs import BROWSER, CALENDAR, CHAT, MAIL
from services.notifier.notices import NoticeWriter
from services.notifier.outbox import SLOW_CHAT, Outbox
from services.notifier.prompt_reader import PromptReader
from services.notifier.recipients import People
from services.notifier.webhooks.courier import Courier
from services.notifier.webhooks.pause_mails import PauseMails
from services.notifier.webhooks.worker import WebhookOwner
from services.notifier.worker import NotifierOwner, Tools
from shared.contracts.topics import NOTIFIER, WEBHOOKS, Station
from shared.crypto.links import LinkSigner
from shared.crypto.vapid import public_key_of
from shared.domain.webhook_address import hosts_of
from shared.errors import ConfigurationError
from shared.grants.broker import ConsentBroker
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.ports.log import Claim
from shared.providers.catalogue import calendar_providers
from shared.runtime.chat_post import chat_post_from
from shared.runtime.clock import clock_from
from shared.runtime.http_post import HttpPost
from shared.runtime.measured import MeasuredProviders, refusal_circuits
from shared.runtime.settings import Settings, load
from shared.runtime.stateful import Own, run_stations
from shared.runtime.wiring import master_keys, open_engine

SENDERS = 4
"""Messages that are sent at once by one channel of one process."""
ALARM_SENDERS = 1
PAUSE_SENDERS = 1


def main() -> int:
    """
    Tell whom there is a channel to, count declines, and send organisations their events where that is configured.

    Runs until SIGTERM. Exit code 0; 70 when a successor has to take over.
    """
    settings = load()
    engine, clock = open_engine(settings), clock_from(settings.test_clock)
    stations: list[tuple[Station, Own]] = [(NOTIFIER, _tell(settings, engine, clock))]
    if settings.sends_webhooks:
        stations.append((WEBHOOKS, _send_webhooks(settings, engine, clock)))
    return run_stations(NOTIFIER.service, stations, settings, engine, port=settings.notifier_port)


def _tell(settings: Settings, engine: Engine, clock: Clock) -> Own:
    channels = _channels(settings)
    if settings.writes_reminders:
        channels[CALENDAR] = _calendar(settings, engine, clock)
    if settings.push_private_key:
        channels[BROWSER] = _browser(settings)
    reader = PromptReader(engine, clock, settings.grace_ms)
    writer = _writer(settings, engine, clock)
    people = People(engine.registry, reader, writer, channels.keys())
    chat = ChatRecipients(engine, clock, reader, settings.portal_url, may_act=settings.may_write)
    calendars = CalendarRecipients(engine.registry, reader, writer, channels.keys())
    browsers = BrowserRecipients(engine, reader, writer, channels.keys(), settings.push_public_key)
    lanes = (*channels, SLOW_CHAT)  # an executor makes its threads when it is given something
    threads = {name: ThreadPoolExecutor(SENDERS, thread_name_prefix=f"send-{name}") for name in lanes}
    alarm_threads = ThreadPoolExecutor(ALARM_SENDERS, thread_name_prefix="alarm")

    def own(claim: Claim) -> NotifierOwner:
        alarms = AlarmSender(writer, Outbox(channels, lambda _: alarm_threads))
        outbox = Outbox(channels, threads.__getitem__)
        return NotifierOwner(claim, engine, clock, Tools(reader, people, chat, calendars, browsers, outbox, alarms))

    return own


def _writer(settings: Settings, engine: Engine, clock: Clock) -> NoticeWriter:
    signer = LinkSigner(master_keys(settings).link_keys())
    return NoticeWriter(engine, clock, signer, settings.portal_url, may_act=settings.may_write)


def _calendar(settings: Settings, engine: Engine, clock: Clock) -> NoticeChannel:
    broker = ConsentBroker(engine.registry, engine.keyring, settings, clock, observe=refusal_circuits)
    return CalendarSender(broker, MeasuredProviders(calendar_providers(settings)))


def _browser(settings: Settings) -> NoticeChannel:
    """Raises ConfigurationError when the two keys are no pair: every browser would refuse what is signed with the private one."""
    if public_key_of(settings.push_private_key) != settings.push_public_key:
        message = "ROOMSYNC_PUSH_PUBLIC_KEY does not belong to ROOMSYNC_PUSH_PRIVATE_KEY: set both of one `roomsync keys push`"
        raise ConfigurationError(message)
    hosts, allowed = hosts_of(settings.push_hosts), hosts_of(settings.webhook_allowed_hosts)
    return BrowserSender(WebPush(settings.push_private_key, settings.push_contact, hosts, allowed))


def _channels(settings: Settings) -> dict[str, NoticeChannel]:
    """Name → each channel to people and rooms that needs nobody's grant and is configured."""
    found: dict[str, NoticeChannel] = {}
    if settings.smtp_url:
        found[MAIL] = SmtpChannel(parse_mail_server(settings.smtp_url), MailComposer(settings.mail_from))
    if settings.posts_to_chat:
        found[CHAT] = ChatSender(chat_post_from(settings))
    return found


def _send_webhooks(settings: Settings, engine: Engine, clock: Clock) -> Own:
    courier = Courier(HttpPost(hosts_of(settings.webhook_allowed_hosts)))
    writer, channels = _writer(settings, engine, clock), _channels(settings)
    threads = ThreadPoolExecutor(PAUSE_SENDERS, thread_name_prefix="pause-mail")

    def own(claim: Claim) -> WebhookOwner:
        pauses = PauseMails(engine, clock, writer, Outbox(channels, lambda _: threads))
        return WebhookOwner(claim, engine, clock, courier, pauses)

    return own
