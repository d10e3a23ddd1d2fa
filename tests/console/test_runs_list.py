"""`handrail runs list`: the latest runs, of one agent, of one setting."""

from datetime import timedelta

from profiles.setting import Setting
from runtime.clock import new_id
from runtime.runs import store
from runtime.runs.states import LaunchRequest
from tests.standins.counter import Counter


def ran(counter: Counter, setting: Setting, agent: str) -> str:
    """Launch a run as far as the record knows, a second after the one before."""
    town, run = counter.shop.town, new_id("run")
    town.now += timedelta(seconds=1)
    request = LaunchRequest(deployment=counter.shop.run.deployment, operator="olga", setting=setting)
    ends = town.now + timedelta(hours=1)
    town.write(
        lambda tx: store.requested(tx, run, request, agent=agent, node="n", expires_at=ends, now=tx.now)
    )
    return run


def test_runs_of_one_setting_and_one_agent_are_listed_however_old_they_are(counter: Counter) -> None:
    """R-21: what is left out takes no place of what was asked for."""
    old = ran(counter, Setting.EVALUATION, "other")
    tried = ran(counter, Setting.EVALUATION, "mail-bot")
    real = [ran(counter, Setting.PRODUCTION, "mail-bot") for _ in range(2)]

    def listed(*words: str) -> list[str]:
        return [run["id"] for run in counter.ask("runs", "list", *words)["runs"]]

    assert listed("--limit", "2") == real[::-1]
    assert listed("--setting", "evaluation") == [tried, old]
    assert listed("--setting", "evaluation", "--limit", "1") == [tried]
    assert listed("--setting", "evaluation", "--agent", "other", "--limit", "1") == [old]
    assert listed("--setting", "production")[:2] == real[::-1]
    assert counter.type("runs", "list", "--setting", "staging").code == 2
