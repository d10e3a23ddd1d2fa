"""What `handrail context lint` is given: a file, an image, or both, which is refused."""

from pathlib import Path

import pytest

from console.main import run


def test_a_prompt_beside_an_image_is_refused_and_not_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """R-19: of two things given, none is silently left out."""
    prompt = tmp_path / "prompt.md"
    prompt.write_text("You run on staging.")

    assert run(["context", "lint", str(prompt), "--image", "handrail/agent:1"]) == 2
    assert "prompt.md" in capsys.readouterr().err


def test_a_name_of_nothing_is_said_to_be_no_file_and_no_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["context", "lint", str(tmp_path / "gone.md")]) == 1

    said = capsys.readouterr().err
    assert "gone.md: there is no such file" in said
    assert said.count("\n") == 1


def test_an_empty_name_is_no_empty_prompt(capsys: pytest.CaptureFixture[str]) -> None:
    """Fail closed: an unset variable in a script does not pass."""
    assert run(["context", "lint", ""]) == 1
    assert capsys.readouterr().err
