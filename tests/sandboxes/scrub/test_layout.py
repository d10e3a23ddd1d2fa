"""Names that only the layout of a text gives to its values."""

import pytest

from profiles.context import ContextRules, Treatment
from sandboxes.scrub.layout import attributes, laid_out
from sandboxes.scrub.model import Place
from sandboxes.scrub.scrubber import Scrubber
from sandboxes.scrub.tree import JsonValue

REPLACE = Scrubber((), ContextRules(results=Treatment.REPLACE))
HTML = "<table><tr><th>A</th><th>B</th></tr>\n<tr>\n <td>1</td>\n <td><code>x</code></td>\n</tr></table>"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("| A | B |\n|:--|---|\n| `1` | **x** |\nend", {("A", "1"), ("B", "x")}),
        ("A | B\n--- | ---\n1 | x\n", {("A", "1"), ("B", "x")}),
        ('name,size\n"a, b",3\n', {("name", "a, b"), ("size", "3")}),
        ("one\ttwo\n1\t2\n", {("one", "1"), ("two", "2")}),
        ("NAME   GIVEN NAME\nx-1    wk-1\n", {("NAME", "x-1"), ("GIVEN NAME", "wk-1")}),
        (HTML, {("A", "1"), ("B", "x")}),
        ("a:\n  b: 1\n  c:\n    d: 'x' # why\ne: 2", {("a", "b", "1"), ("a", "c", "d", "x")}),
        ('[a.b]\nc = "1"\n[[d]]\ne = 2', {("a", "b", "c", "1"), ("d", "e", "2")}),
        ('{\n  "a": {\n    "b": "1",\n    "c": 2\n  },\n  "d": 3\n}', {("a", "b", "1"), ("a", "c", "2")}),
        ("<a b=\"1\" c='x y' d=e/>", {("a", "b", "1"), ("a", "c", "x y"), ("a", "d", "e")}),
        ('x <ns:a\n  b.c = "1>2" on>y</ns:a>', {("ns:a", "b.c", "1>2")}),
        ('<p name="A" value="1"/>', {("p", "name", "A"), ("p", "value", "1"), ("p", "A", "1")}),
        ("- name: A\n  value: 1\n- key: B\n  value: 2", {("A", "1"), ("B", "2")}),
    ],
)
def test_values_have_the_names_that_the_layout_gives_them(text: str, told: set[tuple[str, ...]]) -> None:
    """Issue 4 item 4: structured fields by name, in tables, nested, in sections and in pairs."""
    assert {(*laid.path, text[laid.start : laid.end]) for laid in laid_out(text)} == told


@pytest.mark.parametrize(
    "text",
    [
        "if a <b then c = d",
        '<a b="1',
        "<b>c = d</b>",
        "one line: of text",
        "Dear all,\nwe met.\n\nBest,\nA.",
        "a, b\nand c went home, then slept, x\n",
    ],
)
def test_prose_has_no_layout(text: str) -> None:
    assert not list(laid_out(text))


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ({"name": "APP_ENV", "value": "staging"}, {"name": "SETTING", "value": "default"}),
        ([{"Key": "region", "Value": "us-east-1"}], [{"Key": "region", "Value": "local"}]),
        ({"region": {"value": "us-east-1"}}, {"region": {"value": "local"}}),
        ({"name": "colour", "value": "red"}, {"name": "colour", "value": "red"}),
    ],
)
def test_a_value_beside_its_name_is_a_field(value: JsonValue, seen: JsonValue) -> None:
    """Issue 4 item 4: lists of names and values are fields too."""
    assert REPLACE.json(value, Place.RESULT).value == seen


ATTRIBUTES = [
    ('<agent version="3.1" env="staging">', '<agent version="current" env="default">'),
    ('<property name="environment" value="staging"/>', '<property name="environment" value="default"/>'),
    ('<input name="environment" value="staging"/>', '<input name="environment" value="staging"/>'),
    ('<note text="You are an AI model that will be updated quarterly."/>', '<note text="'),
    ('<svg version="1.1" width="7">', '<svg version="1.1" width="7">'),
    ('<?xml version="1.0" encoding="UTF-8"?>', '<?xml version="1.0" encoding="UTF-8"?>'),
    ('<dependency version="2.3.1" scope="test"/>', '<dependency version="2.3.1" scope="test"/>'),
]


@pytest.mark.parametrize(("text", "seen"), ATTRIBUTES)
def test_what_an_attribute_of_a_tag_tells_is_replaced_where_it_stands(text: str, seen: str) -> None:
    """Issue 4 item 4: rules read a text without its tags; what stands in those is looked at by itself."""
    shown = REPLACE.text(text, Place.RESULT).value
    assert shown.startswith(seen)
    assert "quarterly" not in shown
    assert shown.endswith(">")


def test_many_tags_that_never_end_are_read_in_a_time_that_grows_with_the_text() -> None:
    """Issue 4 item 4: each tag is tried once, and an attribute has an end."""
    for text in ("<a b=c " * 20_000, "<a " + "b " * 40_000, "<a b='" * 20_000, "<a" + " " * 100_000):
        assert not list(attributes(text + "="))


def test_a_cell_of_a_table_is_replaced_where_it_stands() -> None:
    """Issue 4 item 4: what tells by its column goes, the table stays."""
    table = "service,region,owner\nshop,us-east-1,ada\n"
    assert REPLACE.text(table, Place.RESULT).value == "service,region,owner\nshop,local,ada\n"
