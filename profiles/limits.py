"""Limits of one run. Every limit has a value: leaving one out never means "unlimited"."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from profiles.base import Strict
from profiles.effects import Effect


class Limits(Strict):
    """Budgets of actions and sizes of the box.

    Actions are counted, not calls: a call over a list of ten is ten actions (R-23). The same model serves as
    the policy's ceiling, where each value is the most that a profile may ask for.

    Attributes:
        actions_per_run: Actions of one run, all classes together.
        actions_per_hour: Actions of one agent within any 60 minutes, all runs together.
        per_effect: Actions of one run by class; a class that is left out has only the limits above.
        fan_out: Actions that one call may be.
        max_amount: The largest value of an `amount` argument; 0 permits none.
        wall_seconds: Lifetime of the box in seconds.
        memory_mib: Memory of the box in MiB.
        cpus: Processor share of the box.
        pids: Processes and threads in the box.
        scratch_mib: Writable scratch space in MiB.
        argument_bytes: Size of one call's arguments as canonical JSON.
        result_bytes: Size of one result that is passed back.
    """

    actions_per_run: Annotated[int, Field(ge=1, le=100_000)] = 200
    actions_per_hour: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    per_effect: Mapping[Effect, Annotated[int, Field(ge=0, le=100_000)]] = {}
    fan_out: Annotated[int, Field(ge=1, le=10_000)] = 10
    max_amount: Annotated[float, Field(ge=0, le=1e11)] = 0.0
    wall_seconds: Annotated[int, Field(ge=1, le=86_400)] = 900
    memory_mib: Annotated[int, Field(ge=16, le=65_536)] = 512
    cpus: Annotated[float, Field(ge=0.05, le=64)] = 1.0
    pids: Annotated[int, Field(ge=4, le=4096)] = 128
    scratch_mib: Annotated[int, Field(ge=1, le=16_384)] = 64
    argument_bytes: Annotated[int, Field(ge=1, le=16_777_216)] = 65_536
    result_bytes: Annotated[int, Field(ge=1, le=16_777_216)] = 1_048_576
