"""The driver for Docker Engine on this machine. The only module that imports the engine's SDK."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import docker
import docker.errors
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from sandboxes import hijack
from sandboxes.docker_failures import CONFLICT, FOUND, NOT_FOUND, failure_from
from sandboxes.docker_options import create_arguments
from sandboxes.docker_state import state_from
from sandboxes.driver import Box, BoxState, ExecResult, Image, Phase
from sandboxes.errors import (
    BoxStartError,
    EngineRefusedError,
    EngineUnavailableError,
    ReleaseError,
)
from sandboxes.gate_script import gate_script
from sandboxes.images import ImageStore
from sandboxes.labels import OWNER, box_from, labels_of
from sandboxes.removal import remove_if_made
from sandboxes.spec import BoxSpec, Runtime
from sandboxes.stdio import Stdio, open_stdio

DEFAULT_ENGINE = "unix:///var/run/docker.sock"
REQUEST_TIMEOUT_S = 60
EXEC_TIMEOUT_S = 20.0
IDLE_CONNECTIONS = 32
OUTPUT_LIMIT_BYTES = 1024 * 1024
_LOG = logging.getLogger(__name__)
Alter = Callable[[dict[str, Any]], dict[str, Any]]

_retry_engine = retry(
    retry=retry_if_exception_type(EngineUnavailableError),
    stop=stop_after_attempt(3),
    wait=wait_exponential(multiplier=0.1, max=1),
    reraise=True,
)


class DockerDriver:
    """Boxes on the Docker Engine behind one Unix socket.

    Args:
        engine: `unix://` address. Remote engines are refused: the channel and the attestation need the
            boxes' processes to be on this machine, so run `serve` there instead.
        alter: changes the create arguments on their way to the engine. Attestation is tested with it:
            a box made from altered arguments is refused.

    Raises:
        EngineUnavailableError: the address is not a Unix socket, or nobody answers there.
    """

    def __init__(self, engine: str = DEFAULT_ENGINE, alter: Alter | None = None) -> None:
        if not engine.startswith("unix:///"):
            raise EngineUnavailableError(
                f"engine {engine}: expected unix:///path; run `handrail serve` on its host"
            )
        self._socket_path = engine.removeprefix("unix://")
        self._alter = alter
        self._images: dict[str, Image] = {}
        self._store = ImageStore(self._socket_path)
        self._api = self._connect(engine, REQUEST_TIMEOUT_S)
        self._patient = self._connect(engine, None)

    @_retry_engine
    def _connect(self, engine: str, timeout_s: int | None) -> Any:
        # Any: the SDK's stubs leave half of these methods untyped and know no endless timeout.
        client: Any = docker.APIClient
        with _translated(f"connect to {engine}"):
            hijack.knock(self._socket_path)
            return client(base_url=engine, version="auto", timeout=timeout_s, num_pools=IDLE_CONNECTIONS)

    @property
    def store(self) -> ImageStore:
        """The engine's images."""
        return self._store

    def close(self) -> None:
        """Give up the connections to the engine; boxes keep running."""
        self._api.close()
        self._patient.close()

    def image(self, reference: str) -> Image:
        """Resolve an image reference or digest. Raises ImageMissingError."""
        with self._asking(f"image {reference}", about_image=True):
            described = self._api.inspect_image(reference)
        digest = str(described["Id"])
        if digest not in self._images:
            volumes = tuple((described.get("Config") or {}).get("Volumes") or ())
            has_shell = self._store.has_shell(digest)
            self._images[digest] = Image(digest=digest, has_shell=has_shell, volumes=volumes)
        return self._images[digest]

    def runtimes(self) -> frozenset[Runtime]:
        """The runtimes the engine has registered, of those we know."""
        with self._asking("engine info"):
            registered = self._api.info()["Runtimes"]
        return frozenset(runtime for runtime in Runtime if runtime.value in registered)

    def version(self) -> str:
        """The engine's version and that of the kernel it runs on."""
        with self._asking("engine version"):
            told = self._api.version()
        return f"{told['Version']} on {told['KernelVersion']}"

    def create(self, spec: BoxSpec, *, owner: str, now: datetime) -> Box:
        """Make a box without starting it; see `SandboxDriver.create`."""
        labels = labels_of(spec, owner=owner, now=now)
        what = f"create box from {spec.image}"
        with self._asking(what, about_image=True):
            image = self._api.inspect_image(spec.image)
            of_image = (image.get("Config") or {}).get("Env") or ()
        arguments = create_arguments(spec, labels, of_image=of_image)
        try:
            with self._asking(what, about_image=True):
                made = self._api.create_container_from_config(
                    self._alter(arguments) if self._alter else arguments
                )
        except EngineUnavailableError:
            remove_if_made(self, box_from("", spec.image, labels))
            raise
        return box_from(made["Id"], str(image["Id"]), labels)

    @_retry_engine
    def start(self, box: Box) -> None:
        """Start the box's first process. Raises BoxStartError."""
        try:
            with self._asking(f"start box {box.id[:12]}"):
                self._api.start(box.id)
        except EngineRefusedError as refused:
            raise BoxStartError(str(refused)) from refused

    def release(self, box: Box, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Hand a gated box its command and whole environment, once; see `SandboxDriver.release`."""
        if not box.gated:
            raise ReleaseError(
                f"box {box.id[:12]}: started with its own command, so there is no gate to release"
            )
        script = gate_script(command, environment)
        if (phase := self.inspect(box).phase) is not Phase.RUNNING:
            raise ReleaseError(f"box {box.id[:12]}: {phase}, expected a running box behind its gate")
        target = f"/containers/{box.id}/attach?stream=1&stdin=1"
        request = hijack.request_bytes("POST", target, upgrade=True)
        try:
            with hijack.exchange(self._socket_path, request, REQUEST_TIMEOUT_S) as (status, connection, _):
                if status not in hijack.SWITCHED:
                    raise ReleaseError(
                        f"box {box.id[:12]}: the engine answered {status} to the release, expected 101"
                    )
                connection.sendall(script)
        except (OSError, ValueError) as cause:
            raise ReleaseError(f"box {box.id[:12]}: the release was not taken: {cause}") from cause

    def inspect(self, box: Box) -> BoxState:
        """Ask the engine. Raises BoxGoneError when it no longer knows the box."""
        with self._asking(f"inspect box {box.id[:12]}"):
            return state_from(self._api.inspect_container(box.id))

    def exec(self, box: Box, argv: Sequence[str]) -> ExecResult:
        """Run a command in the box as its own user; see `SandboxDriver.exec`."""
        what = f"exec in box {box.id[:12]}"
        with self._asking(what):
            exec_id = self._api.exec_create(box.id, list(argv), user=box.user)["Id"]
            outputs = self._collect(exec_id)
            code = self._api.exec_inspect(exec_id)["ExitCode"]
        if code is None:
            raise EngineRefusedError(f"{what}: no exit code, expected the command to have ended")
        return ExecResult(exit_code=code, stdout=bytes(outputs[1]), stderr=bytes(outputs[2]))

    def wait(self, box: Box) -> BoxState:
        """Block until the box has exited, and return its last state."""
        with self._asking(f"wait for box {box.id[:12]}"):
            self._patient.wait(box.id, timeout=None)
        return self.inspect(box)

    def kill(self, box: Box) -> None:
        """End every process of the box at once. A box that already ended is left as it is."""
        with self._asking(f"kill box {box.id[:12]}", tolerate=(NOT_FOUND, CONFLICT)):
            self._api.kill(box.id, "SIGKILL")

    def remove(self, box: Box) -> None:
        """Kill and delete the box with its anonymous volumes. A box already gone is left so."""
        with self._asking(f"remove box {box.id[:12]}", tolerate=(NOT_FOUND, CONFLICT)):
            self._api.remove_container(box.id, v=True, force=True)

    def logs(self, box: Box, *, follow: bool = False) -> Iterator[bytes]:
        """Yield what the box wrote to stdout and stderr, oldest first. Closing the iterator ends a follow."""
        what = f"logs of box {box.id[:12]}"
        target = f"/containers/{box.id}/logs?stdout=1&stderr=1&follow={int(follow)}"
        request = hijack.request_bytes("GET", target)
        with self._asking(what), hijack.exchange(self._socket_path, request, REQUEST_TIMEOUT_S) as answer:
            status, connection, first = answer
            if status != FOUND:
                raise failure_from(what, status, "its log cannot be read")
            frames = hijack.read_frames(connection, first, None if follow else REQUEST_TIMEOUT_S)
            yield from hijack.written(
                frames, by_engine=lambda said: _LOG.warning("%s: the engine says: %s", what, said)
            )

    def list_boxes(self, owner: str) -> tuple[Box, ...]:
        """Every box of this owner, in whatever phase."""
        with self._asking("list boxes"):
            found = self._api.containers(all=True, filters={"label": f"{OWNER}={owner}"})
        return tuple(box_from(item["Id"], item["ImageID"], item["Labels"]) for item in found)

    async def attach_stdio(self, box: Box) -> Stdio:
        """Open the byte stream of a box whose spec says `stdio`. Call it before `start`."""
        return await open_stdio(self._socket_path, box.id)

    def _collect(self, exec_id: str) -> dict[int, bytearray]:
        outputs = {hijack.STDOUT: bytearray(), hijack.STDERR: bytearray()}
        body = {"Detach": False, "Tty": False}
        request = hijack.request_bytes("POST", f"/exec/{exec_id}/start", body, upgrade=True)
        with hijack.exchange(self._socket_path, request, EXEC_TIMEOUT_S) as (status, connection, first):
            if status not in hijack.SWITCHED:
                raise EngineRefusedError(f"exec {exec_id[:12]}: the engine answered {status}, expected 101")
            for stream, piece in hijack.read_frames(connection, first, EXEC_TIMEOUT_S):
                kept = outputs[stream]
                kept += piece[: OUTPUT_LIMIT_BYTES - len(kept)]
        return outputs

    @contextmanager
    def _asking(
        self, what: str, *, about_image: bool = False, tolerate: Sequence[int] = ()
    ) -> Iterator[None]:
        """Knock first: the SDK leaves a socket open each time it finds nobody there."""
        with _translated(what, about_image=about_image, tolerate=tolerate):
            hijack.knock(self._socket_path)
            yield


@contextmanager
def _translated(what: str, *, about_image: bool = False, tolerate: Sequence[int] = ()) -> Iterator[None]:
    try:
        yield
    except docker.errors.APIError as answer:
        status = answer.response.status_code if answer.response is not None else None
        if status in tolerate:
            return
        raise failure_from(what, status, str(answer.explanation), about_image=about_image) from answer
    except (docker.errors.DockerException, OSError) as silence:
        raise failure_from(what, None, str(silence)) from silence
