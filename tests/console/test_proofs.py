"""Proofs of context isolation: told step by step, recorded, one at a time, and shown safely."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from console.errors import BlockedError
from console.escape import width
from console.parity.look import Tell
from console.parity.prover import Prover
from console.parity.verify import Verified
from console.show.proofs import proof_page
from runtime.clock import utc_now
from runtime.context.proofs import ContextProof, newest
from sandboxes.errors import ParityError
from sandboxes.parity.compare import Comparison, Difference, Status, Why
from sandboxes.parity.timing import Pace
from sandboxes.spec import Runtime
from tests.standins.persons import Town

IMAGE = "sha256:" + "ab" * 32
DIFFERENCE = Difference(Why.STATUS, Status.TIER, "environment:variable T\x1b[2J", ("0", "1\x1b]0;x\x07" * 90))
PACE = Pace("read by a tool", 14, 2.0, 2.1, 0.4, 0.97, 0.01)


def verified(*differences: Difference, probed: str = IMAGE) -> Verified:
    comparison = Comparison(
        facts=("environment:variable T\x1b[2J", "proc:version", "proc:stat"),
        differences=differences,
        masked=frozenset({"proc:version"}),
        justified={"proc:stat": "a counter"},
        shown={"proc:stat": "nothing can be done"},
        statuses=tuple(Status),
    )
    proof = ContextProof(
        image=IMAGE,
        probed=probed,
        runtime="runc",
        ok=comparison.ok,
        at=utc_now(),
        code="c0de",
        engine="20.10 on 6.1",
        facts=3,
        differing=comparison.differing,
        statuses=tuple(Status),
    )
    return Verified(proof, comparison, {None: (PACE,), Status.TIER: (PACE,)})


@pytest.fixture
def kernel(tmp_path: Path) -> Any:
    """As much of a kernel as a proof's record needs."""
    return SimpleNamespace(ledger=Town(tmp_path).ledger)


def steps(prover: Prover, kernel: Any, stop: asyncio.Event | None = None) -> AsyncIterator[dict[str, Any]]:
    never = stop or asyncio.Event()
    return prover.steps(kernel, "image", Runtime.RUNC, timing=False, actor="ann", stop=never)


def prover_of(found: Verified | Exception) -> Prover:
    async def prove(_kernel: Any, _image: str, _runtime: Runtime, tell: Tell, _timing: bool) -> Verified:
        await tell(1, 2)
        if isinstance(found, Exception):
            raise found
        await tell(2, 2)
        return found

    return Prover(prove)


async def _all(source: AsyncIterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return [step async for step in source]


def test_a_proof_is_told_step_by_step_and_recorded(kernel: Any) -> None:
    told = asyncio.run(_all(steps(prover_of(verified()), kernel)))

    assert told[:2] == [{"done": 1, "total": 2}, {"done": 2, "total": 2}]
    assert told[-1]["result"]["ok"]
    with kernel.ledger.read() as conn:
        proof = newest(conn, image=IMAGE, runtime="runc")
    assert proof
    assert proof.ok


def test_a_failed_proof_is_recorded_as_one(kernel: Any) -> None:
    told = asyncio.run(_all(steps(prover_of(verified(DIFFERENCE)), kernel)))

    assert told[-1]["result"]["differing"][0]["status"] == "tier"
    with kernel.ledger.read() as conn:
        proof = newest(conn, image=IMAGE, runtime="runc")
    assert proof
    assert not proof.ok


def test_what_broke_off_says_why_and_proves_nothing(kernel: Any) -> None:
    told = asyncio.run(_all(steps(prover_of(ParityError("the probe did not reach its end")), kernel)))

    assert told[-1] == {"error": "the probe did not reach its end", "exit": 1}
    with kernel.ledger.read() as conn:
        assert newest(conn, image=IMAGE, runtime="runc") is None


def test_a_second_proof_at_once_is_refused_and_later_is_not(kernel: Any) -> None:
    async def both() -> None:
        prover = prover_of(verified())
        first = steps(prover, kernel)
        await anext(first)
        with pytest.raises(BlockedError, match="under way"):
            await anext(steps(prover, kernel))
        await _all(first)
        await _all(steps(prover, kernel))

    asyncio.run(both())


def test_a_reader_that_goes_away_ends_the_proof(kernel: Any) -> None:
    ended = asyncio.Event()

    async def prove(_kernel: Any, _image: str, _runtime: Runtime, tell: Tell, _timing: bool) -> Verified:
        try:
            await tell(1, 2)
            await asyncio.sleep(60)
        finally:
            ended.set()
        return verified()

    async def leave() -> None:
        prover = Prover(prove)
        reader = steps(prover, kernel)
        await anext(reader)
        await reader.aclose()  # type: ignore[attr-defined]  # an async generator has it
        assert ended.is_set()
        prover.check_free()

    asyncio.run(leave())


def test_the_page_is_narrow_and_shows_what_was_seen_safely(kernel: Any) -> None:
    told = asyncio.run(_all(steps(prover_of(verified(DIFFERENCE, probed="sha256:cd")), kernel)))

    page = proof_page(told[-1]["result"])

    assert max(width(line) for line in page) <= 100
    assert not any("\x1b" in line or "\x07" in line for line in page)
    text = "\n".join(page)
    assert "Not proven: 1 facts" in text
    assert "default image" in text
    assert "read by a tool" in text


def test_the_page_says_clearly_that_another_image_was_looked_at(kernel: Any) -> None:
    """Issue 4, item 5: an image without python3 cannot look, so nothing in it is proven."""
    told = asyncio.run(_all(steps(prover_of(verified(probed="sha256:cd")), kernel)))

    page = proof_page(told[-1]["result"])

    assert page[-1].startswith("Proven of the default image in its place: ")
    assert "This image has no python3" in " ".join(page)
    assert max(map(len, page)) <= 100


def test_the_page_of_a_good_proof_counts_by_family(kernel: Any) -> None:
    told = asyncio.run(_all(steps(prover_of(verified()), kernel)))

    page = proof_page(told[-1]["result"])

    assert page[0] == f"image     {'ab' * 6}"
    assert page[-1] == "Proven: nothing that can be seen inside tells the status."
    (proc,) = (line.split() for line in page if line.startswith("proc"))
    assert proc == ["proc", "2", "0", "1", "1", "0"]
