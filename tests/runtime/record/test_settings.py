"""Settings: from the environment, and nothing unknown."""

from pathlib import Path

import pytest

from runtime.errors import SettingsError
from runtime.settings import load_settings


def test_the_defaults_keep_the_anchor_outside_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STATE_DIR", "ANCHOR_DIR", "DATABASE_URL"):
        monkeypatch.delenv(f"HANDRAIL_{name}", raising=False)

    settings = load_settings()

    assert settings.state_dir not in settings.anchor_dir.parents
    assert settings.database == "sqlite:////var/lib/handrail/handrail.db"
    assert settings.socket_path == Path("/var/lib/handrail/serve.sock")


def test_a_variable_overrides_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAIL_STATE_DIR", "/somewhere")
    monkeypatch.setenv("HANDRAIL_OPENAI_API_KEY", "sk-planted")

    settings = load_settings()

    assert settings.keys_dir == Path("/somewhere/keys")
    assert "sk-planted" not in repr(settings)
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "sk-planted"


def test_a_mistyped_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAIL_ANCHORDIR", "/mnt/other")

    with pytest.raises(SettingsError, match="HANDRAIL_ANCHORDIR"):
        load_settings()
