"""The container engine: use the one that answers, else start one.

    python3 -m scripts.engine start|stop

An engine is started only when none answers and we are root: Debian's docker.io, as a detached process with
the gVisor runtime registered. Only an engine started here is ever stopped here.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from scripts.host import install, is_root, offered, refresh_lists
from scripts.shell import Answer, SetupError, ask, conclude, say

HOME = Path("/var/lib/handrail-engine")
CONFIG, LOG, PID = HOME / "daemon.json", HOME / "dockerd.log", HOME / "dockerd.pid"
SERVICE_CONFIG = Path("/etc/docker/daemon.json")
SYSTEMD = Path("/run/systemd/system")
GVISOR = Path("/usr/bin/runsc")
# What runsc calls the host's network is the network namespace of its container. For a box that is its own,
# empty one, where the channel listens; a network stack inside gVisor would not see the channel.
RUNSC = {"path": str(GVISOR), "runtimeArgs": ["--network=host", "--platform=ptrace"]}
START_SECONDS, STOP_SECONDS, POLL_SECONDS, LOG_LINES = 60, 60, 0.25, 6


def probe() -> Answer:
    """Ask the engine, if there is one, for its version."""
    return ask(["docker", "version", "--format", "{{.Server.Version}}"], seconds=20)


def start() -> None:
    """Make sure that an engine answers.

    Raises:
        SetupError: none answers and we cannot start one.
    """
    answer = probe()
    if "permission denied" in answer.err.lower():
        raise SetupError(
            "an engine is there, but not for this user; next step: run make as root, or join its group "
            "(`sudo usermod -aG docker $USER`, log in again); members of that group are as powerful as root"
        )
    if not answer.ok and not is_root():
        raise SetupError("no engine answers, and only root may start one; next step: `sudo make engine`")
    if answer.ok:
        say(f"using the engine that answers: version {answer.out}{_whose()}")
    else:
        _install()
        if not _answers(within=10 if SYSTEMD.exists() else 0):
            _launch()
    _tell_about_gvisor()


def stop() -> None:
    """Stop the engine that `start` started; leave any other alone."""
    pid = _our_pid()
    if pid is None:
        say("no engine was started here, nothing to stop")
        return
    say(f"stopping the engine started here (pid {pid})")
    os.kill(pid, signal.SIGTERM)
    if not _until(lambda: _our_pid() is None, within=STOP_SECONDS):
        raise SetupError(f"the engine (pid {pid}) still runs after {STOP_SECONDS} s; next step: read {LOG}")


def _install() -> None:
    if shutil.which("dockerd") is not None and shutil.which("docker") is not None:
        return
    refresh_lists(["docker.io"])
    optional = [package for package in ("docker-cli", "runsc") if offered(package)]
    if SYSTEMD.exists() and not SERVICE_CONFIG.exists():
        say(f"writing {SERVICE_CONFIG}, which registers gVisor with the engine service that apt will start")
        _write_config(SERVICE_CONFIG)
    install(["docker.io", *optional], purpose="run agents in containers")


def _launch() -> None:
    _write_config(CONFIG)
    command = ["dockerd", "--config-file", str(CONFIG), "--pidfile", str(PID)]
    say(f"no engine answers: starting `{' '.join(command)}`, its output goes to {LOG}")
    with LOG.open("ab") as log:
        engine = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
        )
    if not _until(lambda: probe().ok or engine.poll() is not None, within=START_SECONDS) or not probe().ok:
        raise SetupError(_failure(engine.poll()))
    say(f"the engine answers: version {probe().out}; `make engine-stop` stops it")


def _failure(code: int | None) -> str:
    last_words = "\n".join(LOG.read_text(errors="replace").splitlines()[-LOG_LINES:])
    state = f"did not answer within {START_SECONDS} s" if code is None else f"ended with exit code {code}"
    return (
        f"the engine {state}; last lines of {LOG}:\n{last_words}\nnext step: mend what they name (it needs "
        "a writable /var/lib/docker, cgroups, iptables), or start an engine yourself, then run make again"
    )


def _write_config(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    runtimes = {"runsc": RUNSC} if GVISOR.exists() or offered("runsc") else {}
    path.write_text(json.dumps({"runtimes": runtimes}, indent=2) + "\n")


def _tell_about_gvisor() -> None:
    if "runsc" in ask(["docker", "info", "--format", "{{json .Runtimes}}"]).out:
        say("gVisor (runsc) is registered with the engine")
    else:
        say("WARNING: the engine has no runtime runsc: the gVisor tests will be SKIPPED; see docs/install.md")


def _whose() -> str:
    pid = _our_pid()
    return "" if pid is None else f", started here (pid {pid})"


def _our_pid() -> int | None:
    """The pid of the engine started here, if it is still that process."""
    if not PID.exists():
        return None
    pid = int(PID.read_text())
    command_line = Path(f"/proc/{pid}/cmdline")
    ours = command_line.exists() and str(CONFIG) in command_line.read_text()
    return pid if ours else None


def _answers(*, within: float) -> bool:
    return _until(lambda: probe().ok, within=within)


def _until(condition: Callable[[], bool], *, within: float) -> bool:
    deadline = time.monotonic() + within
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return met


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m scripts.engine", description=__doc__)
    parser.add_argument("verb", choices=["start", "stop"])
    verbs = {"start": start, "stop": stop}
    verbs[parser.parse_args().verb]()


if __name__ == "__main__":
    conclude(_main)
