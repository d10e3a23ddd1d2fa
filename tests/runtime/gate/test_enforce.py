"""One action from the request to its recorded end, on a real record with real signatures."""

import asyncio

from runtime.gate.replies import Done
from tests.runtime.gate.conftest import NewWorkshop


def test_an_allowed_read_is_done_and_recorded(new_workshop: NewWorkshop) -> None:
    """R-10: proposal, decision, execution and outcome of a read stand in the record."""
    shop = new_workshop(tier=0)

    reply = asyncio.run(shop.act("read_folder", {"folder": "INBOX"}))

    assert reply == Done({"done": "read_folder"})
    assert shop.states() == ["done"]
    assert shop.town.kinds()[-3:] == ["lease.issued", "action.intent", "action.outcome"]
