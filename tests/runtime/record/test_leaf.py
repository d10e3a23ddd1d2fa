"""The leaf's bytes are final: these are pinned, and must not change for version 1."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.canonical import canonical
from runtime.errors import CanonicalError
from runtime.record.events import CHECKPOINT_KINDS, Event, EventKind
from runtime.record.leaf import decode_leaf, encode_leaf
from runtime.record.payload import Commitment

AT = "2026-11-20T12:00:00.000001Z"
MOMENT = datetime(2026, 11, 20, 12, 0, 0, 1, tzinfo=UTC)
PLAIN = Event(kind=EventKind.RUN_ENDED, at=MOMENT)
FULL = Event(
    kind=EventKind.ACTION_INTENT,
    at=MOMENT,
    actor='al"ice',
    agent="finance",
    deployment="9f3a",
    run="run-1",
    subject="act-1",
    data={"z": 1, "a": 2**63},
)
COMMITMENT = Commitment(commit="c0", key="2026-11", sha256="5a")


def test_the_bytes_of_a_leaf() -> None:
    assert encode_leaf(0, AT, PLAIN, None) == (
        b'{"actor":null,"agent":null,"at":"2026-11-20T12:00:00.000001Z","data":{},"deployment":null,'
        b'"kind":"run.ended","payload":null,"run":null,"seq":0,"subject":null,"v":1}'
    )
    assert encode_leaf(17, AT, FULL, COMMITMENT) == (
        b'{"actor":"al\\"ice","agent":"finance","at":"2026-11-20T12:00:00.000001Z",'
        b'"data":{"a":"#int:9223372036854775808","z":1},"deployment":"9f3a","kind":"action.intent",'
        b'"payload":{"commit":"c0","key":"2026-11","sha256":"5a"},"run":"run-1","seq":17,"subject":"act-1","v":1}'
    )


TEXT = st.none() | st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT, TEXT, TEXT, st.integers(0, 2**53 - 1), st.dictionaries(st.text("ab#:int"), st.integers()))
def test_a_leaf_is_canonical_and_comes_back(
    actor: str | None, run: str | None, subject: str | None, seq: int, data: dict[str, int]
) -> None:
    event = Event(kind=EventKind.RUN_ENDED, at=MOMENT, actor=actor, run=run, subject=subject, data=data)

    leaf = encode_leaf(seq, AT, event, COMMITMENT)

    back = decode_leaf(leaf)
    assert (back.seq, back.at, back.actor, back.run, back.subject) == (seq, MOMENT, actor, run, subject)
    assert (back.data, back.payload) == (data, COMMITMENT)
    assert leaf == canonical(
        {
            "v": 1,
            "seq": seq,
            "at": AT,
            "kind": "run.ended",
            "actor": Verbatim(actor) if actor is not None else None,
            "agent": None,
            "deployment": None,
            "run": Verbatim(run) if run is not None else None,
            "subject": Verbatim(subject) if subject is not None else None,
            "data": data,
            "payload": {"commit": "c0", "key": "2026-11", "sha256": "5a"},
        }
    )


class Verbatim(str):
    """A text whose tag, if it has one, is not escaped: the leaf's own fields are never integers."""

    __slots__ = ()

    def startswith(self, *_prefixes: Any) -> bool:
        return False


GOOD = encode_leaf(1, AT, FULL, COMMITMENT)


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        b"[]",
        b"\xff",
        GOOD.replace(b'"v":1', b'"v":2'),
        GOOD.replace(b'"v":1', b'"v":1,"w":1'),
        GOOD.replace(b'"seq":1,', b""),
        GOOD.replace(b"action.intent", b"action.invented"),
        GOOD.replace(b"T12:", b" 12:"),
        GOOD.replace(b'"sha256"', b'"sha512"'),
        GOOD.replace(b'"data":{"a":"#int:9223372036854775808","z":1}', b'"data":[]'),
        GOOD.replace(b"#int:9223372036854775808", b"#int:many"),
    ],
)
def test_what_is_not_a_leaf_of_this_version_is_refused(leaf: bytes) -> None:
    with pytest.raises(CanonicalError):
        decode_leaf(leaf)


def test_kinds_are_named_once_and_fit_their_column() -> None:
    names = [kind.value for kind in EventKind]

    assert len(set(names)) == len(names)
    assert all(len(name) <= 64 and name.isascii() and name.count(".") == 1 for name in names)
    assert set(EventKind) >= CHECKPOINT_KINDS
