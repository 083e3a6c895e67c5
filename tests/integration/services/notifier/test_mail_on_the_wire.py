"""A mail as it travels: its headers, its parts, and the TLS that it travels in."""

from __future__ import annotations

import datetime as dt
import re
import ssl
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.notifier.channels.composition import LISTED, MailComposer, when_words
from services.notifier.channels.mail_server import parse_mail_server
from services.notifier.channels.port import SendOutcome
from services.notifier.channels.smtp import SmtpChannel
from shared.domain.instants import HOUR_MS, from_rfc3339
from tests.contract.services.notifier.test_channels import NOTICE
from tests.support.mail_server import MailSink, serve_mail, text_of

COMPOSER = MailComposer("Rooms <rooms@contoso.test>")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For `localhost`, signed by itself: key and certificate in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(
        key.private_bytes(pem, private, serialization.NoEncryption()) + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def context(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


def channel(url: str) -> SmtpChannel:
    return SmtpChannel(parse_mail_server(url), COMPOSER, timeout_s=3.0)


def only_ada(_server: object, _session: object, _envelope: object, _mechanism: str, given: object) -> AuthResult:
    known = isinstance(given, LoginPassword) and (given.login, given.password) == (b"mailer", b"pa:ss/w@rd")
    return AuthResult(success=known)


@pytest.mark.usefixtures("trusted")
def test_smtps_is_encrypted_from_the_first_byte(context: ssl.SSLContext) -> None:
    sink = MailSink()
    # aiosmtpd's own start-up check connects without TLS to an address that the certificate is not for
    with serve_mail(sink, tls=context) as (_, port):
        assert channel(f"smtps://localhost:{port}").send(NOTICE).outcome is SendOutcome.ACCEPTED
    assert len(sink.mails) == 1


@pytest.mark.usefixtures("trusted")
def test_starttls_comes_before_the_password_and_the_message(context: ssl.SSLContext) -> None:
    options = {"tls_context": context, "require_starttls": True, "authenticator": only_ada, "auth_required": True}
    with serve_mail(**options) as (sink, port):
        url = f"smtp://mailer:pa%3Ass%2Fw%40rd@localhost:{port}?starttls=require"
        assert channel(url).send(NOTICE).outcome is SendOutcome.ACCEPTED
        assert channel(url.replace("pa%3A", "no%3A")).send(NOTICE).outcome is SendOutcome.LATER
    assert len(sink.mails) == 1


def test_a_certificate_of_nobody_we_trust_gets_nothing(context: ssl.SSLContext) -> None:
    with serve_mail(tls_context=context) as (sink, port):
        attempt = channel(f"smtp://localhost:{port}?starttls=require").send(NOTICE)
        assert (attempt.outcome, attempt.reason) == (SendOutcome.LATER, "SSLCertVerificationError")
    assert sink.mails == []


def test_a_server_without_tls_gets_nothing_where_it_is_required() -> None:
    with serve_mail() as (sink, port):
        attempt = channel(f"smtp://127.0.0.1:{port}?starttls=require").send(NOTICE)
        assert (attempt.outcome, attempt.reason) == (SendOutcome.LATER, "SMTPNotSupportedError")
    assert sink.mails == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # it is what this test is about
def test_no_password_travels_in_the_clear_beyond_this_machine() -> None:
    options = {"authenticator": only_ada, "auth_required": True, "auth_require_tls": False}
    with serve_mail(**options) as (sink, port):
        own = channel(f"smtp://mailer:pa%3Ass%2Fw%40rd@127.0.0.1:{port}").send(NOTICE)
        assert own.outcome is SendOutcome.ACCEPTED
        # an address that is not known to be this machine's, although it leads here
        attempt = channel(f"smtp://mailer:pa%3Ass%2Fw%40rd@0.0.0.0:{port}").send(NOTICE)
        assert (attempt.outcome, attempt.reason) == (SendOutcome.LATER, "SMTPNotSupportedError")
    assert len(sink.mails) == 1


def test_a_mail_says_what_it_is_and_how_to_stop_it() -> None:
    mail = COMPOSER.compose(NOTICE)
    assert mail["Message-ID"] == "<n-abc@contoso.test>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] == "<https://rooms.test/p/stop>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["To"] == NOTICE.address
    assert COMPOSER.compose(NOTICE).as_string().count("n-abc") == 1


def test_both_parts_say_the_same_and_load_nothing_from_elsewhere() -> None:
    mail = COMPOSER.compose(NOTICE)
    assert mail.get_content_type() == "multipart/alternative"
    plain, html = text_of(mail), text_of(mail, "html")
    for part in (plain, html):
        for words in ("Aare 4.12", "Wed 18 Nov 2026", NOTICE.lines[0].link, NOTICE.stop, "https://rooms.test/profile"):
            assert words in part
    assert not re.search(r"<(img|script|link|iframe|object|style)\b|\burl\(|\bsrc=|@import", html)


def test_whoever_may_only_observe_is_not_asked_to_choose() -> None:
    assert "Choose another room" in text_of(COMPOSER.compose(NOTICE))
    mail = COMPOSER.compose(replace(NOTICE, may_act=False))
    for kind in ("plain", "html"):
        assert "Choose" not in text_of(mail, kind)
        assert "See which rooms are free" in text_of(mail, kind)


def test_a_name_with_markup_is_text() -> None:
    mail = COMPOSER.compose(replace(NOTICE, lines=(replace(NOTICE.lines[0], room="<img src=x>"),)))
    assert "<img" not in text_of(mail, "html")


@pytest.mark.proves("S5")
@pytest.mark.parametrize(
    "name",
    [
        "Aare\r\nBcc: eve@evil.test",
        "Aare\n\n<h1>",
        "=?utf-8?q?Aare=0ABcc=3Aeve?=",
        "=?utf-8?b?QWFyZQpCY2M6ZXZl?= Aare",
        "\u202eeraA\x00",
        "\ud800",
    ],
)
def test_a_rooms_name_adds_no_header_and_nobody_else(name: str) -> None:
    line = replace(NOTICE.lines[0], room=name)
    with serve_mail() as (sink, port):
        assert channel(f"smtp://127.0.0.1:{port}").send(replace(NOTICE, lines=(line,))).outcome is SendOutcome.ACCEPTED
    assert sink.recipients == [NOTICE.address]
    [mail] = sink.mails
    assert set(mail.keys()) == set(COMPOSER.compose(NOTICE).keys())
    assert not any(character in str(mail["Subject"]) for character in "\r\n\x00\u202e")
    assert "<h1>" not in text_of(mail, "html")


@pytest.mark.parametrize(
    "address",
    [
        "ada@contoso.test\r\nBcc: eve@evil.test",
        "ada@contoso.test, eve@evil.test",
        "<eve@evil.test> ada@contoso.test",
        "ada@contoso.test>\r\nRCPT TO:<eve@evil.test",
        "ada@contoso.test\x00",
        "\ud800@contoso.test",
        "=?utf-8?q?a=0ABcc=3Aeve?=@contoso.test",
        "",
    ],
)
def test_what_is_not_one_address_gets_no_mail(address: str) -> None:
    with serve_mail() as (sink, port):
        attempt = channel(f"smtp://127.0.0.1:{port}").send(replace(NOTICE, address=address))
    assert (attempt.outcome, sink.recipients, sink.mails) == (SendOutcome.REFUSED, [], [])


def test_a_long_digest_names_some_and_counts_the_rest() -> None:
    mail = COMPOSER.compose(replace(NOTICE, lines=NOTICE.lines * (LISTED + 12)))
    assert text_of(mail).count("Aare 4.12") == LISTED
    assert "And 12 more" in text_of(mail)


@pytest.mark.parametrize(
    ("start", "hours", "zone", "words"),
    [
        ("2026-12-01T09:00:00Z", 1, "Europe/Zurich", "Tue 1 Dec 2026, 10:00 to 11:00"),
        ("2026-12-01T09:00:00Z", 1, "", "Tue 1 Dec 2026, 09:00 to 10:00 UTC"),
        ("2026-12-01T22:30:00Z", 2, "Europe/Zurich", "Tue 1 Dec 2026, 23:30 to Wed 2 Dec 2026, 01:30"),
        ("2026-12-01T02:00:00Z", 1, "America/Los_Angeles", "Mon 30 Nov 2026, 18:00 to 19:00"),
        ("2026-12-01T00:00:00Z", 24, "Europe/Zurich", "Tue 1 Dec 2026"),
        ("2026-12-01T00:00:00Z", 48, "Europe/Zurich", "Tue 1 Dec 2026 to Wed 2 Dec 2026"),
    ],
)
def test_the_hour_is_on_the_persons_own_clock(start: str, hours: int, zone: str, words: str) -> None:
    begins = from_rfc3339(start)
    assert when_words(begins, begins + hours * HOUR_MS, ZoneInfo(zone) if zone else None) == words
