"""How long tests wait where the disk of their machine stands still, as those of shared machines do."""

from typing import Final

from runtime.record.ledger import Limits

PATIENT: Final = Limits(wait_seconds=60)
"""For a record of which no test asks how soon it gives up."""
