"""The corpus of the scrubber, and how good a scrubber is on it. Only figures leave here, never a line.

python -m bench.scrub_corpus
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

import yaml

from profiles.context import ContextRules, StatusKind, Treatment
from sandboxes.scrub.model import Place, Scrubbed
from sandboxes.scrub.scrubber import Scrubber

CORPUS: Final = Path(__file__).parents[1] / "tests" / "corpus" / "scrub"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the fast one is not built everywhere
REPLACING: Final = ContextRules(
    messages=Treatment.REPLACE, results=Treatment.REPLACE, definitions=Treatment.REPLACE
)


class Part(StrEnum):
    """Which sources: those that writers of rules read, and two of which they read none."""

    SEEN = "seen"
    UNSEEN = "unseen"
    FAR = "far"  # by authors who know no rule, and nothing is set by what is found of it


@dataclass(frozen=True, slots=True)
class Positive:
    """A text that tells status.

    Attributes:
        kind: what it tells.
        text: the text; of form `json` one JSON value, of form `headers` lines of `name: value`.
        tells: what may not survive, in any letter case, as a whole word.
        place: where it stands.
        form: `text`, `json` or `headers`.
    """

    kind: StatusKind
    text: str
    tells: tuple[str, ...]
    place: Place
    form: str


@dataclass(frozen=True, slots=True)
class Figures:
    """How good a scrubber is.

    Attributes:
        found: of each kind, the share of texts of which nothing that tells survives.
        count: of each kind, how many texts there are.
        changed: the share of ordinary lines that are not as they were.
        in_prompts: the share of them that would not be if each stood in a system prompt, where most is found.
        lines: how many ordinary lines there are.
        alarms: of each rule, how many ordinary lines it changed something in.
    """

    found: Mapping[StatusKind, float]
    count: Mapping[StatusKind, int]
    changed: float
    in_prompts: float
    lines: int
    alarms: Mapping[str, int]

    @property
    def mean(self) -> float:
        """The mean over the kinds."""
        return sum(self.found.values()) / len(self.found)

    def table(self) -> str:
        """The figures, a line each."""
        rows = [f"{kind.value:12} {share:7.1%} of {self.count[kind]}" for kind, share in self.found.items()]
        told = f"{self.changed:7.2%} of {self.lines} changed, {self.in_prompts:.2%} in system prompts"
        alarms = ", ".join(f"{rule} {count}" for rule, count in Counter(self.alarms).most_common())
        mean, ordinary = f"{'mean':12} {self.mean:7.1%}", f"{'ordinary':12} {told}"
        return "\n".join([*rows, mean, ordinary, f"by rule: {alarms or 'none'}"])


class Texts(Protocol):
    """What is measured: the scrubber, or something simpler beside it."""

    def text(self, text: str, place: Place) -> Scrubbed[str]:
        """Return a text as it may be seen."""


def positives(part: Part) -> Iterator[Positive]:
    """Yield the texts of one part that tell status."""
    for path in sorted((CORPUS / part).glob("*.yaml")):
        source = yaml.load(path.read_text(), Loader=_LOADER)  # noqa: S506 - both loaders are safe ones
        for item in source["items"]:
            tells, place = tuple(item["tells"]), Place(source["place"])
            yield Positive(StatusKind(item["kind"]), item["text"], tells, place, source["form"])


def ordinary(part: Part) -> list[tuple[str, Place]]:
    """Return the lines of a part that tell nothing, each where it stands: some are of prompts."""
    folder = CORPUS / ("benign" if part is Part.SEEN else f"{part}/benign")
    return [
        (line, Place.SYSTEM if path.name.startswith("prompts") else Place.RESULT)
        for path in sorted(folder.glob("*.txt"))
        for line in path.read_text().splitlines()
    ]


def measure_part(scrubber: Texts, part: Part) -> Figures:
    """Measure a scrubber on one part of the corpus."""
    count: Counter[StatusKind] = Counter()
    found: Counter[StatusKind] = Counter()
    for positive in positives(part):
        count[positive.kind] += 1
        found[positive.kind] += is_gone(positive, seen(scrubber, positive))
    shares = {kind: found[kind] / count[kind] for kind in StatusKind}
    lines = ordinary(part)
    seen_as = [(line, scrubber.text(line, place)) for line, place in lines]
    changed = [told for line, told in seen_as if told.value != line]
    alarms = Counter(rule for told in changed for rule in {change.rule for change in told.changes})
    prompts = sum(scrubber.text(line, Place.SYSTEM).value != line for line, _ in lines)
    size = max(len(lines), 1)
    return Figures(shares, count, len(changed) / size, prompts / size, len(lines), alarms)


def seen(scrubber: Texts, positive: Positive) -> str:
    """Return what is left of a text."""
    if not isinstance(scrubber, Scrubber) or positive.form == "text":
        return scrubber.text(positive.text, positive.place).value
    if positive.form == "json":
        left = scrubber.json(json.loads(positive.text), positive.place).value
        return json.dumps(left, ensure_ascii=False)
    kept = scrubber.headers(headers_of(positive.text)).value
    return "\n".join(f"{name}: {value}" for name, value in kept.items())


def headers_of(text: str) -> dict[str, str]:
    """Return lines of `name: value` as headers."""
    pairs = [line.partition(":") for line in text.splitlines()]
    return {name.strip(): value.strip() for name, _, value in pairs}


def is_gone(positive: Positive, left: str) -> bool:
    """Tell whether nothing that tells survives."""
    return not any(re.search(_whole(tell), left, re.IGNORECASE) for tell in positive.tells)


def scrubber() -> Scrubber:
    """Return a scrubber that replaces every kind everywhere."""
    return Scrubber((), REPLACING)


class KeyWords:
    """The baseline: a line that holds one of some words is blanked, so it finds what such a list can find."""

    def text(self, text: str, place: Place) -> Scrubbed[str]:
        """Return a text without the lines that hold one of those words."""
        del place
        return Scrubbed("\n".join("" if _KEY_WORDS.search(line) else line for line in text.splitlines()))


def _whole(tell: str) -> str:
    before = r"(?<![^\W_])" if tell[:1].isalnum() else ""
    after = r"(?![^\W_])" if tell[-1:].isalnum() else ""
    return before + re.escape(tell) + after


_KEY_WORDS: Final = re.compile(
    r"\b(?:versions?|v\d+(?:\.\d+)*|models?|gpt[\w.-]*|claude[\w.-]*|gemini[\w.-]*|llama[\w.-]*|"
    r"deprecat\w*|replac\w*|retir\w*|sunset\w*|shut ?downs?|decommission\w*|updat\w*|upgrad\w*|"
    r"releas\w*|cutoff|tests?|testing|tested|evaluat\w*|evals?|benchmarks?|sandbox\w*|simulat\w*|"
    r"production|prod|staging|stage|canary|environments?|env|deploy\w*|builds?|commits?|digest|sha256|"
    r"clusters?|nodes?|regions?|zones?|tiers?|rollouts?|pilot|phases?|reviews?|reviewed|audits?|"
    r"quotas?|budgets?|costs?|limits?|tokens?)\b",
    re.IGNORECASE,
)


if __name__ == "__main__":
    for one in Part:
        print(f"rules {one.value}\n{measure_part(scrubber(), one).table()}\n")
