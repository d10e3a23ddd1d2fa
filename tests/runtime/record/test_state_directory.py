"""Preparing a state directory."""

from pathlib import Path

from runtime.record.setup import prepare_state
from runtime.settings import Settings


def test_a_directory_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    """A volume of an engine is made 0755; the database and the keys will lie in it."""
    state = tmp_path / "state"
    state.mkdir(mode=0o755)
    state.chmod(0o755)

    prepare_state(Settings(state_dir=state, anchor_dir=tmp_path / "anchor"))

    assert state.stat().st_mode & 0o777 == 0o700
