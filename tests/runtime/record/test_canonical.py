"""The canonical form: equal to the `rfc8785` package where that has an answer, and one form for one value."""

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from runtime.canonical import MAX_DEPTH, MAX_SAFE_INTEGER, canonical, parse_canonical
from runtime.errors import CanonicalError

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN_TEXT = TEXT.filter(lambda text: not text.startswith(("#int:", "#str:")))
SAFE_INTEGER = st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
FLOAT = st.floats(allow_nan=False, allow_infinity=False)


def values(scalar: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.recursive(
        scalar, lambda inner: st.lists(inner) | st.dictionaries(PLAIN_TEXT, inner), max_leaves=20
    )


@given(values(st.none() | st.booleans() | SAFE_INTEGER | FLOAT | PLAIN_TEXT))
def test_the_form_is_that_of_the_rfc8785_package(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(values(st.none() | st.booleans() | st.integers(-(2**200), 2**200) | TEXT))
def test_a_value_without_floats_comes_back_from_its_form(value: object) -> None:
    assert parse_canonical(canonical(value)) == value


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (2**53 - 1, b"9007199254740991"),
        (2**53, b'"#int:9007199254740992"'),
        (2**63 - 1, b'"#int:9223372036854775807"'),
        (-(2**63), b'"#int:-9223372036854775808"'),
        ("#int:9223372036854775807", b'"#str:#int:9223372036854775807"'),
        ("#str:x", b'"#str:#str:x"'),
        (1.0, b"1"),
        (-0.0, b"0"),
        (1e21, b"1e+21"),
        ({"\ud7ff\ufb33": 1, "\U0001f600": 2}, '{"\ud7ff\ufb33":1,"\U0001f600":2}'.encode()),
        ({"\ufb33": 1, "\U0001f600": 2}, '{"\U0001f600":2,"\ufb33":1}'.encode()),
        ("\x00\x1f\x7f\u2028</script>", b'"\\u0000\\u001f\x7f\xe2\x80\xa8</script>"'),
        ((1, [True, None]), b"[1,[true,null]]"),
    ],
)
def test_known_forms(value: object, form: bytes) -> None:
    assert canonical(value) == form


def test_an_integer_and_the_text_that_looks_like_it_differ() -> None:
    """An approval is bound to a digest of the arguments: two values must never share one."""
    assert canonical({"amount": 2**63}) != canonical({"amount": f"#int:{2**63}"})


def nested(depth: int) -> object:
    value: object = 0
    for _ in range(depth):
        value = [value]
    return value


def test_nesting_has_a_limit() -> None:
    assert json.loads(canonical(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    with pytest.raises(CanonicalError, match="deeper"):
        canonical(nested(MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), "\ud800", {"\udfff": 1}, {1: 2}, b"x", {1, 2}, 2**5000, object()],
    ids=["nan", "infinity", "surrogate", "surrogate key", "number key", "bytes", "set", "huge", "object"],
)
def test_what_has_no_form_is_refused(value: object) -> None:
    with pytest.raises(CanonicalError):
        canonical(value)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'"#int:x"'])
def test_bytes_that_are_no_canonical_form_are_refused(data: bytes) -> None:
    with pytest.raises(CanonicalError):
        parse_canonical(data)
