"""Fields whose names only layout tells: columns of tables, nested keys, sections, pairs, attributes of tags.

What stands as `name: value` in one line is found by the rules of fields themselves.
"""

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sandboxes.scrub.patterns import any_of

# Members that name what the member beside them is the value of; the first that there is does.
NAMING = ("name", "key", "variable", "parameter", "attribute", "field", "property", "label", "tag", "setting")
VALUES = frozenset(
    ("value", "values", "val", "string_value", "int_value", "bool_value", "double_value", "default_value")
)

_NAMES = frozenset(spelled for name in NAMING for spelled in (name, name.title(), name.upper()))

# Most texts have none of these, and one look says so: a key without a value, a section, a value by itself ...
_KEYS = (
    r"^[ \t]*(?:- )?[\"']?[A-Za-z][\w./-]*[\"']?[ \t]*(?::[ \t]*[{\[]?[ \t]*|[:=][ \t]*[{\[])\r?$"
    r"|^\[{1,2}[\w.-]+\]{1,2}[ \t]*\r?$|^[ \t]*[\"']?(?:value|Value|val)[\"']?[ \t]*[:=]"
)
# ... the rule below a table's head, the head of a table in HTML, and lines that look like such a head.
_HEADS = (
    r"^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*\||<th[ >]"
    r"|^[\"']?[A-Za-z][\w .-]{0,30}[\"']?(?:[,;\t][ ]?[\"']?[A-Za-z][\w .-]{0,30}[\"']?)+\r?$"
    r"|(?-i:^[A-Z][A-Z_-]+(?:[ ]{2,}[A-Z][A-Z_-]+)+)"
)
_HAS_ANY, _HAS_KEYS, _HAS_HEADS = any_of((_KEYS, _HEADS)), any_of((_KEYS,)), any_of((_HEADS,))
_KEYED = any_of(
    (r"^[ \t]*(?:- +)?[\"']?[A-Za-z_][\w./?\x80-\xff-]*[\"']?[ \t]*[:=]", r"^\[")
)  # as `_LINE`, `_SECTION`
_LINE = re.compile(
    r"(?P<indent>[ \t]*)(?P<item>- +)?[\"']?(?P<key>[A-Za-z_][\w./-]*)[\"']?[ \t]*[:=][ \t]*(?P<value>[^\n]*)"
)
_OPENS = frozenset(("", "{", "[", "|", ">"))
_SECTION = re.compile(r"\[{1,2}([\w.-]+)\]{1,2}[ \t\r]*$")
_RULE = re.compile(r"[ \t]*\|?(?:[ \t]*:?-{2,}:?[ \t]*\|)+(?:[ \t]*:?-{2,}:?[ \t]*)?\r?$")
_HEAD = re.compile(r"[\"']?[A-Za-z][\w .-]{0,30}[\"']?")
_CAPITALS = re.compile(r"[A-Z][A-Z_-]+(?: [A-Z()_-]+)*(?:[ ]{2,}[A-Z][A-Z()_-]+(?: [A-Z()_-]+)*)+[ \r]*$")
_ROW = re.compile(r"(?is)<tr\b.*?(?=<tr\b|</table|$)")
_CELL = re.compile(r"(?is)<t[hd]\b[^>]*>(?:\s|<[a-z][^>]*>)*(.*?)(?:\s|</?[a-z][^>]*>)*(?=</?t[hdr]\b|$)")
_BARE = re.compile(r"(?P<quote>[\"'`*]*)(?P<bare>.*?)(?:[\"'`*]*,?(?:[ \t]+#.*)?[ \t\r]*)$")
_FENCE = "```"
# A tag's beginning, and one attribute after the other (Extensible Markup Language 1.0, section 3.1).
_TAG = re.compile(r"<([A-Za-z_][\w:.-]{0,60})(?=\s)")
_ATTRIBUTE = re.compile(
    r"\s+(?P<name>[A-Za-z_:@][\w:.-]{0,60})"
    r"(?:\s*=\s*(?:\"(?P<double>[^\"]{0,4000})\"|'(?P<single>[^']{0,4000})'|(?P<plain>(?:(?!/>)[^\s\"'<>=`]){1,400})))?"
)
_QUOTES = ("double", "single", "plain")
_FORMS = frozenset(("input", "option", "select", "button", "param"))  # what somebody is to fill in
_CLOSES = re.compile(r"\s*[/?]?>")


@dataclass(frozen=True, slots=True)
class Laid:
    """A value and the name that the layout gives it.

    Attributes:
        path: names that it stands in, outermost first; its own name is the last.
        start: where it begins in the text.
        end: where it ends.
    """

    path: tuple[str, ...]
    start: int
    end: int


def laid_out(text: str, asked: Callable[[tuple[str, ...]], bool] = lambda _: True) -> Iterator[Laid]:
    """Yield the values of a text that have their names from its layout, in no order.

    Args:
        text: the text.
        asked: whether a path of names matters.
    """
    if "<" in text and "=" in text:
        yield from (laid for laid in attributes(text) if asked(laid.path))
    if "\n" not in text and "<t" not in text:
        return
    data = text.encode("latin-1", "replace")
    if not _HAS_ANY.search(data):
        return
    if _HAS_KEYS.search(data):
        yield from _nested(_keyed(text, data), asked)
    if _HAS_HEADS.search(data):
        yield from (laid for laid in _tables(_lines(text)) if asked(laid.path))
    if "<t" in text:
        yield from (laid for laid in _html(text) if asked(laid.path))


def attributes(text: str) -> Iterator[Laid]:
    """Yield the values of attributes under the names of their tag and their own; a tag has an end."""
    for tag in _TAG.finditer(text):
        found, end = [], tag.end()
        while attribute := _ATTRIBUTE.match(text, end):
            found.append(attribute)
            end = attribute.end()
        if not _CLOSES.match(text, end):
            continue
        spans = {one["name"]: one.span(kind) for one in found for kind in _QUOTES if one[kind]}
        yield from (Laid((tag[1], name), *span) for name, span in spans.items())
        named = next((spans[name] for name in NAMING if name in spans), None)
        if named and tag[1].lower() not in _FORMS:
            path = (tag[1], text[slice(*named)])
            yield from (Laid(path, *span) for name, span in spans.items() if name in VALUES)


def _lines(text: str) -> list[tuple[int, str]]:
    lines, start = [], 0
    for line in text.split("\n"):
        lines.append((start, line))
        start += len(line) + 1
    return lines


def _keyed(text: str, data: bytes) -> Iterator[tuple[int, str]]:
    """The lines that begin with a key, or are a section; few are in most texts."""
    for found in _KEYED.finditer(data):
        end = text.find("\n", found.start())
        yield found.start(), text[found.start() : end if end >= 0 else len(text)]


def _nested(lines: Iterable[tuple[int, str]], asked: Callable[[tuple[str, ...]], bool]) -> Iterator[Laid]:
    """Keys under keys or in sections, and values after their names."""
    above: list[tuple[int, str]] = []
    called: dict[int, str] = {}
    for start, line in lines:
        if line.startswith("[") and (found := _SECTION.match(line)):
            above, called = [(-1, name) for name in found[1].split(".")], {}
            continue
        match = _LINE.match(line)
        if match is None:
            continue
        indent, item, key, value = match.groups()
        column = len(indent) + len(item or "")
        while above and above[-1][0] >= column:
            above.pop()
        if called:
            called = {at: name for at, name in called.items() if at < column + (not item)}
        if value.rstrip() in _OPENS:
            above.append((column, key))
            continue
        name = called.get(column, "") if key.lower() in VALUES else ""
        if key in _NAMES:
            called.setdefault(column, value.strip("\"', \r"))
        path = (*(one for _, one in above), name or key)
        if len(path) > bool(not name) and asked(path):
            yield _bare(path, line, start, match.start("value"), len(line))


def _bare(path: tuple[str, ...], line: str, start: int, first: int, last: int) -> Laid:
    """A value without its quotes, the comma after it, and a comment."""
    match = _BARE.match(line[first:last].rstrip())
    begin, end = match.span("bare") if match else (0, last - first)
    return Laid(path, start + first + begin, start + first + end)


def _tables(lines: Sequence[tuple[int, str]]) -> Iterator[Laid]:
    """The cells of tables whose first line names their columns."""
    at = 0
    while at + 1 < len(lines):
        below = at + 1
        head = lines[at][1]
        if "|" in head and _RULE.match(lines[below][1]):
            at = yield from _rows(lines, below + 1, _spans(head, "|"), head, "|")
        elif "  " in head and _CAPITALS.match(head):
            at = yield from _rows(lines, below, _spans(head, "  "), head, "  ")
        elif (mark := _mark(head, lines[below][1])) and (at == 0 or _begins(lines[at - 1][1])):
            at = yield from _rows(lines, below, _spans(head, mark), head, mark)
        else:
            at = below


def _begins(before: str) -> bool:
    return not before.strip() or before.lstrip().startswith(_FENCE)


def _mark(head: str, row: str) -> str:
    """What parts the cells of a table without lines: the same in the head and the first row, or nothing."""
    for mark in (",", "\t", ";"):
        if mark not in head or mark not in row:
            continue
        cells = head.rstrip().split(mark)
        if len(_spans(row, mark)) == len(cells):
            return mark if all(_HEAD.fullmatch(cell.strip()) for cell in cells) else ""
    return ""


def _rows(
    lines: Sequence[tuple[int, str]], at: int, spans: Sequence[tuple[int, int]], head: str, mark: str
) -> Generator[Laid, None, int]:
    """The cells of the rows from a line on; the end of the table is returned."""
    names = [head[first:last].strip(" \t\r\"'`*_") for first, last in spans]
    while at < len(lines) and mark in lines[at][1].rstrip():
        start, line = lines[at]
        for name, (first, last) in zip(names, _spans(line, mark), strict=False):
            if name and last > first:
                yield _bare((name,), line, start, first, last)
        at += 1
    return at


def _spans(line: str, mark: str) -> list[tuple[int, int]]:
    """Where the cells of a line are, without the blanks around them."""
    if mark == "|":
        return _parts(line, r"[^|]+", line.find("|") + 1 if line.lstrip().startswith("|") else 0)
    if mark == "  ":
        return _parts(line, r"\S+(?: \S+)*", 0)
    return _parts(line, rf"(?:\"[^\"]*\"|[^{mark}\"])+|(?<={mark})(?={mark}|$)", 0)


def _parts(line: str, part: str, start: int) -> list[tuple[int, int]]:
    spans = []
    for match in re.compile(part).finditer(line, start):
        cell = match[0]
        first = match.start() + len(cell) - len(cell.lstrip())
        spans.append((first, max(first, match.start() + len(cell.rstrip()))))
    return spans


def _html(text: str) -> Iterator[Laid]:
    """Cells of tables in HTML that have a row of heads."""
    names: list[str] = []
    for row in _ROW.finditer(text):
        cells = [*_CELL.finditer(text, row.start(), row.end())]
        if len(cells) > 1 and all(cell[0][:3].lower() == "<th" for cell in cells):
            names = [cell[1] for cell in cells]
            continue
        for name, cell in zip(names, cells, strict=False):
            yield Laid((name,), cell.start(1), cell.end(1))
