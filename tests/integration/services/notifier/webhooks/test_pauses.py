"""The organisation's administrators get one mail of an endpoint that is paused: each once a pause, through a successor as well."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.notifier.channels.composition import MailComposer
from services.notifier.channels.mail_server import MailServer
from services.notifier.channels.smtp import SmtpChannel
from shared.contracts.notification import DeliveryState
from shared.contracts.webhook_records import RequestedAct
from shared.organisations.webhooks import resume_webhook
from tests.integration.services.notifier.crowd import ADMIN, appoint_administrator
from tests.integration.services.notifier.webhooks.conftest import Bureau
from tests.support.emptiness import found
from tests.support.mail_server import MailSink, serve_mail, text_of

pytestmark = pytest.mark.proves("B21")


@pytest.fixture
def sink(bureau: Bureau) -> Iterator[MailSink]:
    """A mail server, to which this deployment sends, and an administrator."""
    appoint_administrator(bureau)
    with serve_mail() as (running, port):
        server = MailServer("127.0.0.1", port, implicit_tls=False, require_starttls=False)
        bureau.channels["mail"] = SmtpChannel(server, MailComposer("Rooms <rooms@contoso.test>"), timeout_s=1.0)
        bureau.take_over()
        yield running


@pytest.fixture
def gone(bureau: Bureau, sink: MailSink, path: str) -> str:
    """An endpoint that answers 410 to the next event."""
    bureau.receiver.behave(path, status=410)
    endpoint = bureau.add_endpoint(path)
    bureau.publish("d-1")
    return endpoint


def mails_of(bureau: Bureau, endpoint: str) -> list[DeliveryState]:
    return [each.state for each in bureau.webhook(endpoint).pause_mails.values()]


def test_administrator_gets_one_mail_a_pause_that_says_nothing_secret(
    bureau: Bureau, sink: MailSink, gone: str, path: str
) -> None:
    bureau.deliver()
    bureau.pass_time(7200)
    [mail] = sink.mails
    assert mail["To"] == ADMIN
    assert "your endpoint at 127.0.0.1" in text_of(mail)
    assert "410" in text_of(mail)
    assert "https://rooms.contoso.test/admin/webhooks" in text_of(mail)
    assert found([("mail", mail.as_bytes())], [path, bureau.secrets[gone]]) == []
    assert mails_of(bureau, gone) == [DeliveryState.ACCEPTED]
    resume_webhook(bureau.engine.registry, bureau.tenant, gone)
    bureau.ask(gone, RequestedAct.RESUME)
    bureau.pass_time(7200)
    assert len(sink.ids()) == 2, "it is paused anew"


def test_successor_repeats_under_one_id_only_what_was_not_recorded(bureau: Bureau, sink: MailSink, gone: str) -> None:
    while not sink.mails:
        bureau.owner.step()
    assert mails_of(bureau, gone) == [DeliveryState.INTENT]
    bureau.take_over()  # the earlier one died between the server's answer and its record
    bureau.pass_time(120, 30)
    assert list(sink.ids().values()) == [2]
    assert mails_of(bureau, gone) == [DeliveryState.ACCEPTED]


def test_mail_server_that_is_busy_is_asked_again(bureau: Bureau, sink: MailSink, gone: str) -> None:
    sink.answer = "451 4.3.0 later"
    bureau.deliver()
    bureau.pass_time(60, 30)
    assert mails_of(bureau, gone) == [DeliveryState.INTENT]
    sink.answer = "250 OK"
    bureau.pass_time(600, 60)
    assert mails_of(bureau, gone) == [DeliveryState.ACCEPTED]
