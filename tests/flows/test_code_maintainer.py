"""A second real job: the shipped code-maintainer with the unmodified `mcp-server-git`, over a real clone."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from profiles.effects import Effect
from profiles.load import shipped_profile
from runtime.gate.replies import WITHHELD_TEXT
from runtime.runs.states import RunError
from tests.standins.house import House, Step, give_to_boxes
from tests.standins.towns import DORA

pytestmark = pytest.mark.engine

REPO = {"repo_path": "/repo"}
READS: Mapping[str, Step] = {
    "git_status": {"args": REPO},
    "git_log": {"args": {**REPO, "max_count": 10}},
    "git_diff_unstaged": {"args": REPO},
    "git_diff": {"args": {**REPO, "target": "HEAD~1"}},
    "git_show": {"args": {**REPO, "revision": "HEAD"}},
    "git_branch": {"args": {**REPO, "branch_type": "local"}},
}
WRITES: Mapping[str, Step] = {
    "git_add": {"args": {**REPO, "files": ["ledger.py"]}},
    "git_commit": {"args": {**REPO, "message": "Round to cents"}},
    "git_create_branch": {"args": {**REPO, "branch_name": "fix"}},
    "git_checkout": {"args": {**REPO, "branch_name": "fix"}},
    "git_reset": {"args": REPO},
}

GIT_CONFIG = """[user]
name = Olga
email = olga@bergwerk.example
[safe]
directory = *
[init]
defaultBranch = main
"""


@dataclass(frozen=True)
class Clone:
    """A clone as its operator sees it, on the host."""

    path: Path
    home: Path = field(repr=False)

    def git(self, *words: str, at: Path | None = None) -> str:
        """Run git as somebody who has nothing configured but the trust in these directories."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home)}
        command = ["git", *words]
        done = subprocess.run(
            command, cwd=at or self.path, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout

    @property
    def state(self) -> tuple[str, str, str]:
        """What must not move: HEAD, the branches, and what is staged and changed."""
        return self.git("rev-parse", "HEAD"), self.git("branch", "--list"), self.git("status", "--porcelain")


@pytest.fixture(scope="module")
def clone(shared_house: House, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone with three commits behind it and one change that is not committed."""
    home = tmp_path_factory.mktemp("git")
    (home / ".gitconfig").write_text(GIT_CONFIG)
    made = Clone(shared_house.volume("repository"), home)
    origin = home / "origin"
    origin.mkdir()
    made.git("init", "-q", at=origin)
    for number, line in enumerate(("def total(rows):", "    return sum(rows)", "# cents"), 1):
        with (origin / "ledger.py").open("a") as file:
            file.write(line + "\n")
        made.git("add", "ledger.py", at=origin)
        made.git("commit", "-q", "-m", f"Step {number}", at=origin)
    made.git("clone", "-q", str(origin), str(made.path), at=home)
    for name, value in (("user.name", "agent"), ("user.email", "agent@bergwerk.example")):
        made.git("config", name, value)
    with (made.path / "ledger.py").open("a") as file:
        file.write("# rounded\n")
    give_to_boxes(made.path)
    return made


@pytest.fixture(scope="module")
def deployment(shared_house: House, clone: Clone) -> str:  # noqa: ARG001 - the volume must be filled
    return shared_house.deploy(shipped_profile("code-maintainer").text, "maintainer")


def calls(steps: Mapping[str, Step]) -> list[Step]:
    return [{"call": tool, **step} for tool, step in steps.items()]


def test_at_tier_0_it_reads_the_history_and_its_commit_is_a_suggestion(
    shared_house: House, clone: Clone, deployment: str
) -> None:
    """Reads are answered by the real server; nothing that it would change has changed."""
    before = clone.state
    run = shared_house.launch(deployment, *calls(READS), *calls(WRITES))
    said = run.finished()
    read = dict(zip(READS, said[: len(READS)], strict=True))
    assert [answer for answer in read.values() if answer["error"]] == []
    assert "Step 1" in read["git_log"]["text"]
    assert "# rounded" in read["git_diff_unstaged"]["text"]
    assert "Step 3" in read["git_show"]["text"]
    assert {answer["text"] for answer in said[len(READS) :]} == {WITHHELD_TEXT}
    query = "SELECT tool FROM suggestion WHERE run = :run ORDER BY log_seq"
    assert [row.tool for row in shared_house.rows(query, run=run.id)] == list(WRITES)
    assert clone.state == before
    assert shared_house.verified()


@pytest.mark.parametrize(
    "step",
    [
        {"call": "git_log", "args": {"repo_path": "/etc"}},
        {"call": "git_log", "args": {"repo_path": "/repo/../etc"}},
    ],
)
def test_another_repository_is_not_read_unasked(shared_house: House, deployment: str, step: Step) -> None:
    run = shared_house.launch(deployment, step)
    shared_house.vote(shared_house.waiting(run.id), DORA, yes=False)
    assert [answer["text"] for answer in run.finished()] == [WITHHELD_TEXT]


def test_with_drafts_and_updates_granted_the_commit_is_made(
    shared_house: House, clone: Clone, deployment: str
) -> None:
    shared_house.grant(deployment, Effect.DRAFT, Effect.UPDATE)
    steps = calls({tool: WRITES[tool] for tool in ("git_add", "git_commit")})
    added, committed = shared_house.launch(deployment, *steps).finished()
    assert [added["error"], committed["error"]] == [False, False]
    assert clone.git("log", "-1", "--format=%s by %an") == "Round to cents by agent\n"
    assert clone.state[2] == ""


def test_what_it_must_never_do_is_not_done_and_costs_everything(shared_house: House, deployment: str) -> None:
    """R-14: no push, and no secret is staged, whatever is granted; the attempt ends in quarantine."""
    staged: Step = {"call": "git_add", "args": {**REPO, "files": ["ledger.py", ".env"]}}
    push: Step = {"call": "git_push", "args": REPO}
    listed, secret, pushed = shared_house.launch(deployment, {"list": True}, staged, push).finished()
    assert "git_push" not in listed["tools"]
    assert secret["text"] == WITHHELD_TEXT
    assert pushed["text"] == "Unknown tool: git_push"
    with pytest.raises(RunError, match="quarantine: never"):
        shared_house.launch(deployment, {"list": True})
