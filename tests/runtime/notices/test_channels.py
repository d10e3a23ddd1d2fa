"""The channels: a program, a signed post and a mail, each to a real other side."""

import asyncio
import hashlib
import hmac
import json
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from runtime.errors import KeyFileError, SettingsError
from runtime.notices.channels import Command, Mail, NoticeError, Webhook
from runtime.notices.message import Message, Notice
from runtime.notices.outbox import Route
from runtime.notices.setup import channels_of
from runtime.settings import MailTls, Settings
from tests.standins.receivers import MailReceiver, WebReceiver, script

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
ALERT = Notice("ntc-1", "alert", "alert-1", NOW, {"agent": "bot", "rule": "never"}, 1)
MANY = Notice("ntc-2", "suggestion", "sug-1", NOW, {"count": 2, "ids": ["sug-1", "sug-2"]}, 1)
MESSAGE = Message("any", Route.OPERATORS, (ALERT, MANY))
ADDRESSES = {Route.OPERATORS: ("ops@x.example",), Route.LEADERSHIP: ("lena@x.example", "carl@x.example")}


def post(codes: list[int], key: str | None = None) -> WebReceiver:
    receiver = WebReceiver(codes)

    async def work() -> None:
        async with receiver.open() as url:
            await Webhook(url, lambda: NOW, key).send(MESSAGE)

    asyncio.run(work())
    return receiver


def mail(receiver: MailReceiver, message: Message = MESSAGE, *, tls: MailTls = MailTls.NONE) -> None:
    asyncio.run(Mail("127.0.0.1", receiver.port, "handrail@x.example", ADDRESSES, tls).send(message))


def test_a_message_counts_everything_and_names_ids_only() -> None:
    assert json.loads(MESSAGE.as_json) == {
        "route": "operators",
        "waiting": {"alert": 1, "suggestion": 2},
        "ids": {"alert": ["alert-1"], "suggestion": ["sug-1", "sug-2"]},
        "notices": [
            {
                "kind": "alert",
                "id": "alert-1",
                "at": "2026-11-21T09:00:00.000000Z",
                "agent": "bot",
                "rule": "never",
            }
        ],
    }


def test_a_post_is_signed_with_its_moment() -> None:
    """The receiver computes the same HMAC, and can refuse an old post."""
    (posted,) = post([], key="s3cret").posts
    timestamp = posted.headers["handrail-timestamp"]
    expected = hmac.new(b"s3cret", timestamp.encode() + b"." + posted.body, hashlib.sha256).hexdigest()

    assert posted.headers["handrail-signature"] == f"v1={expected}"
    assert int(timestamp) == NOW.timestamp()


def test_without_a_key_nothing_pretends_to_be_signed() -> None:
    (posted,) = post([]).posts
    assert "handrail-signature" not in posted.headers


@pytest.mark.parametrize("code", [302, 404, 500])
def test_a_post_that_is_not_taken_is_an_error_and_no_redirect_is_followed(code: int) -> None:
    with pytest.raises(NoticeError, match=str(code)):
        post([code])


def test_a_receiver_that_is_not_there_is_an_error() -> None:
    with pytest.raises(NoticeError, match="cannot be reached"):
        asyncio.run(Webhook("http://127.0.0.1:1/", lambda: NOW).send(MESSAGE))


def test_a_command_gets_the_message_as_input_and_no_environment_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDRAIL_OPENAI_API_KEY", "planted")
    out = tmp_path / "out"
    program = script(tmp_path / "tell", f"cat > {out}; env >> {out}")

    asyncio.run(Command(f"{program} --quiet").send(MESSAGE))

    assert out.read_text().startswith(MESSAGE.as_json)
    assert "planted" not in out.read_text()


@pytest.mark.parametrize("command", ["/no/such/program", "", "'unclosed", "false"])
def test_a_command_that_does_not_work_is_an_error_that_says_so(command: str) -> None:
    with pytest.raises(NoticeError, match="notify command"):
        asyncio.run(Command(command).send(MESSAGE))


@pytest.mark.parametrize("route", Route)
def test_a_mail_goes_to_the_addresses_of_its_route(route: Route) -> None:
    """R-51 to R-54: leadership has a route of its own."""
    receiver = MailReceiver()
    with receiver.open():
        mail(receiver, Message("mail", route, (ALERT, MANY)))

    ((to, sent),) = receiver.mails
    assert tuple(to) == ADDRESSES[route]
    assert sent["Subject"] == f"Handrail ({route.value}): 1 alert, 2 suggestion"
    text = sent.get_payload()
    assert "alert alert-1  agent=bot rule=never" in text
    assert "handrail alerts list" in text


def test_a_mail_that_is_not_taken_is_an_error() -> None:
    receiver = MailReceiver(refusals=1)
    with receiver.open(), pytest.raises(NoticeError, match="451"):
        mail(receiver)


def test_a_server_that_cannot_prove_who_it_is_gets_no_mail(tmp_path: Path) -> None:
    receiver = MailReceiver()
    with receiver.open(tls=_unknown_certificate(tmp_path)), pytest.raises(NoticeError, match="certificate"):
        mail(receiver, tls=MailTls.STARTTLS)

    assert receiver.mails == []


def test_a_server_without_tls_gets_no_mail_unless_that_was_asked_for() -> None:
    receiver = MailReceiver()
    with receiver.open(), pytest.raises(NoticeError, match="STARTTLS"):
        mail(receiver, tls=MailTls.STARTTLS)

    assert receiver.mails == []


def test_channels_come_from_the_settings(tmp_path: Path) -> None:
    where = tmp_path / "credentials"
    where.mkdir()
    (where / "hook").write_text("s3cret\n")
    (where / "hook").chmod(0o600)
    found = channels_of(
        Settings(
            state_dir=tmp_path,
            notify_command="tell",
            notify_webhook="https://x.example/",
            notify_webhook_key="hook",
            notify_mail_host="mail.x.example",
            notify_mail_from="h@x.example",
            notify_mail_to="a@x.example, b@x.example",
        ),
        lambda: NOW,
    )

    assert set(found) == {"command", "webhook", "mail"}
    assert isinstance(found["webhook"], Webhook)
    assert found["webhook"].key == "s3cret"
    assert isinstance(found["mail"], Mail)
    assert found["mail"].to == dict.fromkeys(Route, ("a@x.example", "b@x.example"))
    assert found["mail"].tls is MailTls.STARTTLS


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"notify_mail_host": "m"}, "HANDRAIL_NOTIFY_MAIL_FROM"),
        ({"notify_mail_host": "m", "notify_mail_from": "a@x.example"}, "HANDRAIL_NOTIFY_MAIL_TO"),
        (
            {
                "notify_mail_host": "m",
                "notify_mail_from": "a@x",
                "notify_mail_to": "b@x",
                "notify_mail_user": "u",
            },
            "HANDRAIL_NOTIFY_MAIL_PASSWORD",
        ),
        ({"notify_webhook": "http://x", "notify_webhook_key": "gone"}, "HANDRAIL_NOTIFY_WEBHOOK_KEY"),
    ],
)
def test_half_a_setting_is_refused_at_start(tmp_path: Path, fields: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        channels_of(Settings(state_dir=tmp_path, **fields), lambda: NOW)  # type: ignore[arg-type]  # texts


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "hook").write_text("s3cret")
    (tmp_path / "credentials" / "hook").chmod(0o644)
    settings = Settings(state_dir=tmp_path, notify_webhook="http://x", notify_webhook_key="hook")

    with pytest.raises(KeyFileError, match="chmod 600"):
        channels_of(settings, lambda: NOW)


def _unknown_certificate(directory: Path) -> ssl.SSLContext:
    """A certificate that only its own owner vouches for."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, None)
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (directory / "server.pem").write_bytes(private + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.pem")
    return context
