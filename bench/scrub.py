"""The scrubber's figures: what it costs, and how good it is on the corpus, beside blanking by key word.

Cost is of documentation that the process has not seen before, with a line that tells here and there. Goodness
is of the half of the corpus that writers of rules do not read, with the other half beside it; no line of the
corpus is printed.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from random import Random
from statistics import median

from bench.new_texts import new_texts
from bench.rows import Row, row, spread
from bench.scrub_corpus import REPLACING, Figures, KeyWords, Part, Texts, measure_part, positives, scrubber
from profiles.context import ContextRules
from sandboxes.scrub.model import Place
from sandboxes.scrub.pack import load_packs
from sandboxes.scrub.scrubber import Scrubber

SIZES_KB = (10, 100)
COLD, WARM = 100, 1500  # texts
ROUNDS = 30
COST_GOAL_US = 20.0
TOKEN_GOAL_MS = 5.0
MEAN_GOAL = 95.0
KIND_GOAL = 85.0
CHANGED_GOAL = 0.5
_TOKEN = 4  # characters, about
_AMONG = 3  # texts of a KB, with some fifty lines, for one line that tells
_KB = 1024


def measure() -> Iterator[Row]:
    """Yield the scrubber's rows."""
    begun = time.process_time()
    pack = load_packs()
    loaded = time.process_time() - begun
    yield row("loading the rules", "s", loaded, None, goal="", ok=None)
    new = Scrubber((), REPLACING, pack)
    texts = _telling(new_texts(_KB))
    yield _cost(new, [*islice(texts, COLD)], 1, "1 KB, the first texts")
    yield _cost(new, [*islice(texts, WARM)], 1, "1 KB")
    for size in SIZES_KB:
        yield _cost(
            new, ["\n\n".join(islice(texts, size)) for _ in range(WARM // size // 2)], size, f"{size} KB"
        )
    yield from _stream()
    yield from _goodness(scrubber())


def _cost(ours: Texts, texts: Sequence[str], size: int, name: str) -> Row:
    """No text of these was scrubbed before, so nothing is remembered of it but its words."""
    taken = [_microseconds(lambda text=text: ours.text(text, Place.RESULT)) / size for text in texts]  # type: ignore[misc]  # bound now
    beside = [_microseconds(lambda text=text: KeyWords().text(text, Place.RESULT)) / size for text in texts]  # type: ignore[misc]  # bound now
    return row(
        f"scrubbing new text, {name}, us of work per KB, {spread(taken)} (beside: blanking by key word)",
        "us",
        median(taken),
        median(beside),
        goal=f"<= {COST_GOAL_US:g} us per KB",
        ok=median(taken) <= COST_GOAL_US,
    )


def _stream() -> Iterator[Row]:
    """A reply of the model in pieces: what a piece costs, where general kinds pass and where they do not."""
    for name, rules in (("own values only", ContextRules()), ("every kind", None)):
        one = scrubber() if rules is None else Scrubber((), rules)
        first, each = _fed(one)
        yield row(
            f"a stream, {name}: work until the first text is out (each piece, median {median(each):.3f} ms)",
            "ms",
            median(first),
            None,
            goal=f"<= {TOKEN_GOAL_MS:g} ms",
            ok=median(first) <= TOKEN_GOAL_MS,
        )


def _fed(one: Scrubber) -> tuple[list[float], list[float]]:
    first, each = [], []
    for text in islice(_telling(new_texts(2 * _KB)), ROUNDS):
        stream, work, out = one.stream(Place.RESULT), 0.0, False
        for at in range(0, len(text), _TOKEN):
            begun = time.thread_time()
            told = stream.feed(text[at : at + _TOKEN])
            each.append((time.thread_time() - begun) * 1e3)
            work += 0 if out else each[-1]
            out = out or bool(told)
        stream.end()
        first.append(work)
    return first, each


def _goodness(ours: Texts) -> Iterator[Row]:
    unseen, seen = measure_part(ours, Part.UNSEEN), measure_part(ours, Part.SEEN)
    words = measure_part(KeyWords(), Part.UNSEEN)
    yield _share("found, mean of the kinds", unseen.mean, words.mean, MEAN_GOAL, f"seen {seen.mean:.1%}")
    for kind, share in unseen.found.items():
        said = f"seen {seen.found[kind]:.1%}, {unseen.count[kind]} texts"
        yield _share(f"found, {kind.value}", share, words.found[kind], KIND_GOAL, said)
    far, far_words = measure_part(ours, Part.FAR), measure_part(KeyWords(), Part.FAR)
    yield row(
        f"found, mean of the kinds, each text another way of saying it ({sum(far.count.values())} texts)",
        "%",
        far.mean * 100,
        far_words.mean * 100,
        goal="",
        ok=None,
    )
    yield _changed(unseen, seen, words)


def _share(name: str, ours: float, beside: float, goal: float, said: str) -> Row:
    shown = f"{name}, rules unseen ({said}; beside: blanking by key word)"
    return row(shown, "%", ours * 100, beside * 100, goal=f">= {goal:g} %", ok=ours * 100 >= goal)


def _changed(unseen: Figures, seen: Figures, words: Figures) -> Row:
    return row(
        f"ordinary lines changed, of {unseen.lines} (seen {seen.changed:.2%} of {seen.lines})",
        "%",
        unseen.changed * 100,
        words.changed * 100,
        goal=f"<= {CHANGED_GOAL:g} %",
        ok=unseen.changed * 100 <= CHANGED_GOAL,
    )


def _telling(texts: Iterable[str]) -> Iterator[str]:
    """Put one line that tells among about fifty ordinary ones, as texts pass."""
    chance = Random(2)  # noqa: S311 - texts to measure with
    told = [positive.text for half in Part for positive in positives(half) if positive.form == "text"]
    for number, text in enumerate(texts):
        yield text if number % _AMONG else f"{text}\n\n{chance.choice(told)}"


def _microseconds(work: Callable[[], object]) -> float:
    begun = time.thread_time()
    work()
    return (time.thread_time() - begun) * 1e6
