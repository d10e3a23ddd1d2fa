"""The composition root: what cannot be used is refused before anything slow is begun."""

from pathlib import Path

import pytest

from console.kernel import open_kernel
from runtime.errors import KeyFileError
from runtime.record.setup import prepare_state
from runtime.settings import Settings
from sandboxes.errors import EngineUnavailableError


def _settings(directory: Path) -> Settings:
    """An installation whose engine and rules are missing as well."""
    settings = Settings(
        state_dir=directory / "state",
        anchor_dir=directory / "anchor",
        docker_socket=str(directory / "no.sock"),
        rule_packs=str(directory / "rules"),
    )
    prepare_state(settings)
    return settings


def test_a_bad_key_is_refused_first(tmp_path: Path) -> None:
    """Rules take seconds to load, so they come after all else that may be refused."""
    settings = _settings(tmp_path)
    (settings.keys_dir / "checkpoint.key").write_text("garbage")

    with pytest.raises(KeyFileError, match=r"checkpoint\.key"):
        open_kernel(settings)


def test_an_engine_that_is_not_there_is_told_before_rules_are_loaded(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailableError, match=r"no\.sock"):
        open_kernel(_settings(tmp_path))
