"""From settings to the ways by which people are told."""

from collections.abc import Mapping

from runtime.clock import Clock
from runtime.credentials import CredentialFiles
from runtime.errors import SettingsError
from runtime.notices.channels import Channel, Command, Mail, Webhook
from runtime.notices.outbox import Route
from runtime.settings import Settings


def channels_of(settings: Settings, clock: Clock) -> Mapping[str, Channel]:
    """Return the channels that are set up, by name.

    Args:
        settings: of the installation; secrets are files among its credentials.
        clock: dates what is signed.

    Raises:
        SettingsError: a part is missing that another one needs.
        KeyFileError: a secret cannot be read, or others can read it.
    """
    channels: dict[str, Channel] = {}
    if settings.notify_command is not None:
        channels["command"] = Command(settings.notify_command)
    if settings.notify_webhook is not None:
        key = _secret(settings, "HANDRAIL_NOTIFY_WEBHOOK_KEY", settings.notify_webhook_key)
        channels["webhook"] = Webhook(settings.notify_webhook, clock, key)
    if settings.notify_mail_host is not None:
        channels["mail"] = _mail(settings, settings.notify_mail_host)
    return channels


def _mail(settings: Settings, host: str) -> Mail:
    to = _addresses(settings.notify_mail_to)
    if settings.notify_mail_from is None or not to:
        raise SettingsError(
            "HANDRAIL_NOTIFY_MAIL_HOST is set; set HANDRAIL_NOTIFY_MAIL_FROM and HANDRAIL_NOTIFY_MAIL_TO too"
        )
    routes = {Route.OPERATORS: to, Route.LEADERSHIP: _addresses(settings.notify_mail_leadership) or to}
    password = _secret(settings, "HANDRAIL_NOTIFY_MAIL_PASSWORD", settings.notify_mail_password)
    user = settings.notify_mail_user
    if (user is None) != (password is None):
        raise SettingsError(
            "HANDRAIL_NOTIFY_MAIL_USER and HANDRAIL_NOTIFY_MAIL_PASSWORD belong together: set both or neither"
        )
    login = None if user is None or password is None else (user, password)
    tls = settings.notify_mail_tls
    return Mail(host, settings.notify_mail_port, settings.notify_mail_from, routes, tls, login)


def _addresses(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _secret(settings: Settings, variable: str, name: str | None) -> str | None:
    if name is None:
        return None
    try:
        return CredentialFiles(settings.credentials_dir)(name)
    except KeyError as error:
        file = settings.credentials_dir / name
        raise SettingsError(f"{variable} names {name!r}, and there is no file {file}") from error
