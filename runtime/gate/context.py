"""What the gate knows of a run from its launch on.

Built once per run. Everything that can change meanwhile is read anew at every action.
"""

from dataclasses import dataclass
from functools import cached_property

from profiles.effects import Effect
from profiles.policy import Policy
from profiles.schema import Profile
from profiles.setting import Setting
from runtime.cedar import CedarEngine
from runtime.context.scrubbing import RunScrubber
from sandboxes.scrub.model import OwnValue
from sandboxes.scrub.rulebook import SHIPPED_RULES, Rulebook


@dataclass(frozen=True)
class RunContext:
    """One run, as its listeners know it.

    Attributes:
        run: the run's id.
        agent: the agent's name.
        owner: the person who owns the agent; never approves what it does.
        deployment: the deployment's digest.
        profile: the deployment's profile.
        policy: the organisation's policy at launch; its never-list is part of the compiled rules.
        engine: the profile's and the policy's rules, parsed once.
        task: the operator's words for what to do, if any.
        operator: who launched the run: a person's name, or the peer's user name; never approves its actions.
        single_user: whether separation of duties is off, because one user runs everything for himself.
        setting: whose endpoints, data, budgets and seen places are its own.
        own: the values of this run that nobody inside may see (`runtime.context.own`).
        rules: by which general kinds are found.
    """

    run: str
    agent: str
    owner: str
    deployment: str
    profile: Profile
    policy: Policy
    engine: CedarEngine
    task: str | None
    operator: str
    single_user: bool = False
    setting: Setting = Setting.PRODUCTION
    own: tuple[OwnValue, ...] = ()
    rules: Rulebook = SHIPPED_RULES

    @cached_property
    def used(self) -> frozenset[Effect]:
        """The classes that the profile uses; worked out once, asked for at every action."""
        return self.profile.effects

    @cached_property
    def scrubber(self) -> RunScrubber:
        """What everything passes on its way to the agent; both doors share it."""
        return RunScrubber(self.own, self.profile.context, self.rules)
