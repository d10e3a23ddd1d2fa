"""The proof itself: one image under one runtime, in a scratch installation that is gone afterwards."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from console.kernel import Kernel
from console.parity.cases import prepare
from console.parity.look import Tell, look
from console.parity.pacing import pace
from console.parity.town import open_town
from runtime.context.proofs import ContextProof, code_of
from sandboxes.parity.compare import Comparison, Status
from sandboxes.parity.timing import Pace
from sandboxes.spec import BoxSpec, Runtime

DEFAULT_IMAGE: Final = "handrail/agent:1"
_PYTHON: Final = ("python3", "-c", "pass")


@dataclass(frozen=True)
class Verified:
    """What came out, and of what."""

    proof: ContextProof
    comparison: Comparison
    paces: Mapping[Status | None, tuple[Pace, ...]]


async def verify(kernel: Kernel, image: str, runtime: Runtime, tell: Tell, timing: bool = False) -> Verified:
    """Prove, or fail to prove, that boxes of an image show nothing of their status.

    Args:
        kernel: of the real installation; only its engine and its clock are used.
        image: reference of the image, which the engine holds.
        runtime: the walls.
        tell: told how many runs of how many are done.
        timing: whether to compare how long the doors take, too; it takes minutes, and proves nothing more.

    Raises:
        sandboxes.errors.SandboxError: the image is missing, or a box could not be made.
        runtime.errors.KernelError: the scratch installation, or a launch in it, failed.
    """
    settings = kernel.ground.settings
    asked = await asyncio.to_thread(kernel.driver.image, image)
    has_python = await asyncio.to_thread(_has_python, kernel, image, runtime)
    used = image if has_python else DEFAULT_IMAGE
    probed = await asyncio.to_thread(kernel.driver.image, used)
    async with open_town(settings.docker_socket, packs=settings.rule_packs) as town:
        cases = await prepare(town, used)
        found = await look(town, cases, runtime, tell)
        paces = await pace(town, used, runtime) if timing else {}
    proof = ContextProof(
        image=asked.digest,
        probed=probed.digest,
        runtime=runtime.value,
        ok=found.ok,
        at=kernel.clock(),
        code=code_of(kernel.ground.rules.digest),
        engine=await asyncio.to_thread(kernel.driver.version),
        facts=len(found.facts),
        differing=found.differing,
        statuses=tuple(status.value for status in found.statuses),
    )
    return Verified(proof, found, paces)


def _has_python(kernel: Kernel, image: str, runtime: Runtime) -> bool:
    """Whether a box of an image could look at itself."""
    driver = kernel.driver
    if not driver.image(image).has_shell:
        return False
    box = driver.create(BoxSpec(image=image, runtime=runtime), owner=kernel.owner, now=kernel.clock())
    try:
        driver.start(box)
        return driver.exec(box, _PYTHON).exit_code == 0
    finally:
        driver.remove(box)
