"""R-05, R-20: what an agent is shown comes from `sandboxes.context` and `sandboxes.constants`, no other way.

The tests read the code itself: whoever adds another way in must change them, and say why.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from runtime.gate import replies
from runtime.gateway import answers
from sandboxes import constants

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("sandboxes", "runtime", "rollout", "console")
STATUS = ("tier", "stage", "setting", "deployment", "rollout", "owner", "review", "run_id", "agent_name")


def modules(*rooms: str) -> Iterator[tuple[str, ast.Module]]:
    paths = [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]
    return ((str(path.relative_to(ROOT)), parsed(path)) for path in paths)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.AST, name: str) -> Sequence[ast.Call]:
    return calls_by_name(tree).get(name, [])


@cache
def calls_by_name(tree: ast.AST) -> Mapping[str, Sequence[ast.Call]]:
    found: dict[str, list[ast.Call]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            found.setdefault(called, []).append(node)
    return found


def callers(name: str, *rooms: str) -> set[str]:
    return {path for path, tree in modules(*rooms) if calls(tree, name)}


def test_items_of_the_context_are_made_in_one_module() -> None:
    """The script of the gate makes items only to check them again."""
    assert callers("ContextItem", *ROOMS) == {"sandboxes/context.py", "sandboxes/gate_script.py"}


def test_one_function_says_what_an_agent_of_a_deployment_is_shown() -> None:
    assert callers("visible_context", *ROOMS) == {"runtime/runs/launch.py"}
    (tree,) = (tree for path, tree in modules("runtime") if path == "runtime/runs/launch.py")
    (call,) = calls(tree, "visible_context")
    assert {keyword.arg for keyword in call.keywords} == {"command", "task", "model", "tools"}


def test_no_argument_of_what_is_shown_is_a_status() -> None:
    """No tier, stage, setting, owner or run can go in: there is no argument that would take it."""
    (tree,) = (tree for path, tree in modules("sandboxes") if path == "sandboxes/context.py")
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}

    assert {word for word in STATUS if word in arguments} == set()


def test_a_box_is_given_the_context_and_nothing_else() -> None:
    """The release, and the cold start of an image without a shell, take command and environment from it."""
    (tree,) = (tree for path, tree in modules("runtime") if path == "runtime/runs/launch.py")
    source = ast.unparse(tree)

    assert "driver.release, box, self._shown.command, self._shown.environment" in source
    assert "replace(spec, command=self._shown.command, environment=self._shown.environment)" in source
    assert source.count("environment") == 3  # two in the cold start, one in the release


def test_an_environment_for_a_box_is_made_in_few_places() -> None:
    """Two boxes have one of their own: an upstream's, which is no agent's, and the one that attests."""
    given = {
        path
        for path, tree in modules(*ROOMS)
        for name in ("BoxSpec", "upstream_box", "agent_box")
        for call in calls(tree, name)
        if any(keyword.arg == "environment" for keyword in call.keywords)
    }

    assert {path for path in given if "parity" not in path} == {
        "runtime/upstreams/boxed.py",
        "sandboxes/plan.py",
    }


def test_headers_that_the_gateway_writes_are_on_the_list() -> None:
    """Every pair of bytes whose first looks like a header's name; the list gives a reason for each."""
    written = {
        pair.elts[0].value.decode()
        for _, tree in modules("runtime/gateway")
        for pair in ast.walk(tree)
        if isinstance(pair, ast.Tuple)
        and len(pair.elts) == 2
        and isinstance(pair.elts[0], ast.Constant)
        and isinstance(pair.elts[0].value, bytes)
    }

    assert {"content-type", "content-length"} <= written
    assert written <= constants.HEADERS.keys()


def test_constant_answers_come_from_the_list() -> None:
    assert replies.WITHHELD_TEXT is constants.WITHHELD_TEXT
    assert replies.PENDING_TEXT is constants.PENDING_TEXT
    assert answers.INTERNAL_TEXT is constants.INTERNAL_TEXT


@pytest.mark.parametrize("name", ["MODEL_OWNER", "MODEL_CREATED", "MODEL_CREATED_TEXT"])
def test_entries_of_models_come_from_the_list(name: str) -> None:
    text = "".join(ast.unparse(tree) for path, tree in modules("runtime/gateway") if "/model_" in path)

    assert name in text
    assert "1970-01-01" not in text


def test_the_tool_servers_name_comes_from_the_list() -> None:
    (tree,) = (tree for path, tree in modules("runtime") if path == "runtime/gateway/mcp_server.py")
    (call,) = calls(tree, "RunServer")
    version = next(keyword.value for keyword in call.keywords if keyword.arg == "version")

    assert (ast.unparse(call.args[0]), ast.unparse(version)) == ("SERVER_NAME", "SERVER_VERSION")
