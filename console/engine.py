"""Which engine runs the boxes now: it may be upgraded under a running serve, and a proof is about one."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from rollout.evidence.assessor import Assessor as EvidenceAssessor
from rollout.evidence.model import AuditState
from rollout.promotions.assessor import Assessor
from runtime.people.policies import PolicyBook
from sandboxes.errors import EngineUnavailableError

SILENT: Final = "an engine that does not answer"
"""What stands for the version of an engine that cannot be asked; no proof is about it."""
Assess = Callable[[PolicyBook, Callable[[datetime], AuditState]], Assessor]
"""Makes what looks at evidence, from the policy in force and what is known of the record."""
_LOG = logging.getLogger(__name__)


class EngineWatch:
    """Asks for the engine's version, and remembers it for whoever may not ask: nobody asks inside a unit."""

    def __init__(self, ask: Callable[[], str | None]) -> None:
        """Take what asks.

        Args:
            ask: returns the version of the engine and of its kernel; None where there is no engine.
        """
        self._ask = ask
        self._last: str | None = SILENT

    def now(self) -> str | None:
        """Return what the engine says at this moment."""
        try:
            self._last = self._ask()
        except EngineUnavailableError as error:
            _LOG.warning("the engine's version is not known: %s", error)
            self._last = SILENT
        return self._last

    def last(self) -> str | None:
        """Return what it said last."""
        return self._last


def assessors(engine: EngineWatch, code: str | None = None) -> Assess:
    """Return what makes assessors, each of the engine as it is then; call it outside units and the loop.

    Args:
        engine: asked for each of them.
        code: what a proof must be about; see `runtime.context.proofs.code_of`.
    """

    def made(book: PolicyBook, audit: Callable[[datetime], AuditState]) -> Assessor:
        version = engine.now()
        return EvidenceAssessor(book, audit, engine=lambda: version, code=code)

    return made
