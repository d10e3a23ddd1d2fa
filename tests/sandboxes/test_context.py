"""What an agent is shown is built up from an allow-list, each item with its reason."""

import pytest

from sandboxes.context import ContextItem, check_items, visible_context
from sandboxes.errors import ContextError

LONGEST = 128 * 1024 - len("TASK=") - 1


def test_the_whole_environment_is_the_allow_list_and_nothing_else() -> None:
    """R-05, R-20: no tier, version, name, date or review time; no proxy yet."""
    context = visible_context(command=["agent"], task="reconcile", model="fast", declared={"LEDGER": "main"})

    assert context.command == ("agent",)
    assert context.environment == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/home/agent",
        "LANG": "C.UTF-8",
        "MCP_SERVER_URL": "http://127.0.0.1:8080/mcp",
        "OPENAI_BASE_URL": "http://127.0.0.1:8080/v1",
        "OPENAI_API_KEY": "placeholder",
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:8080/anthropic",
        "ANTHROPIC_API_KEY": "placeholder",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "MODEL": "fast",
        "TASK": "reconcile",
        "LEDGER": "main",
    }


def test_each_item_has_a_reason_and_a_digest() -> None:
    """R-60: every context item with its source and hash."""
    items = visible_context(command=["agent"], task="t").items

    assert all(item.reason for item in items)
    assert items[-1].digest == "e3b98a4da31a127d4bde6e43033f66ba274cab0eb7eb1c70ec41402bf6273dd8"


def test_what_is_not_given_is_not_shown() -> None:
    environment = visible_context(command=["agent"]).environment

    assert "TASK" not in environment
    assert "MODEL" not in environment


def test_a_task_of_just_128_kib_passes() -> None:
    assert len(visible_context(command=["a"], task="x" * LONGEST).environment["TASK"]) == LONGEST


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"BIG": "x" * 131_072}, "variable BIG: 131077 bytes with its name"),
        ({"UMLAUT": "\u00fc" * 70_000}, "variable UMLAUT"),
        ({"PATH": "/evil"}, "variable PATH: set twice"),
        ({"A B": "c"}, "variable 'A B'"),
        ({"A=B": "c"}, "variable 'A=B'"),
        ({"": "c"}, "variable ''"),
        ({"1A": "c"}, "variable '1A'"),
        ({"NUL": "a\0b"}, "variable NUL: its value holds a NUL"),
    ],
)
def test_a_variable_no_box_can_carry_is_refused_by_name(declared: dict[str, str], message: str) -> None:
    with pytest.raises(ContextError, match=message):
        visible_context(command=["agent"], declared=declared)


def test_a_task_one_byte_longer_is_refused_by_name() -> None:
    with pytest.raises(ContextError, match="variable TASK: 131073 bytes"):
        visible_context(command=["a"], task="x" * (LONGEST + 1))


def test_an_empty_command_is_refused() -> None:
    with pytest.raises(ContextError, match="command is empty"):
        visible_context(command=[])


def test_the_whole_environment_is_bounded() -> None:
    items = [ContextItem(f"V{number}", "x" * 120_000, "r") for number in range(9)]

    with pytest.raises(ContextError, match="environment of 1080036 bytes"):
        check_items(items)
