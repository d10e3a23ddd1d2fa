"""One more run of a workshop's deployment, in an evaluation."""

from dataclasses import replace
from typing import Any

from sqlalchemy import select

from profiles.setting import Setting
from runtime.tables.agents import RunRow
from tests.standins.recorded import add_run
from tests.standins.workshop import Hands, Workshop, make_gate

_RUN = RunRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


def evaluating(shop: Workshop, run: str = "run-2", **changes: Any) -> Workshop:
    """The same town and deployment, seen by a run whose setting is an evaluation."""
    found = select(_RUN).where(_RUN.c.id == shop.run.run)
    row = shop.town.read(lambda conn: conn.execute(found).mappings().one())
    values = {**row, "id": run, "setting": Setting.EVALUATION.value}

    shop.town.write(lambda tx: add_run(tx, values))
    context, hands = replace(shop.run, run=run, setting=Setting.EVALUATION), Hands()
    gate = make_gate(shop.town, context, hands, **changes)
    return replace(shop, run=context, gate=gate, hands=hands)
