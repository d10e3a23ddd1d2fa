"""An installation used as people use it: the `handrail` command, a real `serve`, keys and engine."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PATIENCE_SECONDS = 60.0
GROUPS = {"alice": "operations,policy", "bob": "review,policy"}


@dataclass(frozen=True)
class Printed:
    """What one command did."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Office:
    """A directory with keys, state and anchor, and the command that uses them."""

    root: Path
    database: str | None = None

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def environment(self) -> dict[str, str]:
        ours = {"HANDRAIL_STATE_DIR": str(self.state), "HANDRAIL_ANCHOR_DIR": str(self.root / "anchor")}
        plain = {name: value for name, value in os.environ.items() if not name.startswith("HANDRAIL_")}
        return plain | ours | ({"HANDRAIL_DATABASE_URL": self.database} if self.database else {})

    def start(self, *words: str, **more: Any) -> "subprocess.Popen[str]":
        """Start a command and go on."""
        line = [sys.executable, "-m", "console", *words]
        return subprocess.Popen(line, env=self.environment, text=True, stdin=subprocess.DEVNULL, **more)

    def type(self, *words: str, person: str | None = None) -> Printed:
        """Type a command and wait for its end."""
        signing = ["--key", str(self.key(person))] if person else []
        end = words.index("--") if "--" in words else len(words)
        line = [*words[:end], *signing, *words[end:]]
        with self.start(*line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            out, err = process.communicate(timeout=PATIENCE_SECONDS)
        return Printed(process.returncode, out, err)

    def ask(self, *words: str) -> Any:
        """Type a command with `--json` and return its answer."""
        printed = self.type(*words, "--json")
        assert printed.code == 0, printed.err
        return json.loads(printed.out)

    def ask_anyway(self, *words: str) -> Any:
        """Type a command with `--json` and return its answer, whatever its exit code."""
        return json.loads(self.type(*words, "--json").out)

    def agreed(self, *words: str, person: str) -> Printed:
        """Type a command that signs, read what it shows, and agree to exactly that."""
        shown = self.type(*words, person=person)
        assert shown.code == 2, shown.err
        digest = shown.err.rpartition("--digest ")[2].strip()
        return self.type(*words, "--yes", "--digest", digest, person=person)

    def key(self, person: str) -> Path:
        """Return a person's key, made at first use."""
        self.root.mkdir(exist_ok=True)
        path = self.root / person
        if not path.exists():
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", str(path)]
            subprocess.run(words, check=True)
        return path

    def begin(self, **groups: str) -> Printed:
        """Run `init` with these persons, else with alice and bob."""
        people = groups or GROUPS
        words = [word for n, g in people.items() for word in ("--person", f"{n}={self.key(n)}.pub,{g}")]
        return self.type("init", *words)

    def deploy(self, agent: str, profile: Path) -> Printed:
        """Register an agent and create its deployment, signed by alice."""
        assert self.type("agent", "register", agent, "--trait", "internal-docs", "--owner", "bob").code == 0
        return self.agreed("deploy", "create", agent, "--profile", str(profile), person="alice")

    @contextmanager
    def serving(
        self, *options: str, end: signal.Signals = signal.SIGTERM
    ) -> Iterator["subprocess.Popen[str]"]:
        """Run `serve`; it is told to stop at the end, by a signal that it does not ignore as we may."""
        ignored = signal.getsignal(end) is signal.SIG_IGN
        before = signal.signal(end, signal.SIG_DFL) if ignored else None
        try:
            serve = self.start("serve", *options, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        finally:
            if before is not None:
                signal.signal(end, before)
        assert serve.stdout is not None
        try:
            first = serve.stdout.readline()
            assert first.startswith("serving on "), first + serve.stdout.read()
            yield serve
        finally:
            if serve.poll() is None:
                serve.send_signal(end)
            serve.communicate(timeout=PATIENCE_SECONDS)

    def until(self, run: str, *, state: str) -> Any:
        """Wait until a run is in a state."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := self.ask("runs", "show", run)["run"])["state"] != state:
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
        return found


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where alice and bob have typed `init`, once for the session; nobody works in it, all copy it."""
    opened = Office(tmp_path_factory.mktemp("founded"))
    assert opened.begin().code == 0
    return opened.root


@pytest.fixture
def office(tmp_path: Path, founded: Path) -> Office:
    """An office of alice and bob for one test; as a node it has no name yet."""
    shutil.copytree(founded, tmp_path, dirs_exist_ok=True)
    return Office(tmp_path)
