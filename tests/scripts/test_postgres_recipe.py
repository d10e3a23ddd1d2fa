"""PostgreSQL is installed without a cluster of the host's own."""

from pathlib import Path

import pytest

from scripts.postgres import NO_CLUSTER, forbid_cluster, is_there


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"{NO_CLUSTER}\n"),
        (
            "# create_main_cluster = true\nssl = on\n",
            f"# create_main_cluster = true\nssl = on\n{NO_CLUSTER}\n",
        ),
        ("create_main_cluster = true\n", "create_main_cluster = true\n"),
    ],
)
def test_a_cluster_is_forbidden_unless_the_host_has_chosen(tmp_path: Path, before: str, after: str) -> None:
    settings = tmp_path / "createcluster.conf"
    settings.write_text(before)

    forbid_cluster(settings)
    forbid_cluster(settings)

    assert settings.read_text() == after


def test_the_programs_are_found_where_debian_puts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not is_there(tmp_path)
    program = tmp_path / "15" / "bin" / "initdb"
    program.parent.mkdir(parents=True)
    program.touch()

    assert is_there(tmp_path)
