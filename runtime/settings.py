"""The settings, and the only reader of the environment.

Every setting is an environment variable with the prefix `HANDRAIL_`, such as `HANDRAIL_STATE_DIR`. An unknown
name with that prefix is refused: a mistyped `HANDRAIL_ANCHORDIR` must not quietly mean the default.
"""

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from profiles.setting import Setting
from runtime.errors import SettingsError

PREFIX = "HANDRAIL_"


class MailTls(StrEnum):
    """How the way to the mail server is protected."""

    STARTTLS = "starttls"
    IMPLICIT = "implicit"
    NONE = "none"


class Settings(BaseSettings):
    """Where things are, and whom to call. Nothing here may widen what an agent can do."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    state_dir: Path = Field(Path("/var/lib/handrail"), description="database, keys, lock and socket")
    anchor_dir: Path = Field(Path("/var/log/handrail-anchor"), description="second sink of the audit log")
    database_url: str | None = Field(None, description="SQLAlchemy URL; unset: SQLite in the state directory")
    docker_socket: Path = Field(Path("/var/run/docker.sock"), description="the local engine's socket")
    notify_command: str | None = Field(None, description="program called when something waits for a person")
    notify_webhook: str | None = Field(None, description="URL posted to when something waits for a person")
    notify_webhook_key: str | None = Field(None, description="credential that signs what is posted")
    notify_mail_host: str | None = Field(None, description="SMTP server for mails; unset: no mails")
    notify_mail_port: int = Field(25, ge=1, le=65535, description="its port")
    notify_mail_tls: MailTls = Field(MailTls.STARTTLS, description="starttls, implicit or none")
    notify_mail_from: str | None = Field(None, description="address that mails come from")
    notify_mail_to: str | None = Field(None, description="addresses of operators, with commas")
    notify_mail_leadership: str | None = Field(None, description="addresses of leadership; unset: operators'")
    notify_mail_user: str | None = Field(None, description="user at the SMTP server")
    notify_mail_password: str | None = Field(None, description="credential with that user's password")
    rule_packs: str | None = Field(None, description="own rules of the scrubber: absolute paths, with colons")
    openai_base_url: str = "https://api.openai.com/v1"
    openai_api_key: SecretStr | None = None
    anthropic_base_url: str = "https://api.anthropic.com"
    anthropic_api_key: SecretStr | None = None
    evaluation_openai_base_url: str | None = Field(None, description="for evaluation runs; unset: the same")
    evaluation_openai_api_key: SecretStr | None = Field(None, description="for evaluation runs, and no other")
    evaluation_anthropic_base_url: str | None = Field(None, description="as for openai")
    evaluation_anthropic_api_key: SecretStr | None = Field(None, description="as for openai")
    evaluation_shares_model_keys: bool = Field(
        default=False, description="whether evaluation runs may use the keys of production"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take the environment alone, besides what is given: no file of settings is looked for."""
        del settings_cls, dotenv_settings, file_secret_settings
        return init_settings, env_settings

    @property
    def database(self) -> str:
        """The URL of the database in use."""
        return self.database_url or f"sqlite:///{quote(str(self.state_dir / 'handrail.db'))}"

    @property
    def rule_paths(self) -> tuple[Path, ...]:
        """Where an operator's own rules of the scrubber lie: files, or directories of such."""
        return tuple(Path(path) for path in (self.rule_packs or "").split(os.pathsep) if path)

    @property
    def socket_path(self) -> Path:
        """The Unix socket on which `serve` listens."""
        return self.state_dir / "serve.sock"

    @property
    def keys_dir(self) -> Path:
        """Where the wrapping key and the checkpoint key lie, mode 0600 each."""
        return self.state_dir / "keys"

    @property
    def volumes_dir(self) -> Path:
        """Where the volumes lie that profiles name: directories or links of the operator's, and images."""
        return self.state_dir / "volumes"

    @property
    def credentials_dir(self) -> Path:
        """Where the operator puts one file for each credential that a profile names, mode 0600."""
        return self.state_dir / "credentials"

    def volumes_of(self, setting: Setting) -> Path:
        """Where the volumes of one setting lie; none is part of the other's (R-21)."""
        return self.volumes_dir if setting is Setting.PRODUCTION else self.evaluation_dir / "volumes"

    def credentials_of(self, setting: Setting) -> Path:
        """Where the credentials of one setting lie; none is the other's (R-21)."""
        return self.credentials_dir if setting is Setting.PRODUCTION else self.evaluation_dir / "credentials"

    @property
    def evaluation_dir(self) -> Path:
        """Where everything lies that only evaluation runs use."""
        return self.state_dir / "evaluation"

    @property
    def memory_dir(self) -> Path:
        """Where the versions of agents' memories lie: AGENT/SETTING/VERSION."""
        return self.state_dir / "memory"

    @property
    def lock_file(self) -> Path:
        """The file whose lock makes one process the writer of this state directory."""
        return self.state_dir / "ledger.lock"


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: a `HANDRAIL_` variable is unknown or its value cannot be used.
    """
    _refuse_unknown(os.environ)
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(f"{_variable(str(fault['loc'][0]))}: {fault['msg']}" for fault in error.errors())
        raise SettingsError(f"settings cannot be used: {faults}") from error


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = {_variable(name) for name in Settings.model_fields}
    ours = {name for name in environment if name.upper().startswith(PREFIX)}
    unknown = sorted(name for name in ours if name.upper() not in known)
    if unknown:
        expected = ", ".join(sorted(known))
        raise SettingsError(
            f"unknown setting {', '.join(unknown)}; correct or unset it; expected: {expected}"
        )


def _variable(field: str) -> str:
    return f"{PREFIX}{field}".upper()
