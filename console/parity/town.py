"""A scratch installation: state, keys, people, policy, record and kernel of its own, gone at the end."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr
from starlette.types import ASGIApp

from console.kernel import Kernel, open_kernel
from console.parity.standins import model_provider, serving, tool_server
from profiles.effects import Effect
from profiles.load import parse_profile, shipped_policy
from runtime import agents, grants
from runtime.clock import new_id, random_bytes, utc_now
from runtime.drafting import deploy, draft
from runtime.errors import KernelError
from runtime.grant_rules import Order
from runtime.people.changes import first_version, init_policy
from runtime.people.edit import NewPerson, with_people
from runtime.people.pin import PIN_NAME, write_pin
from runtime.people.roster import Refused, Roster
from runtime.people.sshsig import public_key_of, sign
from runtime.people.statement import NONCE_BYTES, Matter, SignedStatement, StatementType
from runtime.people.statement import draft as word
from runtime.record.batch import Tx
from runtime.record.keys import load_keys
from runtime.record.setup import open_ledger, prepare_state
from runtime.settings import Settings

T = TypeVar("T")
LIFE: Final = timedelta(days=20)
NOTICES: Final = ("notify_command", "notify_webhook", "notify_mail_host")
"""Settings without which nobody is told anything: what happens here is nobody's business."""
GROUPS: Final = {
    "operator": ("operations", "policy"),
    "first": ("operations",),
    "second": ("operations",),
    "manager": ("rollout", "policy"),
}
"""Who there is, by what they do; their names are drawn, so that one seen inside could only come from here."""


class TownError(KernelError):
    """The scratch installation could not be made: a step that always succeeds was refused."""


@dataclass(frozen=True)
class Signer:
    """Someone of the scratch installation, with a key of their own."""

    name: str
    key: Ed25519PrivateKey

    def says(self, matter: Matter, to: str) -> SignedStatement:
        """Sign a matter for the installation `to`."""
        nonce = random_bytes(NONCE_BYTES)
        body = word(matter, installation=to, person=self.name, now=utc_now(), nonce=nonce).to_bytes()
        return SignedStatement(body, sign(self.key, body))


@dataclass(frozen=True)
class Town:
    """An open scratch installation.

    Attributes:
        kernel: the real one.
        people: by what they do.
        tools: port of the tool server, of production and of evaluations.
    """

    kernel: Kernel
    people: dict[str, Signer]
    tools: tuple[int, int]

    async def write(self, unit: Callable[[Tx], T | Refused]) -> T:
        """Run a unit. Raises TownError where it is refused."""

        def checked(tx: Tx) -> T:
            answer = unit(tx)
            if isinstance(answer, Refused):
                raise TownError(f"{answer.code.value}: {answer.detail}")
            return answer

        return await self.kernel.ledger.write(checked)

    async def deploy(self, agent: str, owner: str, text: str) -> str:
        """Register an agent and deploy a profile for it; return the deployment's digest."""
        kernel, person = self.kernel, self.people[owner].name
        now = kernel.clock()
        await self.write(lambda tx: agents.register(tx, agent, ["internal-docs"], owner=person, now=now))
        loaded = parse_profile(text.encode(), source=agent)
        policy = kernel.ground.policy()
        drafted = await draft(
            agent, loaded, policy, driver=kernel.driver, opener=kernel.opener, rulebook=kernel.ground.rules
        )
        order = self._order(drafted.parts.digest, Effect.READ, person)
        signed = self.said("operator", order.matter(StatementType.DEPLOY))
        await self.write(lambda tx: deploy(tx, drafted, order, signed, roster=self._roster(tx), now=now))
        return drafted.parts.digest

    async def grant(self, deployment: str, effect: Effect, owner: str) -> None:
        """Let a deployment do one class more, on a rollout manager's signed word."""
        order = self._order(deployment, effect, self.people[owner].name)
        signed = [self.said("manager", order.matter(StatementType.GRANT))]
        now = self.kernel.clock()
        await self.write(lambda tx: grants.issue(tx, order, signed, roster=self._roster(tx), now=now))

    def said(self, who: str, matter: Matter) -> SignedStatement:
        """Let a person sign, named by what they do."""
        return self.people[who].says(matter, self.kernel.installation)

    def _order(self, deployment: str, effect: Effect, owner: str) -> Order:
        now = self.kernel.clock()
        requester = self.people["operator"].name
        return Order(new_id("grant"), deployment, effect, now, now + LIFE, requester, owner)

    def _roster(self, tx: Tx) -> Roster:
        return self.kernel.policies.current(tx.conn).roster


@asynccontextmanager
async def open_town(
    docker_socket: Path, evaluation_tools: ASGIApp = tool_server, *, packs: str | None = None
) -> AsyncIterator[Town]:
    """Open one, and take everything away at the end: boxes, runs, state.

    Args:
        docker_socket: the engine, the same that real runs have.
        evaluation_tools: what answers as the tool server in evaluations; the proof is tested with one that
            answers otherwise.
        packs: the setting that names the operator's own rules, which shape what an agent sees.
    """
    directory = Path(tempfile.mkdtemp(prefix="parity-"))
    try:
        async with (
            serving(model_provider) as models,
            serving(tool_server) as one,
            serving(evaluation_tools) as two,
        ):
            settings = _settings(directory, docker_socket, models, packs)
            people = {who: Signer(new_id("p"), Ed25519PrivateKey.generate()) for who in GROUPS}
            await asyncio.to_thread(_found, settings, people)
            kernel = await asyncio.to_thread(open_kernel, settings)
            try:
                await kernel.begin()
                yield Town(kernel, people, (one, two))
            finally:
                await _close(kernel)
    finally:
        await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)


def _settings(directory: Path, docker_socket: Path, models: int, packs: str | None) -> Settings:
    url = f"http://127.0.0.1:{models}/v1"
    quiet = dict.fromkeys(NOTICES)
    return Settings(
        **quiet,
        state_dir=directory / "state",
        anchor_dir=directory / "anchor",
        docker_socket=docker_socket,
        rule_packs=packs,
        openai_base_url=url,
        openai_api_key=SecretStr("sk-production"),
        evaluation_openai_base_url=url,
        evaluation_openai_api_key=SecretStr("sk-evaluation"),
        database_url=f"sqlite:///{directory / 'state' / 'handrail.db'}",
    )


def _found(settings: Settings, people: dict[str, Signer]) -> None:
    """Make the state directory, and policy v1 signed by all of its people."""
    prepare_state(settings)
    origin = load_keys(settings.keys_dir).signer.verifier.name
    enrolled = [
        NewPerson(one.name, (public_key_of(one.key).line,), GROUPS[who]) for who, one in people.items()
    ]
    text = with_people(shipped_policy().text, enrolled, version=1)
    signed = [one.says(first_version(text).matter, origin) for one in people.values()]
    ledger = open_ledger(settings)
    try:
        pin = settings.state_dir / PIN_NAME
        ledger.write_sync(lambda tx: write_pin(pin, init_policy(tx, text, signed, installation=origin)))
    finally:
        ledger.close()


async def _close(kernel: Kernel) -> None:
    await kernel.runs.close(stop_runs=True)
    await kernel.end()
    for box in await asyncio.to_thread(kernel.driver.list_boxes, kernel.owner):
        await asyncio.to_thread(kernel.driver.remove, box)
    await asyncio.to_thread(kernel.close)
