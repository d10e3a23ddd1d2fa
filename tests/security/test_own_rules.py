"""Threat: rules of an operator's own are lost, changed or replaced, and nobody notices (R-19, R-40, R-43)."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from console.ground import Ground
from profiles.context import ContextRules, Treatment
from runtime.context.note import Taint
from runtime.context.proofs import ProofFault, code_of, code_version
from runtime.context.scrubbing import RunScrubber
from runtime.deployments import Deployment, Parts, difference
from runtime.gateway.model_scrub import ModelScrub
from runtime.runs.states import RunError, RunView
from runtime.settings import Settings
from sandboxes.errors import PackError
from sandboxes.lint.shown import lint_launch, lint_shown
from sandboxes.scrub.pack import load_packs
from sandboxes.scrub.rulebook import SHIPPED_RULES, Rulebook, digest_of_rules, open_rulebook
from tests.standins.profiles import make_profile
from tests.standins.proving import Proving

RULE = """
rules:
  - id: own-code-name
    kind: deployment
    patterns: ['\\bWombat\\b']
    put: it
    examples: [Wombat says hello.]
    lookalikes: [A wallaby says hello.]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("rules")
    (made / "own.yaml").write_text(RULE)
    return made


@pytest.fixture(scope="module")
def rules(place: Path) -> Rulebook:
    return open_rulebook([place])


def test_both_doors_and_both_lints_use_them(rules: Rulebook) -> None:
    """R-19: what the setting names is not for the command line alone."""
    told = "You are Wombat."
    replacing = ContextRules(results=Treatment.REPLACE)
    run = RunScrubber([], replacing, rules)
    profile = make_profile(
        {}, [], command=["run", told], model={"alias": "a", "provider": "openai", "name": "m-1"}
    )
    assert profile.model is not None

    assert run.result("tool:x", Taint.UNTRUSTED, told).value == "You are it."
    assert RunScrubber([], replacing).result("tool:x", Taint.UNTRUSTED, told).value == told
    asked = {"messages": [{"role": "system", "content": told}]}
    assert "Wombat" not in json.dumps(ModelScrub(run, replacing, profile.model).request(asked).sent)
    assert [one.rule for one in lint_launch(told, (), profile, rules)] == ["own-code-name"]
    assert [one.rule for one in lint_shown(profile, {}, rules)] == ["own-code-name"]
    assert lint_launch(told, (), profile) == ()


def deployed(parts: Parts) -> Deployment:
    return cast("Deployment", SimpleNamespace(parts=parts, digest=parts.digest, profile=None))


PARTS = Parts(agent="bot", profile="p" * 64, image="sha256:aa", upstream_images={}, manifest={})


def test_a_deployment_names_them_and_one_without_keeps_its_digest(rules: Rulebook) -> None:
    """R-40: other rules are another deployment."""
    named = replace(PARTS, rules=rules.digest)

    assert "rules" not in PARTS.as_json()
    assert named.digest != PARTS.digest
    assert [(one.part, one.after) for one in difference(PARTS, named)] == [("rules", rules.digest)]
    assert Parts(**cast("dict[str, Any]", named.as_json())) == named


@pytest.mark.parametrize(("pinned", "here"), [(True, False), (False, True)])
def test_no_run_is_launched_resumed_or_carried_on_by_other_rules(
    rules: Rulebook, *, pinned: bool, here: bool
) -> None:
    """R-40: each of the three builds the run's context, which refuses."""
    names = "settings installation node clock ledger policies driver models"
    parts: dict[str, Any] = dict.fromkeys(names.split())
    ground = Ground(**parts, rules=rules if here else SHIPPED_RULES)
    made = deployed(replace(PARTS, rules=rules.digest if pinned else ""))

    with pytest.raises(RunError, match="handrail deploy create bot") as refused:
        ground.context(cast("RunView", None), made, "olga")
    assert rules.digest[:12] in str(refused.value)
    assert "none" in str(refused.value)


def test_a_proof_by_other_rules_is_stale(tmp_path: Path, rules: Rulebook) -> None:
    """R-43: what an agent sees was proven for the rules that were there."""
    assert code_of("") == code_version() != code_of(rules.digest)
    ground = Proving(tmp_path)
    try:
        ground.prove()
        assert [one.fault for one in ground.parity(code_of(rules.digest))] == [ProofFault.OTHER_CODE.value]
        ground.prove(code=code_of(rules.digest))
        assert [one.fault for one in ground.parity(code_of(rules.digest))] == [None]
        assert [one.fault for one in ground.parity(code_of(""))] == [ProofFault.OTHER_CODE.value]
    finally:
        ground.close()


def test_any_change_of_a_file_changes_the_digest(tmp_path: Path, rules: Rulebook) -> None:
    (tmp_path / "own.yaml").write_text(RULE)
    assert digest_of_rules([tmp_path]) == digest_of_rules([tmp_path / "own.yaml"]) == rules.digest
    (tmp_path / "own.yaml").write_text(RULE.replace("put: it", "put: that"))
    assert digest_of_rules([tmp_path]) != rules.digest
    assert open_rulebook([]) is SHIPPED_RULES


WRONG: Mapping[str, tuple[str, str]] = {
    "no such file": ("gone.yaml", "gone.yaml"),
    "a directory without rules": ("empty", r"empty: got a directory without \*.yaml, expected files"),
    "an empty file": ("void.yaml", "void.yaml: got an empty file, expected"),
    "a file of comments": ("comments.yaml", "comments.yaml: got an empty file, expected"),
    "a file of nothing but words": ("words.yaml", "words.yaml: got no rule, expected at least one"),
    "an example that is not found": (
        "missed.yaml",
        "missed.yaml: rule 'own-code-name': example 'Wumbat says hello.': got found by no rule, expected",
    ),
    "a lookalike that is found": (
        "alike.yaml",
        "alike.yaml: rule 'own-code-name': lookalike 'A Wombat says hello.': got found by this rule,",
    ),
    "no YAML": ("broken.yaml", "broken.yaml"),
    "an unknown kind": ("kind.yaml", "kind.yaml.*own-code-name|own-code-name.*kind"),
    "a pattern that is none": ("pattern.yaml", "own-code-name"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_serve_does_not_start_with_rules_that_cannot_be_used(wrong: str, tmp_path: Path) -> None:
    """F14: rules that are left out quietly would let pass what they were written for."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.yaml").write_text("rules: [")
    (tmp_path / "kind.yaml").write_text(RULE.replace("kind: deployment", "kind: animal"))
    (tmp_path / "pattern.yaml").write_text(RULE.replace("\\bWombat\\b", "(Wombat"))
    (tmp_path / "void.yaml").write_text("")
    (tmp_path / "comments.yaml").write_text("# none yet\nrules: []\n")
    (tmp_path / "words.yaml").write_text("words: {beasts: [wombat, wallaby]}")
    (tmp_path / "missed.yaml").write_text(RULE.replace("[Wombat says", "[Wumbat says"))
    (tmp_path / "alike.yaml").write_text(RULE.replace("[A wallaby", "[A Wombat"))
    name, named = WRONG[wrong]

    with pytest.raises(PackError, match=f"(?s){named}"):
        open_rulebook([tmp_path / name])
    with pytest.raises(PackError, match=f"(?s){named}"):
        load_packs([tmp_path / name])


def test_the_setting_is_a_list_of_absolute_paths() -> None:
    settings = Settings(rule_packs="/etc/handrail/rules:/srv/more.yaml:")
    assert settings.rule_paths == (Path("/etc/handrail/rules"), Path("/srv/more.yaml"))
    assert Settings().rule_paths == ()
    with pytest.raises(PackError, match="expected an absolute path"):
        open_rulebook([Path("rules")])
